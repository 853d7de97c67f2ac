"""What recent commits say and touch. One child of git, whatever the repository's age."""

from __future__ import annotations

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
        "--format=format:%x01%B%x02", "--end-of-options", commit,
    )  # fmt: skip
    return tuple(_commits(done.stdout.decode("utf-8", "surrogateescape")))


def _commits(said: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in said.split("\x01")[1:]:
        message, _, names = part.partition("\x02")
        yield message.strip(), tuple(name.lstrip("\n") for name in names.split("\0") if name.strip("\n"))
