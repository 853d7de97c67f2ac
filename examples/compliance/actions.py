"""The six steps of a compliance review, as actions of the governed runtime.

An action sees a frozen view, returns one of its declared outcomes with plain data, and moves nothing by itself.
Payloads (the dossier, what the agent was shown) go beside the trace as blobs, where they can be erased one day.
"""

from __future__ import annotations

import csv
import hashlib
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dev_agent.runtime.actions import ActionSpec, Result, View
from dev_agent.runtime.canonical import thaw
from dev_agent.runtime.states import FactType

HERE = Path(__file__).resolve().parent
REQUIRED = ("register_extract", "ownership", "identity")
ALARMING = ("fraud", "laundering", "bribery", "sanction", "indicted")


def collect(view: View) -> Result:
    """Read the case and see whether every document is there."""
    case = json.loads(Path(_facts(view)["input"]["case"]).read_text(encoding="utf-8"))
    missing = [name for name in REQUIRED if not case["documents"].get(name)]
    data = {
        "customer": case["customer"],
        "owners": list(case["owners"]),
        "country": case["country"],
        "missing": missing,
    }
    dossier = json.dumps(case, sort_keys=True).encode()
    outcome = "incomplete" if missing else "complete"
    return Result(outcome, {**data, "dossier": hashlib.sha256(dossier).hexdigest()}, {"dossier": dossier})


def screen(view: View) -> Result:
    """Compare customer and owners with the list: the same name, or most of its words."""
    with (HERE / "lists" / "sanctions.csv").open(encoding="utf-8", newline="") as file:
        listed = [row["name"] for row in csv.DictReader(file)]
    exact, near = [], []
    for name in _names(view):
        for entry in listed:
            likeness = _likeness(name, entry)
            if likeness == 1:
                exact.append(entry)
            elif likeness >= 0.5:
                near.append(entry)
    outcome = "hit" if exact or near else "clear"
    return Result(outcome, {"exact": len(exact), "near": len(near), "entries": sorted({*exact, *near})})


def adverse_media(view: View) -> Result:
    """Look for articles that name the customer or an owner beside an alarming word."""
    found = []
    for article in sorted((HERE / "media").glob("*.txt")):
        text = _plain(article.read_text(encoding="utf-8"))
        if any(_plain(name) in text for name in _names(view)) and any(word in text for word in ALARMING):
            found.append(article.name)
    return Result("hit" if found else "clear", {"articles": found, "hits": len(found)})


def agent_review(view: View) -> Result:
    """Recommend `accept`, `escalate` or `decline` from what the checks found, and say why.

    The agent here is a table of rules, so that the example runs anywhere; a model would stand in its place, be shown
    the same text, and answer in the same three words.
    """
    facts = _facts(view)
    checks = facts["checks"]
    shown = json.dumps({"customer": facts["collect"]["customer"], "checks": thaw(checks)}, sort_keys=True)
    hits, near = int(checks["adverse_media"]["hits"]), int(checks["screen"]["near"])
    if hits and near:
        recommendation, why = "decline", "a listed name is close, and the press reports on it"
    elif hits or near:
        recommendation, why = "escalate", "one of the checks found something"
    else:
        recommendation, why = "accept", "no check found anything"
    tokens = len(shown.split())
    return Result(
        "recommended",
        {"recommendation": recommendation, "why": why},
        {"prompt": shown.encode()},
        {"tokens": tokens},
    )


def seal(view: View) -> Result:
    """Bind dossier, findings and the person's word together under one digest. Done twice, it is the same digest."""
    facts = _facts(view)
    bound = {key: thaw(facts[key]) for key in ("collect", "checks", "agent_review", "human_approval")}
    document = json.dumps(bound, sort_keys=True).encode()
    digest = hashlib.sha256(document).hexdigest()
    # The intent is on the disk before anybody could act on the seal.
    view.record("sealing", {"digest": digest}, durable=True)
    return Result("sealed", {"digest": digest}, {"record": document})


def _facts(view: View) -> Any:
    return view.facts


def _names(view: View) -> Iterator[str]:
    collected = _facts(view)["collect"]
    yield collected["customer"]
    yield from collected["owners"]


def _plain(text: str) -> str:
    """Lower case without accents, one space between words."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c)).split())


def _likeness(one: str, other: str) -> float:
    """How many of the words are common to both names, 1.0 for all."""
    mine, yours = set(_plain(one).split()), set(_plain(other).split())
    return len(mine & yours) / len(mine | yours)


ACTIONS = (
    ActionSpec(
        "collect",
        frozenset({"complete", "incomplete"}),
        {
            "customer": FactType.STR,
            "owners": FactType.LIST,
            "country": FactType.STR,
            "missing": FactType.LIST,
            "dossier": FactType.STR,
        },
        collect,
    ),
    ActionSpec(
        "screen",
        frozenset({"clear", "hit"}),
        {"exact": FactType.INT, "near": FactType.INT, "entries": FactType.LIST},
        screen,
    ),
    ActionSpec(
        "adverse_media", frozenset({"clear", "hit"}), {"articles": FactType.LIST, "hits": FactType.INT}, adverse_media
    ),
    ActionSpec(
        "agent_review",
        frozenset({"recommended"}),
        {"recommendation": FactType.STR, "why": FactType.STR},
        agent_review,
        spends=frozenset({"tokens"}),
    ),
    ActionSpec("seal", frozenset({"sealed"}), {"digest": FactType.STR}, seal),
)
