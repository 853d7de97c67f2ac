"""Several answers to one question, asked for at the same time, as one result of one state.

The result is that of the answers together: edits, if any answer has some; else what most helps the run on (a wish to
see more, then an answer that can be put right, then the rest). Every call is counted and every reply kept, in the order
of asking and not of arriving, so the same answers make the same event. An answer that came to nothing is listed with
its outcome and fails no other. Payloads of answer n from the second on are called `proposal-n` and `reply-n`.

Killed between two replies, those that had arrived are not asked for again (`proposers.remembering`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dev_agent.programs.solving.asking import REPLY
from dev_agent.runtime.actions import Result, added
from dev_agent.runtime.waits import ended_of

if TYPE_CHECKING:
    from dev_agent.programs.solving.asking import Asked

MOST_AT_ONCE = 4
_USEFUL = ("proposed", "needs_context", "invalid", "declined", "busy", "unavailable")


def asked_together(count: int, ask: Callable[[int], Asked]) -> list[Asked]:
    """The answers to samples 0 … count-1, in that order. Raises what any of them raises, once all have ended."""
    if count == 1:
        return [ask(0)]
    with ThreadPoolExecutor(max_workers=min(count, MOST_AT_ONCE), thread_name_prefix="sample") as pool:
        futures = [pool.submit(ask, sample) for sample in range(count)]
        try:
            return [_ended(future) for future in futures]
        except BaseException:
            # What has not begun is not paid for; what has begun heeds the host's wish to stop.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ended(future: Future[Asked]) -> Asked:
    ended_of([future])
    return future.result()


def together(results: Sequence[Result], proposal: str) -> Result:
    """One result of several, each of which was read by itself; `proposal` is the role of its payload."""
    if len(results) == 1:
        return results[0]
    first = min(results, key=lambda one: _USEFUL.index(one.outcome))
    blobs = {role: data for role, data in first.blobs.items() if role not in (proposal, REPLY)}
    cost: dict[str, int] = {}
    calls: list[Any] = []
    samples: list[dict[str, Any]] = []
    for number, result in enumerate(results, start=1):
        cost = added(cost, result.cost)
        made: Any = result.data.get("calls", ())
        calls += made
        samples.append(_sample(number, result))
        for role in (proposal, REPLY):
            if role in result.blobs:
                blobs[role if number == 1 else f"{role}-{number}"] = result.blobs[role]
    return Result(first.outcome, {**first.data, "calls": calls, "samples": samples}, blobs, cost)


def _sample(number: int, result: Result) -> dict[str, Any]:
    kept = ("reason", "format", "edits")
    return {
        "number": number,
        "outcome": result.outcome,
        **{key: result.data[key] for key in kept if result.data.get(key)},
    }
