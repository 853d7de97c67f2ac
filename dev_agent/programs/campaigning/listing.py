"""The list of a campaign's repositories, as the user wrote it. Pure: text in, entries out, or all its faults at once.

One repository a line: a path or a URL, then settings of this repository as `name=value`, in shell quoting. `#` begins
a comment. Paths are relative to the folder of the list.

    ../billing
    ~/src/shop            path=src/shop/** remote=upstream
    https://host/o/tools  from=stable branch=agent/typing     # cloned; begins at `stable`
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from dev_agent.errors import UsageFault
from dev_agent.programs.campaigning.address import Address, parse_address
from dev_agent.programs.request import is_branch_name
from dev_agent.values import dataclass

MOST = 2_000
"""Repositories of one campaign; a longer list is more than one campaign."""

_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One repository: its name as it is shown, where it is, and what is said of it alone.

    `branch` is where the change lands, None for the campaign's; `start` the branch a clone begins at, None for the
    remote's own; `paths` where a recipe or a model works; `remote` the name of the remote that is pushed to, and
    `repository` its OWNER/NAME on the code host where the URL does not say it. `line` is where the list says it, for
    whoever refuses the entry later; 0 for one that was read back from a trace.
    """

    name: str
    address: Address
    branch: str | None = None
    start: str | None = None
    paths: tuple[str, ...] = ()
    remote: str = "origin"
    repository: str | None = None
    line: int = field(default=0, compare=False)


SETTINGS = ("branch", "from", "path", "remote", "repository")


def parse_listing(text: str, *, source: str, folder: str, home: str) -> tuple[Entry, ...]:
    """The entries in the order of their lines. Raises UsageFault with every fault, each with its line."""
    entries: list[Entry] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, content in enumerate(text.split("\n"), 1):
        try:
            entry = _entry(content, number, folder=folder, home=home)
            if entry is not None:
                _require_new(entry, number, seen)
                entries.append(entry)
        except UsageFault as fault:
            faults.append(_said(number, fault))
    if not entries and not faults:
        faults = ["it names no repository"]
    if len(entries) > MOST:
        faults = [f"it names {len(entries)} repositories; {MOST} are allowed"]
    if faults:
        raise _unusable(source, faults)
    return tuple(entries)


def require_each(entries: Sequence[Entry], check: Callable[[Entry], None], *, source: str) -> None:
    """Let `check` raise UsageFault for an entry that cannot be used for this campaign's work.

    Raises UsageFault with every such fault, each with its line, as if the list itself had been at fault.
    """
    faults: list[str] = []
    for entry in entries:
        try:
            check(entry)
        except UsageFault as fault:
            faults.append(_said(entry.line, fault))
    if faults:
        raise _unusable(source, faults)


def _said(line: int, fault: UsageFault) -> str:
    return f"line {line}: {fault.message}{f' ({fault.hint})' if fault.hint else ''}"


def _unusable(source: str, faults: Sequence[str]) -> UsageFault:
    more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    return UsageFault(
        "\n".join([f"the list {source} cannot be used:", *(f"  {one}" for one in [*faults[:_SHOWN], *more])]),
        hint="a line is a path or a URL, then for example branch=NAME; nothing was begun",
    )


def only(entries: Sequence[str], patterns: Sequence[str]) -> tuple[int, ...]:
    """The numbers of the names that a pattern fits: a shell pattern for the whole name, or a part of it.

    Raises UsageFault for a pattern that fits none: it was meant to fit one.
    """
    from fnmatch import fnmatchcase  # noqa: PLC0415 - only where somebody narrows

    chosen: set[int] = set()
    for pattern in patterns:
        found = {
            number for number, name in enumerate(entries) if pattern in name or fnmatchcase(name, pattern)
        }
        if not found:
            raise UsageFault(
                f"--only {pattern[:100]!r} fits no repository of the list",
                hint="its names are the addresses as written",
            )
        chosen |= found
    return tuple(sorted(chosen))


def _entry(content: str, line: int, *, folder: str, home: str) -> Entry | None:
    try:
        words = shlex.split(content.rstrip("\r"), comments=True)
    except ValueError:
        raise UsageFault(
            "a quotation is not closed", hint="close it, or write \\' for the mark itself"
        ) from None
    if not words:
        return None
    settings = _settings(words[1:])
    address = parse_address(words[0], folder=folder, home=home)
    for name in ("branch", "from", "remote"):
        value = settings[name][0] if name in settings else None
        if value is not None and not is_branch_name(value):
            raise UsageFault(
                f"{name}={value[:80]!r} is not a usable name", hint="letters, digits and . _ / + -"
            )
    if "from" in settings and not address.is_url:
        raise UsageFault(
            "from= is for what is cloned",
            hint="a repository here begins at its HEAD, or at the branch it lands on",
        )
    return Entry(
        name=words[0],
        address=address,
        branch=_one(settings, "branch"),
        start=_one(settings, "from"),
        paths=tuple(settings.get("path", ())),
        remote=_one(settings, "remote") or "origin",
        repository=_one(settings, "repository"),
        line=line,
    )


def _settings(words: Sequence[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in SETTINGS:
            raise UsageFault(
                f"{word[:80]!r} is not a setting",
                hint=f"settings are {', '.join(f'{one}=' for one in SETTINGS)}; quote a path that has spaces",
            )
        if not value.isprintable() or not value:
            raise UsageFault(
                f"{name}= says nothing, or something that does not show",
                hint=f"write {name}=…, or leave it out",
            )
        found.setdefault(name, []).append(value)
    twice = [name for name, values in found.items() if len(values) > 1 and name != "path"]
    if twice:
        raise UsageFault(f"{twice[0]}= is said twice", hint="leave one of them out")
    return found


def _one(settings: Mapping[str, list[str]], name: str) -> str | None:
    return settings[name][0] if name in settings else None


def _require_new(entry: Entry, number: int, seen: dict[str, int]) -> None:
    before = seen.setdefault(_place(entry.address), number)
    if before != number:
        raise UsageFault(
            f"the same repository as on line {before}", hint="one campaign works once in a repository"
        )


def _place(address: Address) -> str:
    """What is the same for two ways to write one URL: GitHub and most others do not tell `.git` and `/` apart."""
    return address.text.rstrip("/").removesuffix(".git") if address.is_url else address.text
