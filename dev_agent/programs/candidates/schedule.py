"""How many answers a round asks for: one, then four, then eight while everything is red; never more than is left.

A round is one pass from the view to the judgement: the first, and one for every repair. A small first round makes the
easy task cost one answer; a larger one pays only where one answer has been seen to fail. What a round may cost is
bounded by what each limited budget has left over what an answer has cost so far. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

AUTO = "auto"
MOST = 16
_ROUNDS = (1, 4, 8)
_MOST_AT_ONCE = 4
_PER_ANSWER = ("model_calls", "tokens", "money")


def asked_for(candidates: str, round_: int) -> int:
    """How many answers round `round_` (from 1) wants: as many as said, or by the schedule for `auto`."""
    if candidates == AUTO:
        return _ROUNDS[min(round_, len(_ROUNDS)) - 1]
    return int(candidates)


def affordable(wanted: int, *, left: Mapping[str, int], spent: Mapping[str, int]) -> int:
    """`wanted`, cut to what the budgets allow; at least 1, for the engine says itself when nothing is left.

    `left` is what is left of each limited budget, `spent` what the run has spent; both by the budgets' keys. A budget
    whose price of an answer is not known yet does not cut, except that of calls, where the price is one.
    """
    calls = max(spent.get("model_calls", 0), 1)
    most = wanted
    for key, rest in left.items():
        each = 1 if key == "model_calls" else -(-spent.get(key, 0) // calls)
        if each and key in _PER_ANSWER:
            most = min(most, rest // each)
    return max(most, 1)


def at_once(count: int, *, processors: int, confined: bool, width: int | None = None) -> int:
    """How many of `count` candidates are judged at the same time: here, or by a cluster that answers `width` questions.

    Without mounts of their own, suites share temporary files and ports, and one would fail for what another does. A
    worker sees to that itself; it is asked one question more than it can answer, so that it need not wait for the next.
    """
    if width is not None:
        return max(min(count, width + 1), 1)
    return max(min(count, processors, _MOST_AT_ONCE), 1) if confined else 1


def is_count(text: str) -> bool:
    """True for what `--candidates` may say."""
    return text == AUTO or (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= MOST)
