"""A private repository that sees another one's objects, and has everything else for itself.

For judging what a push brings before the push is accepted. Git puts what was pushed into a quarantine and forbids to
name it by refs, because it may be thrown away; a run needs refs, a journal and private work trees. So the run gets a
repository of its own, in a scratch folder, which borrows objects from the quarantine and from the repository, and
vanishes with them.

Killed anywhere: a scratch folder whose lock its holder's death has released; whoever makes the next one removes it.
Nothing is ever written into the quarantine, the repository's objects or its refs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault
from dev_agent.repository.discovery import discover
from dev_agent.repository.scratch import scratch

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_LENDERS = ("GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


@contextmanager
def judging_copy(
    repository: Repository, environ: Mapping[str, str], *, cache: Path | None = None
) -> Iterator[Repository]:
    """The private repository, gone afterwards. `environ` is the hook's own: it names the quarantine.

    What it remembers of verdicts goes with it, unless a `cache` outside is named. Raises EnvironmentFault, GitFailed or
    OSError if it cannot be made.
    """
    lenders = object_folders(repository, environ)
    with scratch(repository) as place:
        made = place.path / "judged.git"
        # Unbound: with a git dir named, `init` would make that one anew.
        git = replace(repository.git, git_dir=None, work_tree=None, cwd=place.path)
        git.out(
            "init",
            "--quiet",
            "--bare",
            "--template=",
            f"--object-format={repository.object_format}",
            str(made),
        )
        (made / "objects/info").mkdir(exist_ok=True)
        listed = "".join(f"{folder}\n" for folder in lenders)
        (made / "objects/info/alternates").write_bytes(os.fsencode(listed))
        copy = discover(made, environ)
        if cache is not None:
            _keep(copy, cache)
        yield copy


def _keep(copy: Repository, cache: Path) -> None:
    """Lead what is remembered to a folder that stays, and judged code to one place: a verdict is about a place too."""
    copy.state_dir.mkdir()
    for name in ("cache", "judged"):
        (cache / name).mkdir(parents=True, exist_ok=True)
        (copy.state_dir / name).symlink_to(cache / name)


def object_folders(repository: Repository, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders of objects a hook's git sees: the quarantine first, then what it stands before."""
    named = [environ.get(name, "") for name in _LENDERS]
    folders = [repository.git.cwd / one for text in named for one in text.split(os.pathsep) if one]
    found = dict.fromkeys((*(one.resolve() for one in folders), repository.common_dir / "objects"))
    odd = [folder for folder in found if "\n" in str(folder)]
    if odd:
        raise EnvironmentFault(
            f"the folder of objects {str(odd[0])!r} has a name git cannot borrow from",
            hint="keep the repository in a folder without line breaks in its name",
        )
    return tuple(found)
