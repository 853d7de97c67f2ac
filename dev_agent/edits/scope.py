"""Where an anchored block may stand: below its `@@` anchors, or at the end of the file.

Rules kept here:
- An anchor is one line of the file, indentation aside, or its beginning up to the end of a word
  (`class Greeter` for `class Greeter(Base):`). A whole line is preferred to a beginning.
- An anchor must be found, and once; of stacked anchors each stands inside the block its predecessor opens, or,
  if that block has none, below it.
- What an anchor says where other implementations take the first hit, or ignore an anchor that is missing:
  here it only narrows the search, in which the block must still be unique.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.matching import MANY, Scope
from dev_agent.edits.refused import Refused
from dev_agent.edits.text import FileText, escaped, indentation


class Anchors:
    """Looks anchors up in one file. `path` is for messages.

    A patch may have thousands of anchors in a file of as many lines: what is the same for all is found out once.
    """

    def __init__(self, file: FileText, path: str) -> None:
        self._lines = [content for content, _ in file.lines]
        self._path = path
        self._beginnings: dict[str, list[int]] = {}

    def scopes(self, anchors: Sequence[str]) -> list[Scope]:
        """Return where to search, the narrowest first. Raises Refused."""
        count = len(self._lines)
        found: list[Scope] = [(0, count)]
        for anchor in anchors:
            at = self._only(anchor.strip(), found)
            found = [(at, self._block_ends[at]), (at, count)]
        return found

    def _only(self, anchor: str, within: Sequence[Scope]) -> int:
        for scope in within:
            hits = self._hits(anchor, scope)
            if len(hits) == 1:
                return hits[0]
            if hits:
                raise Refused(
                    ProblemCode.AMBIGUOUS,
                    f"the anchor '{escaped(anchor)}' stands at several places in {self._path}:"
                    f" lines {', '.join(str(hit + 1) for hit in hits)}",
                    "put another '@@' line with the class or function around it before it",
                    nearest=tuple((hit + 1, escaped(self._lines[hit])) for hit in hits[:5]),
                )
        raise Refused(
            ProblemCode.NOT_FOUND,
            f"the anchor '{escaped(anchor)}' is no line of {self._path}",
            "after '@@ ' quote one whole line of the file, or write '@@' alone",
        )

    def _hits(self, anchor: str, scope: Scope) -> Sequence[int]:
        """Return the lines of `scope` that are the anchor, else those that begin with it; at most `MANY`."""
        return _inside(self._whole.get(anchor, ()), scope) or _inside(self._begun(anchor), scope)

    @cached_property
    def _whole(self) -> dict[str, list[int]]:
        places: defaultdict[str, list[int]] = defaultdict(list)
        for at, line in enumerate(self._lines):
            places[line.strip()].append(at)
        return dict(places)

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._whole)

    def _begun(self, anchor: str) -> list[int]:
        if anchor not in self._beginnings:
            self._beginnings[anchor] = sorted(
                at
                for line in self._beginning(anchor)
                if _ends_a_word(anchor, line)
                for at in self._whole[line]
            )
        return self._beginnings[anchor]

    def _beginning(self, anchor: str) -> Sequence[str]:
        """Return the distinct lines that begin with the anchor; sorted they are neighbours."""
        first = last = bisect_left(self._sorted, anchor)
        while last < len(self._sorted) and self._sorted[last].startswith(anchor):
            last += 1
        return self._sorted[first:last]

    @cached_property
    def _block_ends(self) -> list[int]:
        """For each line, the line after the indented block it opens; its own number + 1 if it opens none.

        A block ends above the next line that is indented no deeper and does not begin with a closing bracket. From
        below, `margins` are those of the lines that may end a block, each deeper than the one under it.
        """
        ends = [0] * len(self._lines)
        margins, lines = [-1], [len(self._lines)]
        for at in range(len(self._lines) - 1, -1, -1):
            margin = len(indentation(self._lines[at]))
            ends[at] = lines[bisect_right(margins, margin) - 1]
            content = self._lines[at].strip()
            if content and content[0] not in ")]}":
                keep = bisect_left(margins, margin)
                margins[keep:], lines[keep:] = [margin], [at]
        return ends


def _inside(places: Sequence[int], scope: Scope) -> Sequence[int]:
    """Return the first `MANY` of sorted `places` that lie in `scope`."""
    first = bisect_left(places, scope[0])
    return places[first : min(first + MANY, bisect_left(places, scope[1]))]


def _ends_a_word(anchor: str, line: str) -> bool:
    after = line[len(anchor) : len(anchor) + 1]
    return not (after.isalnum() or after == "_")
