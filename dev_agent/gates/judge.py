"""Who answers what the gates are asked: this machine, or a worker of a cluster. The same answer, whoever gives it.

A question is one gate on one tree: the unit that is asked, lost and asked again. Judging is a pure function of trees,
environment, policy and settings, so it may be done anywhere; deciding, hooks, programs that are run for a change, and
landing are not questions and stay where the repository is.

A variant keeps these rules:
- its verdicts are about exactly the trees it was asked about, and name the environment of the gates it was given;
- what it could not find out is a verdict of `error`, or one of `dev_agent.errors`; never `failed`;
- it may be asked from several threads at once, and stops when `cancel` says so, what it began elsewhere included.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.gates import Gates
    from dev_agent.gates.settings import GateRules
    from dev_agent.gates.subject import Subject
    from dev_agent.gates.verdict import Verdict
    from dev_agent.sandbox.profile import Profile


class GateName(StrEnum):
    """What can be asked about a tree."""

    TYPES = "types"
    TESTS = "tests"
    CHECKS = "checks"
    REPRODUCTION = "reproduction"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How a question is to be answered, as the caller and the policy say: the same wherever it is.

    `sandbox` is the setting, not what was chosen for it here; `python` the caller's word for an interpreter, "" for
    what the settings say. `afresh`: what is remembered of the trees does not count.
    """

    rules: GateRules
    profile: Profile
    sandbox: str = "auto"
    must_pass: tuple[str, ...] = ()
    python: str = ""
    afresh: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One gate on one tree."""

    gate: GateName
    subject: Subject
    terms: Terms


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedBy:
    """Who judged, if not this machine: a worker's name and address, as it gives them (untrusted text).

    `environment` is the digest of the lock it judged in, `confinement` the sandbox, `ms` the time from asking to the
    answer.
    """

    worker: str
    address: str
    environment: str
    confinement: str
    ms: int

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return {
            "worker": self.worker,
            "address": self.address,
            "environment": self.environment,
            "confinement": self.confinement,
            "ms": self.ms,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The verdicts on one question, maybe none for checks; `by` is None if they were found here."""

    verdicts: tuple[Verdict, ...]
    by: JudgedBy | None = None


class Judge(Protocol):
    """Somebody who answers questions."""

    @property
    def name(self) -> str:
        """For people: `local`, or where the cluster is."""
        ...

    @property
    def notice(self) -> str:
        """What a person should know before anything is asked; "" if nothing."""
        ...

    @property
    def width(self) -> int | None:
        """How many questions it can answer at a time; None: as many as this machine."""
        ...

    def judge(self, question: Question, gates: Gates, cancel: Cancel) -> Judgement:
        """Answer. `gates` are this machine's, prepared for the question's base: they say what judging means here.

        Raises KeyboardInterrupt once `cancel` was requested, and EnvironmentFault.
        """
        ...


class LocalJudge:
    """This machine, in the thread that asks."""

    name = "local"
    notice = ""
    width: int | None = None

    def judge(self, question: Question, gates: Gates, cancel: Cancel) -> Judgement:
        """Ask the gates themselves."""
        return Judgement(verdicts=_asked(question, gates, cancel))


LOCAL = LocalJudge()


def _asked(question: Question, gates: Gates, cancel: Cancel) -> tuple[Verdict, ...]:
    subject = question.subject
    match question.gate:
        case GateName.TYPES:
            return (gates.judge_types(subject, cancel),)
        case GateName.TESTS:
            return (gates.judge_tests(subject, cancel),)
        case GateName.CHECKS:
            return gates.judge_each_check(subject, cancel)
        case GateName.REPRODUCTION:
            return (gates.judge_reproduction(subject, cancel),)
