"""What the parts of the inference ask of the whole.

Names, annotations, calls and containers lead to each other in every order, so none of their modules can import the
others. Each is given the whole (`infer.Inference`) as this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import ast

    from dev_agent.recipes.renaming.project import Project
    from dev_agent.recipes.renaming.scopes import Scope
    from dev_agent.recipes.renaming.values import Class, Function, Instance, Values


class Evaluator(Protocol):
    """Says what expressions, annotations, attributes, names and calls may be."""

    @property
    def project(self) -> Project:
        """The files that are looked at."""
        ...

    def evaluate(self, node: ast.expr, scope: Scope) -> Values:
        """Return what an expression read in a scope may be."""
        ...

    def annotated(self, node: ast.expr, scope: Scope, receiver: Instance | Class | None = None) -> Values:
        """Return what a thing with this annotation may be; `receiver` is what `Self` means."""
        ...

    def attribute(self, receivers: Values, name: str) -> Values:
        """Return what an attribute of these values may be."""
        ...

    def bound(self, owner: Scope, name: str) -> Values:
        """Return what a name of a scope stands for, over all its bindings."""
        ...

    def returned(self, function: Function) -> Values:
        """Return what a call of a function gives."""
        ...

    def elements(self, values: Values) -> Values:
        """Return what iterating over these gives."""
        ...

    def entered(self, values: Values) -> Values:
        """Return what `with` gives a name for these."""
        ...
