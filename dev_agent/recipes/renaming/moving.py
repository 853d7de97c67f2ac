"""Where the files of a renamed module or package go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.recipes.model import Declined, Place

if TYPE_CHECKING:
    from dev_agent.recipes.model import Bench
    from dev_agent.recipes.renaming.project import Project
    from dev_agent.recipes.renaming.target import Target

_SPECIAL = frozenset({"__init__", "__main__", "conftest", "setup"})
_INIT = "/__init__"


def moved(bench: Bench, project: Project, target: Target, new: str) -> dict[str, str] | Declined:
    """Return old path -> new path of every file that moves; none unless the target is a module."""
    moves: dict[str, str] = {}
    for key in target.modules:
        if target.name in _SPECIAL or new in _SPECIAL:
            return Declined(
                code="special_module",
                message=f"A module called {target.name} has a meaning of its own to Python or its tools.",
                hint="Move its content by hand.",
            )
        stem = key.removesuffix(_INIT)
        to = f"{stem.rpartition('/')[0]}/{new}".lstrip("/")
        if key.endswith(_INIT):
            moves |= {
                path: to + path[len(stem) :] for path in bench.tree.paths() if path.startswith(stem + "/")
            }
        else:
            moves |= {path: to + path[len(key) :] for path in project.paths_of(key)}
        taken = [path for path in (to, f"{to}.py", f"{to}.pyi") if bench.tree.mode(path) is not None]
        parent = f"{stem.rpartition('/')[0]}/__init__".lstrip("/")
        bound = [
            (file.scope, one) for file in project.files(parent) for one in file.scope.bindings.get(new, ())
        ]
        places = [Place(path=path, line=0) for path in taken]
        places += [Place(path=scope.source.path, line=one.line) for scope, one in bound]
        if places:
            return Declined(
                code="name_taken",
                message=f"{new} is taken where module {target.name} is.",
                hint="Choose another name.",
                places=tuple(places),
            )
    return moves
