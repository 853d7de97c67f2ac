"""Values of the command line that are what they should be already, taken without typer's conversion.

Typer has every value converted by pydantic, whose import takes a tenth of a second of each command. Nearly every
value is a text, a path or a default of the right type, and comes out as it went in. What is not clearly so (a number,
a choice given as a word, bytes that are no text, a path that cannot be read) goes the usual way, and so do all
values if a later typer keeps its converter elsewhere.
"""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

_CONVERTER = "_runtime_param"


def take_plain_values(command: Any) -> Any:
    """The typer command, whose options and those of its subcommands take plain values as they are."""
    its_own = command.get_params  # as asked for when it parses: `--help` is not there before

    def get_params(ctx: Any) -> list[Any]:
        return [_with_plain_values(option) for option in its_own(ctx)]

    command.get_params = get_params
    for each in getattr(command, "commands", {}).values():
        take_plain_values(each)
    return command


def _with_plain_values(option: Any) -> Any:
    if getattr(option, _CONVERTER, ()) is None and getattr(option, "type_descriptor", None) is not None:
        setattr(option, _CONVERTER, _Plain(option))
    return option


class _Plain:
    """Stands in one option's converter's place, and makes that only for a value that needs it."""

    def __init__(self, option: Any) -> None:
        self._option = option
        self._convert: Any = None

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value for the command's function. Raises what typer's own conversion raises."""
        if self._convert is None:
            described = self._option.type_descriptor
            if value is None:
                return () if param.multiple or param.nargs == -1 else None
            if described.parameter_info.parser is None:
                found = _plain_list(value, described.annotation)
                if found is not None:
                    return found
            setattr(self._option, _CONVERTER, None)  # typer then makes one, and keeps it there
            self._convert = self._option.get_runtime_param()
        return self._convert.coerce(value, param=param, ctx=ctx)


def _plain_list(value: Any, annotation: Any) -> Any:
    """`value` as a list if the annotation is one, else as it is; None where it has to be converted."""
    if get_origin(annotation) is not list:
        return _plain(value, annotation)
    if not isinstance(value, (list, tuple)):
        return None
    found = [_plain(one, *get_args(annotation)) for one in value]
    return None if None in found else found


def _plain(value: Any, annotation: Any) -> Any:
    if not isinstance(annotation, type):
        return None
    if annotation is Path and isinstance(value, (str, Path)):
        return Path(value) if _is_text(str(value)) and _is_readable(value) else None
    if annotation is str:
        return value if isinstance(value, str) and _is_text(value) else None
    # A member of an enumeration can only be a default: what a user wrote is a word.
    return value if issubclass(annotation, Enum) and isinstance(value, annotation) else None


def _is_text(value: str) -> bool:
    """False for an argument whose bytes are not UTF-8: it has lone surrogates, which pydantic refuses."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def _is_readable(path: str | Path) -> bool:
    """Typer refuses a path that is there and cannot be read."""
    return os.access(path, os.R_OK) or not os.access(path, os.F_OK)
