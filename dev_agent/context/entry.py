"""What is remembered of one blob: its search terms by field, its length, its outline.

The fields are told apart by the first letter of a term: `b` body, `s` symbols and signatures, `h` docstring
heads, `d` a defined name whole, `i` the last part of an imported name. An entry depends on the bytes and on how
they are read, which `key_of` puts into its key, and on nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from dev_agent.context.kinds import OUTLINED_ONLY, kind_of
from dev_agent.context.model import Outline
from dev_agent.context.outline import decode, outline_of
from dev_agent.context.words import bag, terms
from dev_agent.values import dataclass

LARGEST = 1 << 20
"""Files of more bytes are known by name only."""

_MARKED_WITHIN = 400
_MOST_TEXT = 400_000
_MOST_TERMS = 6_000
_NAME = re.compile(r"[^\W\d]\w{1,80}")
_GENERATED = re.compile(
    rb"(?i)@generated\b|\b(?:auto-?|automatically )generated\b.{0,200}\bdo not (?:edit|modify)", re.DOTALL
)
SIGNATURE_WORDS = frozenset(
    {"class", "def", "async", "self", "none", "function", "fn", "func", "type", "struct"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """`terms` holds prefixed terms and how often each occurs; `length` is the number of terms in the body."""

    key: str
    length: int
    terms: Mapping[str, int]
    outline: Outline


def key_of(path: str, object_id: str) -> str:
    """What the entry of the blob `object_id` at `path` is remembered under."""
    reading = "p" if path.endswith((".py", ".pyi", ".pyw")) else "t"
    return f"{object_id}{reading}{'o' if kind_of(path) in OUTLINED_ONLY else ''}"


def entry_of(key: str, path: str, data: bytes | None) -> Entry:
    """The entry of a blob; `data` None or binary: it has a name and nothing else."""
    if data is None or b"\0" in data[:8192]:
        return Entry(key=key, length=0, terms={}, outline=Outline())
    text = decode(data)
    outline = outline_of(path, text)
    if _GENERATED.search(data[:_MARKED_WITHIN]):
        return Entry(key=key, length=0, terms={}, outline=outline)
    body = Counter[str]() if key.endswith("o") else terms(text[:_MOST_TEXT])
    counted = Counter({f"b{term}": times for term, times in body.most_common(_MOST_TERMS)})
    counted.update({f"s{term}": n for term, n in bag(symbol.text for symbol in outline.symbols).items()})
    counted.update({f"h{term}": n for term, n in bag(_heads(outline)).items()})
    counted.update({f"d{name}": n for name, n in Counter(defined_names(outline)).items()})
    counted.update({f"i{one.rpartition('.')[2]}": 1 for one in outline.imports})
    return Entry(key=key, length=sum(body.values()), terms=counted, outline=outline)


def defined_names(outline: Outline) -> list[str]:
    """The names the outline's lines define: the first on each that is no keyword."""
    found = (
        next((name for name in _NAME.findall(symbol.text) if name.lower() not in SIGNATURE_WORDS), "")
        for symbol in outline.symbols
    )
    return [name for name in found if name]


def _heads(outline: Outline) -> list[str]:
    return [outline.head, *(symbol.head for symbol in outline.symbols)]
