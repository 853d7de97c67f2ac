"""What a collection dropped, or would drop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Line, Page, Span, Style, count, line, prose, span, table
from dev_agent.programs.storage import Stored, StoredKind
from dev_agent.sizes import said_size

if TYPE_CHECKING:
    from dev_agent.programs.gc import Collection

_WORDS = {
    StoredKind.SLOT: "private work tree",
    StoredKind.MYPY: "mypy cache",
    StoredKind.WORKER: "a worker's",
    StoredKind.INDEX: "index of context",
}
_MANY = {
    StoredKind.VERDICTS: ("verdict", "verdicts"),
    StoredKind.SHIPPED: ("file sent to workers", "files sent to workers"),
}
"""Of these there are many small ones: one row for all."""
_OF_WORKERS = frozenset({StoredKind.WORKER, StoredKind.SHIPPED})


def gc_page(collection: Collection) -> Page:
    """One row a thing (of what there is much of, one for all), what stays because it is used, and a closing line."""
    return Page(data=_data(collection), lines=tuple(_lines(collection)))


def _lines(collection: Collection) -> Iterable[Line]:
    rows = list(_rows(collection.freed))
    if rows:
        yield from table(rows, indent=2)
        yield line("")
    for name in dict.fromkeys(map(_in_use, collection.busy)):
        yield from prose("is in use", indent=2, lead=(span("stays  ", Style.WARN), span(f"{name} ")))
    left = f"{said_size(collection.after)} of at most {said_size(collection.limit)}"
    freed = said_size(collection.before - collection.after)
    if not collection.freed:
        yield from prose(f"Nothing to free: {left} in use.")
    elif collection.done:
        yield from prose(f"{freed}; {left} left.", lead=(span("Freed: ", Style.GOOD),))
    else:
        yield from prose(
            f"{freed}; {left} left. Nothing was changed.", lead=(span("Would free: ", Style.STRONG),)
        )


def _rows(freed: Sequence[Stored]) -> Iterable[Sequence[Span]]:
    for one in freed:
        if one.kind not in _MANY:
            yield span(_WORDS[one.kind], Style.DIM), span(one.name, Style.NAME), span(said_size(one.bytes))
    for kind, (one_word, many) in _MANY.items():
        found = [one for one in freed if one.kind is kind]
        if found:
            total = sum(one.bytes for one in found)
            yield (
                span(many, Style.DIM),
                span(count(len(found), one_word, many), Style.NAME),
                span(said_size(total)),
            )


def _in_use(one: Stored) -> str:
    """The name of what somebody has: a worker has its whole folder."""
    return one.name.partition("/")[0] if one.kind in _OF_WORKERS else one.name


def _data(collection: Collection) -> dict[str, Any]:
    kinds: dict[str, dict[str, int]] = defaultdict(lambda: {"count": 0, "bytes": 0})
    for one in collection.freed:
        kinds[one.kind.value]["count"] += 1
        kinds[one.kind.value]["bytes"] += one.bytes
    return {
        "done": collection.done,
        "limit": collection.limit,
        "before": collection.before,
        "after": collection.after,
        "bytes": collection.before - collection.after,
        "freed": dict(kinds),
        "names": [one.name for one in collection.freed if one.kind not in _MANY],
        "busy": list(dict.fromkeys(map(_in_use, collection.busy))),
    }
