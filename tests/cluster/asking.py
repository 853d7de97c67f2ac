"""A sample project whose changes are judged through a cluster, with a check that waits as long as a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from dev_agent.cancel import Cancel
from dev_agent.cluster.dask_judge import DaskJudge
from dev_agent.cluster.dask_link import Link
from dev_agent.gates.cache import Cache
from dev_agent.gates.judge import GateName, Judgement, Question, Terms
from dev_agent.gates.subject import Subject
from dev_agent.sandbox.profile import load_profile, shipped
from tests.gates.samples import PYTEST, SRC_LAYOUT, Sample, make_sample, make_sandbox
from tests.testing.cluster import at_sleep, endless_sleep, eventually

_SETTINGS = (
    '\n[tool.dev-agent.gates]\nchecks = [{ name = "wait", command = "sh check.sh", timeout_s = 600 }]\n'
)
FILES = {
    **SRC_LAYOUT,
    "pyproject.toml": SRC_LAYOUT["pyproject.toml"] + _SETTINGS,
    # Not the script that the settings name: a change of that one waits for a person.
    "check.sh": "sh wait.sh\n",
    "wait.sh": "true\n",
}


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A change whose check waits in a process of its own until somebody ends that."""

    subject: Subject
    sleep: str

    def running(self) -> list[int]:
        """The processes that wait now, in whatever sandbox."""
        return at_sleep(self.sleep)

    def begun(self) -> int:
        """One that waits, waited for."""
        eventually(self.running, "the check runs")
        return self.running()[0]


class Asker:
    """Asks one link about one sample."""

    def __init__(self, sample: Sample, link: Link, cache: Path) -> None:
        self.sample = sample
        self.link = link
        self.gates = sample.gates()
        self.judge = DaskJudge(link, sample.project.repository(), Cache(cache))

    def waiting(self) -> Waiting:
        """A new change with a check that waits."""
        sleep = endless_sleep()
        return Waiting(subject=self.sample.change({"wait.sh": f"{sleep}\ntrue\n"}), sleep=sleep)

    def ask(self, gate: GateName, subject: Subject, cancel: Cancel | None = None) -> Judgement:
        """What the cluster says."""
        return self.judge.judge(question(self.sample, gate, subject), self.gates, cancel or Cancel())


class Asking(Thread):
    """A question under way."""

    def __init__(self, asker: Asker, subject: Subject) -> None:
        super().__init__(daemon=True)
        self.cancel = Cancel()
        self.judgement: Judgement | None = None
        self.stopped = False
        self._asker, self._subject = asker, subject
        self.start()

    def run(self) -> None:
        try:
            self.judgement = self._asker.ask(GateName.CHECKS, self._subject, self.cancel)
        except KeyboardInterrupt:
            self.stopped = True

    def answered(self) -> Judgement:
        """The answer, waited for."""
        self.join(300)
        assert self.judgement is not None, "no answer"
        return self.judgement


def question(sample: Sample, gate: GateName, subject: Subject, *, afresh: bool = False) -> Question:
    """What a run would ask."""
    terms = Terms(rules=sample.rules, profile=load_profile(shipped("default")), afresh=afresh)
    return Question(gate=gate, subject=subject, terms=terms)


def waiting_sample(folder: Path) -> Sample:
    """The sample, with a base whose check does not wait."""
    return make_sample(folder, FILES, make_sandbox(folder), venv=PYTEST)


@contextmanager
def asking(sample: Sample, link: Link, cache: Path) -> Iterator[Asker]:
    """An asker that closes link and judge afterwards."""
    asker = Asker(sample, link, cache)
    try:
        yield asker
    finally:
        asker.judge.close()
        link.close()
