"""What goes between a run and an action in a process of its own: one JSON document there, one back.

There: the view, facts thawed. Back: the result with what was recorded and spent, or what was raised. Payloads are
base64. The two ends are of one release, so the form is nobody else's business.
"""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from dev_agent.runtime.actions import ModelActionSpec, Record, Result, View, added
from dev_agent.runtime.canonical import frozen_object, thaw
from dev_agent.runtime.errors import CapabilityDenied, RuntimeFault
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.projection import ModelView, model_view
from dev_agent.runtime.states import ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev_agent.runtime.actions import AnySpec
    from dev_agent.runtime.canonical import Json
    from dev_agent.runtime.capabilities import CapabilityRef


def packed_view(view: View | ModelView) -> bytes:
    """The view as it goes to the child; of a view for a model there is no more than what it shows."""
    if isinstance(view, ModelView):
        return json.dumps({"shown": thaw(dict(view.facts)), "timeout_ms": view.timeout_ms}).encode()
    return json.dumps(
        {
            "run": view.run,
            "state": view.state,
            "branch": view.branch,
            "attempt": view.attempt,
            "facts": thaw(view.facts),
            "timeout_ms": view.timeout_ms,
            "remaining": dict(view.remaining),
        }
    ).encode()


def answered(spec: AnySpec, document: bytes) -> bytes:
    """In the child: run the action on a packed view, and pack what came of it. Raises only KeyboardInterrupt."""
    known = json.loads(document)
    if isinstance(spec, ModelActionSpec):
        return _answered_for_model(spec, known)
    records: list[Record] = []

    def keep(record: Record) -> None:
        if record.durable:
            raise RuntimeFault(
                "an action with a time limit cannot record durably: it may be killed at any line",
                "move the effect into a state without timeout_ms",
            )
        records.append(record)

    view = View(
        run=known["run"],
        state=known["state"],
        branch=known["branch"],
        attempt=known["attempt"],
        facts=frozen_object(known["facts"]),
        cancel=NeverCancelled(),
        timeout_ms=known["timeout_ms"],
        remaining=known["remaining"],
        recorder=keep,
    )
    made = _outcome_of(spec.name, lambda: spec.run(view), lambda: view.spent)
    return json.dumps({**made, "records": [_packed_record(one) for one in records]}).encode()


def _answered_for_model(spec: ModelActionSpec, known: Mapping[str, Any]) -> bytes:
    spent: dict[str, int] = {}

    def spend(cost: Mapping[str, int]) -> None:
        spent.update(added(spent, cost))

    view = model_view(
        known["shown"],
        names=known["shown"],
        prompts=spec.prompts,
        cancel=NeverCancelled(),
        timeout_ms=known["timeout_ms"],
        resolve=_denied,
        spend=spend,
    )
    return json.dumps(
        {**_outcome_of(spec.name, lambda: spec.run(view), lambda: spent), "records": []}
    ).encode()


def _denied(_ref: CapabilityRef | Json) -> str:
    raise CapabilityDenied("", "in a process of its own an action can resolve no capability")


def unpacked(document: bytes, view: View | ModelView) -> Result:
    """In the run: record what the child recorded, and return its result. Raises ValueError for a torn document."""
    known = json.loads(document)
    for one in known["records"]:
        # A view for a model records nothing, so its child packs none.
        cast("View", view).record(one["type"], one["data"], _bytes(one["blobs"]), actor=one["actor"])
    return Result(known["outcome"], known["data"], _bytes(known["blobs"]), known["cost"])


def _outcome_of(
    name: str, act: Callable[[], object], spent: Callable[[], Mapping[str, int]]
) -> dict[str, Any]:
    try:
        result = act()
        if type(result) is not Result:
            raise TypeError(f"{name} returned {type(result).__name__}, not a Result")
        made = {
            "outcome": str(result.outcome),
            "data": thaw(frozen_object(result.data)),
            "blobs": _text(result.blobs),
            "cost": added(spent(), result.cost),
        }
        json.dumps(made).encode()
    except Exception as error:  # noqa: BLE001 - whatever it raises is the action's outcome `error`
        text = "".join(traceback.format_exception(error)).encode(errors="backslashreplace")
        message = str(error)[:2000].encode(errors="backslashreplace").decode()
        return {
            "outcome": ERROR,
            "data": {"type": type(error).__name__, "message": message},
            "blobs": _text({"traceback": text}),
            "cost": dict(spent()),
        }
    return made


def _packed_record(record: Record) -> dict[str, Any]:
    return {
        "type": record.type,
        "data": thaw(record.data),
        "blobs": _text(record.blobs),
        "actor": record.actor,
    }


def _text(blobs: Mapping[str, bytes]) -> dict[str, str]:
    return {role: base64.b64encode(data).decode() for role, data in blobs.items()}


def _bytes(blobs: Mapping[str, str]) -> dict[str, bytes]:
    return {role: base64.b64decode(data) for role, data in blobs.items()}
