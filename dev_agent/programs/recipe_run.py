"""A recipe as a proposer: it rewrites the base tree in memory, and what it made is a tree like a command's.

The recipe sees immutable trees and gives bytes; everything that writes is here, and writes objects only. Modes are the
base's, moved files keep theirs, and every changed path obeys the law of edits. What it may not do although it says so
(touch a file outside `--path`, rewrite what is no regular file) is refused, not left out.

Killed anywhere: objects nobody names. On resume the recipe computes the same again from the same base.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.gates.subject import Subject
from dev_agent.programs.path_law import breach
from dev_agent.programs.proposers import Answer
from dev_agent.programs.recipe_task import covering
from dev_agent.recipes.model import Bench, CheckerFailed, Complaint, Declined
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.objects import EXECUTABLE, REGULAR, GitTree
from dev_agent.repository.staging import compose
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.context import Judges
    from dev_agent.programs.proposers import RecipeTask
    from dev_agent.recipes.model import Checker, Rewritten
    from dev_agent.repository.discovery import Repository

_BETWEEN_S = 2.0


class _NotAllowed(Exception):
    """The recipe wants what it may not do; the text says what, `code` is for machines."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipeRun:
    """One task for one recipe on `base`. It is bound to a run's services, and asked once."""

    repository: Repository
    judges: Judges
    cancel: Cancel
    base: str | None
    source: RecipeTask
    told: Callable[[str], None] = lambda _text: None
    name: str = "recipe"
    revises: bool = False

    def propose(self) -> Answer:
        """Let the recipe work and take what it made. Raises KeyboardInterrupt if the run is to stop."""
        tree = GitTree(self.repository, tree_of(self.repository, self.base))
        try:
            done = self.source.job.work(self._bench(tree))
            self.cancel.check()
            if isinstance(done, Declined):
                return Answer(declined=done.message, reason=done.code, hint=done.hint, places=done.places)
            made = self._made(tree, done)
        except CheckerFailed as failed:
            return Answer(declined=failed.message, reason="checker_failed", hint=failed.hint)
        except _NotAllowed as refused:
            return Answer(declined=str(refused), reason=refused.code)
        return Answer(tree=made, notes=done.notes, places=done.places, unchanged="there is nothing to do")

    def _bench(self, tree: GitTree) -> Bench:
        return Bench(
            tree=tree,
            covers=covering(self.source.paths),
            checker=self._checker(tree) if self.judges.answers_on_types(tree.tree) else None,
            pause=self.cancel.check,
            told=Paced(self.told).tell,
        )

    def _checker(self, tree: GitTree) -> Checker:
        """The project's own type checker, asked about the tree as it would become."""

        def check(done: Rewritten) -> tuple[Complaint, ...]:
            subject = Subject(base_tree=tree.tree, tree=self._made(tree, done), changed=())
            said = self.judges.ask_types(subject, self.cancel)
            self.cancel.check()
            if said.crashed:
                raise CheckerFailed(_crash(said.crashed, said.detail))
            if said.blocked:
                first = said.findings[0]
                raise CheckerFailed(
                    f"mypy cannot check the project: {first.path}:{first.line}: {first.message}",
                    "mend that first",
                )
            return tuple(
                Complaint(
                    path=one.path,
                    line=max(one.line, 0),
                    column=max(one.column, 0),
                    code=one.code,
                    message=one.message,
                )
                for one in said.findings
            )

        return check

    def _made(self, tree: GitTree, done: Rewritten) -> str:
        """The id of the tree the rewriting gives. Raises _NotAllowed."""
        files = {path: entry for path in tree.paths() if (entry := tree.entry(path))}
        covers = covering(self.source.paths)
        touched = {*done.files, *done.moves, *done.moves.values()}
        outside = sorted(path for path in touched if path in files and not covers(path))
        if outside:
            raise _NotAllowed(
                "outside_path", f"the recipe would change {outside[0]!r}, which --path leaves out"
            )
        changes: dict[str, tuple[str, str] | None] = {}
        for path, to in done.moves.items():
            changes[to] = files[path]
            changes.setdefault(path, None)
        store = ObjectStore(self.repository)
        written = [(path, data) for path, data in done.files.items() if data is not None]
        ids = store.write([NewObject(kind="blob", data=data) for _, data in written])
        for (path, _), object_id in zip(written, ids, strict=True):
            changes[path] = (_mode(path, changes.get(path) or files.get(path)), object_id)
        changes.update({path: None for path, data in done.files.items() if data is None})
        changes = {path: entry for path, entry in changes.items() if entry != files.get(path)}
        fault = breach(self.repository, tree.tree, files, changes)
        if fault:
            raise _NotAllowed("refused_path", fault)
        return compose(self.repository, tree.tree, changes)


def _crash(how: str, detail: str) -> str:
    """Why mypy said nothing that can be used, with the end of what it said: its words, not a sentence of ours."""
    said = f"mypy cannot check the project: {how.replace('_', ' ')}"
    return f"{said}\n{detail}" if detail else said


@dataclass(kw_only=False, slots=True)
class Paced:
    """Tells people how far the work is, at most once in a while: a recipe speaks at every file."""

    told: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    _next: float = field(default=0.0)

    def __post_init__(self) -> None:
        """What takes no time needs no telling."""
        self._next = self.clock() + _BETWEEN_S

    def tell(self, text: str) -> None:
        """`text`, unless something was told just now."""
        now = self.clock()
        if now >= self._next:
            self._next = now + _BETWEEN_S
            self.told(text)


def _mode(path: str, entry: tuple[str, str] | None) -> str:
    if entry is None:
        return REGULAR
    if entry[0] not in (REGULAR, EXECUTABLE):
        raise _NotAllowed("not_a_file", f"the recipe would rewrite {path!r}, which is no regular file")
    return entry[0]
