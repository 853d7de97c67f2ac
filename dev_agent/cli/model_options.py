"""The options that say which model is asked, and how much it may cost. Every one has its environment variable."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from dev_agent.errors import UsageFault
from dev_agent.programs.spending import Spending

ModelName = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", envvar="DEV_AGENT_MODEL", help="The model to ask."),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        envvar="DEV_AGENT_BASE_URL",
        help="Where a service that speaks a known API is.",
    ),
]
Effort = Annotated[
    str | None,
    typer.Option(
        "--effort",
        metavar="low|medium|high|…",
        envvar="DEV_AGENT_EFFORT",
        help="How much a model that has it is to think.",
    ),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record",
        metavar="FILE",
        envvar="DEV_AGENT_RECORD",
        help="Keep the model's answers, to be played again.",
    ),
]
Cassette = Annotated[
    Path | None,
    typer.Option(
        "--cassette",
        metavar="FILE",
        envvar="DEV_AGENT_CASSETTE",
        help="Take the answers from what --record kept.",
    ),
]
Candidates = Annotated[
    str,
    typer.Option(
        "--candidates",
        metavar="N|auto",
        envvar="DEV_AGENT_CANDIDATES",
        help="Try so many answers of a model beside each other and take the best. `auto`: one, then four, then eight "
        "while all are red.",
    ),
]
Reproduce = Annotated[
    bool | None,
    typer.Option(
        "--reproduce/--no-reproduce",
        envvar="DEV_AGENT_REPRODUCE",
        help="Of a model's change: land only with a test that fails without it and passes with it. Default: as policy "
        "says.",
    ),
]
MaxCalls = Annotated[
    int | None,
    typer.Option(
        "--max-calls", metavar="N", envvar="DEV_AGENT_MAX_CALLS", help="Ask a model at most so often."
    ),
]
MaxTokens = Annotated[
    int | None,
    typer.Option(
        "--max-tokens", metavar="N", envvar="DEV_AGENT_MAX_TOKENS", help="Use at most so many tokens."
    ),
]
MaxCost = Annotated[
    str | None,
    typer.Option("--max-cost", metavar="DOLLARS", envvar="DEV_AGENT_MAX_COST", help="Spend at most so much."),
]
MaxTime = Annotated[
    int | None,
    typer.Option("--max-time", metavar="MINUTES", envvar="DEV_AGENT_MAX_TIME", help="Work at most so long."),
]
_MICRO = 1_000_000
_MINUTE_MS = 60_000


def spending_from(calls: int | None, tokens: int | None, cost: str | None, minutes: int | None) -> Spending:
    """The limits these options name. Raises UsageFault for what is no limit."""
    return Spending(
        model_calls=calls,
        tokens=tokens,
        money=None if cost is None else _micro(cost),
        wall_ms=None if minutes is None else minutes * _MINUTE_MS,
    )


def _micro(dollars: str) -> int:
    try:
        amount = Decimal(dollars.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > _MICRO:
        raise UsageFault(
            f"--max-cost {dollars[:40]!r} is no amount of dollars", hint="write for example: --max-cost 1.50"
        )
    return int(amount * _MICRO)
