"""What gives a secret away: the name it is kept under, the format its issuer gave it, or sheer randomness.

- A name is secret if it says so in a word of its own (`db_password`, `apiKey`) and is not about one
  (`token_count`, `password_length`).
- A format is known by its issuer's prefix and length, a private key by its frame, a credential by its place in a
  URL, a header or an assignment of a literal.
- Randomness is what is left: a long run of letters of both cases and digits, mixed as a generator mixes them.
  Never: git ids, digests and UUIDs (hexadecimal), words, paths, versions, integrity hashes of lock files.

Pure, and linear in the text: every expression is bounded. Leaves to others: what is done with a finding.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from dev_agent.secret_formats import FORMATS, HINTS, PRIVATE_KEY
from dev_agent.values import dataclass

_KNOWN: tuple[tuple[str, str], ...] = (
    (
        "private key",
        (
            PRIVATE_KEY
            + r"(?:[A-Za-z0-9+/=:,\s.-]{0,20000}?-----END (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    *((one.kind, one.pattern) for one in FORMATS),
    (
        "password in a URL",
        r"[a-z][a-z0-9+]{1,15}://[^\s:/@\"'<>{}$]{1,60}:(?P<url>[^\s:/@\"'<>{}$]{3,120})@[A-Za-z0-9]",
    ),
    (
        "authorization",
        (
            r"(?i:authorization)[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?i:bearer|basic|token)\s{1,3}"
            r"(?P<header>[A-Za-z0-9._~+/=-]{8,2000})"
        ),
    ),
    (
        "value of a secret name",
        r"(?P<name>[A-Za-z_][A-Za-z0-9_-]{0,60})[\"']?\]?\s{0,3}[:=]\s{0,3}[bruf]{0,2}[\"'](?P<value>[^\"'\s]{6,400})[\"']",
    ),
)
_EVERYTHING = re.compile("|".join(f"(?P<k{number}>{one})" for number, (_, one) in enumerate(_KNOWN)))
_MAYBE = re.compile(
    HINTS + r"|PRIVATE KEY|://|(?i:authorization|passw|passphrase|pwd|secret|token|key|credential|ssn)"
)
_GROUPS = {"url": "password in a URL", "header": "authorization", "value": "value of a secret name"}

_SHORTEST = 12
"""No known format is shorter: a name of three letters, a sign, and a quoted value of six."""

_RUN = re.compile(r"(?<![A-Za-z0-9+/_=.-])[A-Za-z0-9+/_-]{20,512}={0,2}(?![A-Za-z0-9+/_-])")
_DIGEST = re.compile(r"sha(?:1|256|384|512)[-:_=]")
_FEWEST_BITS = 3.7
_FEWEST_CHANGES = 0.34

_SECRET = frozenset(
    {"password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "ssn", "authorization",
     "credential", "credentials", "apikey", "token"}
)  # fmt: skip
_SECRET_PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("signing", "key"), ("encryption", "key"),
     ("auth", "key"), ("api", "keys"), ("private", "keys"), ("social", "security")}
)  # fmt: skip
_ABOUT = frozenset(
    {"count", "counts", "id", "ids", "length", "len", "size", "limit", "limits", "max", "min", "budget", "policy",
     "type", "types", "kind", "name", "names", "field", "fields", "used", "usage", "total", "cost", "rate", "path",
     "paths", "file", "files", "url", "expires", "expiry", "at", "required", "enabled", "present", "age", "strength",
     "format", "added", "removed", "found", "prefix", "suffix", "index", "position", "digest", "rules", "rule",
     "patterns", "pattern", "test", "tests"}
)  # fmt: skip
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A secret in a text: what kind, and where its characters start and end."""

    kind: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Return whether what is kept under this name is a secret."""
    if len(name) > 200:
        return False
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    return not _SECRET.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


@lru_cache(maxsize=4096)
def hides_numbers(name: str) -> bool:
    """Return whether numbers under this secret name are secrets too; under `token` they are counts."""
    return not {word.lower() for word in _WORDS.findall(name)} <= {"token", "auth", "access"}


def may_hold_secret(text: str) -> bool:
    """Return a fast no: False means that no secret of a known format is in the text."""
    return len(text) >= _SHORTEST and _MAYBE.search(text) is not None


def known_secrets(text: str) -> Iterator[Finding]:
    """Yield secrets of a known format, left to right."""
    if not may_hold_secret(text):
        return
    for match in _EVERYTHING.finditer(text):
        if match["value"] is not None:
            if is_secret_name(match["name"]) and not _is_reference(match["value"]):
                yield Finding(kind=_GROUPS["value"], start=match.start("value"), end=match.end("value"))
            continue
        group = next((name for name in ("url", "header") if match[name] is not None), "")
        number = next(number for number in range(len(_KNOWN)) if match[f"k{number}"] is not None)
        yield Finding(kind=_KNOWN[number][0], start=match.start(group or 0), end=match.end(group or 0))


def random_runs(text: str) -> Iterator[Finding]:
    """Yield what looks as if a generator of keys had made it, left to right."""
    if len(text) < 20:
        return
    for match in _RUN.finditer(text):
        if _is_random(match[0]) and not _DIGEST.match(text, max(match.start() - 7, 0), match.start()):
            yield Finding(kind="random value", start=match.start(), end=match.end())


def _is_reference(value: str) -> bool:
    """A mark of ours, a placeholder of a template, or an expression: nothing that opens anything."""
    return value.startswith(("[redacted", "$", "{", "<", "%", "os.environ")) or set(value) <= {
        "*",
        "x",
        "X",
        ".",
    }


def _is_random(run: str) -> bool:
    if _DIGEST.match(run):
        return False
    body = run.rstrip("=")
    classes = ["a" if c.islower() else "A" if c.isupper() else "0" if c.isdigit() else "-" for c in body]
    # Words are long stretches of one class, hexadecimal lacks one case: neither is mixed as random letters are.
    if not {"a", "A", "0"} <= set(classes) or classes.count("0") < 2 or classes.count("A") < 2:
        return False
    changes = sum(one != other for one, other in pairwise(classes))
    if changes < _FEWEST_CHANGES * len(body) or classes.count("-") > len(body) // 6:
        return False
    total = len(body)
    bits = -sum(n / total * math.log2(n / total) for n in Counter(body).values())
    return bits >= min(_FEWEST_BITS, math.log2(total) - 0.6)
