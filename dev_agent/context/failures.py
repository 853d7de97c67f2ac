"""What of the gates' verdicts helps to repair a change: the new failures, cut to what matters.

Of a failing test: what was asserted or raised, the innermost frame that lies in the project and no test, the one in the
test, and the code around both as it stands in the staged tree. Of a type error: its message, its line and the lines
around it. The same error many times is told once, with the count. What failed before the change is nobody's business
here. Everything quoted comes from programs that ran the change: it is redacted, made harmless and fenced, and the code
comes through the reader, which refuses what it always refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dev_agent.context.excerpts import numbered
from dev_agent.context.fence import fenced
from dev_agent.context.fingerprint import normalised
from dev_agent.context.kinds import Kind, kind_of
from dev_agent.context.plain import lines_of, one_line, source_line
from dev_agent.context.reading import Page, Reader, RedactLines, normal_path
from dev_agent.context.tokens import estimated_tokens
from dev_agent.context.verdicts import FailureLike, VerdictLike, is_bad
from dev_agent.values import dataclass

_MOST_SHOWN = 12
_LEAST_ROOM = 80
_LONGEST_LINE, _MOST_SAID, _MOST_TAIL = 300, 14, 20
_AROUND, _BEFORE = 3, 6
_FRAME = re.compile(r"^(?:E\s+)?(?:File \")?([^\s:\"][^:\"\n]{0,300}?\.pyi?)(?:\", line |:)(\d{1,9})\b")
_ELSEWHERE = frozenset({"site-packages", "dist-packages"})
_RAISED = re.compile(r"^E( |$)")
_TAIL_REASON = "nothing was learned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A line of a file."""

    path: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Essentials:
    """The text for a model and what it takes; how many failures it tells of and leaves out; lines to look at."""

    text: str
    tokens: int
    told: int
    left_out: int
    places: tuple[Place, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Group:
    """Failures that say the same; the first is told."""

    gate: str
    first: FailureLike
    count: int


def essentials(
    verdicts: Sequence[VerdictLike], reader: Reader, redact: RedactLines, budget: int
) -> Essentials:
    """What is told about the failures of these verdicts, in at most `budget` tokens; gates in the order given."""
    groups = [group for verdict in verdicts if is_bad(verdict) for group in _groups(verdict)]
    total = sum(group.count for group in groups)
    shown = groups[:_MOST_SHOWN]
    blocks: list[str] = []
    places: dict[Place, None] = {}
    left, told = budget, 0
    for at, group in enumerate(shown):
        room = min(left, max(_LEAST_ROOM, left // (len(shown) - at)))
        said = _told(group, redact, room)
        if said is None:
            break
        frames = [place for place in _frames(group.first, reader) if place not in places]
        places.update(dict.fromkeys(frames))
        told += group.count
        for block in (said, *_code(frames, reader)):
            cost = estimated_tokens(block)
            if cost <= room:
                blocks.append(block)
                room -= cost
                left -= cost
    text = "".join(blocks)
    return Essentials(
        text=text, tokens=estimated_tokens(text), told=told, left_out=total - told, places=tuple(places)
    )


def _groups(verdict: VerdictLike) -> list[_Group]:
    """The failures of a verdict, those alike together, in the order of their first; a verdict without any is one."""
    if not verdict.new_failures:
        return [_Group(gate=verdict.gate, first=_Unnamed(verdict), count=1)]
    alike: dict[tuple[str, str], list[FailureLike]] = {}
    for failure in sorted(
        verdict.new_failures, key=lambda one: (one.path, one.line or 0, one.id, one.message)
    ):
        alike.setdefault((failure.code, normalised(failure.message)), []).append(failure)
    return [_Group(gate=verdict.gate, first=several[0], count=len(several)) for several in alike.values()]


class _Unnamed:
    """A verdict that names no failure, as one: its reason, and what the tool said."""

    def __init__(self, verdict: VerdictLike) -> None:
        self.id, self.path, self.line = verdict.gate, "", None
        self.code, self.message, self.detail = verdict.reason, _TAIL_REASON, verdict.hint


def _told(group: _Group, redact: RedactLines, room: int) -> str | None:
    """One failure as a block of at most `room` tokens, its most telling lines; None if not even its title fits."""
    title = _title(group)
    spent = estimated_tokens(fenced("failure", title, ""))
    if spent > room:
        return None
    kept = []
    for line in _said(group, redact):
        cost = estimated_tokens(f"{line}\n")
        if spent + cost <= room:
            kept.append(f"{line}\n")
            spent += cost
    return fenced("failure", title, "".join(kept))


def _title(group: _Group) -> str:
    more = f" (and {group.count - 1} more alike)" if group.count > 1 else ""
    code = f" [{group.first.code}]" if group.first.code else ""
    return one_line(f"{group.gate}: {_cut(group.first.id)}{code}{more}")


def _said(group: _Group, redact: RedactLines) -> list[str]:
    """What was said: of a test's report the lines marked as raised, of all else the message and the end of the rest."""
    failure = group.first
    report = lines_of(failure.detail)
    raised = [line for line in report if _RAISED.match(line)]
    tail = [] if raised else [line for line in report if line.strip()][-_MOST_TAIL:]
    where = f"{failure.path}:{failure.line}: " if failure.path and failure.line else ""
    named = any(failure.message and failure.message in line for line in raised)
    lines = [*([] if named else [f"{where}{failure.message}"]), *raised[:_MOST_SAID], *tail]
    return [_cut(line) for line in redact([source_line(line) for line in lines])]


def _frames(failure: FailureLike, reader: Reader) -> list[Place]:
    """Where to look: the innermost frame in code, the innermost in a test, the place the failure itself names."""
    seen = list(_project_frames(failure, reader))
    code = [place for place in seen if kind_of(place.path) is not Kind.TEST]
    tests = [place for place in seen if kind_of(place.path) is Kind.TEST]
    own = [Place(path=failure.path, line=failure.line)] if failure.path and failure.line else []
    return list(dict.fromkeys([*code[-1:], *tests[-1:], *(own if not seen else [])]))


def _project_frames(failure: FailureLike, reader: Reader) -> Iterator[Place]:
    """The frames of a report that lie in the tree, outermost first, however their paths are written."""
    for line in lines_of(failure.detail):
        found = _FRAME.match(line.strip())
        if found and int(found[2]) > 0:
            path = _in_tree(found[1], reader)
            if path:
                yield Place(path=path, line=int(found[2]))


def _in_tree(written: str, reader: Reader) -> str:
    """The file of the tree that a path in a report means: as it stands, or by its longest end that there is."""
    parts = written.replace("\\", "/").split("/")
    if _ELSEWHERE.intersection(parts):
        return ""
    for start in range(len(parts)):
        path = normal_path("/".join(parts[start:]))
        if path and reader.library.mode(path) is not None and isinstance(reader.page(path), Page):
            return path
    return ""


def _code(places: Sequence[Place], reader: Reader) -> Iterator[str]:
    """The lines around each place, with numbers."""
    for place in places:
        page = reader.page(place.path)
        if isinstance(page, Page) and place.line <= len(page.lines):
            first, last = max(1, place.line - _BEFORE), min(len(page.lines), place.line + _AROUND)
            yield fenced(
                "code", f"{page.path}, around line {place.line}", numbered(page, range(first, last + 1))
            )


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
