"""What a run holds that can be erased, what went, and where a text still is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, span, table
from dev_agent.sizes import said_size as size

if TYPE_CHECKING:
    from dev_agent.programs.erase import Erasure
    from dev_agent.programs.payloads import Payload


def erase_page(erasure: Erasure, *, dry_run: bool) -> Page:
    """One row a payload, then what stays, and a closing line."""
    return Page(data=_data(erasure), lines=tuple(_lines(erasure, dry_run=dry_run)))


def _lines(erasure: Erasure, *, dry_run: bool) -> Iterable[Line]:
    chosen = erasure.done or dry_run or bool(erasure.erased)
    shown = erasure.erased if chosen else erasure.payloads
    rows = [
        (
            span(one.name, Style.NAME),
            span(size(one.length)),
            span(one.commitment[:12], Style.DIM),
            span("erased" if one.erased and not chosen else "", Style.DIM),
        )
        for one in shown
    ]
    if rows:
        yield from table(rows, indent=2)
        yield line("")
    for text in erasure.cleared:
        yield from prose(text, indent=2, lead=(span("also   ", Style.DIM),))
    for one in erasure.remains:
        yield from prose(one.remedy, indent=2, lead=(span("stays  ", Style.WARN), span(f"{one.place}: ")))
    if erasure.cleared or erasure.remains:
        yield line("")
    yield from _closing(erasure, len(shown), chosen=chosen)


def _closing(erasure: Erasure, number: int, *, chosen: bool) -> Iterable[Line]:
    if not chosen:
        there = sum(not one.erased for one in erasure.payloads)
        said = f"{count(there, 'payload')} can be erased: --blob NAME, --match TEXT or --all"
        return prose(f"{said}. Nothing was changed.", lead=(span(f"run {erasure.run}: ", Style.STRONG),))
    if erasure.matched_nothing:
        return _nowhere(erasure, number)
    if erasure.sought and erasure.remains and not number:
        return prose(
            f"no payload of run {erasure.run} holds the text; it is in {count(len(erasure.remains), 'place')} that "
            "this cannot erase (see above).",
            lead=(span("Nothing matched here: ", Style.WARN),),
        )
    if not erasure.done:
        return prose(
            f"{count(number, 'payload')} of run {erasure.run}. Nothing was changed.",
            lead=(span("Would erase: ", Style.STRONG),),
        )
    left = (
        f"; the text is still in {count(len(erasure.remains), 'place')} (see above)"
        if erasure.remains
        else ""
    )
    style = Style.WARN if erasure.remains else Style.GOOD
    return prose(
        f"{count(number, 'payload')} of run {erasure.run}{left}. Its proof stays whole: dev-agent verify {erasure.run}",
        lead=(span("Erased: ", style),),
    )


def _nowhere(erasure: Erasure, number: int) -> Iterable[Line]:
    """What was looked at, what could not be, and what to do: to somebody who wants a secret gone, silence is a lie."""
    sought = erasure.sought
    if sought is None:
        raise AssertionError("BUG: a text that nobody looked for was nowhere")
    beyond = ", dev-agent's other files of this repository, and git's objects"
    told = (
        f"the text is in none of the {count(sought.read, 'payload')} of run {erasure.run} that can be read. Searched "
        f"too: the lines of its trace{beyond if sought.beyond else '; nothing outside of its folder'}."
    )
    if sought.unread:
        told += f" {count(sought.unread, 'payload')} could not be searched: erased before, or missing."
    if number:
        gone = "was erased" if erasure.done else "would be erased"
        told += f" Only what was named {gone}: {count(number, 'payload')}."
    else:
        told += " Nothing was erased."
    yield from prose(told, lead=(span("Nothing matched: ", Style.BAD),))
    yield from prose(
        "It was looked for exactly as you wrote it, and as JSON writes that. Other spellings and encodings, your own "
        "files, clones and what was copied elsewhere cannot be searched. Check the spelling, or erase by name; to list "
        f"the payloads: dev-agent erase {erasure.run}",
    )


def _data(erasure: Erasure) -> dict[str, Any]:
    return {
        "run": erasure.run,
        "done": erasure.done,
        "reason": erasure.reason,
        "payloads": [_payload(one) for one in erasure.payloads],
        "erased": [_payload(one) for one in erasure.erased],
        "cleared": list(erasure.cleared),
        "match": _match(erasure),
        "remains": [{"place": one.place, "remedy": one.remedy} for one in erasure.remains],
    }


def _match(erasure: Erasure) -> dict[str, Any] | None:
    """How the text was looked for; the text itself is what is to go, and is not repeated."""
    sought = erasure.sought
    if sought is None:
        return None
    return {
        "found": sought.found,
        "payloads_read": sought.read,
        "payloads_unread": sought.unread,
        "beyond_the_run": sought.beyond,
    }


def _payload(payload: Payload) -> dict[str, Any]:
    return {
        "name": payload.name,
        "event": payload.event,
        "bytes": payload.length,
        "commitment": payload.commitment,
        "erased": payload.erased,
    }
