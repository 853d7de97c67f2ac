"""A whole worker without any engine: a job in, an answer out.

    <folder>/lock              one process has the folder
    <folder>/store/            what was shipped
    <folder>/mirrors/          a bare repository for each key, with its slots and caches
    <folder>/environments/     what was made from locks
    <folder>/scratch/          the sandbox's copies

Rules kept here:
- an answer about the change is given only by gates that ran to their end, confined, on exactly the trees asked for, in
  an environment whose lock was proved; whatever else happens is a trouble, and no exception leaves `answer`;
- a worker whose disk is full has learned nothing: what failed then is a trouble too;
- what is remembered of verdicts is kept apart by everything that decides them, the asker's place and policy included;
- nothing here reads a clock of another machine: only this machine's own order of uses counts.

Death at any line: what each part says of itself; the sandbox ends with this process; nothing half is ever believed.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Answer, Judged, Lacking, Trouble, TroubleKind, write_answer
from dev_agent.cluster.bases import Bases, folders_of
from dev_agent.cluster.environments import Environments, Looked, Wanted
from dev_agent.cluster.folder_lock import hold_folder
from dev_agent.cluster.job import BadJob, Job, read_job
from dev_agent.cluster.keeping import Keeping
from dev_agent.cluster.mirror import Mirror
from dev_agent.cluster.mirrors import Mirrors
from dev_agent.cluster.questions import trouble_in, verdicts_of
from dev_agent.cluster.room import Room
from dev_agent.cluster.store import BadPiece, Store
from dev_agent.cluster.supply import Supply
from dev_agent.cluster.tool import ToolVersion, tool_version
from dev_agent.cluster.troubles import cancelled, of_the_fault, of_the_system
from dev_agent.cluster.workshop_settings import WorkshopSettings
from dev_agent.errors import DevAgentError, EnvironmentFault
from dev_agent.gates.cache import Cache
from dev_agent.gates.environment import read_installed
from dev_agent.gates.interpreter import Candidate, Surroundings, inspect
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.runtime.canonical import canonical
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.profile import Profile
from dev_agent.sandbox.sandbox import Sandbox
from dev_agent.sandbox.scratch import remove_tree


class Workshop:
    """One worker. Safe for several threads; one process at a time has a folder."""

    def __init__(self, settings: WorkshopSettings, *, tool: ToolVersion | None = None) -> None:
        """Take the folder. Raises UsageFault if another process has it, OSError."""
        self.settings = settings
        self._tool = tool or tool_version()
        folder = settings.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._held = hold_folder(folder / "lock")
        remove_tree(folder / "fresh")
        self._room = Room(folder=folder, least_free=settings.least_free)
        self._store = Store(folder / "store")
        self._supply = Supply(self._store)
        self._mirrors = Mirrors(folder / "mirrors", settings.environ)
        self._environments = Environments(
            folder / "environments", declared=settings.declared, installer=settings.installer
        )
        surroundings = replace(Surroundings.of(settings.environ), virtual_env="", mypy_cache="", in_ci=True)
        self._surroundings = surroundings
        self._bases = Bases(settings.shown, surroundings)
        self.keeping = Keeping(
            settings.cache_size, self._store, self._mirrors, self._environments, self._bases.forget
        )
        self._sandboxes: dict[bytes, Sandbox] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._held)

    def try_confinement(self) -> str:
        """The confinement this machine offers, by name. Raises SandboxUnavailable: such a machine judges nothing."""
        return choose("auto", Profile(), scratch_root=self.settings.folder / "scratch").name

    def answer_bytes(self, data: bytes, cancel: Cancel) -> bytes:
        """As `answer`, for the written form."""
        try:
            job = read_job(data)
        except BadJob as fault:
            return write_answer(
                Trouble(job="", kind=TroubleKind.BROKEN, message=fault.message, hint=fault.hint)
            )
        return write_answer(self.answer(job, cancel))

    def take(self, sha256: str, sender: str, offset: int, size: int, data: bytes) -> bytes:
        """Take a piece of a file: how many bytes of it are here now, in digits, or a trouble as written."""
        try:
            if offset == 0:
                self._room.require()
            return b"%d" % self._store.take(sha256, sender, offset, size, data)
        except BadPiece as fault:
            return write_answer(Trouble(job="", kind=TroubleKind.BUNDLE, message=fault.message))
        except OSError as error:
            return write_answer(of_the_system("", error))

    def answer(self, job: Job, cancel: Cancel) -> Answer:
        """Judge, say what is lacking, or say why not. Raises nothing.

        What takes longer than the job's deadline is told to stop: whoever asked does not wait for it any more.
        """
        ending = threading.Timer(job.deadline_s, cancel.request)
        ending.daemon = True
        ending.start()
        try:
            answer = self._answer(job, cancel)
        finally:
            ending.cancel()
        if isinstance(answer, Trouble) and answer.kind is TroubleKind.NO_SPACE:
            self.keeping.collect(self.settings.cache_size // 2)
        else:
            self.keeping.now_and_then()
        return answer

    def _answer(self, job: Job, cancel: Cancel) -> Answer:
        try:
            return self._judged(job, cancel)
        except KeyboardInterrupt:
            return cancelled(job.digest)
        except OSError as error:
            return of_the_system(job.digest, error)
        except DevAgentError as fault:
            return cancelled(job.digest) if cancel.requested else of_the_fault(job.digest, fault)
        except Exception:  # noqa: BLE001 - the outermost edge of a worker: a bug must not look like a lost machine
            said = traceback.format_exc(limit=-4)
            return Trouble(
                job=job.digest,
                kind=TroubleKind.BROKEN,
                message=f"a bug of dev-agent's on the worker {self.settings.name}: {said[-2000:]}",
                hint="please report it",
            )

    def _judged(self, job: Job, cancel: Cancel) -> Answer:
        differences = self._tool.differences(job.tool)
        if differences:
            return Trouble(
                job=job.digest,
                kind=TroubleKind.TOOL,
                message=f"the worker {self.settings.name} is not what the asker is: {'; '.join(differences)}",
                hint="install the same dev-agent, with its extra `cluster`, on both machines ('here' is the worker)",
            )
        sandbox = self._sandbox(job)
        self._room.require()
        files = [one.sha256 for one in (*job.files, *job.environment.own)]
        parcels = [one.sha256 for one in job.objects]
        with ExitStack() as stack:
            stack.enter_context(self._store.kept([*files, *parcels]))
            mirror = stack.enter_context(self._mirrors.using(job.repository, job.object_format))
            lacking = (*self._supply.bring_objects(job, mirror), *self._store.lacking(files))
            if lacking:
                return Lacking(job=job.digest, digests=lacking)
            started = time.monotonic()
            wanted = self._wanted(job, mirror, sandbox, cancel)
            python = stack.enter_context(self._environments.ready(wanted, cancel))
            cache = stack.enter_context(self._fresh()) if job.fresh else None
            here = {sha256: self._supply.found(sha256) for sha256 in files}
            gates = self._bases.gates(job, mirror, python, sandbox, here, cancel, cache=cache)
            cancel.check()
            verdicts = verdicts_of(gates, job, cancel)
            cancel.check()
            return self._believed(job, verdicts, sandbox, int((time.monotonic() - started) * 1000))

    def _believed(self, job: Job, verdicts: tuple[Verdict, ...], sandbox: Sandbox, ms: int) -> Answer:
        """The verdicts, unless it was the machine that spoke."""
        trouble = trouble_in(verdicts, job)
        if trouble is not None:
            return trouble
        if any(one.result is not GateResult.PASSED for one in verdicts):
            # On a full disk anything fails; that it did says nothing about the change.
            self._room.require(part=4)
        return Judged(
            job=job.digest,
            verdicts=verdicts,
            worker=self.settings.name,
            environment=job.environment.digest,
            confinement=sandbox.name,
            ms=ms,
        )

    def _wanted(self, job: Job, mirror: Mirror, sandbox: Sandbox, cancel: Cancel) -> Wanted:
        root = Path(job.root)
        if root.resolve() != root:
            raise EnvironmentFault(
                f"on this worker {root} leads through a symlink to {root.resolve()}",
                hint="judged code has to be shown at the asker's own path: use a worker without that link",
            )
        paths = RepositoryTrees(mirror.repository).paths(job.base_tree)
        cache = Cache(self.settings.folder / "interpreters")

        def look(python: Path) -> Looked:
            interpreter = inspect(
                Candidate(path=python, because="of the worker"),
                root=root,
                home=self._surroundings.home,
                sandbox=sandbox,
                cancel=cancel,
                cache=cache,
            )
            installed = read_installed(interpreter.site_dirs, is_folder=folders_of(paths, root))
            return Looked(interpreter=interpreter, installed=installed)

        return Wanted(
            environment=job.environment,
            interpreter=Path(job.interpreter),
            root=root,
            look=look,
            find=self._supply.found,
        )

    def _sandbox(self, job: Job) -> Sandbox:
        """The confinement a job asks for, tried once. Raises SandboxUnavailable."""
        key = canonical([job.sandbox, job.profile.to_json()])
        with self._lock:
            if key not in self._sandboxes:
                scratch = self.settings.folder / "scratch"
                self._sandboxes[key] = choose(job.sandbox, job.profile, scratch_root=scratch)
            return self._sandboxes[key]

    @contextmanager
    def _fresh(self) -> Iterator[Path]:
        """A cache for one job. What a death leaves of it the next start removes."""
        place = self.settings.folder / "fresh" / secrets.token_hex(8)
        place.mkdir(parents=True)
        try:
            yield place
        finally:
            remove_tree(place)
