"""The recipe that removes imports nothing uses.

What linters call F401, with three differences, all to the safe side: a name that other files of the project take from
a module stays in it; a module of this project that is imported and not used stays, because it may be imported for
what importing it does; and in a test file a name that is also a parameter stays, because fixtures are found by name.
`__init__.py` and `conftest.py` are left alone: what they import is for others.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from dev_agent.recipes.annotated import parameters
from dev_agent.recipes.bindings import unused
from dev_agent.recipes.files import Files
from dev_agent.recipes.model import Place
from dev_agent.recipes.pruning import pruned
from dev_agent.recipes.reached import Reached, module_name, reached
from dev_agent.recipes.sweep import Step, Sweep
from dev_agent.recipes.wording import Phrases
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev_agent.recipes.bindings import Bound
    from dev_agent.recipes.model import Bench, Job
    from dev_agent.recipes.source import Source

_PHRASES: Final = Phrases(
    r"(?:remove|delete|drop|clean ?up|fix|get rid of) (?:all )?(?:the )?(?:unused|unneeded|unnecessary) imports?"
    r"(?: statements?)?",
    r"(?:fix|remove) F401",
)
_FOR_OTHERS: Final = frozenset({"__init__.py", "conftest.py"})


@dataclass(frozen=True, slots=True)
class UnusedImports:
    """Remove unused imports."""

    name: str = "remove-unused-imports"
    summary: str = "remove imports that nothing uses; exports, fixtures, `# noqa` and optional imports stay"
    examples: tuple[str, ...] = (
        "remove unused imports",
        "remove all unused imports in the whole project",
        "clean up unused imports in src/app.py",
    )

    def read(self, task: str) -> Job | None:
        """See `Recipe.read`."""
        meant = _PHRASES.match(task)
        if meant is None:
            return None
        return Sweep(
            title=meant.titled("remove unused imports"),
            noun="name",
            likely=_likely,
            make=_remover,
            where=meant.where,
        )


@dataclass(frozen=True, slots=True)
class _Remover:
    reached: Reached
    own: frozenset[str]

    def step(self, path: str, source: Source) -> Step:
        if path.rpartition("/")[2] in _FOR_OTHERS:
            return Step()
        going, left = [], []
        for bound in unused(source):
            reason = self._stays(path, source, bound)
            if reason:
                line = bound.statement.lineno
                left.append(
                    Place(path=path, line=line, text=f"{source.line_text(line)}  ({bound.name}: {reason})")
                )
            else:
                going.append(bound)
        return Step(edits=tuple(pruned(source, going)), done=len(going), left=tuple(left))

    def _stays(self, path: str, source: Source, bound: Bound) -> str:
        if isinstance(bound.scope, ast.Module) and self.reached.takes(path, bound.name):
            return "another file takes it from here"
        if isinstance(bound.statement, ast.Import) and bound.alias.name.partition(".")[0] in self.own:
            return "a module of this project, perhaps imported for what that does"
        if _is_test(path) and bound.name in _parameters(source.tree):
            return "a parameter is called so, perhaps it is a fixture"
        return ""


def _likely(content: bytes) -> bool:
    return b"import" in content


def _remover(bench: Bench, files: Files) -> _Remover:
    """Look for unused names first: only the modules that have some need to be known to nobody else."""
    idle = set()
    for path, source in files.candidates(_likely):
        if path.rpartition("/")[2] not in _FOR_OTHERS and unused(source):
            idle.add(path)
    files.only = frozenset(idle)
    modules = {module_name(path) for path in idle}
    own = {part for path in bench.tree.paths() if path.endswith(".py") for part in _top(path)}
    return _Remover(
        reached(Files(bench), modules) if modules else Reached(frozenset(), frozenset()), frozenset(own)
    )


def _top(path: str) -> Iterator[str]:
    """The names under which the module at a path may be imported: its top package, in `src` or not."""
    parts = path.removesuffix(".py").split("/")
    yield parts[0]
    if len(parts) > 1 and parts[0] in {"src", "lib", "python", "tests", "test", "testing"}:
        yield parts[1]


def _is_test(path: str) -> bool:
    *folders, name = path.split("/")
    return (
        name.startswith("test_")
        or name.endswith("_test.py")
        or bool({"tests", "test", "testing"}.intersection(folders))
    )


def _parameters(tree: ast.Module) -> set[str]:
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {each.arg for function in functions for each in parameters(function)}
