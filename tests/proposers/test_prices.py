"""What answers cost, and that nobody says "nothing" of what is not known."""

from __future__ import annotations

from datetime import date

import pytest

from dev_agent.proposers.abilities import abilities_of, default_model, known_models
from dev_agent.proposers.model import Usage
from dev_agent.proposers.prices import Price, cost_of, read_prices, shipped_prices, total

TODAY = date(2026, 11, 22)
MILLION = 1_000_000


@pytest.mark.parametrize(
    ("model", "usage", "cost"),
    [
        ("claude-opus-5-5", Usage(input=MILLION), 4 * MILLION),
        ("claude-opus-5-5", Usage(output=MILLION), 20 * MILLION),
        ("claude-opus-5-5", Usage(input=1000, output=500, cache_read=2000, cache_write=100), 14_900),
        ("claude-haiku-5-5", Usage(input=100_000), 10_000),
        ("claude-haiku-5-5", Usage(input=100_001), 50_001),
        ("claude-haiku-5-5", Usage(input=50_000, cache_read=50_001, output=10), 27_526),
        ("claude-haiku-5-5", Usage(output=1), 1),
        ("claude-haiku-4-5-20251001", Usage(input=MILLION), MILLION),
        ("us.anthropic.claude-haiku-4-5-20251001-v1:0", Usage(input=MILLION), MILLION),
        ("gpt-6.1-sol-2026-09-29", Usage(input=1000), 2000),
        ("gpt-6.1-sol", Usage(input=300_000), None),
        ("gpt-6-sol", Usage(input=300_000), 1_200_000),
        ("qwen3", Usage(input=1), None),
        ("claude-opus-5-5", Usage(), 0),
        ("claude-opus-5-5", None, None),
    ],
)
def test_an_answer_costs_what_its_tokens_cost(model: str, usage: Usage | None, cost: int | None) -> None:
    assert cost_of(model, usage, TODAY) == cost


def test_a_price_holds_from_its_day_on_and_the_latest_counts() -> None:
    assert cost_of("claude-opus-5-5", Usage(input=1), date(2026, 9, 21)) is None
    faults: list[str] = []
    rows = [
        {"model": "m", "from": date(2026, 1, 1), "input": "1", "output": "1"},
        {"model": "m", "from": date(2026, 6, 1), "input": "3", "output": "1"},
    ]
    own = read_prices(rows, "prices", faults)
    assert not faults
    assert cost_of("m", Usage(input=10), date(2026, 3, 1), own) == 10
    assert cost_of("m", Usage(input=10), date(2026, 6, 1), own) == 30


def test_the_users_own_price_wins_and_a_missing_rate_is_unknown() -> None:
    own = read_prices([{"model": "claude-opus-5-5", "input": "0", "output": "0"}], "prices", [])
    assert cost_of("claude-opus-5-5", Usage(input=5, output=5), TODAY, own) == 0
    assert cost_of("claude-opus-5-5", Usage(cache_read=5), TODAY, own) is None


def test_a_sum_says_how_much_of_it_is_not_known() -> None:
    assert total([1, None, 2, None]) == (3, 2)


@pytest.mark.parametrize("text", ["-1", "NaN", "Infinity", "1e9", "ten", ""])
def test_what_is_no_price_is_refused(text: str) -> None:
    faults: list[str] = []
    assert read_prices([{"model": "m", "input": text, "output": "1"}], "prices", faults) == ()
    assert faults == ['prices[0].input: must be dollars for a million tokens as text, like "2.50"']


def test_what_is_shipped_is_whole() -> None:
    prices: tuple[Price, ...] = shipped_prices()
    assert all(set(price.rates) == {"input", "output", "cache_read", "cache_write"} for price in prices)
    assert default_model("anthropic") in known_models("anthropic")
    assert cost_of(default_model("anthropic"), Usage(input=1), TODAY)
    for service in ("anthropic", "openai"):
        for name in known_models(service):
            has = abilities_of(service, name)
            assert has.window
            assert has.max_output
            assert has.window > has.max_output
