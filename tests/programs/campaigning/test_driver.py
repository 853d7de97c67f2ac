"""A campaign's driver with real journals and hands without git: killed at every call, stopped, taken up again."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.programs.campaigning import record
from dev_agent.programs.campaigning.address import Address, Kind
from dev_agent.programs.campaigning.campaign import CampaignReport, Use, begin_campaign, resume_campaign
from dev_agent.programs.campaigning.driver import Progress, Published, Standstill, Watcher, Worked
from dev_agent.programs.campaigning.events import Ended
from dev_agent.programs.campaigning.listing import Entry
from dev_agent.programs.campaigning.model import Fate, Row
from dev_agent.programs.campaigning.step import Work
from dev_agent.programs.campaigning.work import Job
from dev_agent.programs.cost import Cost
from dev_agent.programs.spending import Spending
from dev_agent.runtime.errors import JournalBusy, JournalFailed
from tests.testing.children import heeds_a_signal_it_is_not_woken_by, killed_at_call

JOB = Job(task="t", branch="dev-agent/t", asked=False, patched=True)
ENTRIES = tuple(Entry(name=f"r{n}", address=Address(kind=Kind.FOLDER, text=f"/r{n}")) for n in range(3))


@dataclass
class Folders:
    """Hands whose repositories are files: a key's run is made once, and found again whoever comes with the key."""

    folder: Path
    says: dict[str, Worked | Exception] = field(default_factory=dict)
    patch: bytes = b""
    asked: list[tuple[str, Spending]] = field(default_factory=list)

    def work(self, entry: Entry, order: Work, *, key: str, cancel: Cancel, progress: Progress) -> Worked:
        self.asked.append((entry.name, order.grant))
        progress("at work")
        said = self.says.get(entry.name)
        if isinstance(said, Exception):
            raise said
        if said is not None:
            return said
        self.folder.mkdir(exist_ok=True)
        run = self.folder / f"{entry.name}-{key.replace(':', '-')}.landed"
        run.touch()
        return Worked(
            fate=Fate.LANDED, run=run.name, commit="c", branch="b", place=f"/{entry.name}", cost=Cost(calls=1)
        )

    def publish(self, entry: Entry, row: Row, *, cancel: Cancel) -> Published:
        cancel.check()
        (self.folder / f"{entry.name}.pull").touch()
        return Published(fate=Fate.PUBLISHED, pull=f"pull/{row.number}")


def begin(
    tmp_path: Path, hands: Folders, use: Use | None = None, watcher: Watcher | None = None
) -> CampaignReport:
    return begin_campaign(
        tmp_path / "campaigns",
        JOB,
        ENTRIES,
        b"the patch",
        use or Use(),
        hands_for=lambda _folder, _job, _patch, _publish: hands,
        watcher=watcher or Watcher(),
        cancel=Cancel(),
    )


def go_on(tmp_path: Path, hands: Folders, use: Use | None = None, name: str = "last") -> CampaignReport:
    def made(_folder: Path, _job: Job, patch: bytes, _publish: bool) -> Folders:
        hands.patch = patch
        return hands

    return resume_campaign(
        tmp_path / "campaigns",
        name,
        use or Use(),
        jobs=None,
        hands_for=made,
        watcher=Watcher(),
        cancel=Cancel(),
    )


def fates(report: CampaignReport) -> list[Fate | None]:
    return [row.fate for row in report.state.rows]


def test_killed_at_any_call_it_goes_on_and_does_nothing_twice(tmp_path: Path) -> None:
    """Killed before every call that writes: taken up again, every repository has one landing and one pull request."""
    use = Use(jobs=2, publish=True)
    number, alive = 0, False
    while not alive:
        place = tmp_path / str(number)
        place.mkdir()
        hands = Folders(place / "repositories")
        alive = not killed_at_call(number, lambda place=place, hands=hands: begin(place, hands, use))  # type: ignore[misc]
        number += 1
        try:
            report = go_on(place, hands, use)
        except (UsageFault, EnvironmentFault):
            # It died before it had begun; then nothing was done, and it is begun anew.
            assert not hands.folder.exists()
            report = begin(place, hands, use)
        assert fates(report) == [Fate.PUBLISHED] * 3
        for entry in ENTRIES:
            assert len(list(hands.folder.glob(f"{entry.name}-*.landed"))) == 1
            assert (hands.folder / f"{entry.name}.pull").exists()
    assert number > 20


def test_one_repository_s_trouble_is_its_own(tmp_path: Path) -> None:
    hands = Folders(tmp_path / "repositories")
    hands.says["r0"] = EnvironmentFault("no such folder", hint="mend it")
    hands.says["r1"] = Worked(fate=Fate.REJECTED, why="red", run="x", cost=Cost())
    report = begin(tmp_path, hands)
    assert (fates(report), report.exit_code) == ([Fate.TROUBLE, Fate.REJECTED, Fate.LANDED], 3)
    assert report.state.rows[0].why == "no such folder (mend it)"
    del hands.says["r0"]
    report = go_on(tmp_path, hands, Use(retry=True))
    assert (fates(report), report.exit_code) == ([Fate.LANDED, Fate.REJECTED, Fate.LANDED], 1)
    assert hands.patch == b"the patch"
    assert [name for name, _ in hands.asked].count("r2") == 1
    json.dumps(report.to_json())


@pytest.mark.parametrize(
    "trouble", [EnvironmentFault("no"), PermissionError(13, "no"), JournalFailed("no", "no")]
)
def test_a_trouble_before_anything_was_spent_takes_nothing_from_the_budget(
    tmp_path: Path, trouble: Exception
) -> None:
    hands = Folders(tmp_path / "repositories", says={"r0": trouble})
    report = begin(tmp_path, hands, Use(jobs=1, limits=Spending(model_calls=2)))
    assert fates(report) == [Fate.TROUBLE, Fate.LANDED, Fate.LANDED]


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_no_repository_can_do_without_stops_the_campaign_and_loses_nothing(
    tmp_path: Path, jobs: int
) -> None:
    hands = Folders(tmp_path / "repositories")
    lacking = Standstill("no cluster could be started here: x", hint="see: dev-agent doctor")
    hands.says = {"r1": lacking, "r2": lacking}
    with pytest.raises(EnvironmentFault) as stopped:
        begin(tmp_path, hands, Use(jobs=jobs, limits=Spending(model_calls=9)))
    assert stopped.value.message.endswith("of 3 repositories decided: no cluster could be started here: x")
    assert stopped.value.hint.startswith("see: dev-agent doctor; then go on")
    campaign = next((tmp_path / "campaigns").iterdir()).name
    assert f"--resume --campaign {campaign}. " in stopped.value.hint
    if jobs == 1:
        assert [name for name, _ in hands.asked] == ["r0", "r1"], "the others would meet it too"
    hands.says = {}
    report = go_on(tmp_path, hands)
    assert (fates(report), report.exit_code) == ([Fate.LANDED] * 3, 0)
    assert [name for name, _ in hands.asked].count("r0") == 1
    assert len(list(hands.folder.glob("*.landed"))) == 3


def test_a_bug_in_one_thread_is_raised_and_the_campaign_can_go_on(tmp_path: Path) -> None:
    hands = Folders(tmp_path / "repositories")
    hands.says["r1"] = ZeroDivisionError("bug")
    with pytest.raises(ZeroDivisionError):
        begin(tmp_path, hands, Use(jobs=1))
    hands.says.clear()
    assert fates(go_on(tmp_path, hands)) == [Fate.LANDED] * 3


def test_stopped_children_are_begun_again_and_answers_that_came_are_kept(tmp_path: Path) -> None:
    cancel = Cancel()

    class Waiting(Folders):
        """One that stops when it is asked to, one that lands all the same, and one that is done at once."""

        def work(self, entry: Entry, order: Work, *, key: str, cancel: Cancel, progress: Progress) -> Worked:
            while entry.name != "r2" and not cancel.requested:
                threading.Event().wait(0.01)
            if entry.name == "r0":
                return Worked(fate=Fate.TROUBLE, stopped=True)
            return super().work(entry, order, key=key, cancel=cancel, progress=progress)

    class Stopping(Watcher):
        def happened(self, event: object, state: object) -> None:
            if isinstance(event, Ended) and not cancel.requested:
                cancel.on_signal(0, None)

    hands = Waiting(tmp_path / "repositories")
    report = begin_campaign(
        tmp_path / "campaigns",
        JOB,
        ENTRIES,
        b"",
        Use(jobs=3),
        hands_for=lambda _folder, _job, _patch, _publish: hands,
        watcher=Stopping(),
        cancel=cancel,
    )
    assert (report.interrupted, report.exit_code) == (True, 130)
    assert fates(report) == [None, Fate.LANDED, Fate.LANDED]
    later = Folders(tmp_path / "repositories")
    assert fates(go_on(tmp_path, later)) == [Fate.LANDED] * 3
    assert [name for name, _ in later.asked] == ["r0"]


def test_a_stop_that_wakes_nobody_is_heeded_while_a_child_is_waited_for(tmp_path: Path) -> None:
    @dataclass
    class Endless(Folders):
        def work(self, entry: Entry, order: Work, *, key: str, cancel: Cancel, progress: Progress) -> Worked:
            while not cancel.requested:
                threading.Event().wait(0.01)
            raise KeyboardInterrupt

    # Stopped calmly, it raises nothing: it says so, and the stop has been heeded.
    assert heeds_a_signal_it_is_not_woken_by(
        lambda cancel: begin_campaign(
            tmp_path / "campaigns",
            JOB,
            ENTRIES,
            b"the patch",
            Use(),
            hands_for=lambda _folder, _job, _patch, _publish: Endless(tmp_path / "repositories"),
            watcher=Watcher(),
            cancel=cancel,
        )
    )


def test_two_processes_cannot_drive_one_campaign(tmp_path: Path) -> None:
    hands = Folders(tmp_path / "repositories")
    begin(tmp_path, hands)
    name = record.find(tmp_path / "campaigns", "last")
    with record.take_up(tmp_path / "campaigns", name), pytest.raises(JournalBusy):
        go_on(tmp_path, hands)


def test_a_trace_that_was_changed_is_not_gone_on_with(tmp_path: Path) -> None:
    hands = Folders(tmp_path / "repositories")
    report = begin(tmp_path, hands)
    trace = report.folder / "trace.jsonl"
    trace.write_text(trace.read_text().replace('"landed"', '"kept"', 1))
    with pytest.raises(EnvironmentFault, match="damaged"):
        go_on(tmp_path, hands)


def test_campaigns_are_named_by_an_unambiguous_beginning(tmp_path: Path) -> None:
    folder = tmp_path / "campaigns"
    with pytest.raises(UsageFault, match="no campaign to go on with"):
        record.find(folder, "last")
    first = begin(tmp_path, Folders(tmp_path / "repositories"))
    second = begin(tmp_path, Folders(tmp_path / "repositories"))
    assert record.find(folder, "last") == second.campaign
    assert record.find(folder, first.campaign[:-2]) == first.campaign
    for wrong in ("", "2", "nothing"):
        with pytest.raises(UsageFault, match="names"):
            record.find(folder, wrong)


def test_only_narrows_a_new_campaign_and_one_that_goes_on(tmp_path: Path) -> None:
    hands = Folders(tmp_path / "repositories")
    report = begin(tmp_path, hands, Use(only=("r1", "r2")))
    assert [row.name for row in report.state.rows] == ["r1", "r2"]
    assert record.read(tmp_path / "campaigns", report.campaign).entries == ENTRIES[1:]
    hands.says["r1"] = hands.says["r2"] = Worked(fate=Fate.REJECTED)
    report = begin(tmp_path, hands, Use(only=("r1", "r2")))
    hands.says.clear()
    report = go_on(tmp_path, hands, Use(only=("r2",), retry=True))
    assert fates(report) == [Fate.REJECTED, Fate.LANDED]


def test_limits_of_a_later_use_replace_those_that_are_named(tmp_path: Path) -> None:
    hands = Folders(tmp_path / "repositories")
    limits = Spending(model_calls=1, tokens=1000)
    report = begin(tmp_path, hands, Use(jobs=1, limits=limits))
    assert (fates(report), report.exit_code) == ([Fate.LANDED, Fate.NOT_STARTED, Fate.NOT_STARTED], 3)
    report = go_on(tmp_path, hands, Use(limits=Spending(model_calls=3)))
    assert (fates(report), report.state.limits) == ([Fate.LANDED] * 3, replace(limits, model_calls=3))
    assert report.exit_code == 0
