"""The actions of a program of somebody else: `ACTIONS` in a Python module the user names.

The module is imported into this very process: it is the user's own program, chosen by the user, and has the user's
rights. Nothing a change brings is ever loaded this way.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.runtime.actions import ActionSpec, AnySpec, ModelActionSpec
from dev_agent.runtime.naming import is_name

if TYPE_CHECKING:
    from types import ModuleType

NAME = "ACTIONS"
_SHAPE = (
    f"{NAME} = (ActionSpec(name, outcomes, facts, run), …), with ActionSpec from dev_agent.runtime.engine"
)


def load_actions(named: str) -> Mapping[str, AnySpec]:
    """The actions of the module `named`: a path of a `.py` file, or a dotted name found from here.

    Raises UsageFault for a module that cannot be found or imported, and for anything but actions under `ACTIONS`.
    """
    found = getattr(_imported(named), NAME, None)
    if isinstance(found, Mapping):
        found = tuple(found.values())
    if not isinstance(found, Iterable):
        raise UsageFault(f"{named} has no {NAME}", hint=f"give it {_SHAPE}")
    actions: dict[str, AnySpec] = {}
    for position, spec in enumerate(found):
        if type(spec) not in (ActionSpec, ModelActionSpec) or not is_name(spec.name):
            raise UsageFault(
                f"{named}: {NAME}[{position}] is not an action with a name", hint=f"write {_SHAPE}"
            )
        if spec.name in actions:
            raise UsageFault(
                f"{named}: {NAME} names {spec.name!r} twice", hint="give each action its own name"
            )
        actions[spec.name] = spec
    return actions


def _imported(named: str) -> ModuleType:
    try:
        return _from_file(Path(named)) if _is_path(named) else _from_name(named)
    except UsageFault:
        raise
    except Exception as error:
        raise UsageFault(
            f"{named} cannot be imported: {type(error).__name__}: {error}{_place(error)}",
            hint="mend the module; it has to import without errors",
        ) from error


def _is_path(named: str) -> bool:
    return named.endswith(".py") or "/" in named


def _from_name(named: str) -> ModuleType:
    if not named or not all(part.isidentifier() for part in named.split(".")):
        raise UsageFault(
            f"{named!r} names no module", hint="name a .py file or a module, such as reviews.actions"
        )
    _search_first(Path.cwd())
    return importlib.import_module(named)


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageFault(f"there is no file {path}", hint="name the Python file that holds the actions")
    # Beside it may lie what it imports.
    _search_first(path.resolve().parent)
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise UsageFault(f"{path} is not a Python file", hint="name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _search_first(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _place(error: Exception) -> str:
    """Where the user's module failed: the innermost frame, which import errors of the module itself have not."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
