"""Settings for every test: property tests without deadlines, the same examples in every CI run, the same interpreter.

Which tests share a process, and in which order, is different in every run; no test may leave the process another one.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "local",
    deadline=None,  # real git, shared machines: time says nothing
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def _nothing(_number: int, _frame: object) -> None:
    """Takes a signal and does nothing."""


def pytest_configure() -> None:
    """Let a suite in the background, or under nohup, test signals as any other.

    It is told to ignore some, and whatever it starts would inherit that. A handler is not inherited.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _nothing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Give every test the recursion limit of a fresh interpreter: mypy, run within a process, leaves it far higher."""
    limit = sys.getrecursionlimit()
    try:
        return (yield)
    finally:
        sys.setrecursionlimit(limit)
