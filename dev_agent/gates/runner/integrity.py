"""Notices code that rewrites the test runner under us. Standard library only, Python 3.8+.

A photograph of the code objects of pytest and pluggy is taken before foreign code loads and compared at the
end. Some honest plugins patch pytest too; the reader compares the list with the base's list.
"""

from __future__ import annotations

import sys
import types
from typing import Any, Dict, List, Optional

_WATCHED = ("_pytest", "pytest", "pluggy", "unittest")


def photograph() -> Dict[str, types.CodeType]:
    """{dotted name: code object} of every function and method of the watched packages."""
    codes: Dict[str, types.CodeType] = {}
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] not in _WATCHED or module is None:
            continue
        for attribute, value in list(vars(module).items()):
            if getattr(value, "__module__", None) == name:
                _add(codes, name + "." + attribute, value)
    return codes


def _add(codes: Dict[str, types.CodeType], name: str, value: Any) -> None:
    if isinstance(value, type):
        for attribute, member in list(vars(value).items()):
            code = _code(member)
            if code is not None:
                codes[name + "." + attribute] = code
    else:
        code = _code(value)
        if code is not None:
            codes[name] = code


def _code(value: Any) -> Optional[types.CodeType]:
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    return value.__code__ if isinstance(value, types.FunctionType) else None


def changed(before: Dict[str, types.CodeType]) -> List[str]:
    """Names from the photograph that are something else, or gone, now; sorted."""
    found = []
    for name, code in before.items():
        if _now(name) is not code:
            found.append(name)
    return sorted(found)


def _now(name: str) -> Optional[types.CodeType]:
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:cut]))
        if module is None:
            continue
        value: Any = module
        for part in parts[cut:]:
            value = vars(value).get(part) if value is not None and hasattr(value, "__dict__") else None
        return _code(value)
    return None
