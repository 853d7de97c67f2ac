"""`dev-agent stats`: outcomes, times, costs and health of runs, as a table, JSON, or a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.options import HERE, AsJson, Directory
from dev_agent.cli.output.file import write_page
from dev_agent.cli.pages.stats import stats_page
from dev_agent.cli.session import Session
from dev_agent.errors import UsageFault
from dev_agent.programs.stats import StatsRequest
from dev_agent.programs.stats import stats as stats_of

app = command_app()

Runs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Runs, `last`, or run folders; all runs if left out."),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="WHEN",
        envvar="DEV_AGENT_SINCE",
        help="Runs from a date or an age on: 2026-11-01, 7d, 12h, 2026-11-01..2026-11-08.",
    ),
]
Baseline = Annotated[
    list[str] | None,
    typer.Option(
        "--baseline",
        metavar="RUN|SINCE..UNTIL",
        envvar="DEV_AGENT_BASELINE",
        help="Runs that went well, to compare with; repeatable.",
    ),
]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page of its own to FILE.")]
Svg = Annotated[
    Path | None,
    typer.Option("--svg", metavar="FILE", help="Write the state graphs with their counts to FILE."),
]
FailOnAlarm = Annotated[
    bool,
    typer.Option("--fail-on-alarm", envvar="DEV_AGENT_FAIL_ON_ALARM", help="Exit 1 if there is an alarm."),
]


@app.command()
def stats(
    runs: Runs = None,
    *,
    since: Since = None,
    baseline: Baseline = None,
    html: Html = None,
    svg: Svg = None,
    fail_on_alarm: FailOnAlarm = False,
    directory: Directory = HERE,
    as_json: AsJson = False,
) -> int:
    """Measure runs: how they ended, where time and cost went, and whether they go round in circles.

    An alarm names the transitions that caused it. It fails nothing unless --fail-on-alarm is given.
    """
    session = Session(directory=directory, as_json=as_json)
    if runs and since:
        raise UsageFault("named runs and --since do not go together", hint="give one of them")
    request = StatsRequest(runs=tuple(runs or ()), since=since, baseline=tuple(baseline or ()))
    found = stats_of(session.repository_or_none, request)
    if html or svg:
        from dev_agent.cli.pages.stats_html import stats_html, stats_svg  # noqa: PLC0415 - for a picture only

        for path, text in ((html, stats_html), (svg, stats_svg)):
            if path is not None:
                write_page(path, text(found))
    session.output.page(stats_page(found))
    return 1 if fail_on_alarm and found.alarms else 0
