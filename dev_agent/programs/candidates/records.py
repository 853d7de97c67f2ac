"""A candidate's event: what was found out about it, as data beside which its diff and its sentences are payloads.

    candidate {round, number, tree, base_tree, standing, failures, reproduced, public, source_lines, lines, twin,
               reason, findings, verdicts, files, ms, judged_by?}       blobs: change.patch, texts

A run that is taken up again reads what it had found out from here, for the answers `patch` gave last and no others.
Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dev_agent.programs.candidates.ranking import Candidate, Standing
from dev_agent.programs.judged_by import candidate_judged_by
from dev_agent.programs.texts import TEXTS, quoted_verdicts
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.errors import TraceCorrupt
from dev_agent.runtime.fold import LEFT
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.gates.judge import GateName, JudgedBy
    from dev_agent.gates.verdict import Verdict
    from dev_agent.runtime.events import Event

CANDIDATE = "candidate"
PATCH = "change.patch"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A candidate with what it rests on. `patch` is its diff and `meaning` its fingerprint, if it became a tree."""

    candidate: Candidate
    tree: str = ""
    base_tree: str = ""
    reason: str = ""
    files: tuple[str, ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    by: tuple[tuple[GateName, JudgedBy], ...] = ()
    tests: tuple[str, ...] = ()
    patch: bytes = b""
    meaning: str = ""
    ms: int = 0

    def recorded(self, round_: int) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The event's data and payloads."""
        kept, texts = quoted_verdicts([one.to_json() for one in self.verdicts])
        data = {
            "round": round_,
            **_plain(self.candidate),
            "tree": self.tree,
            "base_tree": self.base_tree,
            "reason": self.reason,
            "files": len(self.files),
            "findings": [dict(one) for one in self.findings],
            "verdicts": kept,
            "tests": list(self.tests),
            "ms": self.ms,
            **candidate_judged_by(self.by),
            **({TEXTS: True} if texts else {}),
        }
        return data, {**({PATCH: self.patch} if self.patch else {}), **texts}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """A candidate as a trace tells it. `patch` is the commitment of its diff, "" if it has none."""

    round: int
    candidate: Candidate
    tree: str
    base_tree: str
    reason: str
    files: int
    ms: int
    chosen: bool = False
    patch: str = ""
    tests: tuple[str, ...] = ()
    gates: tuple[tuple[str, str, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For programs: everything but the diff."""
        return {
            "round": self.round,
            **_plain(self.candidate),
            "chosen": self.chosen,
            "tree": self.tree,
            "reason": self.reason,
            "files": self.files,
            "tests": list(self.tests),
            "gates": [
                {"name": name, "verdict": result, "new_failures": count} for name, result, count in self.gates
            ],
            "ms": self.ms,
        }


def recorded_candidates(events: Iterable[Event]) -> tuple[Recorded, ...]:
    """Every candidate of a run, by round and number; of one that was recorded twice the last.

    Raises TraceCorrupt for an event that is not of its form: a chain can be whole and foreign.
    """
    found: dict[tuple[int, int], Recorded] = {}
    chosen: set[tuple[int, int]] = set()
    for event in events:
        try:
            if event.type == CANDIDATE:
                one = _read(event)
                found[one.round, one.candidate.number] = one
            elif event.type == LEFT and event.data["state"] == "tryout":
                data: Any = event.data["data"]
                if data.get("chosen"):
                    chosen.add((int(data["round"]), int(data["chosen"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TraceCorrupt(event.seq, f"{event.type} is malformed: {error}") from None
    return tuple(replace(found[key], chosen=key in chosen) for key in sorted(found))


def known_of_round(events: Iterable[Event], round_: int) -> dict[int, Recorded]:
    """What was found out already about the candidates of one round."""
    return {one.candidate.number: one for one in recorded_candidates(events) if one.round == round_}


def _read(event: Event) -> Recorded:
    data: Any = thaw(event.data)
    patch = event.blob(PATCH)
    return Recorded(
        round=int(data["round"]),
        candidate=Candidate(
            number=int(data["number"]),
            standing=Standing(data["standing"]),
            failures=int(data["failures"]),
            reproduced=bool(data["reproduced"]),
            public=int(data["public"]),
            source_lines=int(data["source_lines"]),
            lines=int(data["lines"]),
            twin=int(data["twin"]),
        ),
        tree=str(data["tree"]),
        base_tree=str(data["base_tree"]),
        reason=str(data["reason"]),
        files=int(data["files"]),
        ms=int(data["ms"]),
        patch=patch.commitment if patch else "",
        tests=tuple(map(str, data["tests"])),
        gates=tuple(
            (str(one["gate"]), str(one["result"]), len(one["new_failures"])) for one in data["verdicts"]
        ),
    )


def _plain(candidate: Candidate) -> dict[str, Any]:
    return {
        "number": candidate.number,
        "standing": candidate.standing.value,
        "failures": candidate.failures,
        "reproduced": candidate.reproduced,
        "public": candidate.public,
        "source_lines": candidate.source_lines,
        "lines": candidate.lines,
        "twin": candidate.twin,
    }
