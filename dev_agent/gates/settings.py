"""How severe the gates are: what a policy decides, handed over as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from dev_agent.values import dataclass

EVERY_RED_TEST = "all"
"""As a demand: every test that is red on the base."""


class Mode(StrEnum):
    """`delta` judges what the change makes worse, `strict` wants everything green, `off` does not ask."""

    DELTA = "delta"
    STRICT = "strict"
    OFF = "off"


class GateRules(Protocol):
    """The part of a policy that is about gates; its words, not ours."""

    @property
    def types(self) -> str:
        """ "delta", "strict" or "off"."""
        ...

    @property
    def tests(self) -> str:
        """ "delta", "strict" or "off"."""
        ...

    @property
    def flaky(self) -> str:
        """ "allow" or "deny"."""
        ...

    @property
    def no_tests(self) -> str:
        """ "allow" or "deny"."""
        ...

    @property
    def no_types(self) -> str:
        """ "allow" or "deny"."""
        ...

    @property
    def changed_tests(self) -> str:
        """ "allow", "ask" or "deny"."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class GateSettings:
    """The severity of the gates.

    `allow_flaky`: a test that fails and then passes alone does not fail the change. `allow_no_tests` and
    `allow_no_types`: a project without them is skipped, not refused. `allow_changed_tests`: a base test that
    fails on the change may be superseded by the form the change gave it. `must_pass`: node ids (or "all": every
    test red on the base) that must be red on the base and green on the change.
    """

    types: Mode = Mode.DELTA
    tests: Mode = Mode.DELTA
    allow_flaky: bool = True
    allow_no_tests: bool = False
    allow_no_types: bool = True
    allow_changed_tests: bool = True
    must_pass: tuple[str, ...] = ()

    @classmethod
    def of(cls, policy: GateRules, must_pass: Sequence[str] = ()) -> GateSettings:
        """What a policy says, with the demands of the command line. "ask" allows here: the caller asks."""
        return cls(
            types=Mode(policy.types),
            tests=Mode(policy.tests),
            allow_flaky=policy.flaky != "deny",
            allow_no_tests=policy.no_tests != "deny",
            allow_no_types=policy.no_types != "deny",
            allow_changed_tests=policy.changed_tests != "deny",
            must_pass=tuple(must_pass),
        )
