"""The token that speaks for us to a code host: taken from the environment, and shown nowhere.

It lives in a value whose text is not the token, so that no log, trace, exception, assertion or JSON object shows it by
accident. It leaves that value in two places: a request header (`http`) and the environment of a git child (`remote`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

NAMES = ("GH_TOKEN", "GITHUB_TOKEN")
"""Where a token may be, the first that is set: the order of GitHub's own tools."""

_TOKEN = re.compile(r"[\x21-\x7e]{8,4096}\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """A secret. `str`, `repr` and `format` do not show it."""

    _value: str = field(repr=False)

    def __str__(self) -> str:
        return "[hidden]"

    def reveal(self) -> str:
        """The secret itself, for a header or a child's environment and nothing else."""
        return self._value


def token_of(environ: Mapping[str, str]) -> Token:
    """The token of this process. Raises UsageFault if there is none, or none that can be one."""
    name = next((name for name in NAMES if environ.get(name)), None)
    if name is None:
        raise UsageFault(
            "there is no token: neither GH_TOKEN nor GITHUB_TOKEN is set",
            hint="in a workflow: env: {GITHUB_TOKEN: ${{ github.token }}}; by hand: export GH_TOKEN=$(gh auth token)",
        )
    if not _TOKEN.match(environ[name]):
        # Its value would end in a header: a line break in it would begin a header of its own.
        raise UsageFault(
            f"{name} does not hold a token: it is too short, or has spaces or line breaks",
            hint="look at how the secret was stored; a trailing line break is the usual cause",
        )
    return Token(environ[name])
