"""Confinement profiles: what of the host a job may see and spend, as data.

Rules kept here:
- a profile comes from us or from the base commit, never from the change that is judged;
- every fault of a file is reported at once, each with the path of its field and, for an unknown key, the
  nearest known one; an unknown key never means "no restriction";
- there is no key that takes a protection away but `network` and `allow_syscalls`, and those only add by name.

File format: TOML, see `sandbox/default.toml`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from dev_agent.errors import UsageFault
from dev_agent.sandbox.job import Limits
from dev_agent.sandbox.syscalls import OPTIONAL
from dev_agent.values import dataclass

_CHECKOUT = Path(__file__).parents[2] / "sandbox"
_MIB = 1024**2
_SIZES = ("tmp_bytes", "home_bytes", "shm_bytes")


class ProfileFault(UsageFault):
    """A profile does not say what it has to; `faults` has a line for each thing that is wrong."""

    def __init__(self, source: str, faults: tuple[str, ...]) -> None:
        super().__init__(
            f"{source}: " + "; ".join(faults), hint="compare with sandbox/default.toml, which names every key"
        )
        self.faults = faults


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A profile. Sizes in bytes; `read_only` are host paths a job sees besides the system's own."""

    name: str = "default"
    network: bool = False
    read_only: tuple[Path, ...] = ()
    tmp_bytes: int = 256 * _MIB
    home_bytes: int = 64 * _MIB
    shm_bytes: int = 64 * _MIB
    allow_syscalls: frozenset[str] = frozenset()
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> dict[str, Any]:
        """What `profile_of` reads, in whole numbers."""
        said = {name: getattr(self, name) for name in ("name", "network", *_SIZES)}
        return {
            **said,
            "read_only": [str(path) for path in self.read_only],
            "allow_syscalls": sorted(self.allow_syscalls),
            "limits": {one.name: int(getattr(self.limits, one.name)) for one in fields(Limits)},
        }


class _Reader:
    """Takes typed values out of one table and collects what is wrong with it."""

    def __init__(self, table: Mapping[str, object], prefix: str, faults: list[str]) -> None:
        self._table = table
        self._prefix = prefix
        self._faults = faults

    def refuse_unknown(self, known: tuple[str, ...]) -> None:
        for key in sorted(set(self._table) - set(known)):
            near = difflib.get_close_matches(key, known, 1)
            hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(known))}"
            self._fault(key, f"unknown key{hint}")

    def number(self, key: str, default: float) -> int:
        value = self._table.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or value <= 0
            or value != int(value)
        ):
            self._fault(key, f"must be a whole number above 0, not {value!r}")
            return int(default)
        return int(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self._table.get(key, default)
        if not isinstance(value, bool):
            self._fault(key, f"must be true or false, not {value!r}")
            return default
        return value

    def text(self, key: str, default: str) -> str:
        value = self._table.get(key, default)
        if not isinstance(value, str) or not value:
            self._fault(key, f"must be a text, not {value!r}")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._fault(key, f"must be a list of texts, not {value!r}")
            return ()
        return tuple(value)

    def table(self, key: str) -> Mapping[str, object]:
        value = self._table.get(key, {})
        if not isinstance(value, dict):
            self._fault(key, f"must be a table, not {value!r}")
            return {}
        return value

    def _fault(self, key: str, message: str) -> None:
        self._faults.append(f"{self._prefix}{key}: {message}")


def load_profile(text: str, *, source: str = "sandbox profile") -> Profile:
    """Read a profile from TOML text; `source` names it in errors. Raises ProfileFault with all faults."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileFault(source, (f"not TOML: {error}",)) from error
    return profile_of(table, source=source)


def profile_of(table: Mapping[str, object], *, source: str) -> Profile:
    """The profile in a table, as `Profile.to_json` or a file says it. Raises ProfileFault with all faults."""
    faults: list[str] = []
    reader = _Reader(table, "", faults)
    reader.refuse_unknown(tuple(field.name for field in fields(Profile)))
    standard = Profile()
    profile = Profile(
        name=reader.text("name", standard.name),
        network=reader.flag("network", default=standard.network),
        read_only=_host_paths(reader.texts("read_only"), faults),
        tmp_bytes=reader.number("tmp_bytes", standard.tmp_bytes),
        home_bytes=reader.number("home_bytes", standard.home_bytes),
        shm_bytes=reader.number("shm_bytes", standard.shm_bytes),
        allow_syscalls=_syscalls(reader.texts("allow_syscalls"), faults),
        limits=_limits(reader.table("limits"), faults),
    )
    if faults:
        raise ProfileFault(source, tuple(faults))
    return profile


def shipped(name: str) -> str:
    """The text of a profile that comes with dev-agent. Raises UsageFault naming those there are."""
    installed = files("dev_agent") / "_shipped" / "sandbox"
    folder = installed if installed.is_dir() else _CHECKOUT
    names = sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )
    if name not in names:
        raise UsageFault(f"no sandbox profile {name!r}", hint=f"there are: {', '.join(names)}")
    return (folder / f"{name}.toml").read_text(encoding="utf-8")


def _limits(table: Mapping[str, object], faults: list[str]) -> Limits:
    reader = _Reader(table, "limits.", faults)
    names = tuple(field.name for field in fields(Limits))
    reader.refuse_unknown(names)
    standard = Limits()
    return Limits(**{name: reader.number(name, getattr(standard, name)) for name in names})


def _host_paths(texts: tuple[str, ...], faults: list[str]) -> tuple[Path, ...]:
    paths = tuple(Path(text) for text in texts)
    for number, path in enumerate(paths):
        # The whole host, or a pseudo file system of it, would undo what every other line of the recipe does.
        if (
            not path.is_absolute()
            or ".." in path.parts
            or str(path) in {"/", "/proc", "/sys", "/dev", "/run"}
        ):
            faults.append(f"read_only[{number}]: not a host path a job may see: {str(path)!r}")
    return paths


def _syscalls(names: tuple[str, ...], faults: list[str]) -> frozenset[str]:
    for number, name in enumerate(names):
        if name not in OPTIONAL:
            allowed = ", ".join(sorted(OPTIONAL))
            faults.append(f"allow_syscalls[{number}]: {name!r} cannot be allowed; only {allowed} can")
    return frozenset(names)
