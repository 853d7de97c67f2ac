"""Where hosted runs live, which there are, and executing a request once under a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import DevAgentError
from dev_agent.programs.hosting.report import HostedReport, Standing
from dev_agent.programs.keys import Execution, has_asked, once, request_digest
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.runtime.program import load_program

if TYPE_CHECKING:
    from dev_agent.programs.hosting.given import Given
    from dev_agent.programs.hosting.host import Host

_FAILED = frozenset({Standing.REFUSED, Standing.OVER_BUDGET})


def default_runs(environ: Mapping[str, str]) -> Path:
    """The folder of runs by the XDG base directory rules: `$XDG_STATE_HOME/dev-agent/runs`."""
    state = environ.get("XDG_STATE_HOME", "")
    root = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return root / "dev-agent" / "runs"


def list_hosted(host: Host) -> tuple[tuple[HostedReport, ...], tuple[str, ...]]:
    """Every run that can be read, newest first, and a sentence about each that cannot."""
    reports, unreadable = [], []
    for name in host.names():
        try:
            reports.append(host.report(name))
        except (DevAgentError, RuntimeFault) as error:
            unreadable.append(f"run {name} cannot be read: {error}")
    return tuple(reports), tuple(unreadable)


def run_once(
    host: Host, text: str, *, source: str, module: str, inputs: Given, key: str | None
) -> HostedReport:
    """Start a run; under a key, only if the same request has no run that ended well or may still do so.

    Raises what `Host.start`, `Host.take_up` and `once` raise.
    """

    def fresh(remember: Callable[[str], None]) -> HostedReport:
        return host.start(text, source=source, module=module, inputs=inputs, on_run=remember)

    if key is None:
        return fresh(lambda _run: None)
    program = load_program(text, source=source)
    request = {
        "program": program.digest,
        "module": module,
        "inputs": sha256(repr(sorted(inputs.typed(program.facts).items())).encode()).hexdigest(),
    }
    return once(
        host.runs / "keys",
        key,
        request_digest(request),
        Execution(
            fresh=fresh,
            exists=lambda run: has_asked(host.runs / run),
            again=lambda run: host.take_up(run, module=module),
            failed=lambda report: report.standing in _FAILED,
        ),
    )
