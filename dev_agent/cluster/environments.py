"""An environment with a given lock on this machine: found or made, and proved before anything is judged in it.

    1. the asker's own interpreter, by its path: a worker on the same machine, or of the same image
    2. those the operator declared
    3. one built from the lock, if the operator allows building

Each is looked at file by file (`own_lock`), once a process and whenever something was installed, and taken only if its
lock is the one asked for, the project's own files included; these are added to a copy of it where they are all that is
missing. If none serves, the trouble names both digests and where the nearest differs: it is the machine's, never the
change's.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.cluster.building import Installer, forget, is_whole
from dev_agent.cluster.frozen import FrozenEnvironment, named
from dev_agent.cluster.grafting import graft
from dev_agent.cluster.own_lock import proved_lock
from dev_agent.errors import DevAgentError, EnvironmentFault
from dev_agent.gates.cache import Cache
from dev_agent.gates.environment import Installed
from dev_agent.gates.interpreter import Interpreter
from dev_agent.values import dataclass


class EnvironmentDiffers(EnvironmentFault):
    """No environment here has the lock that was asked for, and none can be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """An environment as it was found: `interpreter` and what is `installed` for it."""

    interpreter: Interpreter
    installed: Installed


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What is asked for. `interpreter` is the asker's path; `look` finds out about a Python that exists here.

    `find` gives the bytes of the project's own files by sha256, `root` is where the repository is shown.
    """

    environment: FrozenEnvironment
    interpreter: Path
    root: Path
    look: Callable[[Path], Looked]
    find: Callable[[str], Path]


_OTHER_INDEX = (
    "the worker's index has other files of the same version than a system's own packages: install from that index "
    "where the change is proposed, or give the worker such an environment with --environment DIR"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    python: Path
    because: str


class Environments:
    """The environments of one worker. Safe for several threads; one process has the folder."""

    def __init__(
        self, folder: Path, *, declared: tuple[Path, ...] = (), installer: Installer | None = None
    ) -> None:
        self.folder = folder
        self._declared = declared
        self._installer = installer
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}
        self._proved: dict[tuple[Path, Path], tuple[tuple[object, ...], FrozenEnvironment]] = {}
        self._in_use: Counter[str] = Counter()

    @contextmanager
    def ready(self, wanted: Wanted, cancel: Cancel) -> Iterator[Path]:
        """The Python of an environment with the wanted lock; it is not dropped inside.

        Raises EnvironmentDiffers, OSError (no space), KeyboardInterrupt (cancelled while it was built).
        """
        digests = {wanted.environment.digest, wanted.environment.wheels_digest}
        with self._lock:
            self._in_use.update(digests)
        try:
            yield self._find(wanted, cancel)
        finally:
            with self._lock:
                self._in_use.subtract(digests)

    def drop(self, digest: str) -> bool:
        """Remove a made environment; False if somebody uses it. Raises OSError."""
        with self._lock:
            if self._in_use[digest] > 0:
                return False
            forget(self.folder / digest)
        return True

    def _find(self, wanted: Wanted, cancel: Cancel) -> Path:
        misses: list[tuple[str, FrozenEnvironment]] = []
        said: list[str] = []
        for candidate in self._candidates(wanted, said):
            frozen = self._prove(candidate, wanted, said)
            if frozen is None:
                continue
            if frozen == wanted.environment:
                return candidate.python
            is_venv = (candidate.python.parent.parent / "pyvenv.cfg").is_file()
            if is_venv and not frozen.own and frozen.digest == wanted.environment.wheels_digest:
                return self._grafted(candidate.python, wanted)
            misses.append((candidate.because, frozen))
        if self._installer is not None:
            return self._built(self._installer, wanted, cancel)
        raise _differs(wanted.environment, misses, said)

    def _candidates(self, wanted: Wanted, said: list[str]) -> Iterator[_Candidate]:
        if _is_there(wanted.interpreter, said):
            yield _Candidate(python=wanted.interpreter, because=f"the interpreter at {wanted.interpreter}")
        for folder in self._declared:
            yield _Candidate(python=folder / "bin" / "python", because=f"the declared environment {folder}")
        for digest in dict.fromkeys((wanted.environment.digest, wanted.environment.wheels_digest)):
            if is_whole(self.folder / digest):
                yield _Candidate(
                    python=self.folder / digest / "bin" / "python",
                    because=f"the environment made as {digest[:12]}",
                )

    def _prove(self, candidate: _Candidate, wanted: Wanted, said: list[str]) -> FrozenEnvironment | None:
        try:
            looked = wanted.look(candidate.python)
            state = _state_of(looked)
            with self._lock:
                known = self._proved.get((candidate.python, wanted.root))
            if known is not None and known[0] == state:
                return known[1]
            frozen = self._lock_of(looked, wanted)
        except DevAgentError as fault:
            said.append(f"{candidate.because}: {fault.message}")
            return None
        with self._lock:
            self._proved[candidate.python, wanted.root] = (state, frozen)
        return frozen

    def _lock_of(self, looked: Looked, wanted: Wanted) -> FrozenEnvironment:
        """By its files: hashed now, or when their sizes and times were last the same."""
        remembered = Cache(self.folder / "proved")
        return proved_lock(looked.interpreter, looked.installed, wanted.root, remembered).environment

    def _built(self, installer: Installer, wanted: Wanted, cancel: Cancel) -> Path:
        digest = wanted.environment.wheels_digest
        place = self.folder / digest
        python = place / "bin" / "python"
        with self._making_of(digest):
            if not is_whole(place):
                try:
                    installer.build(wanted.environment, place, cancel)
                except EnvironmentFault as fault:
                    raise EnvironmentDiffers(
                        f"the environment {digest[:12]} cannot be built here: {fault.message}",
                        hint=fault.hint,
                    ) from fault
            looked = wanted.look(python)
            found = self._lock_of(looked, wanted)
            if found.digest != digest:
                forget(place)
                raise _differs(
                    wanted.environment, [("what was built from the lock", found)], [], hint=_OTHER_INDEX
                )
        return self._grafted(python, wanted) if wanted.environment.own else python

    def _grafted(self, python: Path, wanted: Wanted) -> Path:
        digest = wanted.environment.digest
        place = self.folder / digest
        with self._making_of(digest):
            if not is_whole(place):
                looked = wanted.look(python)
                site = looked.interpreter.site_dirs[0]
                graft(python.parent.parent, site, wanted.environment.own, wanted.find, place)
            made = place / "bin" / "python"
            looked = wanted.look(made)
            found = self._lock_of(looked, wanted)
            if found != wanted.environment:
                forget(place)
                raise _differs(wanted.environment, [("what was made for the project", found)], [])
        return made

    @contextmanager
    def _making_of(self, digest: str) -> Iterator[None]:
        """One thread makes an environment, the others wait for it."""
        with self._lock:
            lock = self._making.setdefault(digest, threading.Lock())
        with lock:
            yield


def _is_there(interpreter: Path, said: list[str]) -> bool:
    """True if the asker's own interpreter is one here. Another user's home may be closed to a worker."""
    try:
        return interpreter.is_file()
    except OSError as error:
        said.append(f"the interpreter at {interpreter}: {error.strerror}")
        return False


def _state_of(looked: Looked) -> tuple[object, ...]:
    """What changes when something is installed: the names and times of all that lies in the site directories."""
    return (
        looked.interpreter,
        *(
            (str(site), *sorted((one.name, one.lstat().st_mtime_ns) for one in site.iterdir()))
            for site in looked.interpreter.site_dirs
        ),
    )


def _differs(
    wanted: FrozenEnvironment,
    misses: list[tuple[str, FrozenEnvironment]],
    said: list[str],
    *,
    hint: str = "declare one with --environment DIR, or start the worker with --build-environments",
) -> EnvironmentDiffers:
    """The trouble, with the nearest of what was found."""
    begin = f"this worker has no environment {wanted.digest[:12]}"
    ranked = sorted(
        ((wanted.differences(found), because, found) for because, found in misses),
        key=lambda one: len(one[0]),
    )
    if ranked:
        differences, because, found = ranked[0]
        begin += f"; {because} is {found.digest[:12]}, and differs: {named(differences)}"
    elif said:
        begin += f": {'; '.join(said[:3])}"
    return EnvironmentDiffers(begin, hint=hint)
