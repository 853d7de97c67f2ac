"""Writing a page to a file the caller names; it may be a pipe or a device as well."""

from __future__ import annotations

from pathlib import Path

from dev_agent.errors import UsageFault


def write_page(path: Path, text: str) -> None:
    """Put `text` there instead of what was there. Killed in between, a part of it. Raises UsageFault."""
    try:
        path.write_bytes(text.encode("utf-8", "replace"))
    except OSError as error:
        raise UsageFault(
            f"{path} cannot be written: {error.strerror or error}", hint="name another file"
        ) from error
