"""The report of a bug of ours: enough to find it, nothing that belongs to the user.

Left out on purpose: environment variables, the values of arguments, local variables and source lines of
other people's files. A secret could still sit inside an exception's message, so the values of variables
whose names sound like secrets are struck out, and the user's home folder becomes `~`.
"""

from __future__ import annotations

import platform
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dev_agent import __version__
from dev_agent.cli.output.escape import escape_line

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")
_SHORTEST_SECRET = 6
_PACKAGE = Path(__file__).resolve().parent.parent


def bug_report(error: BaseException, argv: Sequence[str], environ: Mapping[str, str]) -> str:
    """Lines ready to be pasted into a report; every one escaped."""
    lines = [
        "--- dev-agent bug report ---",
        f"dev-agent {__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}",
        f"command: {' '.join(_harmless(argv))}",
        *_told(error),
        "--- end of report ---",
    ]
    secrets = _secrets(environ)
    return "\n".join(escape_line(_without(text, secrets, environ.get("HOME", ""))) for text in lines)


def _harmless(argv: Sequence[str]) -> Iterator[str]:
    """The command's name and the names of its options; values may be anything."""
    for position, argument in enumerate(argv):
        if argument.startswith("-"):
            yield argument.partition("=")[0]
        else:
            yield argument if position == 0 else "…"


def _told(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{type(error).__module__}.{type(error).__qualname__}: {str(error)[:500]}"
        for frame in traceback.extract_tb(error.__traceback__):
            yield f"  {_place(frame.filename)}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or error.__context__
        if error is not None:
            yield "caused by"


def _place(filename: str) -> str:
    """Our own files by their place in the package, others by their last two parts."""
    path = Path(filename)
    if path.is_relative_to(_PACKAGE):
        return f"dev_agent/{path.relative_to(_PACKAGE).as_posix()}"
    return "/".join(path.parts[-2:])


def _secrets(environ: Mapping[str, str]) -> list[str]:
    found = {
        value
        for name, value in environ.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET
    }
    return sorted(found, key=len, reverse=True)


def _without(text: str, secrets: Sequence[str], home: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "[struck out]")
    text = _URL_LOGIN.sub("[struck out]@", text)
    return text.replace(home, "~") if len(home) > 1 else text
