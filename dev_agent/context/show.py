"""The map itself: outlines of the ranked files, in their order, until the budget is full.

A file of rank r gets a share of what is left, so that the first show most and the tenth is still there. Inside a
file the lines that share words with the task come first, with the lines they are nested in, and are printed in the
order of the file; `…` stands where lines were left out. Every line passes the redactor. Control characters are
shown as escapes, so a file's name or text cannot pretend to be another section.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from dev_agent.context.clues import Clues
from dev_agent.context.index import Index
from dev_agent.context.kinds import Kind, kind_of
from dev_agent.context.model import Outline, Ranked, Redact, Section, Symbol, View
from dev_agent.context.plain import one_line
from dev_agent.context.tokens import estimated_tokens
from dev_agent.context.words import terms

_SHARE, _LEAST_SHARE = 0.18, 60
_MOST_SECTIONS = 200
_SHORTEST_LINE = 5


def view_of(
    ranked: Sequence[Ranked],
    index: Index,
    files: Mapping[str, tuple[str, str]],
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
    withheld = sum(kind_of(path) is Kind.WITHHELD for path in files if within(path))
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
    maybe = re.compile("|".join(re.escape(_beginning(term)) for term in wanted) or r"(?!)")
    for number in sorted(range(len(symbols)), key=lambda at: (-_worth(symbols[at], wanted, maybe), at)):
        if left < _SHORTEST_LINE:
            break
        fresh = [at for at in _with_parents(symbols, number) if at not in chosen]
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


def _beginning(term: str) -> str:
    """What every word that has this term begins with: `flies` and `fly` have one."""
    return term.removesuffix("y")


def _worth(symbol: Symbol, wanted: Mapping[str, float], maybe: re.Pattern[str]) -> float:
    """How much of the task is in the line. `maybe` is a fast no, because most lines have nothing of it."""
    if not maybe.search(f"{symbol.text} {symbol.head}".lower()):
        return -symbol.depth * 0.1
    named = sum(wanted.get(term, 0.0) for term in terms(symbol.text))
    heads = sum(wanted.get(term, 0.0) for term in terms(symbol.head)) if symbol.head else 0.0
    return named * 3 + heads - symbol.depth * 0.1


def _with_parents(symbols: Sequence[Symbol], number: int) -> list[int]:
    """The line and those it is nested in."""
    found, depth = [number], symbols[number].depth
    for at in range(number - 1, -1, -1):
        if symbols[at].depth < depth:
            found.append(at)
            depth = symbols[at].depth
        if not depth:
            break
    return found


def _clean(text: str, redact: Redact) -> tuple[str, bool]:
    """The line without credentials and control characters, and whether a credential was in it."""
    safe = one_line(text)
    shown = redact(safe)
    return shown, shown != safe
