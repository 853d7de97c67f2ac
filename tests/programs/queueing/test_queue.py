"""A queue on a real repository: what lands, what stays out, and what a death in the middle leaves.

What gates say is not the matter of most of these; where it is, a real pytest says it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, RepositoryFault, UsageFault
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.folders import TRACE
from dev_agent.programs.queueing import record
from dev_agent.programs.queueing.attempts import How
from dev_agent.programs.queueing.driver import Driver, Watcher
from dev_agent.programs.queueing.events import Event, Judged, Landed
from dev_agent.programs.queueing.heads import MOST, find_items, read_names
from dev_agent.programs.queueing.model import Fate, QueueState
from dev_agent.programs.queueing.queue import (
    QueueReport,
    QueueRequest,
    preview_queue,
    resume_queue,
    run_queue,
)
from dev_agent.runtime.errors import JournalBusy
from dev_agent.runtime.trace import Journal
from dev_agent.runtime.verification import verify
from tests.programs.conftest import FILES, NO_GATES, TESTS_ONLY
from tests.testing.repos import Project, clone, make_repository


@dataclass
class Calls(Watcher):
    """Does something when an event of a kind is first heard, as somebody else at the same time might."""

    when: type[Event]
    then: Callable[[], object]
    heard: list[Event] = field(default_factory=list)

    def happened(self, event: Event, state: QueueState) -> None:
        if isinstance(event, self.when) and not any(isinstance(one, self.when) for one in self.heard):
            self.then()
        self.heard.append(event)


@dataclass
class Place:
    """A repository with heads, and a queue over them."""

    project: Project
    policy: Path

    def head(self, name: str, path: str, text: str) -> str:
        """A branch with one commit on the target's first commit."""
        self.project.git("checkout", "--quiet", "-b", name, "start")
        commit = self.project.commit(name, {path: text.encode()})
        self.project.git("checkout", "--quiet", "main")
        return commit

    def queue(
        self,
        *heads: str,
        watcher: Watcher | None = None,
        gates: str = NO_GATES,
        sandbox: str = "auto",
        **more: object,
    ) -> QueueReport:
        self.policy.write_text(gates, encoding="utf-8")
        how = How(policy=str(self.policy), sandbox=sandbox)
        request = QueueRequest(heads=heads, how=how, **more)  # type: ignore[arg-type]
        return run_queue(
            self.project.repository(),
            request,
            environ=self.project.environ,
            watcher=watcher or Watcher(),
            cancel=Cancel(),
        )

    def resume(self, into: str | None = None) -> QueueReport:
        return resume_queue(
            self.project.repository(), into, environ=self.project.environ, watcher=Watcher(), cancel=Cancel()
        )

    def tip(self, ref: str = "main") -> str:
        return self.project.git("rev-parse", ref)

    def trace(self, queue: str) -> Path:
        return record.queues_dir(self.project.repository()) / queue


@pytest.fixture
def place(tmp_path: Path) -> Place:
    project = make_repository(tmp_path, FILES)
    project.git("tag", "start")
    found = Place(project=project, policy=tmp_path / "policy.toml")
    found.head("a", "src/shop/a.py", "A: int = 1\n")
    found.head("b", "src/shop/b.py", "B: int = 1\n")
    return found


def fates(report: QueueReport) -> dict[str, str]:
    return {one.item.name: one.fate.value for one in report.state.decided}


def test_the_good_ones_land_in_order_as_the_commits_that_were_judged_and_the_bad_one_stays_out(
    place: Place,
) -> None:
    place.head("bad", "src/shop/cart.py", "def total(p: list[int]) -> int:\n    return 0\n")
    heard = Calls(Judged, lambda: None)
    report = place.queue("a", "bad", "b", gates=TESTS_ONLY, watcher=heard)
    assert fates(report) == {"a": "landed", "bad": "ejected", "b": "landed"}
    assert report.exit_code == 1
    green = {
        (one.commit, one.parent)
        for one in heard.heard
        if isinstance(one, Judged) and one.verdict.value == "green"
    }
    own_line = place.project.git("log", "--first-parent", "--format=%H %P", "start..main").splitlines()
    assert own_line
    assert {(row.split()[0], row.split()[1]) for row in own_line} <= green
    assert place.tip() == report.state.tip
    assert place.project.git("status", "--porcelain") == ""
    assert (place.project.root / "src/shop/b.py").exists()
    assert "Dev-Agent-Queue: " + report.queue in place.project.git("log", "-1", "--format=%B")
    bad = next(one for one in report.state.decided if one.fate is Fate.EJECTED)
    assert bad.run
    assert "test" in bad.reason
    assert verify(place.trace(report.queue)).ok


def test_a_test_that_fails_now_and_then_puts_nobody_out(place: Place, tmp_path: Path) -> None:
    marker = tmp_path / "seen"
    flaky = f"from pathlib import Path\n\n\ndef test_flaky() -> None:\n    assert Path({str(marker)!r}).exists()\n"
    place.head("flaky", "tests/test_flaky.py", flaky)
    # Without confinement the test sees what was not there the first time; what is remembered of that must not count.
    gates = f'{TESTS_ONLY}[sandbox]\nconfinement = "optional"\n'
    report = place.queue("flaky", gates=gates, sandbox="off", watcher=Calls(Judged, marker.touch))
    assert (report.exit_code, fates(report), report.state.rounds) == (0, {"flaky": "landed"}, 2)


def test_a_target_that_somebody_moves_meanwhile_is_followed(place: Place) -> None:
    place.project.git("branch", "release", "start")
    other = place.project.git("commit-tree", "start^{tree}", "-p", "start", "-m", "somebody else's")
    watcher = Calls(Judged, lambda: place.project.git("update-ref", "refs/heads/release", other))
    report = place.queue("a", into="release", watcher=watcher)
    assert (report.exit_code, fates(report)) == (0, {"a": "landed"})
    assert place.project.git("log", "--first-parent", "--format=%s", "release").splitlines() == [
        "Merge a",
        "somebody else's",
        "first",
    ]
    assert report.state.rounds == 2


def test_a_remote_gets_the_judged_commit_itself_and_its_moves_are_followed(
    place: Place, tmp_path: Path
) -> None:
    remote = clone(place.project, tmp_path / "remote.git", "--bare")
    place.project.git("remote", "add", "origin", str(remote.root))
    place.project.git("fetch", "--quiet", "origin")
    other = remote.git("commit-tree", "start^{tree}", "-p", "start", "-m", "somebody else's")
    watcher = Calls(Judged, lambda: remote.git("update-ref", "refs/heads/main", other))
    before = place.tip()
    report = place.queue("a", "b", into="origin/main", watcher=watcher)
    assert (report.exit_code, fates(report)) == (0, {"a": "landed", "b": "landed"})
    assert remote.git("rev-parse", "main") == report.state.tip
    assert remote.git("rev-parse", "main^1") == other
    assert place.tip() == before


def test_a_head_that_is_pushed_again_meanwhile_does_not_land(place: Place) -> None:
    new = place.project.git("commit-tree", "a^{tree}", "-p", "a", "-m", "more")
    watcher = Calls(Judged, lambda: place.project.git("update-ref", "refs/heads/a", new))
    report = place.queue("a", "b", watcher=watcher)
    assert fates(report) == {"a": "superseded", "b": "landed"}
    assert report.exit_code == 1
    assert not (place.project.root / "src/shop/a.py").exists()


def test_a_landing_that_is_refused_keeps_the_queue_and_the_user_s_file(place: Place) -> None:
    mine = place.project.write("src/shop/a.py", b"mine\n")
    report = place.queue("a")
    assert (report.exit_code, report.state.decided) == (6, ())
    assert mine.read_bytes() == b"mine\n"
    assert place.tip() == place.tip("start")
    mine.unlink()
    again = place.resume()
    assert (again.exit_code, again.queue, fates(again)) == (0, report.queue, {"a": "landed"})
    assert again.state.rounds == 1


class Dies(Driver):
    """A process that dies after the target was moved, before it could write that down."""

    def _tell(self, state: QueueState, event: Event) -> QueueState:
        if isinstance(event, Landed):
            raise KeyboardInterrupt
        return super()._tell(state, event)


def test_dead_after_the_landing_and_before_its_record_it_is_recorded_once(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dev_agent.programs.queueing.queue.Driver", Dies)
    with pytest.raises(KeyboardInterrupt):
        place.queue("a", "b", max_batch=1)
    monkeypatch.undo()
    landed = place.tip()
    assert landed != place.tip("start")
    report = place.resume()
    assert (report.exit_code, fates(report)) == (0, {"a": "landed", "b": "landed"})
    assert place.project.git("rev-list", "--first-parent", "--count", "start..main") == "2"
    assert place.project.git("rev-parse", "main^1") == landed


def test_a_queue_that_is_being_driven_is_nobody_else_s(place: Place) -> None:
    def second() -> None:
        with pytest.raises(RepositoryFault, match="is not finished"):
            place.queue("b")
        with pytest.raises(JournalBusy):
            place.resume()

    report = place.queue("a", watcher=Calls(Judged, second))
    assert fates(report) == {"a": "landed"}
    with pytest.raises(UsageFault, match="no queue was left"):
        place.resume()


def left_behind(place: Place) -> Path:
    """The folder of a queue that landed one head, was refused the next, and could go on now."""
    place.project.write("src/shop/b.py", b"mine\n")
    report = place.queue("a", "b", max_batch=1)
    assert (report.exit_code, fates(report)) == (6, {"a": "landed"})
    (place.project.root / "src/shop/b.py").unlink()
    return place.trace(report.queue)


def test_a_trace_that_was_changed_lands_nothing(place: Place) -> None:
    file, tip = left_behind(place) / TRACE, place.tip()
    file.write_bytes(file.read_bytes().replace(b'"verdict":"green"', b'"verdict":"gr33n"'))
    with pytest.raises(EnvironmentFault, match="is damaged"):
        place.resume()
    assert place.tip() == tip


def test_a_trace_that_was_cut_before_its_anchor_lands_nothing(place: Place) -> None:
    file, tip = left_behind(place) / TRACE, place.tip()
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:4]))
    with pytest.raises(EnvironmentFault, match="is damaged"):
        place.resume()
    assert place.tip() == tip


def test_a_record_of_another_kind_is_refused_and_not_guessed(place: Place) -> None:
    folder, tip = left_behind(place), place.tip()
    with Journal.open(folder, SystemClock()) as journal:
        journal.append(record.EVENT, {"event": "landed", "batch": -1, "commit": tip})
    with pytest.raises(EnvironmentFault, match="none of a queue"):
        place.resume()
    assert place.tip() == tip


def test_names_that_look_like_something_else_stay_data(place: Place, tmp_path: Path) -> None:
    hostile = "x;touch${IFS}pwned`id`\u202etxt"
    place.project.git("branch", hostile, "a")
    report = place.queue(f"refs/heads/{hostile}")
    assert report.exit_code == 0
    assert not list(tmp_path.rglob("pwned*"))
    subject = place.project.git("log", "-1", "--format=%s")
    assert "\u202e" not in subject
    assert "touch" in subject


def test_heads_are_found_by_pattern_in_the_order_of_their_numbers(place: Place) -> None:
    for number in (10, 9, 2):
        commit = place.project.git("commit-tree", "a^{tree}", "-p", "start", "-m", str(number))
        place.project.git("update-ref", f"refs/pull/{number}/head", commit)
    repository = place.project.repository()
    found = find_items(repository, ["refs/pull/*/head"], target="refs/heads/main")
    assert [one.name for one in found] == ["refs/pull/2/head", "refs/pull/9/head", "refs/pull/10/head"]
    every = find_items(repository, ["*"], target="refs/heads/main")
    assert "refs/heads/main" not in [one.name for one in every]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "no head was named"),
        (["nowhere"], "is no commit here"),
        (["--exec=id"], "is no commit here"),
        (["a\0b"], "is no commit here"),
        (["refs/pull/*/head"], "matches no ref"),
    ],
)
def test_a_name_that_means_nothing_begins_no_queue(place: Place, names: list[str], said: str) -> None:
    with pytest.raises(UsageFault, match=said):
        place.queue(*names)
    assert not record.queues_dir(place.project.repository()).exists()


def test_a_mistyped_head_is_told_the_nearest_one(place: Place) -> None:
    place.head("feature", "src/shop/a.py", "A: int = 2\n")
    with pytest.raises(UsageFault) as caught:
        place.queue("faeture")
    assert caught.value.hint.startswith("did you mean 'feature'? a queue takes heads")
    with pytest.raises(UsageFault) as caught:
        place.queue("zzzz")
    assert caught.value.hint.startswith("a queue takes heads")


def test_a_file_of_heads_has_comments_and_empty_lines(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    file.write_text("# first\na\n\n  b  # the other\n")
    assert read_names(str(file)) == ("a", "b")
    with pytest.raises(UsageFault, match="cannot be read"):
        read_names(str(tmp_path / "none"))
    assert MOST >= 500


@pytest.mark.parametrize("into", ["nowhere", "start", "start^{commit}"])
def test_what_is_no_branch_is_no_destination(place: Place, into: str) -> None:
    with pytest.raises(UsageFault, match="is no branch"):
        place.queue("a", into=into)


def test_a_look_ahead_says_how_heads_merge_and_changes_nothing(place: Place) -> None:
    place.head("clash", "src/shop/a.py", "A: int = 2\n")
    place.project.git("branch", "same", "start")
    before = place.project.snapshot()
    request = QueueRequest(heads=("a", "clash", "same", "b"))
    preview = preview_queue(place.project.repository(), request)
    assert [one.name for one in preview.stacked.included] == ["a", "b"]
    assert [(one.name, why) for one, why in preview.stacked.conflicts] == [
        ("clash", "conflict: src/shop/a.py")
    ]
    assert place.project.snapshot() == before


def test_a_policy_that_cannot_be_read_begins_no_queue(place: Place) -> None:
    with pytest.raises(PolicyError):
        place.queue("a", gates="name = 5\n")
    assert not record.queues_dir(place.project.repository()).exists()


def test_settings_that_cannot_be_read_stop_the_queue_and_put_nobody_out(place: Place) -> None:
    place.head("settings", "dev-agent.toml", "no_such_key = 1\n")
    gates = f'{NO_GATES}policy_files = "allow"\ngate_configuration = "allow"\n'
    report = place.queue("settings", "a", max_batch=1, gates=gates)
    # Judged by the settings of the base, the first lands; by its own, the second cannot be judged.
    assert (report.exit_code, fates(report)) == (3, {"settings": "landed"})
    assert "no_such_key" in report.state.halted
    assert place.trace(report.queue).is_dir()
