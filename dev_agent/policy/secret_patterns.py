"""Recognising credentials in text, and blotting them out.

Two users: the fact "secrets added", and every excerpt this package hands out. A line can be worth showing for
one reason (a suppressed type error) and hold a key for another, so excerpts are blotted always, not only for
this fact.

Known formats are matched by their issuer's prefix and length. A value without a format counts only when it is
assigned to a name that says "secret" and looks random. Values issuers publish as examples, references to the
environment and obvious placeholders are not secrets. Every expression is bounded, so a line of any length
costs linear time.

Left to others: history, files outside the change set, and asking the issuer whether a key is live.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from dev_agent.secret_formats import FORMATS, HINTS, PRIVATE_KEY
from dev_agent.values import dataclass

_KNOWN: tuple[tuple[str, str], ...] = (
    *((one.name, one.pattern) for one in FORMATS),
    ("private key", PRIVATE_KEY),
    (
        "password in a URL",
        r"[a-z][a-z0-9+]{1,15}://[^\s:/@\"'<>{}$]{1,60}:(?P<url>[^\s:/@\"'<>{}$]{8,120})@[A-Za-z0-9]",
    ),
)

# Names are matched at the end of an identifier, so that `token_count = ...` and `password_field` are no
# secrets.
_ASSIGNED = (
    r"(?i:secret|token|passwd|password|passphrase|api_?key|apikey|access_?key|private_?key|credentials?)(?i:_?key)?"
    r"[\"']?\]?\s{0,4}(?::\s{0,2}[A-Za-z]{1,20}\s{0,4})?(?:=|:|=>)\s{0,4}"
    r"(?:[bruf]{0,2}[\"'](?P<quoted>[^\"'\s]{16,200})[\"']|(?P<bare>[A-Za-z0-9+/_.=-]{20,200})(?=\s|\Z))"
)

_EVERYTHING = re.compile("|".join([f"(?P<k{n}>{one})" for n, (_, one) in enumerate(_KNOWN)] + [_ASSIGNED]))
# Asked of casefolded text: ignoring case, the same search takes seven times as long.
_MAYBE = re.compile(rf"{HINTS.lower()}|://|secret|token|passw|passphrase|key|credential")
_PLACEHOLDER = re.compile(
    r"(?i)example|placeholder|change_?me|your[-_]|xxxx|dummy|fake|redacted|sample|not-?a-?(?:real|secret)|\.\.\."
)
_EXPRESSION = re.compile(r"(?i)[{}<>$%]|environ|getenv|12345678|abcdef|0000")
_WELL_KNOWN = re.compile(r"(?i)(?:password|passw0rd|passwd|secret|postgres|mysql|rabbitmq|admin)\d{0,4}")
_KEY_BEGINS = re.compile(PRIVATE_KEY)
_KEY_ENDS = "-----END"
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=]{1,200}")
_BETWEEN = re.compile(r"[\s\"'#*]*(?:[A-Za-z-]{1,30}: .{0,200})?")
"""What may stand between a key's first line and its body: nothing, and headers as `Proc-Type: 4,ENCRYPTED`."""
_FIRST_OF_KEY, _LAST_OF_KEY = 24, 4
_FEWEST_LETTERS = 6
_BITS_OF_RANDOM = 3.4


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """A credential found in a line: its kind, and where its characters start and end."""

    kind: str
    start: int
    end: int


def may_hold_secret(text: str) -> bool:
    """A fast no: False means `find_secrets` finds nothing in any line of the text."""
    return _MAYBE.search(text.casefold()) is not None


def find_secrets(line: str) -> Iterator[Secret]:
    """The credentials in one line, left to right."""
    for match in _EVERYTHING.finditer(line):
        name = match.lastgroup
        if name in {"quoted", "bare"}:
            if _looks_random(match[name]) and (name == "quoted" or _mixed_like_a_key(match[name])):
                yield Secret(kind="value of a secret-like name", start=match.start(name), end=match.end(name))
            continue
        number = next(n for n in range(len(_KNOWN)) if match[f"k{n}"] is not None)
        group = "url" if match["url"] is not None else f"k{number}"
        if not _is_made_up(match[group]):
            yield Secret(kind=_KNOWN[number][0], start=match.start(group), end=match.end(group))


def redact(line: str) -> str:
    """The line with every credential replaced by its kind and length."""
    if not may_hold_secret(line):
        return line
    out, at = [], 0
    for secret in find_secrets(line):
        out.append(line[at : secret.start])
        out.append(f"[{secret.kind}, {secret.end - secret.start} characters]")
        at = secret.end
    return "".join([*out, line[at:]])


def redact_lines(lines: Sequence[str]) -> list[str]:
    """Consecutive lines, each as `redact` gives it; of a private key its whole body goes, on whichever lines it lies.

    A key that never ends takes what looks like its body, and nothing after that.
    """
    out: list[str] = []
    shortest = 0  # of what is taken for a line of a body; 0: in no key
    for line in lines:
        begins = _KEY_BEGINS.search(line)
        if begins:
            whole = line.find(_KEY_ENDS, begins.end()) >= 0
            out.append(f"{redact(line[: begins.start()])}[private key, the rest of the line]")
            shortest = 0 if whole else _FIRST_OF_KEY
        elif shortest and (_KEY_ENDS in line or len(_longest_run(line)) >= shortest):
            out.append("[private key, a line of it]")
            shortest = 0 if _KEY_ENDS in line else _LAST_OF_KEY
        else:
            out.append(redact(line))
            shortest = shortest if _BETWEEN.fullmatch(line) else 0
    return out


def _longest_run(line: str) -> str:
    return max(_KEY_BODY.findall(line), key=len, default="")


def _is_made_up(value: str) -> bool:
    return (
        len(set(value)) < _FEWEST_LETTERS
        or _PLACEHOLDER.search(value) is not None
        or _WELL_KNOWN.fullmatch(value) is not None
    )


def _mixed_like_a_key(value: str) -> bool:
    """Unquoted, it may be an expression; those have few digits and rarely letters of both cases."""
    return sum(char.isdigit() for char in value) >= 3 and value != value.lower() and value != value.upper()


def _looks_random(value: str) -> bool:
    """Long, mixed and without a pattern: what a generator makes and a person does not."""
    if _is_made_up(value) or _EXPRESSION.search(value):
        return False
    if not re.search("[0-9]", value) or not re.search("[A-Za-z]", value):
        return False
    counts = Counter(value)
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in counts.values()) >= _BITS_OF_RANDOM
