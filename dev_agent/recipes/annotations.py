"""The recipe that adds the annotations that are known from the code itself.

What is known is in `signatures.py`. Parameters are typed after their defaults only if the task asks for it in words
(`from defaults`): `x=0` may well be given a float. Where the project's types can be checked, functions whose annotation
lets the checker see what it does not see now are left alone (`uncovered`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotator import Annotator
from dev_agent.recipes.files import Files, bytes_after, counted
from dev_agent.recipes.model import CheckerFailed, Declined, Rewritten
from dev_agent.recipes.sweep import Sweep, narrow
from dev_agent.recipes.uncovered import Deed, Placed, Suspicion, left_alone, placed, uncovered
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection

    from dev_agent.recipes.model import Bench, Checker, Job

_WHAT: Final = (
    r"(?:all )?(?:the )?(?:missing )?(?:obvious )?"
    r"(?:(?:return )?(?:types?|type hints?|(?:type )?annotations?)|-> none(?: return types?| annotations?)?)"
)
_PHRASES: Final = Phrases(
    rf"(?:add|infer|write|fill in) {_WHAT}(?: where (?:they are|it is) (?:known|obvious|certain))?",
    rf"annotate (?:the |all )?(?:functions?|return types?|code)(?: with {_WHAT})?",
)
_DEFAULTS: Final = Phrases(
    rf"(?:add|infer) {_WHAT}(?:,? (?:also |and )?(?:for parameters )?from (?:the |their )?defaults?)",
    rf"aggressively (?:add|infer) {_WHAT}",
    rf"(?:add|infer) {_WHAT} aggressively",
)
_TRIES: Final = 16
"""How often mypy is asked at most, after the base."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """Add type annotations."""

    name: str = "add-annotations"
    summary: str = (
        "add the return types that the code itself makes certain; parameter types `from defaults` if asked"
    )
    examples: tuple[str, ...] = (
        "add type annotations",
        "add missing return types in the whole project",
        "add type annotations from defaults",
    )

    def read(self, task: str) -> Job | None:
        """See `Recipe.read`."""
        for phrases, defaults in ((_PHRASES, False), (_DEFAULTS, True)):
            meant = phrases.match(task)
            if meant is not None:
                title = "add annotations" + (" also from defaults" if defaults else " where they are certain")
                return AnnotationJob(title=meant.titled(title), where=meant.where, defaults=defaults)
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotationJob:
    """See `Annotations`."""

    title: str
    where: str
    defaults: bool

    def work(self, bench: Bench) -> Rewritten | Declined:
        """See `Job.work`."""
        narrowed = narrow(bench, self.where)
        if isinstance(narrowed, Declined):
            return narrowed
        annotator = Annotator.make(narrowed, Files(narrowed), defaults=self.defaults)
        made = _swept(narrowed, annotator)
        if made.empty or narrowed.checker is None:
            return made
        try:
            search = _Search.begin(narrowed, narrowed.checker, annotator, made)
            held = search.run()
        except CheckerFailed:
            return made  # it knows what it knows without mypy too, and the gates say what the matter is
        if held:
            made = _swept(narrowed, replace(annotator, held=held))
        return replace(made, notes=(*made.notes, *left_alone(held, search.suspicion.reasons())))


@dataclass(slots=True)
class _Search:
    """Which annotations let mypy see what it does not see now, as far as a few tries tell."""

    bench: Bench
    checker: Checker
    annotator: Annotator
    before: tuple[Placed, ...]
    files: dict[str, bytes | None]
    suspicion: Suspicion
    tries: int = 0

    @classmethod
    def begin(cls, bench: Bench, checker: Checker, annotator: Annotator, made: Rewritten) -> _Search:
        bench.told("asking mypy")
        before = placed(checker(Rewritten(files={})), partial(bytes_after, bench, {}))
        return cls(bench, checker, annotator, before, dict(made.files), Suspicion(frozenset(annotator.done)))

    def run(self) -> frozenset[Deed]:
        """What is to be left alone."""
        held = frozenset[Deed]()
        while new := self._new():
            self.bench.told(
                f"{counted(len(new), 'new complaint')} of mypy's: leaving alone what is suspected"
            )
            wider = self.suspicion.left_alone(new)
            self._hold(wider, held ^ wider)
            held = wider
        # Several were suspected together, or one after the other: some of them for nothing.
        for deed in sorted(held if len(held) > 1 else ()):
            if self.tries >= _TRIES:
                break
            self._hold(held - {deed}, {deed})
            if self._new():
                self._hold(held, {deed})
            else:
                held -= {deed}
        return held

    def _new(self) -> tuple[Placed, ...]:
        """What mypy says of the files now and did not say before; nothing once it was asked often enough."""
        if self.tries >= _TRIES or not self.files:
            return ()
        self.tries += 1
        self.bench.pause()
        after = self.checker(Rewritten(files=dict(self.files)))
        return uncovered(self.before, placed(after, partial(bytes_after, self.bench, self.files)))

    def _hold(self, held: Collection[Deed], changed: Collection[Deed]) -> None:
        """Make the files anew that something changes in."""
        paths = {one.path for one in changed}
        bench = replace(self.bench, covers=lambda path: path in paths and self.bench.covers(path))
        again = _swept(bench, replace(self.annotator, held=held, done=set()))
        self.files = {path: data for path, data in self.files.items() if path not in paths} | dict(
            again.files
        )


def _swept(bench: Bench, annotator: Annotator) -> Rewritten:
    sweep = Sweep(title="", noun="annotation", likely=_likely, make=lambda _bench, _files: annotator)
    return sweep.over(bench)


def _likely(content: bytes) -> bool:
    return b"def " in content
