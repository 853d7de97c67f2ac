"""What a gate says about a tree, and its JSON form.

A verdict is evidence: it names the exact tree and base it is about, the command, the tool and the digest of
the environment it ran in. Its JSON form never carries the judged program's output (`output` is for people,
and untrusted text). `reason` is a stable code for programs; sentences are in `notes` and `hint`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any

from dev_agent.values import dataclass


class GateResult(StrEnum):
    """PASSED and FAILED are about the change; ERROR means nothing was learned; SKIPPED: nothing was looked at."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """One thing that is wrong: a type error (`code` is mypy's) or a test (`code` is its outcome)."""

    id: str
    path: str = ""
    line: int | None = None
    code: str = ""
    message: str = ""
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "id": self.id,
            "path": self.path,
            "line": self.line,
            "code": self.code,
            "message": self.message,
            "detail": self.detail,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Failure:
        """The inverse of `to_json`. Raises KeyError or TypeError for anything else."""
        line = data["line"]
        return cls(
            id=_text(data["id"]),
            path=_text(data["path"]),
            line=None if line is None else int(line),
            code=_text(data["code"]),
            message=_text(data["message"]),
            detail=_text(data["detail"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The judgement of one gate on one tree.

    `preexisting` counts failures the base has too and still has; `fixed` names those the change mended;
    `flaky` names tests that failed and then passed alone; `superseded` names base tests that fail on the
    change but pass in the form the change gave them. `ms` is the time of the runs, 0 if `cached`.
    """

    gate: str
    result: GateResult
    reason: str
    tree: str
    base_tree: str
    argv: tuple[str, ...] = ()
    tool: str = ""
    tool_version: str = ""
    environment: str = ""
    exit_code: int | None = None
    passed: int = 0
    new_failures: tuple[Failure, ...] = ()
    preexisting: int = 0
    fixed: tuple[str, ...] = ()
    flaky: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hint: str = ""
    ms: int = 0
    cached: bool = False
    output: bytes = b""

    def to_json(self) -> dict[str, Any]:
        """Everything but `output`, as canonicalisable JSON: no floats, no lone surrogates (a test may say them)."""
        data = {
            "gate": self.gate,
            "result": self.result.value,
            "reason": self.reason,
            "tree": self.tree,
            "base_tree": self.base_tree,
            "argv": list(self.argv),
            "tool": self.tool,
            "tool_version": self.tool_version,
            "environment": self.environment,
            "exit_code": self.exit_code,
            "passed": self.passed,
            "new_failures": [one.to_json() for one in self.new_failures],
            "preexisting": self.preexisting,
            "fixed": list(self.fixed),
            "flaky": list(self.flaky),
            "superseded": list(self.superseded),
            "notes": list(self.notes),
            "hint": self.hint,
            "ms": self.ms,
            "cached": self.cached,
        }
        return {name: _recordable(value) for name, value in data.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
        exit_code = data["exit_code"]
        return cls(
            gate=_text(data["gate"]),
            result=GateResult(data["result"]),
            reason=_text(data["reason"]),
            tree=_text(data["tree"]),
            base_tree=_text(data["base_tree"]),
            argv=_texts(data["argv"]),
            tool=_text(data["tool"]),
            tool_version=_text(data["tool_version"]),
            environment=_text(data["environment"]),
            exit_code=None if exit_code is None else int(exit_code),
            passed=int(data["passed"]),
            new_failures=tuple(Failure.from_json(one) for one in data["new_failures"]),
            preexisting=int(data["preexisting"]),
            fixed=_texts(data["fixed"]),
            flaky=_texts(data["flaky"]),
            superseded=_texts(data["superseded"]),
            notes=_texts(data["notes"]),
            hint=_text(data["hint"]),
            ms=int(data["ms"]),
            cached=bool(data["cached"]),
        )

    def from_cache(self) -> Verdict:
        """The same judgement, marked as read back: it cost nothing now."""
        return replace(self, cached=True, ms=0)


def _recordable(value: Any) -> Any:
    """The value with every text as UTF-8 can hold it."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [_recordable(one) for one in value]
    if isinstance(value, dict):
        return {name: _recordable(one) for name, one in value.items()}
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {type(value).__name__}")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, not {type(value).__name__}")
    return tuple(_text(one) for one in value)
