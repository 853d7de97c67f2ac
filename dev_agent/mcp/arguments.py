"""The arguments that several tools take, as the client is told of them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

Where = Annotated[
    str | None, Field(description="The repository's name; may be left out if there is one only.")
]
Run = Annotated[str, Field(description="The whole id of a run, from list_runs or an answer.", max_length=64)]
Edits = Annotated[
    str, Field(description="The change, in any of the accepted formats.", max_length=20_000_000)
]
MaybeEdits = Annotated[str | None, Field(description="A change, in any of the accepted formats.")]
DryRun = Annotated[bool, Field(description="Judge everything, land nothing.")]
Why = Annotated[str, Field(description="Why; it is recorded with your name.", max_length=2000)]
Name = Annotated[str, Field(description="A program's name.", max_length=64)]
Values = Annotated[dict[str, Any], Field(description="Values by the names the program declares.")]
MustPass = Annotated[
    list[str], Field(description="Ids of tests that fail before and have to pass after.", max_length=200)
]
