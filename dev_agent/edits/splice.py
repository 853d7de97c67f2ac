"""Turn matched lines into splices of the base file, and splices into the new file.

Rules kept here:
- A line that old and new share keeps the *base's* bytes: its line end, its trailing space, its punctuation.
- After an exact match new lines are taken as given. After a lenient one they take the line end of the line
  they replace or of their neighbour, and the block's shift.
- Whether the file ends in a newline changes only if the edit itself says so.
- Two edits of one file may share context lines. Neither may change a line the other covers.
"""

from __future__ import annotations

from collections.abc import Sequence

from dev_agent.edits.alignment import opcodes
from dev_agent.edits.changes import MatchLevel
from dev_agent.edits.matching import Place
from dev_agent.edits.text import FileText, Line
from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Splice:
    """Base lines [start, end), 0-based, become `lines`. Empty range: insertion before `start`."""

    start: int
    end: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What one edit covers in the base, [start, end), and the splices within.

    `line` is its line in the proposal.
    """

    start: int
    end: int
    line: int
    splices: tuple[Splice, ...]


def splices(
    file: FileText, place: Place, level: MatchLevel, old: Sequence[Line], new: Sequence[Line]
) -> tuple[Splice, ...] | None:
    """Return the splices that turn `old` at `place` into `new`; None if a new line cannot lose the shift."""
    made: list[Splice] = []
    for equal, old_start, old_end, new_start, new_end in opcodes(
        _comparable(old, level), _comparable(new, level)
    ):
        if equal:
            continue
        start, end = place.start + old_start, place.start + old_end
        lines: list[Line] = []
        for at in range(new_start, new_end):
            content = place.shift.applied(new[at][0])
            if content is None:
                return None
            replaced = min(start + at - new_start, end - 1) if end > start else start
            lines.append(
                (
                    content,
                    new[at][1]
                    if level == MatchLevel.EXACT
                    else _line_end(file, place, replaced, old, new, at),
                )
            )
        made.append(Splice(start=start, end=end, lines=tuple(lines)))
    return tuple(made)


def _comparable(lines: Sequence[Line], level: MatchLevel) -> list[tuple[str, object]]:
    if level == MatchLevel.EXACT:
        return list(lines)
    return [(content, bool(end)) for content, end in lines]


def _line_end(
    file: FileText, place: Place, replaced: int, old: Sequence[Line], new: Sequence[Line], at: int
) -> str:
    """Return the line end for new line `at` of a leniently matched block, put where line `replaced` was."""
    if at == len(new) - 1 and place.end == len(file.lines):
        ends = bool(new[-1][1])
        if ends == bool(old[-1][1]):
            ends = bool(file.lines[-1][1])
        if not ends:
            return ""
    if replaced < len(file.lines) and file.lines[replaced][1]:
        return file.lines[replaced][1]
    return file.line_end_at(replaced)


def overlap(regions: Sequence[Region]) -> list[tuple[Region, Region]]:
    """Return the pairs of regions of which one changes what the other covers."""
    ordered = sorted(regions, key=lambda region: (region.start, region.end, region.line))
    clashes: list[tuple[Region, Region]] = []
    for at, region in enumerate(ordered):
        for below in range(at + 1, len(ordered)):
            other = ordered[below]
            if other.start > region.end:
                break
            if _disturbs(region, other) or _disturbs(other, region):
                clashes.append((region, other))
                break
    return clashes


def run_together(file: FileText, regions: Sequence[Region]) -> list[tuple[Region, Region]]:
    """Return the pairs of which one takes the final newline away and the other adds lines behind it.

    Read one after another they make one line of two; on one base each has its own.
    """
    end = len(file.lines)
    if not file.lines or not file.lines[-1][1]:
        return []
    open_ended = [
        region
        for region in regions
        if any(splice.end == end and splice.lines and not splice.lines[-1][1] for splice in region.splices)
    ]
    # One pair says what is wrong; thousands of regions at one line's end would make millions.
    added = [region for region in regions if region.start == end]
    return [
        (one, other)
        for one in open_ended
        if (other := next((each for each in added if each is not one), None)) is not None
    ]


def _disturbs(region: Region, other: Region) -> bool:
    inserted = {splice.start for splice in other.splices if splice.start == splice.end}
    for splice in region.splices:
        if splice.start == splice.end:
            if other.start < splice.start < other.end or splice.start in inserted:
                return True
        elif (
            max(splice.start, other.start) < min(splice.end, other.end)
            or splice.start < other.start == other.end < splice.end
        ):
            return True
    return False


def spliced(file: FileText, made: Sequence[Splice]) -> list[Line]:
    """Return the file's lines with all splices applied. They must not overlap."""
    lines: list[Line] = []
    at = 0
    for splice in sorted(made, key=lambda each: (each.start, each.end)):
        lines += file.lines[at : splice.start]
        lines += splice.lines
        at = splice.end
    lines += file.lines[at:]
    # A last line without line end may not be the last any more.
    line_end, last = file.line_end, len(lines) - 1
    return [
        (content, end if end or number == last else line_end) for number, (content, end) in enumerate(lines)
    ]
