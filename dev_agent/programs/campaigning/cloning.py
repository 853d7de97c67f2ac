"""The clones of a campaign: one folder a URL, made once, whole or not at all.

A clone holds the one commit it begins at and its files (`--depth 1`, one branch, no tags): enough to judge, land, push
and undo there. It is made beside its place and renamed into it. Killed before the rename: a folder named `*.part`,
which the next try removes first; after it: the clone. A folder that is there is taken as it is.

The other side is not trusted: only the transport the user wrote is allowed, no hook, template or submodule comes with
it, no filter of git-lfs fetches more. Nobody is asked for a password: no terminal, no window, no interactive helper; a
repository that wants one is a trouble with a remedy. What a server said is text of others.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault
from dev_agent.programs.campaigning.address import Address
from dev_agent.repository.git import Git, find_git
from dev_agent.visible import escape_line

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.process import Completed

_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "GIT_LFS_SKIP_SMUDGE": "1",
}
"""ssh needs no word: its process group has no terminal, and no variable that names a window is passed on."""

_SETTINGS = (
    "core.askPass=",
    "credential.interactive=never",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)
_TIMEOUT_S = 1800.0
_WANTS_CREDENTIALS = re.compile(
    rb"could not read (Username|Password)|terminal prompts disabled|Authentication failed|Permission denied \(|"
    rb"HTTP Basic: Access denied|error: 40[13]"
)
_SHOWN = 300


def clone_folder(folder: Path, address: Address) -> Path:
    """Where the clone of a URL lies: a name people recognise, and a digest that makes it one URL's."""
    last = re.sub(r"[^A-Za-z0-9._-]+", "-", address.path.rstrip("/").removesuffix(".git").rpartition("/")[2])
    digest = hashlib.sha256(address.text.encode()).hexdigest()[:12]
    return folder / "clones" / f"{last.strip('.-')[:60] or 'repository'}-{digest}"


def cloned(
    folder: Path, address: Address, *, start: str | None, environ: Mapping[str, str], cancel: Cancel
) -> Path:
    """The clone of a URL in a campaign's folder, made now if it is not there.

    Raises EnvironmentFault if it cannot be, KeyboardInterrupt if it was stopped.
    """
    place = clone_folder(folder, address)
    if place.is_dir():
        return place
    part = place.with_name(place.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.parent.mkdir(parents=True, exist_ok=True)
    done = _clone(address, part, start=start, environ=environ, cancel=cancel)
    cancel.check()
    if not done.ok:
        shutil.rmtree(part, ignore_errors=True)
        raise _trouble(address, done, start)
    part.rename(place)
    return place


def _clone(
    address: Address, part: Path, *, start: str | None, environ: Mapping[str, str], cancel: Cancel
) -> Completed:
    branch = [f"--branch={start}"] if start else []
    git = Git(program=find_git(environ), environ=environ, cwd=part.parent, timeout_s=_TIMEOUT_S)
    return git.run(
        "clone", "--quiet", "--depth=1", "--single-branch", "--no-tags", "--no-recurse-submodules", "--template=",
        "--origin=origin", *branch, "--end-of-options", address.text, str(part),
        config=(*_SETTINGS, f"protocol.{address.kind.value}.allow=always"),
        env=_QUIET,
        cancel=cancel,
    )  # fmt: skip


def _trouble(address: Address, done: Completed, start: str | None) -> EnvironmentFault:
    lines = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    said = escape_line(lines[-1])[:_SHOWN] if lines else f"git ended with status {done.code}"
    if _WANTS_CREDENTIALS.search(done.stderr):
        return EnvironmentFault(
            f"{address.host or 'the server'} wants credentials for this repository: {said}",
            hint="let git have them without a question: an ssh key in the agent, or a credential helper; "
            "or clone it yourself and list the folder",
        )
    at = f" at the branch {start}" if start else ""
    return EnvironmentFault(
        f"it could not be cloned{at}: {said}",
        hint="try it by hand: git clone --depth 1 URL; then --resume --retry failed",
    )
