"""What a worker answers to a job, and its written form.

    Judged    the verdicts, with what the judged programs said (for people: untrusted text)
    Lacking   the digests of what the worker needs first: bundles and files of the job
    Trouble   the worker could not judge. Never about the change: a verdict is never made of it

Written as canonical JSON, and read as input from somebody else: a worker is believed about what it judged, and about
nothing it was not asked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from dev_agent.cluster.frozen import SHA256
from dev_agent.errors import UsageFault
from dev_agent.gates.verdict import Verdict
from dev_agent.runtime.canonical import canonical, parse_canonical
from dev_agent.runtime.errors import NotCanonical
from dev_agent.values import dataclass


class TroubleKind(StrEnum):
    """Why a worker could not judge."""

    ENVIRONMENT = "environment"
    """It has no environment with the job's lock and cannot make one."""
    UNCONFINED = "unconfined"
    """It offers no confinement of the kind asked for."""
    TOOL = "tool"
    """Another dev-agent, Python or distributed than the asker's."""
    NO_SPACE = "no_space"
    BUNDLE = "bundle"
    """What was shipped is not what the job names."""
    REMOTE = "remote"
    """The job's remote cannot be reached, wants credentials, or lacks the commit."""
    CANCELLED = "cancelled"
    BROKEN = "broken"
    """A bug of ours, with its words."""


class BadAnswer(UsageFault):
    """What came is no answer."""

    def __init__(self, said: str) -> None:
        super().__init__(
            f"this is not a worker's answer: {said}",
            hint="client and worker have to run the same dev-agent",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """The verdicts on the job with the digest `job`.

    `environment` is the lock's digest as the worker found it in what it judged in, `confinement` the sandbox it used.
    """

    job: str
    verdicts: tuple[Verdict, ...]
    worker: str
    environment: str
    confinement: str
    ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacking:
    """Ship these (sha256, in the job's order) to this worker and ask again."""

    job: str
    digests: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """What failed and what to do about it. `job` is "" if what came could not be read."""

    job: str
    kind: TroubleKind
    message: str
    hint: str = ""


Answer = Judged | Lacking | Trouble


def write_answer(answer: Answer) -> bytes:
    """The written form."""
    if isinstance(answer, Judged):
        return canonical(_said_judged(answer))
    if isinstance(answer, Lacking):
        return canonical({"answer": "lacking", "job": answer.job, "digests": list(answer.digests)})
    return canonical(
        {
            "answer": "trouble",
            "job": answer.job,
            "kind": answer.kind,
            "message": _plain(answer.message),
            "hint": _plain(answer.hint),
        }
    )


def _said_judged(answer: Judged) -> dict[str, Any]:
    return {
        "answer": "judged",
        "job": answer.job,
        "verdicts": [one.to_json() for one in answer.verdicts],
        "outputs": [base64.b64encode(one.output).decode("ascii") for one in answer.verdicts],
        "worker": _plain(answer.worker),
        "environment": answer.environment,
        "confinement": answer.confinement,
        "ms": answer.ms,
    }


def read_answer(data: bytes) -> Answer:
    """The inverse, for bytes nobody trusts. Raises BadAnswer."""
    try:
        table = parse_canonical(data)
        if not isinstance(table, dict):
            raise TypeError("it is no object")
        return _READERS[_text(table, "answer")](table)
    except NotCanonical as error:
        raise BadAnswer(error.message) from None
    except KeyError as error:
        raise BadAnswer(f"it lacks or does not know {error}") from None
    except (TypeError, ValueError) as error:
        raise BadAnswer(str(error)) from None


def _judged(table: Mapping[str, Any]) -> Judged:
    verdicts = [Verdict.from_json(one) for one in table["verdicts"]]
    outputs = [_decoded(one) for one in table["outputs"]]
    return Judged(
        job=_digest(table, "job"),
        verdicts=tuple(replace(one, output=said) for one, said in zip(verdicts, outputs, strict=True)),
        worker=_text(table, "worker"),
        environment=_digest(table, "environment"),
        confinement=_text(table, "confinement"),
        ms=int(table["ms"]),
    )


def _lacking(table: Mapping[str, Any]) -> Lacking:
    digests = tuple(map(str, table["digests"]))
    if not digests or not all(map(SHA256.fullmatch, digests)):
        raise ValueError("what it lacks is not named by digests")
    return Lacking(job=_digest(table, "job"), digests=digests)


def _trouble(table: Mapping[str, Any]) -> Trouble:
    return Trouble(
        job=_digest(table, "job") if table["job"] else "",
        kind=TroubleKind(table["kind"]),
        message=_text(table, "message"),
        hint=_text(table, "hint"),
    )


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Answer]] = {
    "judged": _judged,
    "lacking": _lacking,
    "trouble": _trouble,
}


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def _digest(table: Mapping[str, Any], key: str) -> str:
    value = _text(table, key)
    if not SHA256.fullmatch(value):
        raise ValueError(f"{key} is no digest")
    return value


def _decoded(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("an output is no text")
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("an output is not base64") from None


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
