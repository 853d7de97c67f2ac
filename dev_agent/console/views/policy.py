"""Policy: the facts about a run's change, or about a patch tried here, the rules, and a condition to try on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.console.picking import picked_run
from dev_agent.console.place import Place
from dev_agent.programs.policies import evaluate
from dev_agent.runtime.errors import ConditionError, RuntimeFault

_PLAIN = (bool, int, str)
_COLOURS = {"allow": st.success, "ask": st.warning, "deny": st.error}


def render(place: Place) -> None:
    """Show the page."""
    what = st.radio("Facts of", ["a run", "a patch"], horizontal=True, key="what")
    if what == "a patch":
        patch = st.text_area("A patch, in any accepted format", key="patch", height=200)
        if not patch.strip():
            return
        answer = place.run("policy", "explain", "--patch", "-", stdin=patch.encode("utf-8", "replace"))
    else:
        folder = picked_run(place)
        if folder is None:
            return
        answer = place.run("policy", "explain", "--", folder.run)
    if answer.failure:
        st.error("There is nothing to explain.")
        st.code(answer.failure, language=None, wrap_lines=True)
        return
    _told(answer.data)


def _told(data: Mapping[str, Any]) -> None:
    verdict = str(data.get("verdict", ""))
    _COLOURS.get(verdict, st.info)(f"The answer is: {verdict if verdict in _COLOURS else 'none'}")
    values: Mapping[str, Any] = data.get("facts", {}).get("values", {})
    st.subheader("Rules")
    rules = data.get("rules", ())
    st.dataframe(
        {
            "rule": [escape_line(str(one.get("rule", ""))) for one in rules],
            "says": [escape_line(str(one.get("says", ""))) for one in rules],
            "fired": [bool(one.get("fired")) for one in rules],
            "because": [escape_line(str(one.get("because", ""))) for one in rules],
            "when": [escape_line(str(one.get("when", ""))) for one in rules],
        },
        hide_index=True,
        key="rules",
    )
    st.subheader("Facts")
    only = st.checkbox("Only those that say something", value=True, key="only")
    shown = {name: value for name, value in values.items() if value or not only}
    st.dataframe(
        {
            "fact": [escape_line(name) for name in shown],
            "value": [escape_line(json.dumps(value, ensure_ascii=False))[:300] for value in shown.values()],
        },
        hide_index=True,
        key="facts",
    )
    st.subheader("Try a condition")
    expression = st.text_input("A condition, as in a rule's `when`", key="condition", max_chars=2000)
    if expression.strip():
        _tried(expression, values)


def _tried(expression: str, values: Mapping[str, Any]) -> None:
    plain = {name: value for name, value in values.items() if isinstance(value, (*_PLAIN, list))}
    try:
        found = evaluate(expression, json.dumps(plain), source="of this change")
    except (ConditionError, RuntimeFault) as error:
        st.error("That is no condition.")
        st.code(f"{error}\n{getattr(error, 'hint', '')}".strip(), language=None)
        return
    st.write("It holds." if found.holds else "It does not hold.")
    st.code(json.dumps(found.facts, indent=1, default=list), language="json")
