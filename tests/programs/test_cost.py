"""What models cost a run: sums, words, and prices nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.programs.clock import SystemClock
from dev_agent.programs.cost import Cost, dollars, spending_of
from dev_agent.runtime.fold import INTERRUPTED, LEFT, RETRIED
from dev_agent.runtime.trace import Journal

USAGE = {"input": 100, "output": 7, "cache_read": 20, "cache_write": 3}


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (0, "$0"),
        (1, "<$0.0001"),
        (99, "<$0.0001"),
        (100, "$0.0001"),
        (4_249, "$0.0042"),
        (4_250, "$0.0043"),
        (999_999, "$1.0000"),
        (1_000_000, "$1.00"),
        (1_234_567_890, "$1,234.57"),
    ],
)
def test_money_is_never_shown_as_less_than_something(micro: int, text: str) -> None:
    assert dollars(micro) == text


@pytest.mark.parametrize(
    ("cost", "money"),
    [
        (Cost(calls=2, tokens=5, micro_usd=4_200), "$0.0042"),
        (Cost(calls=2, tokens=5, unpriced=2), "unknown"),
        (Cost(calls=2, tokens=5, micro_usd=4_200, unpriced=1), "at least $0.0042"),
        (Cost(calls=1), "$0"),
    ],
)
def test_an_unknown_price_is_unknown_and_never_nothing(cost: Cost, money: str) -> None:
    assert cost.money == money
    assert (cost.to_json()["money"] is None) is bool(cost.unpriced)


def test_the_words_say_calls_tokens_and_money() -> None:
    assert Cost().words == ""
    assert Cost(calls=1, tokens=1_234, micro_usd=1_500_000).words == "1 model call, 1,234 tokens, $1.50"
    assert Cost(calls=2, tokens=0, unpriced=2).words == "2 model calls, 0 tokens, price unknown"


costs = st.builds(
    Cost,
    calls=st.integers(0, 9),
    tokens=st.integers(0, 99),
    micro_usd=st.integers(0, 99),
    unpriced=st.integers(0, 9),
)


@pytest.mark.law
@given(one=costs, other=costs)
def test_a_sum_with_an_unknown_price_is_not_known(one: Cost, other: Cost) -> None:
    """Law: adding commutes, and what is unknown stays so."""
    both = one.and_of(other)

    assert both == other.and_of(one)
    assert (both.to_json()["money"] is None) is bool(one.unpriced or other.unpriced)


def call(**more: object) -> dict[str, object]:
    return {"purpose": "patch", "model": "m-1", "request_id": "r1", "stop": "end", "trouble": "", "usage": USAGE,
            "micro_usd": 30, "ms": 5, **more}  # fmt: skip


def test_failed_repeated_and_interrupted_calls_are_paid_for_too(tmp_path: Path) -> None:
    turned_away = call(usage=None, micro_usd=None, trouble="rate_limited", unpriced=False)
    lost = call(usage=None, micro_usd=None, trouble="timed_out")
    with Journal.create(tmp_path / "run", "run", {"program": "0"}, SystemClock()) as journal:
        for kind, state, cost, calls in (
            (LEFT, "plan", {"model_calls": 1, "tokens": 130, "money": 30}, [call(purpose="plan")]),
            (RETRIED, "patch", {"model_calls": 1}, [turned_away]),
            (INTERRUPTED, "patch", {"model_calls": 1, "unpriced_calls": 1}, [lost]),
            (LEFT, "patch", {"model_calls": 1, "tokens": 130, "money": 30}, [call()]),
            (LEFT, "check", {}, None),
        ):
            journal.append(kind, {"state": state, "cost": cost, "data": {"calls": calls} if calls else {}})
        spending = spending_of(journal.events)

    assert spending.total == Cost(calls=4, tokens=260, micro_usd=60, unpriced=1)
    assert spending.states == (
        ("plan", Cost(calls=1, tokens=130, micro_usd=30)),
        ("patch", Cost(calls=3, tokens=130, micro_usd=30, unpriced=1)),
    )
    assert [one.money for one in spending.calls] == ["<$0.0001", "$0", "unknown", "<$0.0001"]
    assert [(one.read, one.written) for one in spending.calls] == [(123, 7), (0, 0), (0, 0), (123, 7)]
    assert [one.outcome for one in spending.calls] == ["end", "rate_limited", "timed_out", "end"]


@pytest.mark.parametrize("calls", [None, "text", [None], [{"usage": "x", "ms": True}], 7])
def test_a_foreign_record_of_calls_is_read_without_trust(tmp_path: Path, calls: object) -> None:
    with Journal.create(tmp_path / "run", "run", {"program": "0"}, SystemClock()) as journal:
        journal.append(LEFT, {"state": "x", "cost": {}, "data": {"calls": calls}})
        spending = spending_of(journal.events)

    assert spending.total == Cost()
    assert all((one.read, one.ms) == (0, 0) for one in spending.calls)
