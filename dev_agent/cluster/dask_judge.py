"""The judge whose answers come from workers of a Dask cluster.

    remembered?  → job by digests → some worker: Judged · Lacking → ship to that worker, ask it again · Trouble
                                               └ setbacks: again, elsewhere, or given up (`faults`)

Rules kept here:
- an answer counts only if it is about this job, these trees, this gate and this environment; whatever else comes is a
  setback. A worker can be wrong about a tree, never about which one;
- of several answers to one question the first that is waited for counts, and nobody waits for two;
- what was learned about the change is remembered before it is given back: asked again after a kill, no worker is.

A worker is believed about its verdict: whoever runs one judges. Certificates say who may (docs/cluster.md).
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.cluster.answer import Judged, write_answer
from dev_agent.cluster.asking import job_of, nonce, origin_of, surety_of
from dev_agent.cluster.dask_asking import Asking, Told, read
from dev_agent.cluster.faults import Loss, Next, Setback, next_after, unjudged
from dev_agent.cluster.ship import Renamed, Shipping
from dev_agent.cluster.watching import slots_of
from dev_agent.gates import reproduction
from dev_agent.gates.judge import LOCAL, GateName, JudgedBy, Judgement
from dev_agent.gates.verdict import GateResult

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.cluster.asking import Surety
    from dev_agent.cluster.dask_link import Link
    from dev_agent.cluster.job import Job
    from dev_agent.gates.cache import Cache
    from dev_agent.gates.gates import Gates
    from dev_agent.gates.judge import Question
    from dev_agent.repository.discovery import Repository

_KIND = "judged"


class DaskJudge:
    """Asks the workers of one cluster about one repository."""

    def __init__(
        self,
        link: Link,
        repository: Repository,
        remembered: Cache,
        *,
        expected: int = 0,
        exposed: bool = False,
    ) -> None:
        """`remembered` outlives commands; `expected` slots are there or coming; `exposed`: anybody can reach it."""
        self._link = link
        self._expected = expected
        self._exposed = exposed
        self._origin = origin_of(repository)
        self._shipping = Shipping(repository, remembered)
        self._sureties: dict[str, Surety] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Where the scheduler is."""
        return self._link.url

    @property
    def width(self) -> int:
        """How many slots the workers have that are there now, or are coming."""
        return max(slots_of(self._link.view()), self._expected, 1)

    @property
    def notice(self) -> str:
        """That others judge, and what keeps them honest."""
        slots = f"{self.width} slot{'' if self.width == 1 else 's'}"
        said = f"judged by the cluster at {self.name}, {slots}"
        if not self._exposed:
            return said
        return (
            f"{said}; its connections are neither encrypted nor authenticated: whoever reaches it can forge "
            "verdicts and run code on its machines and on this one (tls:// keeps others out)"
        )

    def close(self) -> None:
        """Throw away what was made to be shipped."""
        self._shipping.close()

    def judge(self, question: Question, gates: Gates, cancel: Cancel) -> Judgement:
        """Ask until there is an answer, or no sense in asking.

        Raises KeyboardInterrupt once `cancel` was requested, UsageFault for terms that no worker takes, and
        EnvironmentFault for an environment that cannot be named or objects that are not here.
        """
        if question.gate is GateName.CHECKS and not gates.project.config.checks:
            return LOCAL.judge(question, gates, cancel)  # nothing is run, and nobody has to be asked
        surety = self._surety(gates)
        fresh = nonce(question)
        job = self._job(question, gates, surety, fresh)
        remembered = gates.context.cache
        known = _recalled(remembered, job, question, gates)
        if known is not None:
            return known
        asking = Asking(self._link, self._shipping, surety, cancel)
        setbacks: list[Setback] = []
        while not setbacks or next_after(setbacks) is not Next.GIVE_UP:
            try:
                found = asking.answered(job, setbacks)
            except Renamed:
                job = self._job(question, gates, surety, fresh)
                continue
            judged = found if isinstance(found, Setback) else _checked(found, job, question, gates)
            if isinstance(judged, Judged) and isinstance(found, Told):
                judgement = _judgement(judged, found.worker, asking.ms)
                _remember(remembered, job, judged, found.worker)
                return judgement
            if isinstance(judged, Setback):
                setbacks.append(judged)
        return Judgement(verdicts=(unjudged(question, gates.project.digest, setbacks),))

    def _job(self, question: Question, gates: Gates, surety: Surety, fresh: str) -> Job:
        parcels = self._shipping.parcels(question.subject)
        return job_of(question, gates, surety, self._origin, parcels, fresh=fresh)

    def _surety(self, gates: Gates) -> Surety:
        """Read once for an environment: all gates of a run want the same one at the same time."""
        with self._lock:
            key = gates.project.digest
            if key not in self._sureties:
                self._sureties[key] = surety_of(gates)
            return self._sureties[key]


def _checked(told: Told, job: Job, question: Question, gates: Gates) -> Judged | Setback:
    """The answer, if it is about what was asked."""
    judged, odd = told.answer, ""
    if not isinstance(judged, Judged) or judged.job != job.digest:
        odd = "the worker's answer is about another job"
    elif judged.environment != job.environment.digest:
        odd = f"the worker judged in another environment ({judged.environment[:12]})"
    elif tuple(one.gate for one in judged.verdicts) != _names(question, gates):
        odd = "the worker's verdicts are of other gates"
    elif any(
        (one.tree, one.base_tree, one.environment) != (job.tree, job.base_tree, job.project)
        for one in judged.verdicts
    ):
        odd = "the worker's verdicts are about another tree"
    if odd or not isinstance(judged, Judged):
        return Setback(kind=Loss.NONSENSE, said=odd, worker=told.worker)
    return judged


def _names(question: Question, gates: Gates) -> tuple[str, ...]:
    """The gates whose verdicts answer a question."""
    if question.gate is GateName.CHECKS:
        return tuple(check.name for check in gates.project.config.checks)
    return (reproduction.GATE if question.gate is GateName.REPRODUCTION else question.gate.value,)


def _judgement(judged: Judged, worker: str, ms: int) -> Judgement:
    by = JudgedBy(
        worker=judged.worker,
        address=worker,
        environment=judged.environment,
        confinement=judged.confinement,
        ms=ms,
    )
    return Judgement(verdicts=judged.verdicts, by=by)


def _remember(cache: Cache, job: Job, judged: Judged, worker: str) -> None:
    """Keep what says something about the change; what was only in the way is asked again."""
    if all(one.result is not GateResult.ERROR for one in judged.verdicts):
        cache.put(_KIND, job.digest, {"worker": worker, "answer": write_answer(judged).decode("utf-8")})


def _recalled(cache: Cache, job: Job, question: Question, gates: Gates) -> Judgement | None:
    """The answer that was given to this very job before, checked as if it came now."""
    entry = cache.get(_KIND, job.digest)
    if entry is None:
        return None
    worker = str(entry.get("worker", ""))
    told = read(str(entry.get("answer", "")).encode("utf-8", "replace"), worker)
    if not isinstance(told, Judged):
        return None
    judged = _checked(Told(worker=worker, answer=told), job, question, gates)
    if isinstance(judged, Setback):
        return None
    verdicts = tuple(replace(one.from_cache(), output=one.output) for one in judged.verdicts)
    return _judgement(replace(judged, verdicts=verdicts), worker, 0)
