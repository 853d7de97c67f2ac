"""Text as search terms: words and the parts of identifiers, lower case, plural and tense endings taken off.

`HTTPServer_errors` gives `http`, `server`, `error`, and itself whole, so that an exact name in a task outweighs its
parts. Words of any script count; a run of letters of a script without spaces gives its pairs of characters. Every
expression is linear in the text, and a run of letters beyond 80 characters (data, not a word) gives nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_RUN = re.compile(r"[^\W\d][\w]{0,200}")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|\d+")
_LONGEST = 80
_VOWEL = re.compile("[aeiouy]")
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("ing", ""), ("edly", ""), ("ed", ""), ("es", "e"), ("s", ""))
_KEPT = ("ss", "us", "is")
_STOP = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "been", "but", "by", "can", "could", "def", "do", "does",
    "false", "for", "from", "had", "has", "have", "how", "if", "import", "in", "into", "is", "it", "its",
    "just", "none", "not", "of", "on", "or", "return", "self", "should", "so", "than", "that", "the",
    "their", "then", "there", "these", "this", "to", "true", "was", "we", "were", "when", "which", "while",
    "who", "will", "with", "would", "you",
})  # fmt: skip


def terms(text: str) -> Counter[str]:
    """The search terms of `text`, counted."""
    counted: Counter[str] = Counter()
    for run, times in Counter(_RUN.findall(text)).items():
        for term in terms_of(run):
            counted[term] += times
    return counted


def bag(texts: Iterable[str]) -> Counter[str]:
    """The search terms of several texts together."""
    return terms("\n".join(texts))


@lru_cache(maxsize=1 << 16)
def terms_of(run: str) -> tuple[str, ...]:
    """The terms of one run of letters: its parts and, if there are several, itself."""
    if len(run) > _LONGEST:
        return ()
    if run.isascii() and run.islower() and run.isalpha():
        return () if len(run) < 2 or run in _STOP else (stem(run),)
    found = [part.lower() for part in _PART.findall(run)]
    parts = [piece for part in found for piece in _pieces(part)]
    whole = run.strip("_").lower()
    return (*parts, whole) if len(found) > 1 else tuple(parts)


def _pieces(part: str) -> tuple[str, ...]:
    if part in _STOP or (len(part) < 2 and part.isascii()):
        return ()
    if part.isascii() or ord(part[0]) < 0x2E80:
        return (stem(part),)
    return tuple(part[at : at + 2] for at in range(max(1, len(part) - 1)))


@lru_cache(maxsize=1 << 15)
def stem(word: str) -> str:
    """The word without the commonest English endings: `handling`, `handled` and `handles` are one term."""
    if len(word) < 4 or word.endswith(_KEPT):
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending):
            rest = word[: -len(ending)] + instead
            if len(rest) < 3 or not _VOWEL.search(rest):
                return word
            return _one_end(rest)
    return _one_end(word)


def _one_end(word: str) -> str:
    """`caching` and `cache`, `running` and `run` meet here."""
    if word.endswith("e") and len(word) > 3:
        return word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word
