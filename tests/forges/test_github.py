"""The real client against a stateful host: what it asks, how long it waits, and what it never shows."""

from __future__ import annotations

import time
import traceback

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.forges.accounts import Permission
from dev_agent.forges.check_runs import (
    MAX_ANNOTATIONS,
    Annotation,
    AnnotationLevel,
    CheckReport,
    CheckStatus,
    Conclusion,
    StatusReport,
    StatusState,
)
from dev_agent.forges.errors import (
    ForgeFault,
    ForgeRefused,
    ForgeRejected,
    ForgeThrottled,
    ForgeUnintelligible,
    ForgeUnreachable,
)
from dev_agent.forges.forge import superseded_by
from dev_agent.forges.github import ACTIONS_BOT, GitHub
from dev_agent.forges.http import ATTEMPTS, Http
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.threads import NewPullRequest, OpenState
from dev_agent.forges.token import Token, token_of
from dev_agent.forges.wire import Wire
from tests.forges.conftest import Connect
from tests.forges.fake import BOT, READER, WRITER, Fake, Fault, Minutes

HTML = b"<html><head><title>Corporate \x1b[31m proxy: log in</title></head></html>"


def test_what_is_written_is_read_back(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12, "Totals", "are wrong")
    assert (client.issue(12).title, client.issue(12).body) == ("Totals", "are wrong")
    made = client.create_comment(12, "hello")
    assert client.comment(made.id).body == "hello"
    client.update_comment(made.id, "bye")
    assert [one.body for one in client.comments(12)] == ["bye"]
    assert client.viewer().login == BOT
    assert client.describe().default_branch == "main"


def test_a_list_is_read_to_its_last_page(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    said = [fake.comment(12, f"comment {number}") for number in range(250)]
    assert [one.id for one in client.comments(12)] == said
    pages = [one.query.get("page", "1") for one in fake.asked if one.path.endswith("/comments")]
    assert pages == ["1", "2", "3"]


def test_permissions_of_people_bots_and_strangers(client: GitHub) -> None:
    assert client.permission("maintainer") is Permission.WRITE
    assert client.permission("boss").may_write
    assert not client.permission("anybody").may_write
    assert client.permission("renovate[bot]") is Permission.NONE


def test_a_login_cannot_leave_its_place_in_the_address(fake: Fake, client: GitHub) -> None:
    client.permission("../../../../user")
    assert fake.asked[-1].path.endswith("/collaborators/..%2F..%2F..%2F..%2Fuser/permission")


def test_an_unchanged_answer_costs_no_rate(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    first = client.issue(12)
    assert client.issue(12) == first
    assert fake.asked[-1].headers["if-none-match"]
    fake.issues[12]["title"] = "changed"
    assert client.issue(12).title == "changed"


def test_pull_requests_of_a_branch_and_not_of_a_fork(fake: Fake, client: GitHub) -> None:
    fake.open_pull("topic", state="closed", sha="a" * 40)
    fake.open_pull("topic", head_repo={"full_name": "evil/shop"}, sha="b" * 40)
    fake.open_pull("topic", head_repo=None, sha="b" * 40)
    mine = fake.open_pull("topic", sha="c" * 40)
    assert [one.number for one in client.pull_requests(head="topic")] == [mine]
    assert len(client.pull_requests(head="topic", state=None)) == 2


def test_a_pull_request_is_opened_as_a_draft_and_only_what_is_given_is_replaced(
    fake: Fake, client: GitHub
) -> None:
    pull = client.create_pull_request(NewPullRequest(title="T", body="B", head="topic", base="main"))
    assert pull.draft
    assert client.update_pull_request(pull.number, body="B2").title == "T"
    assert fake.asked[-1].body == {"body": "B2"}


def test_a_judgement_is_superseded_by_a_push_a_merge_or_a_closing(fake: Fake, client: GitHub) -> None:
    number = fake.open_pull("topic", sha="a" * 40)
    assert superseded_by(client, number, "a" * 40) is None
    fake.pulls[number]["sha"] = "b" * 40
    assert "is at bbbbbbbbbbbb now" in str(superseded_by(client, number, "a" * 40))
    fake.pulls[number]["state"] = "closed"
    assert "was closed" in str(superseded_by(client, number, "b" * 40))


def test_checks_and_statuses(fake: Fake, client: GitHub) -> None:
    note = Annotation(
        path="a.py", start_line=3, end_line=4, level=AnnotationLevel.FAILURE, message="m", title="t"
    )
    report = CheckReport(
        name="verify",
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE,
        title="2 tests fail",
        summary="s",
        external_id="run-1",
        annotations=(note,),
    )
    made = client.create_check_run("a" * 40, report)
    assert client.check_runs("a" * 40, name="verify") == (made,)
    assert client.check_runs("a" * 40, name="other") == ()
    assert fake.checks[made.id]["annotations"][0]["annotation_level"] == "failure"
    status = StatusReport(context="verify", state=StatusState.SUCCESS, description="d" * 500)
    client.set_status("a" * 40, status)
    assert len(fake.statuses[0]["description"]) == 140


def test_more_annotations_than_a_request_takes_are_our_bug(client: GitHub) -> None:
    note = Annotation(path="a", start_line=1, end_line=1, level=AnnotationLevel.NOTICE, message="m")
    report = CheckReport(
        name="v",
        status=CheckStatus.IN_PROGRESS,
        conclusion=None,
        title="",
        summary="",
        annotations=(note,) * (MAX_ANNOTATIONS + 1),
    )
    with pytest.raises(ValueError, match="51 annotations"):
        client.create_check_run("a" * 40, report)


@pytest.mark.parametrize(
    "lost", [Fault("GET", "issues/12", 502, HTML), Fault("GET", "issues/12")], ids=["502", "cut"]
)
def test_a_host_that_stumbles_is_asked_again(fake: Fake, client: GitHub, clock: Minutes, lost: Fault) -> None:
    fake.open_issue(12)
    lost.times = 2
    fake.faults.append(lost)
    assert client.issue(12).number == 12
    assert 2.9 < clock.slept < 3.2  # 1 s, then 2 s


def test_a_host_that_stays_down_is_given_up(fake: Fake, client: GitHub) -> None:
    fake.faults.append(Fault("GET", "issues/12", 503, times=99))
    with pytest.raises(ForgeUnreachable, match="503") as raised:
        client.issue(12)
    assert len(fake.asked) == ATTEMPTS
    assert raised.value.hint


@pytest.mark.parametrize("fault", [Fault("POST", "comments", 502), Fault("POST", "comments", after=True)])
def test_a_creation_whose_answer_is_lost_is_not_sent_twice(fake: Fake, client: GitHub, fault: Fault) -> None:
    fake.open_issue(12)
    fake.faults.append(fault)
    with pytest.raises(ForgeUnreachable):
        client.create_comment(12, "once")
    assert len(fake.writes()) == 1


def test_a_primary_rate_limit_is_waited_for_until_it_ends(fake: Fake, client: GitHub, clock: Minutes) -> None:
    fake.open_issue(12)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(clock.now()) + 90)}
    fake.faults.append(Fault("POST", "comments", 403, b'{"message": "API rate limit exceeded"}', headers))
    client.create_comment(12, "later")
    assert 90.9 <= clock.slept <= 91.1
    assert len(fake.ours()) == 1


def test_a_secondary_rate_limit_names_its_wait_or_is_given_a_minute(
    fake: Fake, client: GitHub, clock: Minutes
) -> None:
    fake.open_issue(12)
    fake.faults += [
        Fault("GET", "issues/12", 429, b"{}", {"Retry-After": "7"}),
        Fault("GET", "issues/12", 403, b'{"message": "You have exceeded a secondary rate limit"}'),
    ]
    client.issue(12)
    assert 126.9 <= clock.slept <= 127.1  # 7 s, then 60 s doubled by the second attempt


def test_a_rate_limit_longer_than_our_patience_is_told_at_once(
    fake: Fake, connect: Connect, clock: Minutes
) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(clock.now()) + 3000)}
    fake.faults.append(Fault("GET", "issues/12", 403, headers=headers))
    with pytest.raises(ForgeThrottled) as raised:
        connect(patience_s=600).issue(12)
    assert raised.value.resets_in_s == 3001
    assert clock.slept == 0


def test_a_request_to_stop_ends_a_pause(fake: Fake, connect: Connect, clock: Minutes) -> None:
    cancel = Cancel()
    fake.faults.append(Fault("GET", "issues/12", 429, b"{}", {"Retry-After": "500"}))
    fake.before["issues/12"] = cancel.request
    with pytest.raises(KeyboardInterrupt):
        connect(cancel=cancel).issue(12)
    assert clock.slept < 1


def test_a_refusal_is_not_asked_again(fake: Fake, connect: Connect) -> None:
    fake.open_issue(12)
    with pytest.raises(ForgeRefused, match="not accessible by integration") as raised:
        connect(READER).create_comment(12, "x")
    assert raised.value.status == 403
    assert "permissions" in raised.value.hint
    assert len(fake.asked) == 1


def test_a_validation_tells_its_details(fake: Fake, client: GitHub) -> None:
    fake.open_pull("topic")
    with pytest.raises(ForgeRejected, match="already exists"):
        client.create_pull_request(NewPullRequest(title="T", body="", head="topic", base="main"))


def test_a_wrong_token_says_what_to_do(connect: Connect) -> None:
    with pytest.raises(ForgeRefused, match="401 Bad credentials") as raised:
        connect("some-other-token").issue(1)
    assert "token" in raised.value.hint


def test_a_proxy_that_answers_with_a_page_is_named(fake: Fake, client: GitHub) -> None:
    fake.faults.append(Fault("GET", "issues/12", 200, HTML, {"Content-Type": "text/html", "Via": "squid"}))
    with pytest.raises(ForgeUnintelligible) as raised:
        client.issue(12)
    assert "text/html" in raised.value.message
    assert "from 'BaseHTTP" in raised.value.message
    assert "\x1b" not in raised.value.message
    assert "\\x1b[31m proxy: log in" in raised.value.message
    assert "proxy" in raised.value.hint


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"number": "twelve"}', b"[" * 100_000], ids=["cut", "list", "text", "deep"]
)
def test_json_of_another_shape_is_not_an_answer(fake: Fake, client: GitHub, body: bytes) -> None:
    fake.faults.append(Fault("GET", "issues/12", 200, body))
    with pytest.raises(ForgeUnintelligible):
        client.issue(12)


def test_the_token_does_not_follow_to_another_host(fake: Fake, client: GitHub) -> None:
    fake.faults.append(Fault("GET", "issues/12", 301, headers={"Location": "http://127.0.0.1:9/repos"}))
    with pytest.raises(ForgeUnintelligible, match="another host"):
        client.issue(12)
    link = {"Link": '<http://127.0.0.1:9/more>; rel="next"'}
    fake.faults.append(Fault("GET", "comments", 200, b"[]", link))
    with pytest.raises(ForgeUnintelligible, match="another host"):
        client.comments(12)


def test_the_connection_itself_knows_where_the_token_goes(fake: Fake) -> None:
    wire = Wire(fake.url, Token(WRITER))
    for elsewhere in ("http://127.0.0.1:9/user", "https://127.0.0.1/user", fake.url.replace("http", "https")):
        with pytest.raises(ForgeUnintelligible, match="another host"):
            wire.exchange("GET", elsewhere, params={}, body=None, etag="")
    wire.close()
    assert not fake.asked


def test_a_renamed_repository_is_followed(fake: Fake, client: GitHub) -> None:
    fake.open_issue(13)
    fake.faults.append(Fault("GET", "issues/12", 301, headers={"Location": "/repos/octo/shop/issues/13"}))
    assert client.issue(12).number == 13


def test_a_host_that_sends_in_circles_is_given_up(fake: Fake, client: GitHub) -> None:
    here = {"Location": "/repos/octo/shop/issues/12"}
    fake.faults.append(Fault("GET", "issues/12", 307, headers=here, times=99))
    with pytest.raises(ForgeUnintelligible, match="circles"):
        client.issue(12)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.github.com",
        "ftp://x",
        "https://user:pw@host",
        "https://",
        "api.github.com",
        "https://h/?x=1",
        "http://[",
    ],
)
def test_a_token_is_sent_nowhere_in_the_clear(url: str, clock: Minutes) -> None:
    with pytest.raises(UsageFault, match="not one a token may be sent to"):
        Http(url, Token(WRITER), cancel=Cancel(), clock=clock)


def test_nothing_that_fails_shows_the_token(fake: Fake, connect: Connect, clock: Minutes) -> None:
    secret = "ghs_0123456789abcdefghijABCDEFGHIJ"
    fake.viewers[secret] = BOT
    client = connect(secret)
    down = Http("http://127.0.0.1:9", Token(secret), cancel=Cancel(), clock=clock)
    name = RepositoryName(owner="octo", name="shop")
    fake.faults += [
        Fault("GET", "issues/1", 500, times=9),
        Fault("GET", "issues/2"),
        Fault("POST", "comments"),
    ]
    told = [repr(client), repr(Token(secret)), str(Token(secret)), f"{Token(secret)}"]
    for act in (
        lambda: client.issue(1),
        lambda: client.issue(3),
        lambda: client.create_comment(1, "x"),
        lambda: GitHub(down, name).issue(1),
    ):
        with pytest.raises(ForgeFault) as raised:
            act()
        told.append("".join(traceback.format_exception(raised.value)) + repr(raised.value.__context__))
        frames = traceback.StackSummary.extract(traceback.walk_tb(raised.tb), capture_locals=True)
        told += [str(frame.locals) for frame in frames if "dev_agent/forges" in frame.filename]
    down.close()
    assert len(told) > 8
    assert not any(secret in text for text in told)


def test_a_token_is_one_line_of_ink() -> None:
    assert token_of({"GITHUB_TOKEN": "ghs_12345678"}).reveal() == "ghs_12345678"
    assert token_of({"GH_TOKEN": "first-one", "GITHUB_TOKEN": "second-one"}).reveal() == "first-one"
    for wrong in ("ghs_1234\nX-Evil: 1", "has spaces in it", "sh0rt", "naïve-token"):
        with pytest.raises(UsageFault) as raised:
            token_of({"GITHUB_TOKEN": wrong})
        assert wrong not in raised.value.message + raised.value.hint
    with pytest.raises(UsageFault, match="no token"):
        token_of({"GITHUB_TOKEN": ""})


def test_a_jobs_own_token_is_the_actions_bot(fake: Fake, client: GitHub) -> None:
    fake.viewers[WRITER] = None
    assert client.viewer() == ACTIONS_BOT


def test_only_a_closed_state_is_left_out_when_asked(fake: Fake, client: GitHub) -> None:
    fake.open_pull("topic", state="closed", sha="a" * 40)
    assert client.pull_requests(head="topic", state=OpenState.OPEN) == ()
    assert client.pull_requests(head="topic", state=OpenState.CLOSED)[0].state is OpenState.CLOSED


def test_a_million_spaces_in_a_link_take_no_time(fake: Fake, client: GitHub) -> None:
    fake.open_issue(12)
    fake.faults.append(Fault("GET", "comments", 200, b"[]", {"Link": "<" + ";" * 50_000}))
    started = time.process_time()
    assert client.comments(12) == ()
    assert time.process_time() - started < 60


@pytest.mark.parametrize(
    "text", ["", "octo", "octo/", "/shop", "a/b/c", "octo/..", "octo/sh op", "-x/y", "o/\n", "o/é"]
)
def test_names_no_host_would_allow(text: str) -> None:
    with pytest.raises(UsageFault):
        RepositoryName.parse(text)
