"""For people: progress on stderr (live on a terminal, plain lines elsewhere), the answer on stdout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dev_agent.cli.output.page import Page, Style, line, prose, span
from dev_agent.cli.output.patch import patch_lines
from dev_agent.cli.output.progress import PlainReporter
from dev_agent.cli.output.terminal import Terminal
from dev_agent.runtime.engine import Reporter

if TYPE_CHECKING:
    from dev_agent.cli.failure import Failure


class HumanOutput:
    """See the module. `quiet` leaves the progress out; answers and failures stay."""

    def __init__(self, *, stdout: Terminal, stderr: Terminal, quiet: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._quiet = quiet

    @contextmanager
    def watching(self) -> Iterator[Reporter]:
        """Progress in the best form the terminal has."""
        if self._quiet:
            yield Reporter()
        elif self._stderr.is_terminal and not self._stderr.dumb:
            from dev_agent.cli.output.live import live_progress  # noqa: PLC0415 - rich, for a terminal only

            with live_progress(self._stderr) as reporter:
                yield reporter
        else:
            yield PlainReporter(self._stderr)

    def page(self, page: Page) -> None:
        """The lines of the page."""
        for one in page.lines:
            self._stdout.write_line(one)

    def patch(self, patch: bytes, data: Mapping[str, object]) -> None:  # noqa: ARG002 - the other variant's half
        """Coloured and escaped on a terminal; byte for byte in a pipe, where `git apply` may be reading."""
        if not self._stdout.is_terminal:
            self._stdout.write_bytes(patch)
            return
        for one in patch_lines(patch.decode("utf-8", "surrogateescape")):
            self._stdout.write_line(one)

    def failure(self, failure: Failure) -> None:
        """What failed, then what to do about it."""
        for one in prose(failure.message, lead=(span("error: ", Style.BAD),) if failure.is_error else ()):
            self._stderr.write_line(one)
        if failure.hint:
            for one in prose(failure.hint, lead=(span("hint: ", Style.NAME),)):
                self._stderr.write_line(one)
        if failure.details:
            self._stderr.write_line(line(""))
            # A report is for pasting: nothing in it is wrapped or coloured, everything is escaped already.
            self._stderr.write_text(failure.details + "\n")
