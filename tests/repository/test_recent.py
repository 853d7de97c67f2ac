from __future__ import annotations

from dev_agent.repository.recent import Recent


def test_what_was_not_asked_for_longest_goes_first() -> None:
    known: Recent[str, int] = Recent(most=2)
    known.put("a", 1)
    known.put("b", 2)
    assert known.get("a") == 1
    known.put("c", 3)

    assert (known.get("a"), known.get("b"), known.get("c")) == (1, None, 3)


def test_what_is_put_again_counts_once_and_what_is_too_large_is_not_kept() -> None:
    known: Recent[str, int] = Recent(most=3)
    known.put("a", 1, size=2)
    known.put("a", 2, size=3)
    known.put("b", 3, size=4)

    assert (known.get("a"), known.get("b")) == (2, None)
