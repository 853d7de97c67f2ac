"""The map itself: outlines of the ranked files, in their order, until the budget is full.

A file of rank r gets a share of what is left, so that the first show most and the tenth is still there. Inside a
file the lines that share words with the task come first, with the lines they are nested in, and are printed in the
order of the file; `…` stands where lines were left out. Every line passes the redactor. Control characters are
shown as escapes, so a file's name or text cannot pretend to be another section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from dev_agent.context.clues import Clues
from dev_agent.context.index import Index
from dev_agent.context.kinds import Kind
from dev_agent.context.model import Outline, Ranked, Redact, Section, Symbol, View
from dev_agent.context.plain import one_line
from dev_agent.context.tokens import estimated_tokens

_SHARE, _LEAST_SHARE = 0.18, 60
_MOST_SECTIONS = 200
_SHORTEST_LINE = 5


def view_of(
    ranked: Sequence[Ranked],
    index: Index,
    clues: Clues,
    *,
    budget: int,
    redact: Redact,
    within: Callable[[str], bool],
) -> View:
    """What fits into `budget` tokens, best files first. Its text never takes more, by the estimate."""
    wanted = dict(clues.terms)
    sections: list[Section] = []
    left = budget
    for rank, one in enumerate(ranked[:_MOST_SECTIONS], start=1):
        room = min(left, max(_LEAST_SHARE, int(left * _SHARE)))
        section = _section(one, rank, index.outline(one.path), wanted, room, redact)
        if section.tokens > left:
            break
        sections.append(section)
        left -= section.tokens
    table = index.table
    withheld = sum(
        kind is Kind.WITHHELD and within(path) for path, kind in zip(table.paths, table.kinds, strict=True)
    )
    return View(
        sections=tuple(sections),
        budget=budget,
        tokens=sum(section.tokens for section in sections),
        left_out=len(ranked) - len(sections),
        withheld=withheld,
    )


def _section(
    ranked: Ranked, rank: int, outline: Outline, wanted: Mapping[str, float], room: int, redact: Redact
) -> Section:
    """As much of a file as fits into `room`; its first line is there always."""
    head, hidden = _clean(f"{ranked.path}:" if not outline.head else f"{ranked.path}: {outline.head}", redact)
    left = room - estimated_tokens(f"{head}\n") - 2
    symbols = outline.symbols
    lines = _Lines(symbols, redact)
    chosen: set[int] = set()
    worths, parents = _worths(outline, wanted), _parents(symbols)
    for number in sorted(range(len(symbols)), key=lambda at: (-worths[at], at)):
        if left < _SHORTEST_LINE:
            break
        if _least_cost(symbols[number]) > left:
            continue
        fresh = [at for at in _with_parents(parents, number) if at not in chosen]
        cost = sum(estimated_tokens(f"{lines[at][0]}\n") + 2 for at in fresh)
        if cost > left:
            continue
        chosen.update(fresh)
        left -= cost
    text = f"{head}\n" + "".join(_joined(lines, len(symbols), chosen))
    return Section(
        ranked=ranked,
        rank=rank,
        text=text,
        tokens=estimated_tokens(text),
        cut=len(symbols) - len(chosen),
        redacted=hidden + sum(lines[at][1] for at in chosen),
    )


def _joined(lines: _Lines, count: int, chosen: set[int]) -> list[str]:
    """The chosen lines in the file's order, one mark for each gap."""
    out, last = [], -1
    for at in sorted(chosen):
        if at != last + 1:
            out.append(" …\n")
        out.append(f"{lines[at][0]}\n")
        last = at
    if last + 1 < count:
        out.append(" …\n")
    return out


class _Lines:
    """The lines of an outline as they would be shown, made when asked for, and whether a credential was in each."""

    def __init__(self, symbols: Sequence[Symbol], redact: Redact) -> None:
        self._symbols, self._redact = symbols, redact
        self._made: dict[int, tuple[str, bool]] = {}

    def __getitem__(self, number: int) -> tuple[str, bool]:
        if number not in self._made:
            one = self._symbols[number]
            said = f"{one.line:>5} {'  ' * one.depth}{one.text}"
            self._made[number] = _clean(f"{said}  # {one.head}" if one.head else said, self._redact)
        return self._made[number]


def _worths(outline: Outline, wanted: Mapping[str, float]) -> list[float]:
    """How much of the task is in each line, and how deep it lies; a name counts three times what a docstring does."""
    worths = [-symbol.depth * 0.1 for symbol in outline.symbols]
    for rows, factor in ((outline.texts, 3.0), (outline.heads, 1.0)):
        for term, weight in wanted.items():
            for number in rows.get(term, ()):
                worths[number] += weight * factor
    return worths


def _least_cost(symbol: Symbol) -> int:
    """What a line takes if nothing in it has to be escaped or taken out: how one that cannot fit is passed over."""
    return (6 + 2 * symbol.depth + len(symbol.text) + len(symbol.head)) * 2 // 7


def _parents(symbols: Sequence[Symbol]) -> list[int]:
    """For each line the one it is nested in, -1 for none."""
    found: list[int] = []
    over: list[int] = []
    for at, symbol in enumerate(symbols):
        while over and symbols[over[-1]].depth >= symbol.depth:
            over.pop()
        found.append(over[-1] if over else -1)
        over.append(at)
    return found


def _with_parents(parents: Sequence[int], number: int) -> list[int]:
    """The line and those it is nested in."""
    found = []
    while number >= 0:
        found.append(number)
        number = parents[number]
    return found


def _clean(text: str, redact: Redact) -> tuple[str, bool]:
    """The line without credentials and control characters, and whether a credential was in it."""
    safe = one_line(text)
    shown = redact(safe)
    return shown, shown != safe
