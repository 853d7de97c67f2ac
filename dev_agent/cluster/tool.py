"""What judges: dev-agent itself, and what it lends. Two machines agree on a verdict only if they agree on this.

dev_agent     its version
sources       the digest of the code that judges: gates, their runner, the sandbox, the cluster's own
python        major and minor of the Python dev-agent runs on; a lent mypy runs on it
distributed   the engine's version, "" if it is not installed
lent          (name, version) of the tools a project without its own is judged by
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import dev_agent
from dev_agent.gates.fields import Fields
from dev_agent.values import dataclass

_PACKAGE = Path(dev_agent.__file__).resolve().parent
_JUDGING = ("gates", "gates/runner", "sandbox", "cluster")
_LENT = ("mypy", "pytest")
_VERSION = re.compile(r"[0-9A-Za-z.!+_-]{0,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolVersion:
    """The versions that have to be the same on both sides."""

    dev_agent: str
    sources: str
    python: str
    distributed: str
    lent: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Canonicalisable JSON."""
        return {
            "dev_agent": self.dev_agent,
            "sources": self.sources,
            "python": self.python,
            "distributed": self.distributed,
            "lent": [list(pair) for pair in self.lent],
        }

    def differences(self, other: ToolVersion) -> tuple[str, ...]:
        """In words, where `other` (theirs) is not this one (mine), both named; empty if they are the same."""
        return tuple(self._differences(other))

    def _differences(self, other: ToolVersion) -> Iterator[str]:
        for what, mine, theirs in (
            ("dev-agent", self.dev_agent, other.dev_agent),
            ("Python", self.python, other.python),
            ("distributed", self.distributed, other.distributed),
            *((name, mine, dict(other.lent).get(name, "")) for name, mine in self.lent),
        ):
            if mine != theirs:
                yield f"{what} {mine or 'none'} here, {theirs or 'none'} there"
        if self.dev_agent == other.dev_agent and self.sources != other.sources:
            yield (
                f"dev-agent {self.dev_agent} on both sides, but of other sources "
                f"({self.sources[:12]} here, {other.sources[:12]} there)"
            )


@cache
def tool_version() -> ToolVersion:
    """This installation's. Reads the package's own files, once."""
    return ToolVersion(
        dev_agent=dev_agent.__version__,
        sources=_sources(),
        python=f"{sys.version_info[0]}.{sys.version_info[1]}",
        distributed=_installed("distributed"),
        lent=tuple((name, _installed(name)) for name in _LENT),
    )


def read_tool(table: Mapping[str, Any], path: str, faults: list[str]) -> ToolVersion:
    """The inverse of `to_json`, for a table nobody trusts; what is wrong goes into `faults`."""
    told = Fields(table, path, faults)
    texts = {name: told.text(name) for name in ("dev_agent", "sources", "python", "distributed")}
    for name, value in texts.items():
        if not (_DIGEST if name == "sources" else _VERSION).fullmatch(value):
            told.fault(name, f"is no version: {value[:80]!r}")
    pairs = table.get("lent")
    lent = tuple(one for one in map(_pair, pairs) if one) if isinstance(pairs, list) else ()
    if not isinstance(pairs, list) or len(lent) != len(pairs):
        told.fault("lent", "must be pairs of a name and a version")
    told.done(others=("lent",))
    return ToolVersion(lent=lent, **texts)


def _pair(row: object) -> tuple[str, str] | None:
    match row:
        case [str(name), str(found)] if name in _LENT and _VERSION.fullmatch(found):
            return name, found
    return None


def _sources() -> str:
    digest = hashlib.sha256()
    for folder in _JUDGING:
        for path in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(f"{folder}/{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
