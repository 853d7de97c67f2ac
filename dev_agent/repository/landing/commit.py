"""The commit point: one compare-and-swap on the ref, made by git itself.

Git takes its own ref lock, checks the old value, writes loose or packed refs or whatever the repository has,
and runs the user's `reference-transaction` hook, which may say no. Whatever git answers, the ref decides what
happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.repository.landing.outcome import BranchMoved, Code, Refusal, refusal_in
from dev_agent.repository.refs import read_ref

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.journal import Journal


def commit_ref(repository: Repository, journal: Journal) -> None:
    """Move the ref. Raises BranchMoved, or Refusal (`hook-veto`, `ref-update-failed`, `disk-full` …).

    Killed before the swap: the ref is old, and a `<ref>.lock` may be left. After: it is new.
    """
    done = repository.git.run(
        "update-ref",
        "-m",
        f"dev-agent: land {journal.id}",
        *(("--no-deref",) if journal.ref == "HEAD" else ()),
        journal.ref,
        journal.commit,
        journal.expected or repository.zero,
        hooks=True,
        config=("core.fsync=all",) if journal.durable else (),
    )
    if is_published(repository, journal):
        return
    now = read_ref(repository, journal.ref)
    said = done.stderr.decode("utf-8", "replace").strip()
    if now != journal.expected:
        raise BranchMoved(now)
    # Git's words: "ref updates aborted by hook", later "update aborted by the reference-transaction hook".
    if "aborted by" in said and "hook" in said:
        raise Refusal(Code.HOOK_VETO, said)
    raise refusal_in(said) or Refusal(Code.REF_UPDATE_FAILED, said or f"update-ref ended with {done.code}")


def is_published(repository: Repository, journal: Journal) -> bool:
    """True if the ref is the commit or has it in its history: the transaction is past its commit point."""
    now = read_ref(repository, journal.ref)
    if now is None or now == journal.expected:
        return False
    if now == journal.commit:
        return True
    return repository.git.run("merge-base", "--is-ancestor", journal.commit, now).ok
