"""The failure laboratory: real attacks, made now in scratch repositories, and each with its defence switched off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from dev_agent.console.place import Place
from dev_agent.lab.registry import ATTACKS

_RESULTS = "laboratory"


def render(place: Place) -> None:
    """Show the page."""
    st.caption(
        "Attacks run in scratch repositories of their own; this one is not touched. A negative control switches "
        "the one defence off, there and only there: the attack then has to succeed, or the check would be vacuous."
    )
    name = st.selectbox("Attack", list(ATTACKS), key="attack")
    attack = ATTACKS[name]
    st.markdown("**Attempt**")
    st.code(attack.attempt, language=None, wrap_lines=True)
    st.markdown("**Stopped by**")
    st.code(attack.defence, language=None, wrap_lines=True)
    first, second, third, _ = st.columns([2, 3, 2, 4])
    words: tuple[str, ...] = ()
    if first.button("Attack", key="make", type="primary"):
        words = ("lab", name)
    if second.button("Defence off", key="control"):
        words = ("lab", "--disarm", name)
    if third.button(f"All {len(ATTACKS)}", key="all"):
        words = ("lab",)
    if words:
        with st.spinner("attacking"):
            answer = place.run(*words)
        if answer.failure:
            st.code(answer.failure, language=None)
            return
        st.session_state[_RESULTS] = [*answer.data.get("findings", ()), *st.session_state.get(_RESULTS, [])][
            :500
        ]
    _findings(st.session_state.get(_RESULTS, []))


def _findings(found: list[Mapping[str, Any]]) -> None:
    if not found:
        return
    kept = sum(bool(one.get("as_promised")) for one in found)
    (st.success if kept == len(found) else st.error)(f"{kept} of {len(found)} as promised.")
    st.dataframe(
        {
            "attack": [str(one.get("attack")) for one in found],
            "defence": ["on" if one.get("armed") else "off" for one in found],
            "outcome": [str(one.get("outcome")) for one in found],
            "as promised": [bool(one.get("as_promised")) for one in found],
            "by": [str(one.get("by") or one.get("trouble") or "") for one in found],
            "before": [str(one.get("before") or "")[:12] for one in found],
            "after": [str(one.get("after") or "")[:12] for one in found],
            "ms": [int(one.get("ms") or 0) for one in found],
        },
        hide_index=True,
        key="findings",
    )
