"""The expression engine: Python's grammar, a whitelist of its meaning, types checked before any run.

Allowed: `and`, `or`, `not`, comparisons (chained too), `in`, `not in`, dotted facts, text, integers, True and
False as operands, lists of constants. No calls, no arithmetic, no subscripts. Types:

    and, or, not        bool facts or comparisons
    == !=               two of the same type
    < <= > >=           two integers
    in, not in          text in a list or in text; a constant's type in a list of constants

What other engines answer silently is an error here, at load, with a caret: an unknown fact, an impossible
comparison, a fact in quotes, a comparison of two constants, an unknown character. At run time a fact that was
never recorded is MissingFact, never False, and a value of another type is FactUnusable: bool is not int.

Evaluation follows Python: left to right, `and`/`or` stop early. It touches only exact plain types, so no
foreign code runs. Source length is bounded before parsing (Python's own parser may exhaust its stack on deep
input), depth after it.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import field

from dev_agent.runtime.errors import ConditionError
from dev_agent.runtime.facts import Lookup
from dev_agent.runtime.grammar import Checker, Node
from dev_agent.runtime.states import FactType
from dev_agent.values import dataclass

MAX_LENGTH = 1000

_HABITS = (
    ("$", "facts are written without $: input.name"),
    ("&&", "write 'and'"),
    ("||", "write 'or'"),
    ("contains", "write 'error' in text"),
    ("!", "write 'not', or != between two values"),
    ("=", "write == to compare"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A checked condition. `names` are the facts it may need, dotted, in order of appearance; `literals` are
    the integers and texts it compares with, those in lists included."""

    source: str
    names: tuple[str, ...]
    literals: tuple[int | str, ...]
    _node: Node = field(repr=False, compare=False)

    def evaluate(self, facts: Lookup) -> bool:
        """Return its truth; `facts` maps dotted names to values, as declared. Raises FactUnusable."""
        return bool(self._node.compute(facts))


def parse(source: str, declared: Mapping[str, FactType]) -> Condition:
    """Parse and type-check a condition over declared facts (dotted name -> type). Raises ConditionError."""
    checker = Checker(source, declared)
    node = checker.check(_parsed(source), 0)
    checker.require_bool(node, None)
    return Condition(source=source, names=tuple(checker.names), literals=tuple(checker.literals), _node=node)


def _parsed(source: str) -> ast.expr:
    if len(source) > MAX_LENGTH:
        raise ConditionError(
            f"longer than {MAX_LENGTH} characters",
            source=source[:60] + "…",
            column=0,
            hint="use several cases",
        )
    for sign, hint in (
        ("\\", "escapes are not needed here"),
        ("\n", "write it on one line"),
        ("#", "no comments here"),
    ):
        if sign in source:
            raise ConditionError(
                f"{sign!r} is not allowed", source=source, column=source.index(sign), hint=hint
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return ast.parse(source.strip(" "), mode="eval").body
    except SyntaxError as error:
        raise _unparsable(source, error) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ConditionError(
            f"cannot be parsed: {error}", source=source, column=0, hint="simplify it"
        ) from None


def _unparsable(source: str, error: SyntaxError) -> ConditionError:
    indent = len(source) - len(source.lstrip(" "))
    column = min(max((error.offset or 1) - 1 + indent, 0), len(source))
    hint = next((hint for sign, hint in _HABITS if sign in source), "see the grammar in conditions.py")
    return ConditionError(f"not an expression: {error.msg}", source=source, column=column, hint=hint)
