"""What goes between a run and an action in a process of its own: one JSON document there, one back.

There: the view, facts thawed, and the secrets of the capabilities the action declares, which go to this one child
through a pipe. Back: the result with what was recorded and spent, or what was raised. Payloads are base64. The two
ends are of one release, so the form is nobody else's business.
"""

from __future__ import annotations

import base64
import json
import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from dev_agent.runtime.actions import ModelActionSpec, Record, Result, View, added
from dev_agent.runtime.canonical import frozen_object, thaw
from dev_agent.runtime.capabilities import CapabilityRef
from dev_agent.runtime.errors import CapabilityDenied, RuntimeFault
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.projection import ModelView, model_view
from dev_agent.runtime.states import ERROR

if TYPE_CHECKING:
    from collections.abc import Callable

    from dev_agent.runtime.actions import AnySpec
    from dev_agent.runtime.canonical import Json

_NONE: Mapping[str, str] = MappingProxyType({})


def packed_view(view: View | ModelView, secrets: Mapping[str, str] = _NONE) -> bytes:
    """The view as it goes to the child, with secrets by capability; of a model's view only what it shows."""
    if isinstance(view, ModelView):
        shown = {"shown": thaw(dict(view.facts)), "timeout_ms": view.timeout_ms}
        return json.dumps({**shown, "secrets": dict(secrets)}).encode()
    return json.dumps(
        {
            "run": view.run,
            "state": view.state,
            "branch": view.branch,
            "attempt": view.attempt,
            "facts": thaw(view.facts),
            "timeout_ms": view.timeout_ms,
            "remaining": dict(view.remaining),
            "secrets": dict(secrets),
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
        resolve=_resolving(known["secrets"]),
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
        resolve=_resolving(known["secrets"]),
        spend=spend,
    )
    return json.dumps(
        {**_outcome_of(spec.name, lambda: spec.run(view), lambda: spent), "records": []}
    ).encode()


def _resolving(secrets: Mapping[str, str]) -> Callable[[CapabilityRef | Json], str]:
    """What `view.resolve` does in the child: the run has resolved before it what the action declares."""

    def resolve(ref: CapabilityRef | Json) -> str:
        name = (ref if isinstance(ref, CapabilityRef) else CapabilityRef.of(ref)).name
        if name not in secrets:
            why = f"the capability {name!r} is not declared by this action, or was not given to the run"
            raise CapabilityDenied(name, why)
        return secrets[name]

    return resolve


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
