"""Landing a verified commit: branch, index and work tree, as one transaction.

The order is the safety argument. Left of each line: what a kill after it leaves for recovery, which the next
command runs first.

    (nothing)  lock      flock, inherited by every git child; leftovers of others are recovered first
    (nothing)  plan      what differs; pre-images by bytes; every refusal
    (sweep)    stage     new files and new index, complete, in the transaction's private folder
    (sweep)    FLUSH 1   the caller's trace, the commit's objects, the new files, the journal's bytes
    back       BEGIN     the journal appears; `on_begin` lets the caller anchor its trace
    back       lock      index.lock, with our name in it: git builds nothing on what follows
    back       look      HEAD, branch, operation, index once more
    back       install   one rename a file; whatever the user does meanwhile is moved, never lost
    back       refresh   the index copy learns what the new files look like; what was taken is looked at again
    back       FLUSH 2   the names in the work tree, the index copy, the anchor
    forward    COMMIT    git update-ref, compare-and-swap
    forward    index     the prepared copy is renamed into place
    forward    unlock    index.lock is removed
    forward    FLUSH 3   the ref and the index
    (sweep)    close     journal -> closed, private folder removed
    (nothing)  hook      post-merge; its failure is a warning

A power loss is a kill plus the loss of whatever no flush has covered, in any order. Before FLUSH 1 nothing of the
user's was touched. Between 1 and 2 names in the work tree may be old or new, each by itself, and the slots tell;
the way back needs only what FLUSH 1 wrote. Between 2 and 3 ref, index and lock may be old or new, each by itself:
the ref decides, the journal is there, and both ways can be gone. After 3 there is no way back to need. A FLUSH is
one call for a whole file system where that is enough (`runtime/durability.py`), however many files landed.

Before COMMIT every failure, refusal, signal and exception takes the same way back as recovery does. From BEGIN
to the close signals are only remembered. What is published is the tree that was verified: a mismatch is a
bug of the caller and raises before anything is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault, GitFailed
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.landing.close import close
from dev_agent.repository.landing.commit import commit_ref
from dev_agent.repository.landing.folders import opened
from dev_agent.repository.landing.index_copy import index_bytes, make_new_index, refresh
from dev_agent.repository.landing.index_lock import take_index_lock
from dev_agent.repository.landing.index_view import require_index_fit, view_index
from dev_agent.repository.landing.install import Site, flush_touched, install, look_again, site_of
from dev_agent.repository.landing.journal import Journal, write_journal
from dev_agent.repository.landing.outcome import (
    Blocked,
    Code,
    Landed,
    Outcome,
    Refusal,
    Stop,
    refusal_for,
    refusal_in,
)
from dev_agent.repository.landing.ownership import give_like
from dev_agent.repository.landing.plan import Plan, make_plan, require_ready
from dev_agent.repository.landing.progress import Progress
from dev_agent.repository.landing.settle import Settled, go_forward, settle
from dev_agent.repository.landing.sparse import require_inside_cone
from dev_agent.repository.landing.stage_files import (
    fill_slots,
    flush_slots,
    make_steps,
    note_slots_beside,
    write_new_files,
)
from dev_agent.repository.landing.transaction import Transaction, home_of
from dev_agent.repository.lock import LandLockBusy, land_lock_held
from dev_agent.repository.recovery import recover_held
from dev_agent.repository.rename import Moves, probe
from dev_agent.repository.settings import may_have_hook
from dev_agent.repository.store import ObjectStore
from dev_agent.runtime.durability import Barrier
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.landing.target import Target

_LAND_WAIT_S = 60.0
_INDEX_WAIT_S = 2.0


def _nothing() -> None:
    """The default for `on_begin`."""


def _no_trace(_barrier: Barrier) -> None:
    """The default for `flush_trace`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is to land where: `commit`, built on `base` and verified as `tree`, on `target`, for `run`.

    `durable` flushes to the disk at every point where order matters, so that a power loss is a kill like any
    other. `moves` overrides what the file system is found to be able to do.
    """

    base: str | None
    commit: str
    tree: str
    target: Target
    run: str
    durable: bool = True
    land_wait_s: float = _LAND_WAIT_S
    index_wait_s: float = _INDEX_WAIT_S
    moves: Moves | None = None


def land(  # noqa: PLR0913 - all keyword-only; a Request serves whoever needs the rest
    repository: Repository,
    *,
    base: str | None,
    commit: str,
    verified_tree: str,
    target: Target,
    run: str,
    cancel: Cancel,
    on_begin: Callable[[], None] = _nothing,
    flush_trace: Callable[[Barrier], None] = _no_trace,
    hooks: bool = True,
    durable: bool = True,
    progress: Progress | None = None,
) -> Outcome:
    """Land `commit` and say how it went; see `land_request`. `hooks` is about post-merge only."""
    request = Request(base=base, commit=commit, tree=verified_tree, target=target, run=run, durable=durable)
    return land_request(
        repository,
        request,
        cancel,
        on_begin=on_begin,
        flush_trace=flush_trace,
        hooks=hooks,
        progress=progress,
    )


def land_request(
    repository: Repository,
    request: Request,
    cancel: Cancel,
    *,
    on_begin: Callable[[], None] = _nothing,
    flush_trace: Callable[[Barrier], None] = _no_trace,
    hooks: bool = True,
    progress: Progress | None = None,
) -> Outcome:
    """Landed, Moved or Blocked; after the latter two everything is as it was.

    `flush_trace` is called before BEGIN and adds what the caller wants on the disk by then. `on_begin` is called
    after BEGIN and before anything of the user's is touched; what it raises comes out again after the way back.
    Raises AssertionError if the commit is not the verified tree on the base, KeyboardInterrupt if asked to stop
    before BEGIN, GitFailed, EnvironmentFault.
    """
    _require_verified(repository, request)
    told = progress or Progress()
    try:
        with land_lock_held(
            repository, f"landing for run {request.run}", timeout_s=request.land_wait_s, cancel=cancel
        ) as fd:
            held = replace(repository, git=repository.git.holding(fd))
            recovered = recover_held(held, told)
            outcome = _Landing(held, request, cancel, on_begin, flush_trace, told).outcome()
    except LandLockBusy as busy:
        return Blocked(code=Code.LANDING_BUSY, text=busy.message)
    except OSError as error:
        return _refused(error)
    if not isinstance(outcome, Landed):
        return outcome
    wants_hook = hooks and request.target.has_work_tree
    said = _post_merge(repository) if wants_hook else ()
    return replace(outcome, warnings=(*recovered.actions, *outcome.warnings, *said))


def _require_verified(repository: Repository, request: Request) -> None:
    """The last, independent check that what was judged is what lands."""
    tree = tree_of(repository, request.commit)
    if tree != request.tree:
        raise AssertionError(f"BUG: {request.commit} has tree {tree}, but {request.tree} was verified")
    if request.base is None:
        return
    if request.base in ObjectStore(repository).parents_of(request.commit):
        return
    known = repository.git.run("cat-file", "-e", request.base).ok
    if known and not repository.git.run("merge-base", "--is-ancestor", request.base, request.commit).ok:
        raise AssertionError(f"BUG: {request.commit} is not built on {request.base}")


def _refused(error: OSError) -> Blocked:
    refusal = refusal_for(error)
    if refusal is None or not isinstance(refusal.outcome, Blocked):
        raise error
    return refusal.outcome


def _post_merge(repository: Repository) -> tuple[str, ...]:
    if not may_have_hook(repository, "post-merge"):
        return ()
    done = repository.git.run("hook", "run", "--ignore-missing", "post-merge", "--", "0", hooks=True)
    if done.ok:
        return ()
    said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()
    return (f"the post-merge hook ended with status {done.code}: {said}",)


class _Landing:
    """One landing under the land lock, from the plan to the close."""

    def __init__(
        self,
        repository: Repository,
        request: Request,
        cancel: Cancel,
        on_begin: Callable[[], None],
        flush_trace: Callable[[Barrier], None],
        progress: Progress,
    ) -> None:
        self._repository = repository
        self._request = request
        self._cancel = cancel
        self._on_begin = on_begin
        self._flush_trace = flush_trace
        self._progress = progress
        self._landed: Landed | None = None

    def outcome(self) -> Outcome:
        """Run it; expected ends come back as values."""
        try:
            return self._land()
        except Stop as stop:
            return stop.outcome
        except GitFailed as failed:
            refusal = refusal_in(failed.stderr)
            if refusal is None:
                raise
            return refusal.outcome

    def _land(self) -> Landed:
        request = self._request
        self._cancel.check()
        plan = make_plan(self._repository, request.target, request.base, request.commit)
        self._progress.reached("planned")
        tx = Transaction.create(self._repository)
        try:
            self._progress.reached("transaction made")
            journal = self._stage(tx, plan)
            self._progress.reached("staged")
            self._cancel.check()
            write_journal(tx.journal, journal, lambda barrier: self._flush_before_begin(tx, journal, barrier))
        except BaseException:
            close(self._repository, tx, Progress())
            raise
        return self._publish_shielded(tx, journal, plan)

    def _stage(self, tx: Transaction, plan: Plan) -> Journal:
        """Everything slow, in the private folder."""
        moves = self._moves(tx)
        journal = Journal(
            id=tx.id,
            run=self._request.run,
            ref=self._request.target.ref,
            expected=self._request.target.expected(self._request.base),
            commit=self._request.commit,
            tree=self._request.tree,
            has_work_tree=plan.before is not None,
            exchange=moves.exchange,
            noreplace=moves.noreplace,
            durable=self._request.durable,
            changes=plan.changes,
        )
        if plan.before is None:
            return journal
        require_inside_cone(self._repository, plan.changes, tx.folder)
        write_new_files(self._repository, tx, self._request.commit, plan.changes)
        self._progress.reached("files written")
        steps = make_steps(self._repository, tx, plan.changes, plan.before, exchange=moves.exchange)
        note_slots_beside(tx, steps)
        fill_slots(self._repository, tx, steps, plan.before, progress=self._progress)
        make_new_index(self._repository, tx, plan.index, plan.changes)
        return replace(journal, steps=steps, made=plan.before.made, folders=plan.before.folders)

    def _flush_before_begin(self, tx: Transaction, journal: Journal, barrier: Barrier) -> None:
        """FLUSH 1, all but the journal's own bytes."""
        if not journal.durable:
            return
        self._flush_trace(barrier)
        barrier.add_folder(self._repository.common_dir / "objects")
        if journal.has_work_tree:
            flush_slots(self._repository, tx, journal.steps, barrier)

    def _moves(self, tx: Transaction) -> Moves:
        with opened(tx.folder) as folder:
            moves = self._request.moves or probe(folder)
        if moves is None:
            raise Refusal(Code.UNSUPPORTED_FILE_SYSTEM, f"the file system of {tx.folder} has no hard links")
        return moves

    def _publish_shielded(self, tx: Transaction, journal: Journal, plan: Plan) -> Landed:
        """Signals wait. One that came after the commit point must not hide that it landed."""
        try:
            with self._cancel.shielded():
                self._landed = self._publish(tx, journal, plan)
        except KeyboardInterrupt:
            if self._landed is None:
                raise
        assert self._landed is not None  # noqa: S101 - `shielded` only ever leaves by return or raise
        return self._landed

    def _publish(self, tx: Transaction, journal: Journal, plan: Plan) -> Landed:
        try:
            self._progress.reached("begun")
            self._on_begin()
            self._progress.reached("anchored")
            self._install(tx, journal, plan)
            commit_ref(self._repository, journal)
            self._progress.reached("committed")
        except BaseException as error:
            settled = self._settle(tx, journal, error)
            if settled.landed and isinstance(error, Stop):
                return self._result(tx, ())
            refused = self._refused(error, settled)
            if refused is not None:
                raise refused from error
            raise
        return self._result(tx, self._finish(tx, journal))

    def _install(self, tx: Transaction, journal: Journal, plan: Plan) -> None:
        if not journal.has_work_tree:
            require_ready(self._repository, self._request.target, self._request.base)
            return
        take_index_lock(self._repository, tx, wait_s=self._request.index_wait_s)
        self._progress.reached("locked index")
        require_ready(self._repository, self._request.target, self._request.base)
        now = index_bytes(self._repository)
        if now != plan.index:
            require_index_fit(view_index(self._repository.git), plan.changes)
            make_new_index(self._repository, tx, now, plan.changes)
        self._progress.reached("prepared index")
        with site_of(self._repository.work_tree, tx, journal) as site:
            install(site, journal, self._progress)
            self._progress.reached("installed")
            refresh(self._repository, tx)
            self._progress.reached("refreshed index")
            look_again(site, journal)
            if journal.durable:
                self._flush_before_commit(site, tx, journal)

    def _flush_before_commit(self, site: Site, tx: Transaction, journal: Journal) -> None:
        """FLUSH 2."""
        barrier = Barrier()
        flush_touched(site, journal, barrier)
        if tx.new_index.exists():
            barrier.add_file(tx.new_index)
        barrier.add_folder(self._repository.common_dir)

    def _settle(self, tx: Transaction, journal: Journal, error: BaseException) -> Settled:
        try:
            return settle(self._repository, tx, journal, Progress())
        except (OSError, GitFailed, Stop) as second:
            raise EnvironmentFault(
                f"the landing failed ({error}) and could not be taken back yet ({second})",
                hint="mend the cause, then run: dev-agent recover",
            ) from error

    def _refused(self, error: BaseException, settled: Settled) -> Stop | None:
        """The refusal that `error` amounts to, if it is one, naming what could not go back to its place."""
        refusal: object = refusal_for(error) if isinstance(error, OSError) else error
        if not isinstance(refusal, Stop) or not isinstance(refusal.outcome, Blocked):
            return None
        return Stop(replace(refusal.outcome, kept=tuple(str(kept.folder) for kept in settled.kept)))

    def _finish(self, tx: Transaction, journal: Journal) -> tuple[str, ...]:
        """Past the commit point nothing is refused any more; what is left over, recovery does."""
        try:
            go_forward(self._repository, tx, journal, self._progress)
        except (OSError, GitFailed, Stop) as error:
            return (
                f"landed, but the index could not be brought up to date yet: {error}; run: dev-agent recover",
            )
        return ()

    def _result(self, tx: Transaction, warnings: tuple[str, ...]) -> Landed:
        ref = self._request.target.ref
        common = self._repository.common_dir
        logs = (common / "logs" / ref, self._repository.git_dir / "logs" / "HEAD")
        give_like((common / ref, *logs, home_of(self._repository)), common)
        return Landed(ref=ref, commit=self._request.commit, tx=tx.id, warnings=warnings)
