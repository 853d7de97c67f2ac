"""The command that installs what an optional part needs, into the very environment this program runs in.

It names the packages and not `dev-agent[extra]`: from an index that name could be anybody's.
"""

from __future__ import annotations

import shlex
import sys


def install_command(extra: str) -> str:
    """`PYTHON -m pip install …` for an extra, from the metadata of this installation; general words without any."""
    from importlib.metadata import PackageNotFoundError, requires  # noqa: PLC0415 - only where something is missing

    try:
        known = requires("dev-agent") or []
    except PackageNotFoundError:
        known = []
    wanted = [
        requirement.strip()
        for requirement, _, marker in (one.partition(";") for one in known)
        if marker.replace("'", '"').strip() == f'extra == "{extra}"'
    ]
    if not wanted:
        return f"install dev-agent together with its extra {extra}, from where you have dev-agent"
    return f"install it: {shlex.join([sys.executable, '-m', 'pip', 'install', *wanted])}"
