"""Text of others between marks it cannot write: how a prompt tells what is said from what is quoted.

    <<<5d41c0a2 file src/shop/bill.py (whole, 12 lines)
    …
    5d41c0a2>>>

A block begins with `<<<`, a mark and what it is, on one line, and ends with the first line that is its mark and `>>>`.
The mark occurs nowhere inside the block: it is made from the digest of the block, and made anew until that is so. So a
file, a test's output or a task can hold whatever it likes, and can neither end its block nor open another: what looks
like one stands inside, where everything is text. The same text gives the same mark always.
"""

from __future__ import annotations

import hashlib

from dev_agent.context.plain import one_line

_DIGITS = 8


def fenced(kind: str, label: str, text: str) -> str:
    """`text` as a block of this kind. A last line break is added where there is none; `label` comes to one line."""
    title = one_line(f"{kind} {label}".rstrip())
    body = text if not text or text.endswith("\n") else f"{text}\n"
    mark = mark_for(f"{title}\n{body}")
    return f"<<<{mark} {title}\n{body}{mark}>>>\n"


def mark_for(text: str, digits: int = _DIGITS) -> str:
    """Hexadecimal digits that do not occur in `text`; never found if every such mark does, which takes 2^32 of them."""
    whole = text.encode("utf-8", "surrogatepass")
    turn = 0
    while True:
        mark = hashlib.sha256(b"%d\n" % turn + whole).hexdigest()[:digits]
        if mark not in text:
            return mark
        turn += 1
