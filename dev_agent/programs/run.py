"""Starting a run of `apply` whose proposal is what a program changes in a private copy of the repository.

Order as for a patch: recover leftovers → resolve everything it rests on (errors up to here leave nothing) → `launch`.
The program itself runs inside the run, in the state `patch`, confined; without confinement it could write to the user's
own tree, so it is not run then, whatever policy allows the gates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.gates.judge import LOCAL
from dev_agent.programs.builtin import apply_program
from dev_agent.programs.keyed import keyed
from dev_agent.programs.launch import launch
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.setting import prepare, read_profile

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.proposers import Command
    from dev_agent.programs.report import RunReport
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.programs.setting import Setting
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter


def run(
    repository: Repository,
    request: ApplyRequest,
    *,
    command: Command,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    judge: Judge = LOCAL,
) -> RunReport:
    """Run `apply` with `command` as the proposer, which works here whoever judges; the request's own patch is empty.

    Raises as `apply` does, and UsageFault for an empty command, a network the profile does not give, no confinement.
    """
    if not command.argv or not command.argv[0] or any("\0" in argument for argument in command.argv):
        raise UsageFault("no command is given", hint="write it last: dev-agent run -- COMMAND …")
    if command.network and not read_profile(request.profile).network:
        raise UsageFault(
            "the sandbox profile gives no network",
            hint="name one that does with --profile FILE: a copy of sandbox/default.toml with network = true",
        )
    recover_first(repository, reporter)

    def execute(on_run: Callable[[str], None]) -> RunReport:
        setting = prepare(repository, request, environ=environ, cancel=cancel).judged_by(judge)
        with closing(setting.trees):
            _require_confined(setting)
            return launch(
                repository,
                apply_program(),
                request,
                command,
                setting,
                reporter=reporter,
                cancel=cancel,
                on_run=on_run,
            )

    words = ("command", str(command.network), *command.argv)
    return keyed(
        repository, request, words, execute, environ=environ, reporter=reporter, cancel=cancel, judge=judge
    )


def _require_confined(setting: Setting) -> None:
    if setting.sandbox.tier != 1:
        raise UsageFault(
            "a command is only run confined by namespaces (bubblewrap): "
            f"under {setting.sandbox.name!r} it could find your own work tree",
            hint="leave the sandbox setting at auto; `dev-agent doctor` tells what bubblewrap needs here",
        )
