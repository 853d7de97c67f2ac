"""Lines of the base a proposer speaks of, as a trace keeps them and as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dev_agent.programs.paths import from_recorded, to_recorded
from dev_agent.recipes.model import Place

MOST_PLACES = 5_000
_LONGEST_TEXT = 200


def recorded_places(places: Iterable[Place]) -> dict[str, Any]:
    """The facts that hold the places, in reading order; those beyond the most that are kept are only counted."""
    known = sorted(set(places))
    if not known:
        return {}
    kept = [place_json(one) for one in known[:MOST_PLACES]]
    return {"places": kept, "places_more": len(known) - len(kept)}


def place_json(place: Place) -> dict[str, Any]:
    """One place as canonical JSON can hold it."""
    return {"path": to_recorded(place.path), "line": place.line, "text": _text(place.text)}


def places_of(facts: Mapping[str, Any]) -> tuple[Place, ...]:
    """The inverse, from the facts of a state."""
    return tuple(
        Place(path=from_recorded(one["path"]), line=int(one["line"]), text=str(one["text"]))
        for one in facts.get("places", ())
    )


def _text(text: str) -> str:
    """One line that canonical JSON can hold."""
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode()[:_LONGEST_TEXT]
