"""What recent commits say and touch. One child of git, whatever the repository's age."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dev_agent.repository.discovery import Repository


def recent_commits(
    repository: Repository, commit: str, count: int
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Message and changed paths of the last `count` commits up to `commit`, newest first; of merges, nothing.

    A clone that lacks history, shallow or partial, gives what it has.
    """
    done = repository.git.run(
        "log", f"--max-count={count}", "--no-merges", "--no-renames", "--no-ext-diff", "--no-show-signature",
        "--no-notes", "--no-mailmap", "--encoding=UTF-8", "--name-only", "--no-relative", "-z",
        "--format=format:%x00%x00%H%x00%B%x00", "--end-of-options", commit,
    )  # fmt: skip
    return tuple(_commits(done.stdout.decode("utf-8", "surrogateescape")))


def _commits(said: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Fields end with NUL, which neither messages nor names can hold; an empty one stands before every commit only."""
    fields = iter(said.split("\0"))
    for field in fields:
        if not field:
            continue
        message = next(fields, "")
        names = list(takewhile(bool, fields))
        if names:
            names[0] = names[0].removeprefix("\n")  # what separates names from the format
        yield message.strip(), tuple(name for name in names if name)
