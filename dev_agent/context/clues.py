"""What a task names: files, lines of a stack trace, dotted names, identifiers. Found by form, never by meaning.

Linear in the task; of a very long one the first and the last part are read, where people put what they want and where
tools put the error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from dev_agent.context.words import terms
from dev_agent.values import dataclass

_READ = 60_000
_MOST_TERMS = 120
_MOST_NAMES = 80
_PATH = re.compile(r"(?<![\w/.-])(?:[A-Za-z]:)?[\w./\\-]{0,200}?[\w-]{1,80}\.(?:[A-Za-z]\w{0,9})(?![\w/])")
_FOLDER = re.compile(r"(?<![\w/.:-])[\w.-]{1,60}(?:/[\w.-]{1,60}){1,12}")
_DOTTED = re.compile(r"(?<![\w./])[^\W\d]\w{0,80}(?:\.[^\W\d]\w{0,80}){1,8}")
_CODE = re.compile(r"[^\W\d]\w{0,80}")
_QUOTED = re.compile(r"`{1,2}([^`\n]{1,200})`{1,2}")
_CALLED = re.compile(r"([^\W\d]\w{1,80})\(")
_IN_TRACE = re.compile(r"\bin ([^\W\d]\w{1,80})")
_TRAILER = re.compile(
    r"(?im)^(?:signed-off-by|co-authored-by|reviewed-by|cc|change-id|git-svn-id|--hg--|dev-agent-\w+)\b.*$"
)
_INNER_CAPITAL = re.compile(r"[a-z][A-Z]|[A-Z]{2,}[a-z]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Clues:
    """`terms` with weights, `paths` as written with '/' between components, `dotted` names, exact `names`.

    `sure` names look like code (quoted, called, underscored, camel case); the other names may be plain words.
    """

    terms: tuple[tuple[str, float], ...]
    paths: tuple[str, ...]
    dotted: tuple[str, ...]
    sure: frozenset[str]
    names: tuple[str, ...]


def clues_in(task: str) -> Clues:
    """What the task names."""
    text = task if len(task) <= 2 * _READ else f"{task[:_READ]}\n{task[-_READ:]}"
    text = _TRAILER.sub("", text)
    quoted = " ".join(_QUOTED.findall(text))
    sure = set(_CODE.findall(quoted))
    sure.update(_CALLED.findall(text), _IN_TRACE.findall(text) if "Traceback" in text else ())
    dotted = _first(_DOTTED.findall(text))
    for name in dotted:
        sure.update(name.split("."))
    names = _first(name for name in _CODE.findall(text) if len(name) > 2)
    sure.update(name for name in names if "_" in name.strip("_") or _INNER_CAPITAL.search(name))
    return Clues(
        terms=_weighted(text),
        paths=_first(
            part.replace("\\", "/").lstrip("./") for part in [*_PATH.findall(text), *_FOLDER.findall(text)]
        ),
        dotted=dotted,
        sure=frozenset(sure),
        names=tuple(sorted(names, key=lambda name: name not in sure))[:_MOST_NAMES],
    )


def _weighted(text: str) -> tuple[tuple[str, float], ...]:
    """The terms of the task, those of its first line twice; a term repeated weighs more, but less each time."""
    stripped = text.strip()
    head = terms(stripped.partition("\n")[0][:500])
    counted: Counter[str] = Counter(terms(stripped))
    weights = {
        term: (1 + (times - 1) * 0.3 if times < 4 else 2.0) * (2.0 if term in head else 1.0)
        for term, times in counted.items()
    }
    kept = sorted(weights, key=lambda term: -weights[term])[:_MOST_TERMS]
    return tuple((term, weights[term]) for term in kept)


def _first(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in found if one))[:400]
