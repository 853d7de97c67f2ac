"""`dev-agent approve`: let a run that waits for a person land."""

from __future__ import annotations

from dev_agent.cli.answer import answer_app

app = answer_app(
    approved=True,
    text="Let a run that waits for a person land. The approval is for the exact tree that was judged.",
)
