"""The programs that come with dev-agent, and proving one."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.runtime.program import Program, load_program
from dev_agent.runtime.validation import prove

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dev_agent.runtime.actions import AnySpec

APPLY = "apply"
CHECK = "check"
UNDO = "undo"
PREMERGE = "premerge"
SOLVE = "solve"
BUILTIN = (APPLY, CHECK, UNDO, PREMERGE, SOLVE)


def builtin_text(name: str) -> str:
    """The TOML text of the shipped program `name`. Raises UsageFault for another name."""
    if name not in BUILTIN:
        raise UsageFault(
            f"no program {name!r} comes with this version of dev-agent",
            hint=f"these do: {', '.join(BUILTIN)}",
        )
    return files("dev_agent.programs").joinpath(f"{name}.toml").read_text(encoding="utf-8")


def builtin_program(name: str) -> Program:
    """The shipped program `name`. It is proved again by the engine before every run."""
    return _read(builtin_text(name), f"{name}.toml")


@cache
def _read(text: str, source: str) -> Program:
    """A program is a frozen value, and a process reads the same few texts again and again."""
    return load_program(text, source=source)


def apply_program() -> Program:
    """The program `apply`."""
    return builtin_program(APPLY)


def load_and_prove(
    path: Path | None, *, builtin: str = APPLY, actions: Mapping[str, AnySpec] | None = None
) -> Program:
    """The program in `path` (None: the shipped one named `builtin`), proved against `actions`, by default ours.

    Raises OSError, ProgramError or ProgramRefused, each naming every fault.
    """
    from dev_agent.programs.actions.registry import declared  # noqa: PLC0415 - heavy: binds every layer

    text = builtin_text(builtin) if path is None else path.read_text(encoding="utf-8")
    program = load_program(text, source=path.name if path else f"{builtin}.toml")
    prove(program, actions or declared())
    return program
