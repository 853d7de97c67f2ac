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
    StoredKind.VERDICTS: "verdict",
    StoredKind.INDEX: "index of context",
}


def gc_page(collection: Collection) -> Page:
    """One row a thing (verdicts as one), what stays because it is used, and a closing line."""
    return Page(data=_data(collection), lines=tuple(_lines(collection)))


def _lines(collection: Collection) -> Iterable[Line]:
    rows = list(_rows(collection.freed))
    if rows:
        yield from table(rows, indent=2)
        yield line("")
    for one in collection.busy:
        yield from prose("is in use", indent=2, lead=(span("stays  ", Style.WARN), span(f"{one.name} ")))
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
        if one.kind is not StoredKind.VERDICTS:
            yield span(_WORDS[one.kind], Style.DIM), span(one.name, Style.NAME), span(said_size(one.bytes))
    verdicts = [one for one in freed if one.kind is StoredKind.VERDICTS]
    if verdicts:
        total = sum(one.bytes for one in verdicts)
        word = _WORDS[StoredKind.VERDICTS]
        yield (
            span(f"{word}s", Style.DIM),
            span(count(len(verdicts), word), Style.NAME),
            span(said_size(total)),
        )


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
        "names": [one.name for one in collection.freed if one.kind is not StoredKind.VERDICTS],
        "busy": [one.name for one in collection.busy],
    }
