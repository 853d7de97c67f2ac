"""What a model would be shown for a task: a ranked map of one commit, within a budget of tokens.

Binds git, the index in the state folder and redaction to `context`, which knows none of them. Reads only: the base
commit, never the work tree; writes only what it remembers, below the state folder's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dev_agent.context.clues import clues_in
from dev_agent.context.folder import IndexFolder
from dev_agent.context.index import Index
from dev_agent.context.kept import Kept
from dev_agent.context.model import Ranked, View
from dev_agent.context.past import Past, past_from, past_of
from dev_agent.context.rank import WEIGHTS, Weights, rank
from dev_agent.context.show import view_of
from dev_agent.errors import UsageFault
from dev_agent.policy.secret_patterns import redact
from dev_agent.programs.library import CommitSource
from dev_agent.programs.recipe_task import covering, require_matching
from dev_agent.repository.discovery import read_head, resolve_commit
from dev_agent.repository.history import recent_commits
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.repository.discovery import Repository

DEFAULT_BUDGET = 8_000
LEAST_BUDGET = 100
LONGEST_TASK = 4 << 20
_COMMITS = 800
_PAST = "-2.past"


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextRequest:
    """A task and what narrows its context. `base` names a commit, None: HEAD."""

    task: str
    budget: int = DEFAULT_BUDGET
    paths: tuple[str, ...] = ()
    base: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ContextReport:
    """The answer: the base's commit, every ranked file, and what would be shown of them."""

    base: str | None
    ranked: tuple[Ranked, ...]
    view: View
    files: int


def context_for(
    repository: Repository,
    request: ContextRequest,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    weights: Weights = WEIGHTS,
) -> ContextReport:
    """What a model would see of the base for the task, and why.

    Raises UsageFault for a base, path pattern, task or budget that cannot be meant, RepositoryFault where the clone
    lacks something.
    """
    commit = base_of(repository, request.base)
    return map_of(
        repository,
        commit,
        request.task,
        budget=request.budget,
        paths=request.paths,
        progress=progress,
        weights=weights,
    )


def map_of(
    repository: Repository,
    commit: str | None,
    task: str,
    *,
    budget: int,
    paths: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    weights: Weights = WEIGHTS,
) -> ContextReport:
    """The same for a commit by its full id; None: for nothing. Raises as `context_for` does."""
    require_sound(task, budget)
    within = covering(paths)
    source = CommitSource(repository, commit)
    folder = repository.state_dir / "cache" / "context"
    past = _past(repository, commit, folder)
    clues = clues_in(task)

    def question(index: Index) -> ContextReport:
        require_matching(paths, index.table.paths)
        ranked = rank(index, past, clues, within=within, weights=weights)
        view = view_of(ranked, index, clues, budget=budget, redact=redact, within=within)
        return ContextReport(base=commit, ranked=tuple(ranked), view=view, files=len(index.table.paths))

    return IndexFolder(folder, progress).asked(source, question)


def _past(repository: Repository, commit: str | None, folder: Path) -> Past:
    if commit is None:
        return Past()
    kept = Kept(folder)
    known = kept.get(f"{commit}{_PAST}")
    if known is not None:
        return past_from(known)
    past = past_of(recent_commits(repository, commit, _COMMITS))
    kept.put(f"{commit}{_PAST}", past.to_bytes())
    return past


def base_of(repository: Repository, name: str | None) -> str | None:
    """The commit a base means, None: HEAD; None if nothing is committed yet. Raises UsageFault."""
    if name is None:
        return read_head(repository).commit
    found = resolve_commit(repository, name)
    if found is None:
        raise UsageFault(f"there is no commit {name!r}", hint="name a commit, branch or tag: --base main")
    return found


def require_sound(task: str, budget: int) -> None:
    """Refuse a task or budget that cannot be meant, by a UsageFault."""
    if not task.strip():
        raise UsageFault(
            "the task is empty", hint="say what is to be done: dev-agent context 'fix the total'"
        )
    if len(task) > LONGEST_TASK:
        raise UsageFault(
            f"the task has {len(task)} characters, at most {LONGEST_TASK} are read",
            hint="put in the task what is wanted and the error itself, not the whole log",
        )
    if budget < LEAST_BUDGET:
        raise UsageFault(f"a budget of {budget} tokens shows nothing", hint=f"give at least {LEAST_BUDGET}")
