"""How a task's words are matched: the whole sentence or nothing.

A pattern is the words of a task with `(a|b)` for choices, in lower case. Around it only politeness, an end mark and
where it is meant (`in the whole project`, `in src/pkg`) are taken; one word more, and the task is not understood.
"""

from __future__ import annotations

import re
from typing import Final

from dev_agent.values import dataclass

_BEFORE: Final = r"(?:please |could you |can you )?"
_EVERYWHERE: Final = (
    r"(?: (?:everywhere|project[- ]wide|across the (?:whole )?(?:project|code ?base|repo(?:sitory)?)"
    r"|(?:in|from|of|to) (?:(?:the|this|my) )?(?:whole |entire )?(?:project|code ?base|repo(?:sitory)?|code)))?"
)
_SOMEWHERE: Final = r"(?: (?:in|from|of|to|under) (?P<where>[`'\"]?[^\s`'\"]*[./][^\s`'\"]*[`'\"]?))?"
_AFTER: Final = r"(?:,? please)?[.!]?"


@dataclass(frozen=True, slots=True)
class Meant:
    """A task that was matched. `where`: the path it names, "" for the whole project."""

    where: str
    groups: dict[str, str]

    def titled(self, title: str) -> str:
        """A job's title with where it is meant."""
        return f"{title} in {self.where}" if self.where else title


class Phrases:
    """Patterns of one recipe."""

    def __init__(self, *patterns: str) -> None:
        self._patterns = [
            re.compile(_BEFORE + f"(?:{pattern})" + f"(?:{_EVERYWHERE}|{_SOMEWHERE})" + _AFTER, re.IGNORECASE)
            for pattern in patterns
        ]

    def match(self, task: str) -> Meant | None:
        """What a whole task says, None if it says something else or more."""
        words = " ".join(task.split())
        for pattern in self._patterns:
            found = pattern.fullmatch(words)
            if found:
                groups = {name: text for name, text in found.groupdict().items() if text is not None}
                return Meant(_path(groups.pop("where", "")), groups)
        return None


def _path(text: str) -> str:
    path = text.strip("`'\"").removeprefix("./").rstrip("/")
    return "" if path == "." else path


def within(path: str, where: str) -> bool:
    """Whether a file is what a task names, or below it."""
    return not where or path == where or path.startswith(where + "/")
