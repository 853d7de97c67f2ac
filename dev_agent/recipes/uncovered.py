"""What a rewriting brings to light, and which of the things it does are to be left alone for that. Pure.

A type checker asks less of what has no annotations: no types of variables, no type of what a function gives to others.
One annotation more, and it sees what was wrong all along, there or elsewhere. Whoever judges the change counts that as
new, so a recipe that annotates a whole project is refused for one such function. It leaves those functions alone.

Which ones they are nobody says. A complaint's place leads to them, in circles: the definition it lies in, what makes
the attributes of its class, the class, what its line or its message names, the file, everything. The first circle in
which something was done is suspected; if the complaint comes again without that, the next is suspected instead.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

from dev_agent.enclosing import Spans, definitions, enclosing
from dev_agent.recipes.files import counted
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.model import Complaint

_LINE: Final = re.compile(r"\bline \d+")
_WORD: Final = re.compile(r"[^\W\d]\w*")
_UNANNOTATED: Final = "no-untyped-def"
_MAKERS: Final = frozenset(
    {"__init__", "__new__", "__post_init__", "__enter__", "__aenter__", "setUp", "setup_method"}
)

Read: TypeAlias = "Callable[[str], bytes]"
"""The bytes of a file that was complained of."""
_Key: TypeAlias = "tuple[str, str, str, str]"


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """One thing that was done to a definition (dotted name, "" for a module); `kind` tells several apart."""

    path: str
    symbol: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A complaint, the definition it lies in, and the text of its line."""

    complaint: Complaint
    symbol: str
    text: str

    @property
    def key(self) -> _Key:
        """What makes two complaints the same one, wherever the lines went; as whoever judges compares them.

        A function that lacks fewer annotations than before lacks some still.
        """
        code = self.complaint.code
        message = "" if code == _UNANNOTATED else _LINE.sub("line N", self.complaint.message)
        return (self.complaint.path, self.symbol, code, message)


def placed(complaints: Iterable[Complaint], read: Read) -> tuple[Placed, ...]:
    """The complaints, each with its place in the files as `read` gives them."""
    files: dict[str, tuple[Spans, list[bytes]]] = {}
    found = []
    for each in complaints:
        if each.path not in files:
            content = read(each.path)
            files[each.path] = definitions(content), content.splitlines()
        spans, lines = files[each.path]
        text = lines[each.line - 1] if 0 < each.line <= len(lines) else b""
        found.append(Placed(each, enclosing(spans, each.line), text.decode(errors="replace")))
    return tuple(found)


def uncovered(before: Iterable[Placed], after: Iterable[Placed]) -> tuple[Placed, ...]:
    """The complaints of `after` that `before` does not have, or has fewer of."""
    left = Counter(each.key for each in before)
    new = []
    for each in after:
        if left[each.key] > 0:
            left[each.key] -= 1
        else:
            new.append(each)
    return tuple(new)


@dataclass(slots=True)
class Suspicion:
    """What is suspected of what, from one try to the next. `done` is all that the first try did."""

    done: Collection[Deed]
    _circle: dict[_Key, int] = field(default_factory=dict)
    _suspects: dict[_Key, frozenset[Deed]] = field(default_factory=dict)
    _reasons: dict[_Key, Placed] = field(default_factory=dict)

    def left_alone(self, new: Sequence[Placed]) -> frozenset[Deed]:
        """What the next try should not do, after one that left these new complaints."""
        for each in {one.key: one for one in new}.values():
            tried = self._suspects.get(each.key)
            circles = list(_circles(each, self.done))
            number = self._circle.get(each.key, -1) + 1
            while number < len(circles) - 1 and (not circles[number] or circles[number] == tried):
                number += 1
            self._circle[each.key] = number
            self._suspects[each.key] = circles[min(number, len(circles) - 1)]
            self._reasons[each.key] = each
        return frozenset().union(*self._suspects.values())

    def reasons(self) -> tuple[Placed, ...]:
        """The complaints for which something was left alone, in the order of their places."""
        return tuple(sorted(self._reasons.values(), key=lambda each: each.key))


def _circles(new: Placed, done: Collection[Deed]) -> Iterator[frozenset[Deed]]:
    path, symbol = new.complaint.path, new.symbol
    here = frozenset(one for one in done if one.path == path)
    yield frozenset(
        one for one in here if one.symbol == symbol or (one.symbol and symbol.startswith(f"{one.symbol}."))
    )
    owner = symbol.rpartition(".")[0]
    family = frozenset(one for one in here if owner and one.symbol.startswith(f"{owner}."))
    yield frozenset(one for one in family if one.symbol.rpartition(".")[2] in _MAKERS)
    yield family
    words = frozenset(_WORD.findall(f"{new.text} {new.complaint.message}"))
    yield frozenset(one for one in done if words.intersection(one.symbol.split(".")))
    yield here
    yield frozenset(done)


def left_alone(deeds: Collection[Deed], reasons: Sequence[Placed]) -> tuple[str, ...]:
    """What people should know about what was not done, one sentence or none."""
    if not deeds or not reasons:
        return ()
    first = reasons[0]
    where = f"{first.symbol} in {first.complaint.path}" if first.symbol else first.complaint.path
    alone = f"{counted(len(deeds), 'place')} left alone, where a fix lets mypy see what it does not see now"
    return (f"{alone} (in {where}: {first.complaint.message})",)
