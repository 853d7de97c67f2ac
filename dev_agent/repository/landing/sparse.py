"""Which new paths a sparse checkout leaves out of the work tree.

Git itself is asked: a private index with nothing but the new paths is brought in line with the user's patterns,
in an empty private work tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dev_agent.repository.landing.index_view import view_index
from dev_agent.repository.landing.outcome import Code, Refusal
from dev_agent.repository.settings import read_flag

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Change


def require_inside_cone(repository: Repository, changes: Sequence[Change], scratch: Path) -> None:
    """Refuse if a new path lies outside the sparse checkout. `scratch` is an empty private folder.

    Killed here: only the private folder was written to.
    """
    added = [change for change in changes if change.old_id is None]
    if not added or not read_flag(repository, "core.sparsecheckout"):
        return
    index = scratch / "sparse-index"
    work_tree = scratch / "sparse"
    work_tree.mkdir()
    settings = ("index.sparse=false", "core.splitIndex=false")
    git = repository.git.with_index(index).with_work_tree(work_tree)
    rows = b"".join(
        f"{change.new_mode} {change.new_id}\t{change.path}\0".encode("utf-8", "surrogateescape")
        for change in added
    )
    git.out("update-index", "-z", "--index-info", stdin=rows, config=settings)
    git.out("sparse-checkout", "reapply", config=settings)
    outside = [path for path, entry in view_index(git).entries.items() if entry.tag == "S"]
    if outside:
        raise Refusal(Code.SPARSE_OVERLAP, "the change adds files outside the sparse checkout", outside)
