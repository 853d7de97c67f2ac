"""The part of an issue's text that a person sees, for a reader who acts on it: a model. Pure.

Whoever asks the bot to work has read the issue as the host renders it. Instructions that only the source holds (HTML
comments, attributes of tags, the words behind an image, link definitions, characters without ink) were not seen by
anybody, so they are taken out. Code in fences is shown as it is, and stays. This narrows what can be smuggled past a
person; it is not what keeps the repository whole: a model has no power to begin with.
"""

from __future__ import annotations

import re
import unicodedata

MAX_SHOWN = 70_000
"""Characters that are read; no host takes a longer issue. The patterns below go forward only: text of strangers."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FENCE_OR_COMMENT = re.compile(
    r"^ {0,3}(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|<!--.*?(?:-->|\Z)",
    re.MULTILINE | re.DOTALL,
)
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]*\]:[^\n]*$", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\]]*+\](\([^()\n]*+\))?")
_LINK_TITLE = re.compile(r"(\]\([^\s()]*+)\s++(?:\"[^\"]*\"|'[^']*'|\([^()]*\))\s*\)")
_TAG = re.compile(r"<(/?[A-Za-z][A-Za-z0-9-]*)\s[^<>]*>")


def shown_text(text: str) -> str:
    """`text` without what its readers cannot see."""
    lines = text[:MAX_SHOWN].replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    inked = "".join(one for one in lines if one == "\n" or unicodedata.category(one) not in _INVISIBLE)
    parts: list[str] = []
    end = 0
    for found in _FENCE_OR_COMMENT.finditer(inked):
        parts.append(_plain(inked[end : found.start()]))
        if found.group("fence"):
            parts.append(found.group())
        end = found.end()
    parts.append(_plain(inked[end:]))
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip()


def _plain(text: str) -> str:
    text = _DEFINITION.sub("", text)
    text = _IMAGE.sub("[image]", text)
    text = _LINK_TITLE.sub(r"\1)", text)
    return _TAG.sub(r"<\1>", text)
