"""The three answers a rule can give, and their order.

Strictness is the only order there is: a decision is the strictest of its findings, so adding a finding can
never make a decision milder.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What a rule says: go on, a person must agree first, or no."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"

    @property
    def strictness(self) -> int:
        """0 for allow, 1 for ask, 2 for deny."""
        return _ORDER[self]


_ORDER = {Verdict.ALLOW: 0, Verdict.ASK: 1, Verdict.DENY: 2}


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """The strictest of the verdicts; allow if there are none."""
    return max(verdicts, key=lambda verdict: verdict.strictness, default=Verdict.ALLOW)
