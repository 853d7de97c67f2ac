"""Texts of files within a budget of tokens: whole where they fit, else the parts that matter, with line numbers.

Room is shared fairly: a file that needs less than its share leaves the rest to the others, a wish of more weight has a
larger share. What is cut is shown as numbered lines, `…` standing for lines left out; in it come first the lines a task
or a failure names with the definitions around them, then definitions asked for by name, then the file's head, then the
definitions that share words with the task. A block of text takes no more tokens than it was given room for, the marks
around it included, by the estimate of `tokens`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field

from dev_agent.context.blocks import Block, blocks_of
from dev_agent.context.fence import fenced
from dev_agent.context.reading import Page, Reader, Reason, Refused, refused
from dev_agent.context.tokens import estimated_tokens
from dev_agent.context.words import terms
from dev_agent.values import dataclass

LEAST_ROOM = 120
"""Tokens below which a file is not begun."""

_MOST_AROUND = 80
_AROUND, _NEAR = 8, 3
_HEAD = 25
_WIDEST = 400
_GAP = "    …\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Focus:
    """What of a file matters: lines by number, definitions by qualified name, words with weights."""

    lines: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """A file to show, why, and what of it matters. `weight` is its share beside others; `parts`: never all of it."""

    path: str
    why: str
    focus: Focus = Focus()
    weight: int = 1
    parts: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """What is shown of a file. `text` is the block as a model sees it; `first` and `last` are its outermost lines."""

    path: str
    first: int
    last: int
    whole: bool
    text: str
    tokens: int
    why: str
    lines: int
    redacted: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Picked:
    """Excerpts in the order of their wishes, and the wishes that are not shown."""

    excerpts: tuple[Excerpt, ...]
    refused: tuple[Refused, ...]

    @property
    def tokens(self) -> int:
        """Of all excerpts together."""
        return sum(one.tokens for one in self.excerpts)


def excerpts_of(wishes: Sequence[Wish], reader: Reader, budget: int) -> Picked:
    """What is shown for these wishes, in at most `budget` tokens. Of two wishes for one file the first counts."""
    pages: dict[str, tuple[Wish, Page]] = {}
    no: list[Refused] = []
    for wish in wishes:
        page = reader.page(wish.path)
        if isinstance(page, Refused):
            no.append(page)
        else:
            pages.setdefault(page.path, (wish, page))
    fitting = list(pages.values())
    # Those at the end are the least wanted: rather some files well shown than all of them by a line.
    while fitting and len(fitting) * LEAST_ROOM > budget:
        wish, _ = fitting.pop()
        no.append(_no_room(wish.path))
    return _shown(fitting, no, budget)


def _shown(fitting: Sequence[tuple[Wish, Page]], no: list[Refused], budget: int) -> Picked:
    """Parts are cut out first, because what they leave of their room is known only then."""
    order = sorted(range(len(fitting)), key=lambda at: (not fitting[at][0].parts, at))
    wanted = [budget if wish.parts else estimated_tokens(_whole(page)) for wish, page in fitting]
    found: dict[int, Excerpt] = {}
    left = budget
    for turn, at in enumerate(order):
        wish, page = fitting[at]
        waiting = order[turn:]
        room = rooms_for([wanted[one] for one in waiting], [fitting[one][0].weight for one in waiting], left)[
            0
        ]
        excerpt = excerpt_of(page, wish, room)
        if excerpt is None:
            no.append(_no_room(page.path))
        else:
            found[at] = excerpt
            left -= excerpt.tokens
    return Picked(excerpts=tuple(found[at] for at in sorted(found)), refused=tuple(no))


def rooms_for(sizes: Sequence[int], weights: Sequence[int], budget: int) -> list[int]:
    """Shares of `budget` by weight; who needs less than a share gets what it needs, and the rest is shared again."""
    rooms = [0] * len(sizes)
    hungry = list(range(len(sizes)))
    left = budget
    while hungry:
        total = sum(weights[at] for at in hungry)
        content = [at for at in hungry if sizes[at] <= left * weights[at] // total]
        if not content:
            for at in hungry:
                rooms[at] = left * weights[at] // total
            break
        for at in content:
            rooms[at] = sizes[at]
        left -= sum(sizes[at] for at in content)
        hungry = [at for at in hungry if at not in content]
    return rooms


def excerpt_of(page: Page, wish: Wish, room: int) -> Excerpt | None:
    """What is shown of a page in `room` tokens; None if nothing of it fits."""
    count = len(page.lines)
    if not wish.parts:
        text = _whole(page)
        tokens = estimated_tokens(text)
        if tokens <= room:
            return Excerpt(
                path=page.path, first=min(1, count), last=count, whole=True, text=text, tokens=tokens, why=wish.why,
                lines=count, redacted=len(page.hidden),
            )  # fmt: skip
    chosen = _chosen(page, wish.focus, room - estimated_tokens(fenced("file", _label(page, "parts"), "")))
    if not chosen:
        return None
    text = fenced("file", _label(page, "parts"), numbered(page, chosen))
    return Excerpt(
        path=page.path, first=min(chosen), last=max(chosen), whole=len(chosen) == count, text=text,
        tokens=estimated_tokens(text), why=wish.why, lines=count, redacted=len(page.hidden & chosen),
    )  # fmt: skip


def numbered(page: Page, chosen: Iterable[int]) -> str:
    """These lines of a page with their numbers, a mark for each gap."""
    out, last = [], 0
    for number in sorted(chosen):
        if number != last + 1:
            out.append(_GAP)
        out.append(_numbered(page, number))
        last = number
    if last < len(page.lines):
        out.append(_GAP)
    return "".join(out)


def _numbered(page: Page, number: int) -> str:
    line = page.lines[number - 1]
    if len(line) > _WIDEST:
        line = f"{line[:_WIDEST]}… ({len(line) - _WIDEST} more characters)"
    return f"{number:>5}| {line}\n"


def _whole(page: Page) -> str:
    return fenced("file", _label(page, "whole"), "".join(f"{line}\n" for line in page.lines))


def _label(page: Page, how: str) -> str:
    notes = "".join(f"; {note}" for note in page.notes)
    return f"{page.path} ({how}, {len(page.lines)} lines{notes})"


def _chosen(page: Page, focus: Focus, room: int) -> set[int]:
    """The lines that fit, the most important stretches first; of one that does not fit its first lines are tried."""
    chosen: set[int] = set()
    left = room - 2 * estimated_tokens(_GAP)
    for first, last in _stretches(page, focus):
        for end in dict.fromkeys((last, min(last, first + _AROUND))):
            fresh = [at for at in range(first, end + 1) if at not in chosen]
            cost = sum(estimated_tokens(_numbered(page, at)) for at in fresh) + estimated_tokens(_GAP)
            if fresh and cost <= left:
                chosen.update(fresh)
                left -= cost
                break
    return chosen


def _stretches(page: Page, focus: Focus) -> Iterator[tuple[int, int]]:
    """First and last lines of what to show, the most important first."""
    count = len(page.lines)
    blocks = blocks_of(page.path, page.source)
    for line in focus.lines:
        if 1 <= line <= count:
            yield max(1, line - _NEAR), min(count, line + _NEAR)
    for line in focus.lines:
        around = _around(blocks, line)
        if around and 1 <= line <= count:
            yield around.first, min(around.last, count)
    for name in focus.names:
        for block in blocks:
            if block.is_called(name):
                yield block.first, min(block.last, count)
    yield 1, min(_HEAD, count, blocks[0].first - 1 if blocks else count)
    for block in _by_words(page, blocks, focus.words):
        yield block.first, min(block.last, count)


def _around(blocks: Sequence[Block], line: int) -> Block | None:
    """The largest definition around a line that is not too long to show."""
    around = [one for one in blocks if one.first <= line <= one.last and one.length <= _MOST_AROUND]
    return max(around, key=lambda one: one.length, default=None)


def _by_words(page: Page, blocks: Sequence[Block], words: Mapping[str, float]) -> list[Block]:
    """The definitions that share words with the task, the most of them a line first; what holds another is no leaf."""
    if not words:
        return []
    inner = [one for one in blocks if one.length <= _MOST_AROUND]
    scored = [(one, _worth(page, one, words)) for one in inner]
    kept = [(one, worth) for one, worth in scored if worth > 0]
    return [one for one, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0].first, pair[0].last))]


def _worth(page: Page, block: Block, words: Mapping[str, float]) -> float:
    body = terms("\n".join(page.lines[block.first - 1 : block.last]))
    said = sum(weight for word, weight in words.items() if word in body)
    named = sum(words.get(term, 0.0) for term in terms(block.name.rpartition(".")[2]))
    return (said + 2 * named) / (1 + block.length / _MOST_AROUND)


def lines_with(page: Page, text: str) -> list[int]:
    """The numbers of the lines in which a literal text is seen, as they are shown."""
    return [number for number, line in enumerate(page.lines, start=1) if text in line]


def _no_room(path: str) -> Refused:
    return refused(
        path, Reason.NO_ROOM, "no room is left for it; ask for fewer things, or for a symbol of it"
    )
