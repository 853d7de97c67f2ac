"""The interface every command talks to, and the choice of its variant."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from dev_agent.cli.output.page import Page
from dev_agent.cli.output.terminal import standard_terminals

if TYPE_CHECKING:
    from dev_agent.cli.failure import Failure
    from dev_agent.runtime.engine import Reporter


class Output(Protocol):
    """Shows progress, answers, patches and failures."""

    def watching(self) -> AbstractContextManager[Reporter]:
        """Show the progress of a run while inside; the reporter goes to the engine."""
        ...

    def page(self, page: Page) -> None:
        """Show the answer of a command. Called once."""
        ...

    def patch(self, patch: bytes, data: Mapping[str, object]) -> None:
        """Show a patch: for people, for `git apply`, or as `data`. Called once, instead of `page`."""
        ...

    def failure(self, failure: Failure) -> None:
        """Show why a command could not answer."""
        ...


def choose_output(environ: Mapping[str, str], *, as_json: bool, quiet: bool) -> Output:
    """The output the user asked for."""
    stdout, stderr = standard_terminals(environ)
    if as_json:
        from dev_agent.cli.output.json import JsonOutput  # noqa: PLC0415 - one variant is used

        return JsonOutput(stdout=stdout, stderr=stderr, quiet=quiet)
    from dev_agent.cli.output.human import HumanOutput  # noqa: PLC0415 - one variant is used

    return HumanOutput(stdout=stdout, stderr=stderr, quiet=quiet)
