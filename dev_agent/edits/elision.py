"""Recognise placeholders that models write in place of code: `# ... existing code ...`, `// rest unchanged`.

Written into a file they delete what they stand for. Only a line that is nothing but a comment with such words
counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_COMMENT: Final = re.compile(
    r"^(?://+|#+|/\*+|<!--|--+|;+|%+|\{/\*|\{#|\.\.\.|…)[ \t]*(.*?)[ \t]*(?:\*/\}?|-->|#\})?$"
)
_DOTS: Final = re.compile(r"\.{3}|…")
_WORDS: Final = re.compile(
    r"\b(?:existing|rest|remaining|remainder|unchanged|omitted|previous|other|same|keep|before)\b",
    re.IGNORECASE,
)
_PHRASE: Final = re.compile(
    r"^[(\[]?(?:the )?(?:rest|remainder|remaining|existing|other|previous)\b.{0,60}"
    r"\b(?:unchanged|as before|the same|omitted|as is|here)[)\].]*$"
    r"|^[(\[]?(?:code|methods?|functions?|everything else) "
    r"(?:is |are |remains? |stays? )?(?:unchanged|omitted|the same)[)\].]*$",
    re.IGNORECASE,
)


def is_placeholder(line: str) -> bool:
    """Return whether a line is a comment that stands for code left out."""
    found = _COMMENT.match(line.strip()[:300])
    if found is None:
        return False
    words = found.group(1)
    dotted = _DOTS.search(line) is not None and _WORDS.search(words) is not None
    return (dotted and len(words) <= 80) or _PHRASE.match(words) is not None


def placeholders(lines: Iterable[str]) -> list[str]:
    """Return the placeholders among `lines`, without the white space around them."""
    return [line.strip() for line in lines if is_placeholder(line)]


def new_placeholder(new: Iterable[str], known: Iterable[str]) -> str | None:
    """Return the first placeholder among `new` that is none of the `known` lines."""
    found = placeholders(new)
    if not found:
        return None
    old = {line.strip() for line in known}
    return next((line for line in found if line not in old), None)
