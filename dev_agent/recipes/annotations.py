"""The recipe that adds the annotations that are known from the code itself.

What is known is in `signatures.py`. Parameters are typed after their defaults only if the task asks for it in words
(`from defaults`): `x=0` may well be given a float.
"""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.called import Called
from dev_agent.recipes.families import Families
from dev_agent.recipes.importing import imported
from dev_agent.recipes.knowing import SCALARS, Knowing
from dev_agent.recipes.signatures import Function, Signatures, functions, parameter_edit, return_edit
from dev_agent.recipes.sweep import Step, Sweep
from dev_agent.recipes.target import Targets
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dev_agent.recipes.files import Files
    from dev_agent.recipes.model import Bench, Job
    from dev_agent.recipes.source import Edit, Source

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
                make = partial(Annotator.make, defaults=defaults)
                return Sweep(
                    title=meant.titled(title), noun="annotation", likely=_likely, make=make, where=meant.where
                )
        return None


def _likely(content: bytes) -> bool:
    return b"def " in content


@dataclass(frozen=True, slots=True)
class Annotator:
    """Writes what is known. `only`: the lines of the functions it may touch, None for all."""

    targets: Targets
    families: Families
    defaults: bool = False

    @classmethod
    def make(cls, bench: Bench, files: Files, *, defaults: bool = False) -> Annotator:
        """What the project's classes say."""
        return cls(Targets(bench.tree), Families.read(type(files)(bench)), defaults)

    def step(self, path: str, source: Source, only: Collection[int] | None = None) -> Step:
        """See `Rewriter.step`."""
        called = Called.read(source)
        oldest = self.targets.of(path)
        signatures = Signatures(
            source, called, self.families, unions=oldest >= (3, 10), generics=oldest >= (3, 9)
        )
        edits: list[Edit] = []
        for function in functions(source.tree):
            if only is None or function.node.lineno in only:
                edits += self._edits(signatures, function)
        names = {name for name in ("Optional", "TracebackType") if any(name in edit.new for edit in edits)}
        modules = {"Optional": "typing", "TracebackType": "types"}
        if any(called.local(modules[name], name) != name for name in names):
            return Step()
        done = len(edits)
        return Step(
            edits=(*edits, *imported(source, called, {(modules[name], name) for name in names})), done=done
        )

    def _edits(self, signatures: Signatures, function: Function) -> Iterator[Edit]:
        source = signatures.source
        kind = signatures.returned(function)
        edit = return_edit(source, function.node, kind) if kind else None
        if edit:
            yield edit
        for parameter, known in signatures.exit_parameters(function):
            yield from parameter_edit(source, parameter, known)
        if self.defaults:
            yield from self._from_defaults(signatures, function)

    def _from_defaults(self, signatures: Signatures, function: Function) -> Iterator[Edit]:
        knowing = Knowing(signatures.called)
        for parameter, default in with_defaults(function.node.args):
            kind = knowing.of(default)
            if parameter.annotation is None and kind in SCALARS and signatures.called.builtin(kind):
                yield from parameter_edit(signatures.source, parameter, kind, [default])


def with_defaults(given: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    """The parameters that have a default, each with it."""
    plain = [*given.posonlyargs, *given.args]
    yield from zip(plain[len(plain) - len(given.defaults) :], given.defaults, strict=True)
    for parameter, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        if default is not None:
            yield parameter, default
