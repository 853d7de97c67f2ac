"""Public names that disappear: what somebody else's code could have imported or called, and no longer can.

Public is what `__all__` lists if a module has one, else every top-level name and every method of a public
class that does not start with an underscore, in modules none of whose path does. A name still imported where
it stood is still there. A renamed module takes all of its names along, and so removes them.

Left to the type checker: changed signatures and types. Left to nobody: names made at run time.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dev_agent.policy import globs
from dev_agent.policy.change import FileDelta
from dev_agent.policy.marks import Sighting
from dev_agent.policy.place import Place, excerpt
from dev_agent.policy.python_source import PythonSource, import_bindings, top_statements
from dev_agent.policy.settings import FactSettings
from dev_agent.python_text import type_statement

# A tuple: unions are slow to build, and every statement is asked.
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def api_facts(deltas: Sequence[FileDelta], settings: FactSettings) -> Iterator[Sighting]:
    """Public names of the old versions that the new ones lack."""
    for delta in deltas:
        source = delta.before_python
        if source is None or source.tree is None or not _is_public(delta.old_path, settings):
            continue
        after = delta.after_python
        if after is not None and after.tree is None:
            continue  # told by "unparsable_python"; what it still holds is unknown
        public = _public(source, delta.old_path)
        if delta.is_renamed and public:
            yield _gone(delta.old_path, f"the module moved to {delta.path}")
            continue
        if after is not None and "*" in after.imported.keys() - source.imported.keys():
            continue  # whatever is missing may come through the new star
        kept = _bound(after) | set(after.imported) | (_listed(after) or set()) if after else set()
        yield from (_gone(delta.old_path, name) for name in sorted(public - kept))


def _is_public(path: str, settings: FactSettings) -> bool:
    if globs.matches((*settings.tests, *settings.not_api), path, casefold=True):
        return False
    parts = path.removesuffix(".pyi").removesuffix(".py").split("/")
    return not any(part.startswith((".", "_")) and part != "__init__" for part in parts)


def _public(source: PythonSource, path: str) -> set[str]:
    listed = _listed(source)
    names = _bound(source) - {"__all__"}
    if path.endswith("__init__.py"):
        names |= _offered(source, path)
    if listed is not None:
        return listed | {name for name in names if name.partition(".")[0] in listed and not _is_private(name)}
    return {name for name in names if not _is_private(name)}


def _is_private(name: str) -> bool:
    return any(part.startswith("_") for part in name.split("."))


def _listed(source: PythonSource) -> set[str] | None:
    """What a literal `__all__` lists; None without one."""
    for statement in source.top:
        if "__all__" in _bound_by(statement) and isinstance(statement, ast.Assign | ast.AnnAssign):
            listed = statement.value.elts if isinstance(statement.value, ast.List | ast.Tuple) else []
            return {
                one.value for one in listed if isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    return None


def _bound(source: PythonSource) -> set[str]:
    """The names a module binds at its top, and `Class.member` for its classes."""
    names: set[str] = set()
    for statement in top_statements(source.top):
        names.update(_bound_by(statement))
        if isinstance(statement, ast.ClassDef):
            members = (name for inner in top_statements(statement.body) for name in _bound_by(inner))
            names.update(f"{statement.name}.{name}" for name in members)
    return names


def _offered(source: PythonSource, path: str) -> set[str]:
    """What a package's face imports from its own inside; what it imports from elsewhere are its tools."""
    names: set[str] = set()
    for statement in top_statements(source.top):
        if isinstance(statement, ast.ImportFrom):
            own = statement.level > 0 or (statement.module or "").partition(".")[0] in path.split("/")
            names.update(import_bindings(statement) if own else ())
    return names


def _bound_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, _NAMED):
        return [statement.name]
    if (stated := type_statement(statement)) is not None:
        return [stated[0].id]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    return [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]


def _gone(path: str, text: str) -> Sighting:
    return Sighting(fact="public_api_removed", place=Place(path=path, text=excerpt(text)))
