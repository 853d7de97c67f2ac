"""What differs between the base and the commit, and whether such a difference may land at all.

Everything here is about git objects and names; index and work tree are looked at elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.landing.journal import Change
from dev_agent.repository.landing.names import clashes, forbidden
from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.store import ObjectStore
from dev_agent.repository.tree_diff import tree_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.tree_walk import Difference

LINK = "120000"
SUBMODULE = "160000"


def difference(repository: Repository, base: str | None, commit: str) -> tuple[Change, ...]:
    """Every path that differs, sorted. A rename is a deletion and an addition: no similarity is guessed.

    Raises GitFailed.
    """
    found = tree_difference(repository, tree_of(repository, base), tree_of(repository, commit))
    return tuple(sorted(map(_change, found), key=lambda change: change.path))


def _change(found: Difference) -> Change:
    old_mode, old_id = found.before or (None, None)
    new_mode, new_id = found.after or (None, None)
    return Change(path=found.path, old_mode=old_mode, old_id=old_id, new_mode=new_mode, new_id=new_id)


def require_landable(
    repository: Repository, base: str | None, commit: str, changes: Sequence[Change]
) -> None:
    """Refuse what may never land: bad names, submodules, case clashes, objects that are not here."""
    bad = [change.path for change in changes if forbidden(change.path)]
    if bad:
        raise Refusal(Code.FORBIDDEN_PATH, f"{bad[0]!r}: {forbidden(bad[0])}", bad)
    modules = [change.path for change in changes if _is_submodule(change)]
    if modules:
        raise Refusal(Code.SUBMODULE_CHANGE, "the change touches submodules", modules)
    _require_no_clash(repository, commit, changes)
    _require_objects(repository, base, commit, changes)


def _is_submodule(change: Change) -> bool:
    return SUBMODULE in (change.old_mode, change.new_mode) or change.path.casefold() == ".gitmodules"


def _require_no_clash(repository: Repository, commit: str, changes: Sequence[Change]) -> None:
    added = [change.path for change in changes if change.old_id is None]
    if not added:
        return
    listed = repository.git.out("ls-tree", "-r", "-t", "-z", "--name-only", "--full-tree", commit)
    everything = listed.decode("utf-8", "surrogateescape").split("\0")[:-1]
    clashing = clashes(added, everything)
    if clashing:
        raise Refusal(Code.CASE_CLASH, "new names differ from others by case or composition only", clashing)


def _require_objects(
    repository: Repository, base: str | None, commit: str, changes: Sequence[Change]
) -> None:
    """A shallow or partial clone may lack what is needed; nothing is fetched in a transaction."""
    ids = [change.new_id for change in changes if change.new_id] + ([base] if base else [])
    try:
        missing = ObjectStore(repository).resolve(ids).count(None)
    except GitFailed:
        missing = -1
    if missing:
        told = missing if missing > 0 else "some"
        raise Refusal(Code.MISSING_OBJECTS, f"{told} objects of {commit} are not in this clone")
