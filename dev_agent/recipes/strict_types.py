"""The recipe that takes the commonest complaints of `mypy --strict` away.

It asks the project's own type checker, fixes what the messages are about, and asks again, until nothing changes or the
number of complaints does not fall. A file that has more of them after a step goes back to what it was before it, and a
step that helps nothing as a whole is not taken: the result was always checked as it is, and never has more complaints
than the base.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

from dev_agent.recipes.annotations import Annotator
from dev_agent.recipes.bindings import unused
from dev_agent.recipes.files import Files, counted
from dev_agent.recipes.model import Declined, Place, Rewritten
from dev_agent.recipes.pruning import pruned
from dev_agent.recipes.source import Source, Spoiled, Unreadable
from dev_agent.recipes.strict_fixes import FIXES, Fixing
from dev_agent.recipes.sweep import narrow
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.model import Bench, Checker, Complaint, Job

_PHRASES: Final = Phrases(
    r"(?:fix|resolve|repair) (?:all )?(?:the )?(?:mypy )?(?:strict |--strict )?(?:mypy|typing|types?"
    r"|type[- ]check(?:er|ing)?)(?: --strict| strict)? (?:errors?|complaints?|issues?|problems?|warnings?)",
    r"(?:fix|resolve) (?:all )?(?:the )?(?:strict|--strict) (?:mode )?(?:mypy )?(?:errors?|complaints?|issues?)",
    r"fix (?:mypy|types|typing)(?: --strict| strict)?",
    r"make (?:mypy(?: --strict| strict)?|the type checker) (?:happy|pass|clean|green)",
    r"(?:remove|fix) (?:the )?unused type[: -]*ignores?(?: comments?)?",
)
_CHECKS: Final = 16
_SHOWN: Final = 200
_Contents: TypeAlias = "dict[str, bytes]"


@dataclass(frozen=True, slots=True)
class StrictTypes:
    """Fix the strict mypy errors."""

    name: str = "fix-strict-types"
    summary: str = (
        "fix mypy --strict's commonest errors, step by step, each step checked by the project's own mypy"
    )
    examples: tuple[str, ...] = (
        "fix the strict mypy errors",
        "make mypy --strict happy",
        "fix mypy errors in src/app.py",
    )

    def read(self, task: str) -> Job | None:
        """See `Recipe.read`."""
        meant = _PHRASES.match(task)
        return None if meant is None else StrictJob(meant.where)


@dataclass(frozen=True, slots=True)
class StrictJob:
    """See `StrictTypes`."""

    where: str = ""

    @property
    def title(self) -> str:
        """See `Job.title`."""
        return "fix what mypy --strict complains of" + (f" in {self.where}" if self.where else "")

    def work(self, bench: Bench) -> Rewritten | Declined:
        """See `Job.work`. Raises CheckerFailed."""
        if bench.checker is None:
            return Declined(
                code="no_type_checker",
                message="The project's types cannot be checked here, and this task is about what the checker says.",
                hint="`dev-agent doctor` says what is missing; `add type annotations` works without mypy.",
            )
        narrowed = narrow(bench, self.where)
        return narrowed if isinstance(narrowed, Declined) else _Loop.begin(narrowed, bench.checker).run()


@dataclass(slots=True)
class _Loop:
    bench: Bench
    checker: Checker
    files: Files
    annotator: Annotator
    complaints: tuple[Complaint, ...]
    first: int
    contents: _Contents = field(default_factory=dict)
    checks: int = 1

    @classmethod
    def begin(cls, bench: Bench, checker: Checker) -> _Loop:
        complaints = checker(Rewritten(files={}))
        files = Files(bench)
        return cls(bench, checker, files, Annotator.make(bench, files), complaints, len(complaints))

    def run(self) -> Rewritten:
        """Step by step: all fixes together, and one kind at a time where that does not help."""
        while self._attempt(FIXES) or any(self._attempt([code]) for code in FIXES):
            self.bench.told(f"{len(self.complaints)} of {self.first} complaints left")
        return Rewritten(files=dict(self.contents), notes=self._notes(), places=self._places())

    def _attempt(self, codes: Collection[str]) -> bool:
        """Take one step if it leaves fewer complaints; files it makes worse are taken back first."""
        step = self._step(codes)
        if not step:
            return False
        for _ in range(2):
            after = self._ask({**self.contents, **step})
            if after is None:
                return False
            if len(after) < len(self.complaints):
                worse = _worse(self.complaints, after, step)
                if not worse:
                    self.contents, self.complaints = {**self.contents, **step}, after
                    return True
            else:
                worse = _worse(self.complaints, after, step)
            step = {path: content for path, content in step.items() if path not in worse}
            if not worse or not step:
                return False
        return False

    def _ask(self, contents: _Contents) -> tuple[Complaint, ...] | None:
        if self.checks >= _CHECKS:
            return None
        self.checks += 1
        self.bench.pause()
        return self.checker(Rewritten(files=dict(contents)))

    def _step(self, codes: Collection[str]) -> _Contents:
        """New bytes of the files that fixes of these kinds change."""
        by_file: dict[str, list[Complaint]] = defaultdict(list)
        for each in self.complaints:
            if each.code in codes:
                by_file[each.path].append(each)
        rewritable = dict(self._sources(by_file))
        step = {}
        for path, source in rewritable.items():
            fixed = self._fixed(path, source, by_file[path])
            if fixed is not None:
                step[path] = fixed
        return step

    def _sources(self, paths: Mapping[str, object]) -> Iterable[tuple[str, Source]]:
        for path in sorted(paths):
            self.bench.pause()
            if not self.files.mine(path):
                continue
            content = self.contents.get(path) or self.bench.tree.read(path)
            source = self.files.parsed(path, content)
            if source is not None:
                yield path, source

    def _fixed(self, path: str, source: Source, complaints: Iterable[Complaint]) -> bytes | None:
        """One kind after the other: later kinds find their places by the lines of the unchanged file."""
        kinds: dict[str, list[Complaint]] = defaultdict(list)
        for each in complaints:
            kinds[each.code].append(each)
        work = Fixing(path, source, self.annotator.targets.of(path), self.annotator)
        try:
            edits = [edit for code, fix in FIXES.items() if code in kinds for edit in fix(work, kinds[code])]
            if not edits:
                return None
            before = {bound.target for bound in unused(source)}
            after = work.edited(edits)
            idle = [
                bound
                for bound in unused(after)
                if bound.target == "typing.cast" and bound.target not in before
            ]
            return after.edited(pruned(after, idle)).content()
        except (Spoiled, Unreadable, RecursionError):
            return None

    def _notes(self) -> tuple[str, ...]:
        count = f"mypy --strict: {counted(self.first, 'complaint')} before, {len(self.complaints)} after"
        left = Counter(each.code or "without a code" for each in self.complaints)
        kinds = ", ".join(f"{number} {code}" for code, number in left.most_common())
        return (count, *([f"left: {kinds}"] if kinds else []), *self.files.notes())

    def _places(self) -> tuple[Place, ...]:
        places = [Place(path=each.path, line=each.line, text=each.message) for each in self.complaints]
        return tuple(sorted(places)[:_SHOWN])


def _worse(before: Iterable[Complaint], after: Iterable[Complaint], step: Mapping[str, bytes]) -> set[str]:
    """The files of a step that have more complaints than before."""
    was, now = Counter(each.path for each in before), Counter(each.path for each in after)
    return {path for path in step if now[path] > was[path]}
