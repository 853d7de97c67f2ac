"""What a commit says about its own proof, kept through whatever a hook did to the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.store import ObjectStore

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.trace import Journal

RUN = "Dev-Agent-Run"
TRACE = "Dev-Agent-Trace"
UNDOES = "Dev-Agent-Undoes"
"""The full id of the commit that a commit takes back."""

COST = "Dev-Agent-Cost"
"""What the models had cost when the commit was made: calls, tokens, money."""

CO_AUTHOR = "Co-authored-by"

_OURS = (f"{RUN}: ", f"{TRACE}: ", f"{UNDOES}: ")


def trailers(journal: Journal) -> dict[str, str]:
    """The run, and the head of its trace before the commit existed.

    The receipt cannot be named: it names the commit, so it can only exist after it.
    """
    return {RUN: journal.run, TRACE: f"sha256:{journal.head}"}


def message_of(repository: Repository, commit: str) -> str:
    """The message of a commit of ours, exactly as it was written."""
    return ObjectStore(repository).read(commit, "commit").partition(b"\n\n")[2].decode("utf-8", "replace")


def with_trailers(repository: Repository, message: str, original: str) -> str:
    """`message` cleaned as git cleans it, with the trailers of `original` put back if a hook dropped them."""
    cleaned = repository.git.out("stripspace", stdin=message.encode("utf-8", "replace"))
    kept = [line for line in original.splitlines() if line.startswith(_OURS)]
    present = cleaned.decode("utf-8", "replace").splitlines()
    missing = [line for line in kept if line not in present]
    if not missing:
        return cleaned.decode("utf-8", "replace")
    args = [part for line in missing for part in ("--trailer", line)]
    return repository.git.out("interpret-trailers", *args, stdin=cleaned).decode("utf-8", "replace")
