"""The compliance review of the examples, on the real runtime: begin a case, answer for the person, see its proof.

Its runs lie in a folder of the console's own, apart from yours. Injectors do to a copy of a review's trace what
somebody might who can write files; the proof is computed again after that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from dev_agent.cli.output.escape import escape_line
from dev_agent.cli.output.page import seconds
from dev_agent.console.place import Place
from dev_agent.errors import EnvironmentFault
from dev_agent.programs.verify import verify_file

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / "_shipped" / "compliance", _PACKAGE.parent / "examples" / "compliance")
_KEPT = "compliance"


def render(place: Place) -> None:
    """Show the page."""
    material = compliance_material()
    runs = place.repository.state_dir / "console" / "compliance"
    case = st.selectbox("Case", sorted(one.name for one in (material / "cases").glob("*.json")), key="case")
    st.code((material / "cases" / str(case)).read_text(encoding="utf-8"), language="json", wrap_lines=True)
    if st.button("Review it", key="review", type="primary"):
        words = ("program", "run", f"--actions={material / 'actions.py'}", f"--runs={runs}")
        answer = place.run(
            *words, f"--input=case={material / 'cases' / str(case)}", "--", str(material / "review.toml")
        )
        if answer.failure:
            st.code(answer.failure, language=None)
            return
        st.session_state[_KEPT] = dict(answer.data)
    told = st.session_state.get(_KEPT)
    if told:
        _told(place, material, runs, told)


def compliance_material() -> Path:
    """The example's folder. Raises EnvironmentFault if the installation lacks it."""
    for folder in _PLACES:
        if (folder / "review.toml").is_file():
            return folder
    raise EnvironmentFault("this installation has no compliance example", hint="install dev-agent again")


def _told(place: Place, material: Path, runs: Path, told: Mapping[str, Any]) -> None:
    st.subheader(escape_line(f"{told['outcome']}: {told['state']}"))
    st.dataframe(
        {
            "state": [one["state"] for one in told["path"]],
            "outcome": [one["outcome"] for one in told["path"]],
            "time": [seconds(one["ms"]) for one in told["path"]],
        },
        hide_index=True,
        key="path",
    )
    if told["awaited"]:
        _answer(place, material, runs, told)
    folder = runs / str(told["run"])
    with st.expander("Facts"):
        st.json(json.loads(json.dumps(told["facts"])))
    _proof(folder, str(told["head"]))


def _answer(place: Place, material: Path, runs: Path, told: Mapping[str, Any]) -> None:
    """What the waiting state wants, and a button for each answer it takes."""
    given = {name: st.text_input(name, key=f"given-{name}") for name in told["wanted"]}
    for column, outcome in zip(st.columns(len(told["awaited"]) + 4), told["awaited"], strict=False):
        if column.button(outcome, key=f"answer-{outcome}", disabled=not all(given.values())):
            words = ["program", "resume", f"--actions={material / 'actions.py'}", f"--runs={runs}"]
            words += [f"--signal={outcome}", *(f"--data={name}={value}" for name, value in given.items())]
            answer = place.run(*words, "--", str(told["run"]))
            if answer.failure:
                st.code(answer.failure, language=None)
            else:
                st.session_state[_KEPT] = dict(answer.data)
                st.rerun()


def _proof(folder: Path, head: str) -> None:
    """The proof now; and what becomes of it when somebody lays hands on a copy of the trace."""
    st.subheader("Proof")
    kinds = {
        "nothing": "the trace as it is",
        "edit": "change one word of an event",
        "cut": "cut the last event off",
        "drop": "take one event out",
        "swap": "change the order of two events",
    }
    injected = st.radio(
        "Injector", list(kinds), format_func=kinds.__getitem__, horizontal=True, key="injector"
    )
    copy = folder.with_name(f".injected-{folder.name}")
    shutil.rmtree(copy, ignore_errors=True)
    try:
        shutil.copytree(folder, copy)
        _inject(copy / "trace.jsonl", str(injected))
        report = verify_file(copy, None, head=head)
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    bad = next((one for one in report.checks if one.mark.value == "bad"), None)
    if bad is None:
        st.success(f"The proof holds: {report.events} events.")
        return
    where = f" First bad event: {report.first_bad}." if report.first_bad is not None else ""
    st.error(f"The proof does not hold.{where}")
    st.code(escape_line(f"{bad.name}: {bad.detail}"), language=None, wrap_lines=True)


def _inject(trace: Path, kind: str) -> None:
    lines = trace.read_bytes().splitlines(keepends=True)
    middle = len(lines) // 2
    if kind == "edit":
        lines[middle] = lines[middle].replace(b'"type":"', b'"type":"x', 1)
    elif kind == "cut":
        lines.pop()
    elif kind == "drop":
        lines.pop(middle)
    elif kind == "swap":
        lines[middle], lines[middle + 1] = lines[middle + 1], lines[middle]
    trace.write_bytes(b"".join(lines))
