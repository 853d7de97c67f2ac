"""How talking to a code host fails: the world refused, and each kind says what to do about it.

No message holds a token, a request header or a body that was sent; what the host said is cut and on one line.

    ForgeFault            exit 3   the family
    ├── ForgeUnreachable           no answer in time, connection refused, 5xx to the last attempt
    ├── ForgeThrottled             the rate limit holds for longer than we may wait; `resets_in_s` tells how long
    ├── ForgeRefused               401, 403, 404: no such thing, or the token may not (`status`)
    ├── ForgeRejected              409, 410, 422, any other 4xx: the host understood and said no (`status`)
    └── ForgeUnintelligible        something answered that is not the host's API: a proxy, a login page, another shape
"""

from __future__ import annotations

from dev_agent.errors import EnvironmentFault


class ForgeFault(EnvironmentFault):
    """The code host could not be asked or told something; `status` is HTTP's, 0 without an answer."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class ForgeUnreachable(ForgeFault):
    """There was no usable answer, however often we asked; asking later may help."""


class ForgeThrottled(ForgeFault):
    """The host wants us to wait longer than we may."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0, resets_in_s: int = 0) -> None:
        super().__init__(message, hint=hint, status=status)
        self.resets_in_s = resets_in_s


class ForgeRefused(ForgeFault):
    """The thing is not there, or this token may not see or do it: hosts do not tell these apart."""


class ForgeRejected(ForgeFault):
    """The host understood the request and refuses it as it stands."""


class ForgeUnintelligible(ForgeFault):
    """What answered does not speak the host's API."""
