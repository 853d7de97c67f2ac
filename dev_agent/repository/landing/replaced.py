"""Refusing a base that git shows the user as another one (`git replace`).

Everything here reads objects as they are, for a replaced one would not have the bytes its id promises. The user's git
does not: where the commit of HEAD or a folder of its tree is replaced, their index and files are those of the
replacement. A commit built on the real one would land, and what the two differ in would stand in their index as a
change nobody made, ready to be committed with the next one.

A replaced *file* needs no rule: its bytes on the disk are then not those of the base, which is work in the way like any
other. Replaced commits further back, and grafts, change no tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.refs import list_refs

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_REPLACED = "refs/replace/"


def require_unreplaced(repository: Repository, base: str | None) -> None:
    """Refuse if the commit `base`, or a folder of its tree, is replaced. Raises Refusal, GitFailed."""
    if base is None or not (replaced := _replaced(repository)):
        return
    folders = repository.git.out("ls-tree", "-r", "-d", "-z", "--format=%(objectname)", "--full-tree", base)
    top = repository.git.line("rev-parse", f"{base}^{{tree}}")
    seen = replaced & {base, top, *folders.decode("ascii").split("\0")}
    if seen:
        one = min(seen)
        raise Refusal(
            Code.REPLACED_OBJECTS,
            f"git replace shows another object for {one}, so the files here are not those of the commit {base}; "
            f"take the replacement away (git replace -d {one}) and check the commit out as it is",
        )


def _replaced(repository: Repository) -> set[str]:
    """The ids the user's git shows something else for; none if they told it not to."""
    ids = {ref.removeprefix(_REPLACED) for ref in list_refs(repository, _REPLACED)}
    heeded = repository.git.run("config", "--type=bool", "--get", "core.useReplaceRefs") if ids else None
    return set() if heeded is None or heeded.stdout.strip() == b"false" else ids
