"""What a step of a GitHub job tells the next one: entries in the file `GITHUB_OUTPUT`, under a random delimiter."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from dev_agent.errors import EnvironmentFault
from dev_agent.forges.text import output_entry


def write_outputs(environ: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Append the values, if this is a job at all. Raises EnvironmentFault if the file cannot be written."""
    path = environ.get("GITHUB_OUTPUT", "")
    if not path:
        return
    text = "".join(
        output_entry(name, value, delimiter=f"dev_agent_{secrets.token_hex(16)}")
        for name, value in values.items()
    )
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)
    except OSError as error:
        raise EnvironmentFault(
            f"the outputs of this step cannot be written: {error.strerror}: {path}",
            hint="GITHUB_OUTPUT names a file of the runner",
        ) from error
