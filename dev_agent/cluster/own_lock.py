"""The lock of this machine's own environment, by what lies on the disk and not by what an installer wrote down.

Files of installed packages get changed (a company's certificates in `certifi`, a patch by hand), and what a worker
proves is the files. So each file is hashed here too. That takes seconds for a large environment, so the lock is
remembered under the sizes and times of all files: looking at those takes a tenth.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.cluster.frozen import read_environment
from dev_agent.cluster.lock import freeze
from dev_agent.gates.cache import digest_of

if TYPE_CHECKING:
    from dev_agent.cluster.lock import Frozen
    from dev_agent.gates.cache import Cache
    from dev_agent.gates.environment import Installed
    from dev_agent.gates.interpreter import Interpreter
    from dev_agent.gates.project import Project

_KIND = "lock"
_NOT_COUNTED = "__pycache__"


def own_lock(project: Project, remembered: Cache) -> Frozen:
    """The lock of the environment the gates judge in here. Raises EnvironmentFault for one no lock can name."""
    return proved_lock(project.interpreter, project.installed, project.root, remembered)


def proved_lock(interpreter: Interpreter, installed: Installed, root: Path, remembered: Cache) -> Frozen:
    """The lock of an environment, every file hashed now or when it last was another. Raises as `freeze` does."""
    found = freeze(interpreter, installed, root)
    key = digest_of([found.environment.digest, str(root), _state_of(interpreter.site_dirs)])
    known = remembered.get(_KIND, key)
    faults: list[str] = []
    if known is not None:
        environment = read_environment(known, "lock", faults)
        if not faults:
            return replace(found, environment=environment)
    proved = freeze(interpreter, installed, root, verify=True)
    remembered.put(_KIND, key, proved.environment.to_json())
    return proved


def _state_of(folders: Sequence[Path]) -> str:
    """A digest of path, size and times of every file: another one after any change a program makes."""
    digest = hashlib.sha256()
    for folder in folders:
        for path, status in _files(folder):
            said = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ctime_ns}\0{status.st_ino}\n"
            digest.update(said.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != _NOT_COUNTED)
        for name in sorted(names):
            path = Path(where, name)
            try:
                yield str(path), path.lstat()
            except OSError:
                continue  # what is gone meanwhile changes the state by not being there
