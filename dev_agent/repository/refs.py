"""Our own refs under `refs/dev-agent/`: what keeps objects alive, and the chains that anchor the proof.

Every change is a compare-and-swap under the lock of that ref, as git takes it, so two processes cannot overwrite each
other: by ourselves (`ref_write`), or else through `git update-ref`.
Killed before the swap nothing happened, killed after it the ref is complete; a leaked `<ref>.lock` is removed
by recovery under the land lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import GitFailed
from dev_agent.process import Completed, Stopped
from dev_agent.repository.loose_refs import UNKNOWN, loose_ref
from dev_agent.repository.ref_write import write_own_ref

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

PREFIX = "refs/dev-agent/"
STAGED = PREFIX + "staged/"
KEPT = PREFIX + "kept/"
BASES = PREFIX + "bases/"
ANCHORS = PREFIX + "anchors"
RECEIPTS = PREFIX + "receipts"
_DONE = Completed(argv=(), code=0, stdout=b"", stderr=b"", stopped=Stopped.NO, veto="", truncated=False, ms=0)


def read_ref(repository: Repository, ref: str) -> str | None:
    """The object id `ref` holds, or None if it does not exist."""
    known = loose_ref(repository, ref)
    if known is not UNKNOWN:
        return known
    done = repository.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
    return done.stdout.decode("ascii").strip() if done.ok else None


def swap_ref(repository: Repository, ref: str, new: str, old: str | None, *, reason: str) -> Completed:
    """Set `ref` to `new` if it still is `old` (None: must not exist). Not `ok` if somebody was faster."""
    args = ("update-ref", "--no-deref", "-m", reason, ref, new, old or repository.zero)
    return _DONE if write_own_ref(repository, ref, new, old) else repository.git.run(*args)


def set_ref(repository: Repository, ref: str, new: str, *, reason: str) -> None:
    """Set one of our own refs whatever it was. Raises GitFailed."""
    if not write_own_ref(repository, ref, new):
        repository.git.out("update-ref", "--no-deref", "-m", reason, ref, new)


def drop_ref(repository: Repository, ref: str) -> None:
    """Delete one of our own refs; gone already is fine. Raises GitFailed."""
    if read_ref(repository, ref) is None:
        return
    done = repository.git.run("update-ref", "--no-deref", "-d", ref)
    if not done.ok and read_ref(repository, ref) is not None:
        raise GitFailed(("update-ref", "-d", ref), done.code, done.stderr.decode("utf-8", "replace"))


def list_refs(repository: Repository, prefix: str) -> dict[str, str]:
    """All refs below `prefix` (which ends with a slash): name → object id."""
    listed = repository.git.out("for-each-ref", "--format=%(refname) %(objectname)", prefix)
    rows = (line.rsplit(" ", 1) for line in listed.decode("utf-8", "surrogateescape").splitlines())
    return dict(rows)
