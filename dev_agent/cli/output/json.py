"""For programs: progress as one JSON object a line on stderr, exactly one object on stdout.

JSON carries untrusted text as data; its own escapes (everything outside ASCII) keep it harmless when a
person looks.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dev_agent.cli.output.terminal import Terminal
from dev_agent.programs.cost import Cost
from dev_agent.runtime.engine import Reporter

if TYPE_CHECKING:
    from dev_agent.cli.failure import Failure
    from dev_agent.cli.output.page import Page


class JsonReporter(Reporter):
    """Writes every event of the engine as a line."""

    def __init__(self, stderr: Terminal) -> None:
        self._stderr = stderr
        self._lock = threading.Lock()

    def _say(self, event: str, **fields: str | int | Mapping[str, int | None]) -> None:
        with self._lock:
            self._stderr.write_text(json.dumps({"event": event, **fields}) + "\n")

    def entered(self, state: str, attempt: int) -> None:
        """A state begins."""
        self._say("entered", state=state, attempt=attempt)

    def left(self, state: str, outcome: str, ms: int) -> None:
        """A state ended."""
        self._say("left", state=state, outcome=outcome, ms=ms)

    def spent(self, state: str, cost: Mapping[str, int], total: Mapping[str, int]) -> None:
        """An attempt cost something."""
        self._say("spent", state=state, cost=Cost.of(cost).to_json(), total=Cost.of(total).to_json())

    def retried(self, state: str, outcome: str, wait_ms: int) -> None:
        """An attempt ended, and there will be another."""
        self._say("retried", state=state, outcome=outcome, wait_ms=wait_ms)

    def branch_started(self, state: str, action: str) -> None:
        """One action of a parallel state begins."""
        self._say("branch_started", state=state, action=action)

    def branch_left(self, state: str, action: str, outcome: str, ms: int) -> None:
        """One action of a parallel state ended."""
        self._say("branch_left", state=state, action=action, outcome=outcome, ms=ms)

    def noted(self, text: str) -> None:
        """Something worth knowing happened."""
        self._say("noted", text=text)


class JsonOutput:
    """See the module. `quiet` leaves the progress out; answers and failures stay."""

    def __init__(self, *, stdout: Terminal, stderr: Terminal, quiet: bool = False) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._quiet = quiet

    @contextmanager
    def watching(self) -> Iterator[Reporter]:
        """Progress as lines on stderr."""
        yield Reporter() if self._quiet else JsonReporter(self._stderr)

    def page(self, page: Page) -> None:
        """The object of the page."""
        self._object(page.data)

    def patch(self, patch: bytes, data: Mapping[str, object]) -> None:
        """The patch as a member `diff`; one that is not UTF-8 text is whole only as `diff_base64`."""
        try:
            self._object({**data, "diff": patch.decode("utf-8")})
        except UnicodeDecodeError:
            encoded = base64.b64encode(patch).decode("ascii")
            self._object({**data, "diff": patch.decode("utf-8", "replace"), "diff_base64": encoded})

    def failure(self, failure: Failure) -> None:
        """`{"error": …}` on stdout, so that there always is an object; a bug's report on stderr."""
        self._object({"error": failure.to_json()})
        if failure.details:
            self._stderr.write_text(failure.details + "\n")

    def _object(self, data: Mapping[str, object]) -> None:
        self._stdout.write_text(json.dumps(data) + "\n")
