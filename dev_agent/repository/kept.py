"""Verified commits that could not land yet, held so that a later command can land them.

One ref per run, `refs/dev-agent/kept/<run>`. It moves or goes by one ref update: killed before it nothing has
changed, killed after it everything has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.refs import KEPT, drop_ref, list_refs, read_ref, set_ref
from dev_agent.repository.staging import plain_word

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


def kept_ref(run: str) -> str:
    """The ref that holds the verified commit of `run`. Raises ValueError unless that is a plain word."""
    return KEPT + plain_word(run)


def keep(repository: Repository, run: str, commit: str) -> None:
    """Hold `commit` for `run`, instead of an earlier one. Raises GitFailed."""
    set_ref(repository, kept_ref(run), commit, reason=f"dev-agent: keep {run}")


def kept_commit(repository: Repository, run: str) -> str | None:
    """The commit held for `run`, None if there is none."""
    return read_ref(repository, kept_ref(run))


def release(repository: Repository, run: str) -> None:
    """Hold nothing for `run` any more; nothing held already is fine. Raises GitFailed."""
    drop_ref(repository, kept_ref(run))


def all_kept(repository: Repository) -> dict[str, str]:
    """Everything that is held: run → commit. Raises GitFailed."""
    return {ref.removeprefix(KEPT): commit for ref, commit in list_refs(repository, KEPT).items()}
