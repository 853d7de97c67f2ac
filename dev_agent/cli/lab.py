"""`dev-agent lab`: attack the real engine in a scratch repository, with negative controls."""

from __future__ import annotations

from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Quiet
from dev_agent.cli.pages.lab import attacks_page, findings_page
from dev_agent.cli.session import Session, stoppable
from dev_agent.errors import UsageFault
from dev_agent.lab.laboratory import attacks_made, chosen

app = command_app()

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[ATTACK]...", help="Attacks by name; all if left out.")
]
Listed = Annotated[bool, typer.Option("--list", help="List the attacks and their defences, and make none.")]
Disarm = Annotated[
    str | None,
    typer.Option("--disarm", metavar="ATTACK", help="Make this attack with its one defence switched off."),
]
Controls = Annotated[
    bool, typer.Option("--controls", help="Make every attack with its defence off: each has to succeed.")
]


@app.command()
def lab(
    names: Names = None,
    *,
    listed: Listed = False,
    disarm: Disarm = None,
    controls: Controls = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Attack the real engine in scratch repositories, and show what stops each attack.

    Exit code 0: every attack was stopped (with --controls: every attack succeeded without its defence, so no check is
    vacuous). Exit code 1: not so; also after --disarm, where the attack has to succeed. Your repository is not touched.
    """
    session = Session(directory=HERE, as_json=as_json, quiet=quiet)
    session.listen()
    if disarm is not None and (names or controls):
        raise UsageFault(
            "--disarm makes one attack and takes no others", hint="dev-agent lab --disarm ATTACK"
        )
    attacks = chosen([disarm] if disarm is not None else names or ())
    if listed:
        session.output.page(attacks_page(attacks))
        return 0
    armed = disarm is None and not controls
    with stoppable(session), session.output.watching() as reporter:
        findings = tuple(attacks_made(attacks, armed=armed, environ=session.environ, told=reporter.noted))
    session.output.page(findings_page(findings))
    if disarm is not None:
        return int(any(finding.as_promised for finding in findings))
    return int(not all(finding.as_promised for finding in findings))
