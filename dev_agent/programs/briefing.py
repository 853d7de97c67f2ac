"""What a model is shown for a task: a map of the repository, texts of files, the failures of what it proposed.

Binds git, the index and redaction to `context`, which knows none of them. Everything is read from objects (the base
commit, or the tree of a staged change), nothing from a work tree; written is only what the index remembers, below the
state folder's cache. Each answer is a `Brief`: a text whose tokens never exceed its budget, by the estimate, and what
is in it, for the trace. The same repository, task and arguments give the same text always.

All that comes from the repository or from programs it ran stands in blocks that what is in them cannot end (`fence`);
credentials are taken out, environments and keys are never shown, however they are asked for (`reading`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dev_agent.context.clues import clues_in
from dev_agent.context.excerpts import Excerpt, Wish, excerpts_of
from dev_agent.context.failures import Essentials, Place, essentials
from dev_agent.context.fence import fenced
from dev_agent.context.folder import IndexFolder
from dev_agent.context.kinds import PATH_ONLY, kind_of
from dev_agent.context.model import Section
from dev_agent.context.reading import Reader, Refused
from dev_agent.context.tokens import estimated_tokens
from dev_agent.context.wanted import NOTHING, Wanted, Wishes
from dev_agent.errors import UsageFault
from dev_agent.policy.secret_patterns import redact, redact_lines
from dev_agent.programs.library import TreeLibrary
from dev_agent.programs.paths import to_recorded
from dev_agent.programs.recipe_task import covering
from dev_agent.programs.repository_map import (
    DEFAULT_BUDGET,
    ContextReport,
    ContextRequest,
    base_of,
    map_of,
    require_sound,
)
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.context.verdicts import VerdictLike
    from dev_agent.repository.discovery import Repository

MAP_BUDGET = DEFAULT_BUDGET
FILES_BUDGET = 24_000
FAILURES_BUDGET = 4_000

_MAP_TITLE = "of the repository, best first: files, definitions with their lines"
_FRAME = estimated_tokens(fenced("map", _MAP_TITLE, ""))
_TOP = 6
_STAGED, _PLANNED, _ASKED, _GUESSED = 4, 3, 2, 1
_MOST_CHANGED, _MOST_PLANNED = 60, 40
_REFUSED_SHARE, _MOST_REFUSED = 10, 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Brief:
    """A text for a model and what it is made of. `places` are lines of code that a failure's report names."""

    text: str
    tokens: int
    budget: int
    sections: tuple[Section, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    refused: tuple[Refused, ...] = ()
    places: tuple[Place, ...] = ()
    left_out: int = 0

    def to_json(self) -> dict[str, Any]:
        """What was shown, without the texts: for a trace. No floats."""
        return {
            "budget": self.budget,
            "tokens": self.tokens,
            "left_out": self.left_out,
            "mapped": [to_recorded(one.ranked.path) for one in self.sections],
            "files": [
                {"path": to_recorded(one.path), "first": one.first, "last": one.last, "whole": one.whole,
                 "tokens": one.tokens, "why": one.why}
                for one in self.excerpts
            ],
            "refused": [{"what": one.what, "reason": one.reason.value} for one in self.refused],
        }  # fmt: skip


class Briefer:
    """Briefs about one base commit (None: nothing is committed yet), confined to `paths`.

    Raises UsageFault for paths that are no pattern; its methods raise RepositoryFault where the clone lacks something.
    """

    def __init__(
        self,
        repository: Repository,
        base: str | None,
        *,
        paths: Sequence[str] = (),
        progress: Callable[[int, int], None] = lambda _done, _all: None,
    ) -> None:
        self._repository, self._base, self._paths, self._progress = repository, base, tuple(paths), progress
        self._covers = covering(paths)
        self._index = IndexFolder(repository.state_dir / "cache" / "context", progress)
        self._reports: dict[tuple[str, int], ContextReport] = {}
        self._readers: dict[str | None, Reader] = {}

    def report(self, task: str, *, budget: int = MAP_BUDGET - _FRAME) -> ContextReport:
        """The ranked files and the map, with the reasons. Raises UsageFault for an empty or endless task."""
        known = self._reports.get((task, budget))
        if known is None:
            known = self._reports[task, budget] = map_of(
                self._repository, self._base, task, budget=budget, paths=self._paths, progress=self._progress
            )
        return known

    def map(self, task: str, *, budget: int = MAP_BUDGET) -> Brief:
        """The ranked outline of the repository. Raises UsageFault as `report` does."""
        return _brief_of_map(self.report(task, budget=budget - _FRAME), budget)

    def files(
        self,
        task: str,
        *,
        plan_files: Sequence[str] = (),
        symbols: Sequence[str] = (),
        wanted: Wanted = NOTHING,
        staged_tree: str | None = None,
        places: Sequence[Place] = (),
        budget: int = FILES_BUDGET,
    ) -> Brief:
        """Texts of files: what a staged change touches, as staged; what is planned; what was asked for.

        With nothing of that, the best ranked files. `places` are lines to show first, where their files are shown.
        """
        reader = self._reader(staged_tree)
        wishes = Wishes(reader)
        wishes.add(
            Wanted(files=self._changed(staged_tree)), why="changed so far", weight=_STAGED, most=_MOST_CHANGED
        )
        planned = Wanted(files=tuple(plan_files), symbols=tuple(symbols))
        wishes.add(planned, why="planned", weight=_PLANNED, most=_MOST_PLANNED)
        wishes.add(wanted, weight=_ASKED)
        if not (plan_files or symbols or staged_tree) and wanted.empty:
            for wish in self._best(task):
                wishes.wish(wish)
        words = dict(clues_in(task).terms)
        focused = [_focused(wish, words, places) for wish in wishes]
        picked = excerpts_of(focused, reader, budget - min(_MOST_REFUSED, budget // _REFUSED_SHARE))
        no = tuple(
            replace(one, what=redact(one.what), detail=redact(one.detail))
            for one in dict.fromkeys((*wishes.refused, *picked.refused))
        )
        shown = "".join(one.text for one in picked.excerpts)
        text = shown + _refusals(no, budget - picked.tokens)
        return Brief(
            text=text, tokens=estimated_tokens(text), budget=budget, excerpts=picked.excerpts, refused=no
        )

    def failures(
        self,
        verdicts: Sequence[VerdictLike],
        *,
        staged_tree: str | None = None,
        budget: int = FAILURES_BUDGET,
    ) -> Brief:
        """The new failures of these verdicts, with the code around them as it is in the staged tree."""
        found: Essentials = essentials(verdicts, self._reader(staged_tree), redact_lines, budget)
        return Brief(
            text=found.text, tokens=found.tokens, budget=budget, places=found.places, left_out=found.left_out
        )

    def _best(self, task: str) -> list[Wish]:
        """The best ranked files, the first with the most room."""
        best = [one for one in self.report(task).ranked if kind_of(one.path) not in PATH_ONLY][:_TOP]
        return [
            Wish(path=one.path, why=f"ranked {at}", weight=_GUESSED + (len(best) - at) // 2)
            for at, one in enumerate(best, start=1)
        ]

    def _changed(self, staged_tree: str | None) -> tuple[str, ...]:
        """The paths whose files differ between the base and the staged tree, gone ones too, sorted."""
        if staged_tree is None:
            return ()
        old = self._library(self._base).source.files()
        new = self._library(staged_tree).source.files()
        return tuple(sorted(path for path in {*old, *new} if old.get(path) != new.get(path)))

    def _reader(self, tree: str | None) -> Reader:
        name = tree or self._base
        if name not in self._readers:
            self._readers[name] = Reader(self._library(name), redact_lines)
        return self._readers[name]

    def _library(self, name: str | None) -> TreeLibrary:
        return TreeLibrary(self._repository, name, self._covers, self._index)


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstView:
    """What a model is shown of the repository with the first question of a task, and why each file was chosen."""

    report: ContextReport
    map: Brief
    files: Brief


def first_view(
    repository: Repository,
    request: ContextRequest,
    *,
    files_budget: int = FILES_BUDGET,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> FirstView:
    """The first view for a request, whose budget is the map's. Raises as `context_for` and `Briefer` do."""
    if files_budget < 0:
        raise UsageFault(f"a budget of {files_budget} tokens for files", hint="give 0 to see the map alone")
    require_sound(request.task, request.budget)
    commit = base_of(repository, request.base)
    briefer = Briefer(repository, commit, paths=request.paths, progress=progress)
    return FirstView(
        report=briefer.report(request.task, budget=request.budget - _FRAME),
        map=briefer.map(request.task, budget=request.budget),
        files=briefer.files(request.task, budget=files_budget),
    )


def _brief_of_map(report: ContextReport, budget: int) -> Brief:
    view = report.view
    text = fenced("map", _MAP_TITLE, view.text) if view.sections else ""
    return Brief(
        text=text,
        tokens=estimated_tokens(text),
        budget=budget,
        sections=view.sections,
        left_out=view.left_out,
    )


def _focused(wish: Wish, words: Mapping[str, float], places: Sequence[Place]) -> Wish:
    lines = tuple(place.line for place in places if place.path == wish.path)
    focus = replace(wish.focus, lines=(*wish.focus.lines, *lines), words={} if wish.parts else words)
    return replace(wish, focus=focus)


def _refusals(no: Sequence[Refused], room: int) -> str:
    """A block that says what is not shown and why, as much of it as fits; "" if there is nothing or no room."""
    lines: list[str] = []
    spent = estimated_tokens(fenced("not shown", "", ""))
    for one in no:
        line = f"{one.what}: {one.detail}\n"
        spent += estimated_tokens(line)
        if spent > room:
            break
        lines.append(line)
    return fenced("not shown", "", "".join(lines)) if lines else ""
