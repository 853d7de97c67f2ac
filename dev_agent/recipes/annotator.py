"""Writes the annotations of a file that are known from the code itself.

What is known is in `signatures.py`. Parameters are typed after their defaults only if that is asked for: `x=0` may well
be given a float.
"""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TYPE_CHECKING

from dev_agent.enclosing import definitions_in, enclosing
from dev_agent.recipes.called import Called
from dev_agent.recipes.families import Families
from dev_agent.recipes.importing import imported
from dev_agent.recipes.knowing import SCALARS, Knowing
from dev_agent.recipes.signatures import Function, Signatures, functions, parameter_edit, return_edit
from dev_agent.recipes.sweep import Step
from dev_agent.recipes.target import Targets
from dev_agent.recipes.uncovered import Deed
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dev_agent.recipes.files import Files
    from dev_agent.recipes.model import Bench
    from dev_agent.recipes.source import Edit, Source


@dataclass(frozen=True, slots=True)
class Annotator:
    """Writes what is known, but for what is `held`; what it did is added to `done`."""

    targets: Targets
    families: Families
    defaults: bool = False
    held: Collection[Deed] = ()
    done: set[Deed] = field(default_factory=set)

    @classmethod
    def make(
        cls,
        bench: Bench,
        files: Files,
        *,
        defaults: bool = False,
    ) -> Annotator:
        """What the project's classes say."""
        return cls(Targets(bench.tree), Families.read(type(files)(bench)), defaults)

    def step(self, path: str, source: Source, only: Collection[int] | None = None) -> Step:
        """See `Rewriter.step`. `only`: the lines of the functions it may touch, None for all."""
        called, spans = Called.read(source), definitions_in(source.tree)
        oldest = self.targets.of(path)
        signatures = Signatures(
            source, called, self.families, unions=oldest >= (3, 10), generics=oldest >= (3, 9)
        )
        edits: list[Edit] = []
        for function in functions(source.tree):
            deed = Deed(path, enclosing(spans, function.node.lineno))
            if deed in self.held or not (only is None or function.node.lineno in only):
                continue
            made = list(self._edits(signatures, function))
            edits += made
            if made:
                self.done.add(deed)
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
