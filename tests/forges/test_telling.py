"""One comment and one check, however often they are told and whatever is lost on the way."""

from __future__ import annotations

import pytest

from dev_agent.forges.check_runs import Annotation, AnnotationLevel, CheckReport, CheckStatus, Conclusion
from dev_agent.forges.checks import publish_check
from dev_agent.forges.errors import ForgeUnreachable
from dev_agent.forges.forge import MAX_BODY
from dev_agent.forges.github import GitHub
from dev_agent.forges.sticky import find, marker, say, state_of
from tests.forges.fake import BOT, Fake, Fault

SHA = "a" * 40


def test_a_comment_is_edited_in_place_and_only_if_it_changes(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    viewer = client.viewer()
    first = say(client, 12, "verify", "one", viewer=viewer)
    assert say(client, 12, "verify", "one", viewer=viewer).id == first.id
    assert len(fake.writes()) == 1
    assert say(client, 12, "verify", "two", viewer=viewer).id == first.id
    other = say(client, 12, "other", "x", viewer=viewer)
    assert other.id != first.id
    assert len(fake.ours()) == 2


def test_a_comment_keeps_values_that_people_do_not_see(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    kept = {"key": "comment-5", "base": SHA}
    made = say(client, 12, "issue", "hello", viewer=client.viewer(), state=kept)
    assert state_of(made) == kept
    assert made.body.endswith("\nhello")
    for evil in ("-->", "a--b", "a b", "x\n"):
        with pytest.raises(ValueError, match="cannot keep"):
            say(client, 12, "issue", "x", viewer=client.viewer(), state={"key": evil})


@pytest.mark.parametrize(
    "second",
    [
        "<!-- dev-agent:state {} -->",
        "<!-- dev-agent:state [1] -->",
        '<!-- dev-agent:state {"a": 1} -->',
        "",
        '<!-- dev-agent:state {"a" -->',
    ],
)
def test_values_that_were_edited_away_are_none(fake: Fake, client: GitHub, second: str) -> None:
    fake.open_issue(12)
    fake.comment(12, f"{marker('issue')}\n{second}\nhello", BOT)
    assert state_of(find(client, 12, "issue", viewer=client.viewer())) == {}


def test_the_oldest_of_two_comments_goes_on(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    first = fake.comment(12, f"{marker('issue')}\r\none", BOT)
    fake.comment(12, f"{marker('issue')}\ntwo", BOT)
    assert say(client, 12, "issue", "three", viewer=client.viewer()).id == first


def test_a_comment_that_is_too_long_is_cut(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    made = say(client, 12, "issue", "x" * 100_000, viewer=client.viewer(), state={"key": "k"})
    assert len(made.body) <= MAX_BODY
    assert state_of(made) == {"key": "k"}


def test_a_comment_that_stays_lost_is_told(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    fake.faults.append(Fault("POST", "comments", 502, times=9))
    with pytest.raises(ForgeUnreachable):
        say(client, 12, "issue", "x", viewer=client.viewer())
    assert len(fake.writes()) == 2


@pytest.mark.parametrize("key", ["", "a b", "-->", "A", "x" * 100])
def test_a_marker_cannot_be_ended(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        marker(key)


def report(annotations: int = 0, external_id: str = "run-1") -> CheckReport:
    notes = [
        Annotation(path=f"{number}.py", start_line=1, end_line=1, level=AnnotationLevel.FAILURE, message="m")
        for number in range(annotations)
    ]
    return CheckReport(
        name="verify",
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="t",
        summary="s",
        external_id=external_id,
        annotations=tuple(notes),
    )


@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
def test_every_annotation_is_told_once_in_batches(fake: Fake, client: GitHub, count: int) -> None:
    made = publish_check(client, SHA, report(count))
    (check,) = fake.checks.values()
    assert [note["path"] for note in check["annotations"]] == [f"{number}.py" for number in range(count)]
    assert (check["status"], check["conclusion"]) == ("completed", "failure")
    assert publish_check(client, SHA, report(count)).id == made.id
    assert len(fake.checks) == 1


def test_a_check_that_was_cut_off_satisfies_nobody_and_is_told_again(fake: Fake, client: GitHub) -> None:
    fake.faults.append(Fault("PATCH", "check-runs", 422))
    with pytest.raises(Exception, match="422"):
        publish_check(client, SHA, report(120))
    (cut_off,) = fake.checks.values()
    assert (cut_off["status"], cut_off["conclusion"]) == ("in_progress", None)
    publish_check(client, SHA, report(120))
    newest = fake.checks[max(fake.checks)]
    assert len(newest["annotations"]) == 120
    assert newest["conclusion"] == "failure"


def test_a_check_whose_answer_is_lost_is_not_told_twice(fake: Fake, client: GitHub) -> None:
    fake.faults.append(Fault("POST", "check-runs", after=True))
    publish_check(client, SHA, report(3))
    assert len(fake.checks) == 1


def test_a_check_without_an_id_cannot_be_found_again(client: GitHub) -> None:
    with pytest.raises(ValueError, match="external id"):
        publish_check(client, SHA, report(external_id=""))


def test_a_check_says_how_it_ended_exactly_when_it_has() -> None:
    with pytest.raises(ValueError, match="cannot conclude"):
        CheckReport(name="v", status=CheckStatus.COMPLETED, conclusion=None, title="", summary="")
