"""`dev-agent reject`: turn down a run that waits for a person."""

from __future__ import annotations

from dev_agent.cli.answer import answer_app

app = answer_app(
    approved=False,
    text="Turn down a run that waits for a person. Nothing is landed; the proposal stays readable.",
)
