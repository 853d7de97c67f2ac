"""The pytest plugin that reports what really happened to each test. Python 3.8+, pytest 6+.

It looks at two places: the reports pytest makes, which plugins and conftests may rewrite, and the test's own
body, wrapped at the last step before it runs. A test whose body raised is never reported as passed.
"""

from __future__ import annotations

import unittest
from typing import Any, Callable, Dict, Iterator, Set, Tuple

import pytest

_NOT_FAILURES = (pytest.skip.Exception, pytest.xfail.Exception, unittest.SkipTest)
_MESSAGE = 3000


class Recorder:
    """Sends one record a test, one for the collection, one for each file that could not be collected."""

    def __init__(self, send: Callable[[Dict[str, Any]], None], late_start: Callable[[Any], None]) -> None:
        self._send = send
        self._late_start = late_start
        self._phases: Dict[str, Dict[str, Tuple[str, str]]] = {}
        self._raised: Set[str] = set()
        self.counts: Dict[str, int] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> None:
        """Last moment before code of the repository is imported: let the project's paths in."""
        self._late_start(early_config)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: Any) -> None:
        """What will run."""
        self._send({"type": "collected", "ids": [item.nodeid for item in session.items]})

    def pytest_deselected(self, items: Any) -> None:
        """What somebody took out."""
        self._send({"type": "deselected", "ids": [item.nodeid for item in items]})

    def pytest_collectreport(self, report: Any) -> None:
        """A file that does not import."""
        if report.failed:
            self._send({"type": "collect_error", "id": report.nodeid, "message": _text(report)})

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Wrap the body of one test for the time it runs."""
        original = item.runtest
        mark = item.nodeid

        def runtest() -> Any:
            self._raised.discard(mark)
            try:
                return original()
            except _NOT_FAILURES:
                raise
            except BaseException:
                self._raised.add(mark)
                raise

        item.runtest = runtest
        self._phases[mark] = {}
        try:
            yield
        finally:
            item.__dict__.pop("runtest", None)
            self._finish(item)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """One phase (setup, call, teardown) of one test."""
        phases = self._phases.get(report.nodeid)
        # A failed subtest stays, whatever the report of the whole test says after it.
        if phases is not None and phases.get(report.when, ("", ""))[0] != "failed":
            phases[report.when] = (_phase(report), "" if report.passed else _text(report))

    def _finish(self, item: Any) -> None:
        phases = self._phases.pop(item.nodeid, {})
        outcome, message = _outcome(phases)
        if item.nodeid in self._raised and outcome in ("passed", "xpassed"):
            outcome, message = "failed", "the test's body raised, but it was reported as passed"
        self.counts[outcome] = self.counts.get(outcome, 0) + 1
        path, line, _ = item.location
        self._send(
            {
                "type": "test",
                "id": item.nodeid,
                "outcome": outcome,
                "path": path,
                "line": None if line is None else line + 1,
                "message": message,
            }
        )


def _phase(report: Any) -> str:
    expected = hasattr(report, "wasxfail")
    if report.skipped:
        return "xfailed" if expected else "skipped"
    if report.passed:
        return "xpassed" if expected else "passed"
    return str(report.outcome)


def _outcome(phases: Dict[str, Tuple[str, str]]) -> Tuple[str, str]:
    """One word for three phases; a test without a call that passed did not pass."""
    for phase in ("setup", "teardown"):
        if phases.get(phase, ("passed", ""))[0] == "failed":
            return "error", phases[phase][1]
    if phases.get("setup", ("passed", ""))[0] in ("skipped", "xfailed"):
        return phases["setup"]
    if "call" not in phases:
        return "error", "the test was not run to its end"
    outcome, message = phases["call"]
    if outcome not in ("passed", "failed", "skipped", "xfailed", "xpassed"):
        return "error", "unknown outcome %r" % (outcome,)
    return outcome, message


def _text(report: Any) -> str:
    try:
        text = str(report.longreprtext)
    except Exception:
        text = "(no text)"
    return (
        text if len(text) <= _MESSAGE else text[: _MESSAGE // 3] + "\n[...]\n" + text[-(2 * _MESSAGE // 3) :]
    )
