"""The recipe that takes the commonest complaints of `mypy --strict` away.

It asks the project's own type checker, fixes what the messages are about, and asks again, until nothing changes or the
number of complaints does not fall. A fix that brings to light what the checker did not see before is left out
(`uncovered`), and a step that helps nothing as a whole is not taken: the result was always checked as it is, has fewer
complaints than the base, and none that the base does not have.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from dev_agent.recipes.annotator import Annotator
from dev_agent.recipes.bindings import unused
from dev_agent.recipes.files import Files, bytes_after, counted
from dev_agent.recipes.model import Declined, Place, Rewritten
from dev_agent.recipes.pruning import pruned
from dev_agent.recipes.source import Source, Spoiled, Unreadable
from dev_agent.recipes.strict_fixes import FIXES, Fixing
from dev_agent.recipes.sweep import narrow
from dev_agent.recipes.uncovered import Deed, Placed, Suspicion, left_alone, placed, uncovered
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
_CHECKS: Final = 24
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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the checker says after a step, and what of it the base does not have."""

    after: tuple[Complaint, ...]
    new: tuple[Placed, ...]


@dataclass(slots=True)
class _Loop:
    """What was made of the files so far (`contents`), and what is held back because of what it uncovers."""

    bench: Bench
    checker: Checker
    files: Files
    annotator: Annotator
    complaints: tuple[Complaint, ...]
    first: int
    base: tuple[Placed, ...]
    contents: _Contents = field(default_factory=dict)
    held: frozenset[Deed] = frozenset()
    suspected: frozenset[Deed] = frozenset()
    reasons: tuple[Placed, ...] = ()
    checks: int = 1

    @classmethod
    def begin(cls, bench: Bench, checker: Checker) -> _Loop:
        complaints = checker(Rewritten(files={}))
        files = Files(bench)
        base = placed(complaints, partial(bytes_after, bench, {}))
        return cls(bench, checker, files, Annotator.make(bench, files), complaints, len(complaints), base)

    def run(self) -> Rewritten:
        """Step by step: all fixes, one kind at a time where that does not help, then what was held wrongly."""
        while self._attempt(FIXES) or any(self._attempt([code]) for code in FIXES):
            self._tell()
        for deed in sorted(self.held if len(self.held) > 1 else ()):
            step, _ = self._step(FIXES, self.held - {deed})
            seen = self._see(step)
            if seen and not seen.new and self._take(step, seen.after):
                self.held -= {deed}
                self._tell()
        return Rewritten(files=dict(self.contents), notes=self._notes(), places=self._places())

    def _tell(self) -> None:
        self.bench.told(f"{len(self.complaints)} of {self.first} complaints left")

    def _attempt(self, codes: Collection[str]) -> bool:
        """Take one step if it leaves fewer complaints and none that the base does not have.

        What a fix uncovers is not taken: the step is made again without the fixes that are suspected of it.
        """
        step, done = self._step(codes, self.held)
        suspicion, held = Suspicion(done), self.held
        seen = self._see(step)
        while seen and seen.new:
            held = self.held | suspicion.left_alone(seen.new)
            step, _ = self._step(codes, held)
            seen = self._see(step)
        self.suspected |= held
        self.reasons += suspicion.reasons()
        if not seen or not self._take(step, seen.after):
            return False
        self.held = held
        return True

    def _see(self, step: _Contents) -> _Seen | None:
        """What the checker says of a step; None if there is none, or it was asked often enough."""
        if not step or self.checks >= _CHECKS:
            return None
        self.checks += 1
        self.bench.pause()
        made = {**self.contents, **step}
        after = self.checker(Rewritten(files=dict(made)))
        return _Seen(after, uncovered(self.base, placed(after, partial(bytes_after, self.bench, made))))

    def _take(self, step: _Contents, after: tuple[Complaint, ...]) -> bool:
        """Take a step that leaves fewer complaints."""
        if len(after) >= len(self.complaints):
            return False
        self.contents, self.complaints = {**self.contents, **step}, after
        return True

    def _step(self, codes: Collection[str], held: Collection[Deed]) -> tuple[_Contents, tuple[Deed, ...]]:
        """New bytes of the files that fixes of these kinds change, and what is done that is not held."""
        by_file: dict[str, dict[Deed, list[Complaint]]] = defaultdict(lambda: defaultdict(list))
        for deed, complaint in self._deeds(codes):
            if deed not in held:
                by_file[deed.path][deed].append(complaint)
        step: _Contents = {}
        done: list[Deed] = []
        for path, source in self._sources(by_file):
            fixed = self._fixed(path, source, [one for some in by_file[path].values() for one in some])
            if fixed is not None:
                step[path] = fixed
                done += by_file[path]
        return step, tuple(done)

    def _deeds(self, codes: Collection[str]) -> Iterator[tuple[Deed, Complaint]]:
        """The complaints of these kinds, each with what mending it would be."""
        wanted = [each for each in self.complaints if each.code in codes]
        for each in placed(wanted, partial(bytes_after, self.bench, self.contents)):
            yield Deed(each.complaint.path, each.symbol, each.complaint.code), each.complaint

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
        still = self.suspected & {deed for deed, _ in self._deeds(FIXES)}
        count = f"mypy --strict: {counted(self.first, 'complaint')} before, {len(self.complaints)} after"
        left = Counter(each.code or "without a code" for each in self.complaints)
        kinds = ", ".join(f"{number} {code}" for code, number in left.most_common())
        return (
            count,
            *([f"left: {kinds}"] if kinds else []),
            *left_alone(still, self.reasons),
            *self.files.notes(),
        )

    def _places(self) -> tuple[Place, ...]:
        places = [Place(path=each.path, line=each.line, text=each.message) for each in self.complaints]
        return tuple(sorted(places)[:_SHOWN])
