"""The two sides of one text edit, as lines."""

from __future__ import annotations

from difflib import SequenceMatcher

from dev_agent.edits.text import Line
from dev_agent.values import dataclass


@dataclass(slots=True, kw_only=True)
class Sides:
    """What is sought and what replaces it.

    at_top      the edit quotes the byte order mark, so that it is about the beginning of the file
    drops_bom   and it leaves the mark out of the replacement
    """

    old: list[Line]
    new: list[Line]
    at_top: bool = False
    drops_bom: bool = False

    @property
    def akin(self) -> bool:
        """Whether `new` reads as a version of `old`, so that finding it tells something about this edit.

        Without this a replacement such as `pass` would count as applied wherever it stands.
        """
        olds = {content.strip() for content, _ in self.old} - {""}
        if any(content.strip() in olds for content, _ in self.new):
            return True
        before, after = ("".join(content for content, _ in side[:10])[:300] for side in (self.old, self.new))
        return SequenceMatcher(None, before, after).ratio() >= 0.5

    @property
    def substantive(self) -> bool:
        """Whether old is kept whole and more than brackets and blank lines is added around it."""
        old = [content.strip() for content, _ in self.old]
        new = [content.strip() for content, _ in self.new]
        if new[: len(old)] == old:
            added = new[len(old) :]
        elif new[-len(old) :] == old:
            added = new[: -len(old)]
        else:
            return False
        return any(sum(character.isalnum() for character in line) >= 4 for line in added)
