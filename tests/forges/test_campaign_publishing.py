"""What a campaign publishes: one pull request a repository, however often, and nothing of anybody else."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.forges.campaigning.publishing import Publishing
from dev_agent.forges.errors import ForgeFault
from dev_agent.forges.token import Token
from dev_agent.programs.apply import apply
from dev_agent.programs.campaigning.address import Address, Kind
from dev_agent.programs.campaigning.driver import Published
from dev_agent.programs.campaigning.listing import Entry
from dev_agent.programs.campaigning.model import Fate, Row
from dev_agent.programs.campaigning.work import Job
from dev_agent.programs.report import Outcome
from dev_agent.programs.request import ApplyRequest
from dev_agent.runtime.engine import Reporter
from tests.forges.fake import BOT, SLUG, WRITER, Fault
from tests.forges.world import THREE, TWO, World

BRANCH = "dev-agent/digits"
TASK = "Write the numbers as digits @everybody <!-- x -->\nand more"


def landed(world: World, patch: bytes = TWO, *, branch: str = BRANCH) -> Row:
    """A row whose child landed the patch on a branch of the checkout."""
    request = ApplyRequest(task="Write digits", patch=patch, branch=branch, policy=world.policy)
    report = apply(
        world.project.repository(),
        request,
        environ=world.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )
    assert report.outcome is Outcome.COMMITTED
    return Row(
        number=0,
        name="shop",
        place=str(world.project.root),
        run=report.run,
        branch=branch,
        base=report.base,
        commit=report.commit or "",
    )


def publish(world: World, row: Row, *, repository: str | None = SLUG, campaign: str = "c1") -> Published:
    address = Address(kind=Kind.FOLDER, text=row.place)
    publishing = Publishing(
        campaign=campaign,
        connect=lambda _name, _cancel: nullcontext(world.client(WRITER)),
        token=Token(WRITER),
    )
    return publishing.publish(
        world.project.repository(),
        Job(task=TASK, branch=row.branch, asked=False),
        Entry(name="shop", address=address, repository=repository),
        row,
        cancel=Cancel(),
    )


def test_what_landed_is_pushed_and_gets_one_draft_pull_request_however_often(world: World) -> None:
    row = landed(world)
    first, second = publish(world, row), publish(world, row)
    (pull,) = world.fake.pulls.values()
    assert first == second == Published(fate=Fate.PUBLISHED, pull=pull["html_url"])
    assert (pull["draft"], pull["branch"], pull["base"]) == (True, BRANCH, "main")
    assert world.branches()[BRANCH] == row.commit
    assert len(world.fake.writes()) == 1
    assert row.run in pull["body"]
    assert "@everybody" not in pull["title"] + pull["body"]
    assert pull["body"].count("<!--") == 2


@pytest.mark.parametrize(
    "url", ["https://github.com/octo/shop.git", "git@github.com:octo/shop", "ssh://git@github.com/octo/shop"]
)
def test_the_remote_says_which_repository_of_the_host_it_is(world: World, url: str) -> None:
    world.project.git("config", f"url.{world.bare.root}.insteadOf", url)
    world.project.git("remote", "set-url", "origin", url)
    assert publish(world, landed(world), repository=None).fate is Fate.PUBLISHED


def test_a_remote_that_does_not_say_it_is_a_trouble_with_a_remedy_and_nothing_is_pushed(world: World) -> None:
    with pytest.raises(UsageFault, match="does not say which repository") as fault:
        publish(world, landed(world), repository=None)
    assert "repository=OWNER/NAME" in fault.value.hint
    assert BRANCH not in world.branches()


def test_killed_between_push_and_pull_request_it_goes_on_from_the_branch(world: World) -> None:
    row = landed(world)
    world.fake.faults.append(Fault("POST", "pulls", status=500, times=9))
    with pytest.raises(ForgeFault):
        publish(world, row)
    assert (world.branches()[BRANCH], world.fake.pulls) == (row.commit, {})
    world.fake.faults.clear()
    assert publish(world, row).fate is Fate.PUBLISHED
    assert len(world.fake.pulls) == 1


def test_a_lost_answer_opens_no_second_pull_request(world: World) -> None:
    world.fake.faults.append(Fault("POST", "pulls", after=True))
    assert publish(world, landed(world)).fate is Fate.PUBLISHED
    assert len(world.fake.pulls) == 1


def test_another_campaign_replaces_what_one_of_ours_had_put_there(world: World) -> None:
    publish(world, landed(world))
    world.project.git("branch", "--quiet", "-D", BRANCH)
    again = landed(world, THREE)
    assert publish(world, again, campaign="c2").fate is Fate.PUBLISHED
    assert world.branches()[BRANCH] == again.commit
    (pull,) = world.fake.pulls.values()
    assert again.commit in pull["body"]


def test_what_somebody_pushed_to_our_branch_stays(world: World) -> None:
    publish(world, landed(world))
    theirs = world.push_as_somebody(BRANCH)
    world.project.git("branch", "--quiet", "-D", BRANCH)
    said = publish(world, landed(world, THREE))
    assert (said.fate, "no campaign put there" in said.why) == (Fate.KEPT, True)
    assert world.branches()[BRANCH] == theirs


def test_a_branch_of_that_name_that_was_there_stays(world: World) -> None:
    world.bare.git("branch", BRANCH, "main")
    before = world.branches()
    assert publish(world, landed(world)).fate is Fate.KEPT
    assert (world.branches(), world.fake.pulls) == (before, {})


@pytest.mark.parametrize("marker", ["", "<!-- dev-agent:campaign -->\n"])
def test_a_pull_request_of_somebody_else_is_left_alone_whatever_it_says_it_is(
    world: World, marker: str
) -> None:
    row = landed(world)
    world.bare.git("branch", BRANCH, "main")
    body = f'{marker}<!-- dev-agent:state {{"commit": "{world.branches()[BRANCH]}"}} -->'
    world.fake.open_pull(BRANCH, login="stranger", body=body)
    assert publish(world, row).fate is Fate.KEPT
    assert world.fake.writes() == []
    assert world.branches()[BRANCH] == world.branches()["main"]


def test_a_pull_request_that_was_closed_is_an_answer(world: World) -> None:
    row = landed(world)
    publish(world, row)
    (number,) = world.fake.pulls
    world.fake.pulls[number]["state"] = "closed"
    said = publish(world, row)
    assert (said.fate, "was closed" in said.why) == (Fate.KEPT, True)
    assert len(world.fake.pulls) == 1


def test_commits_the_user_has_not_pushed_are_not_published_by_the_way(world: World) -> None:
    world.project.commit("not for everybody", {"secret.txt": b"1\n"})
    said = publish(world, landed(world))
    assert (said.fate, "push that first" in said.why) == (Fate.KEPT, True)
    assert (BRANCH in world.branches(), world.fake.pulls) == (False, {})


def test_what_was_changed_or_undone_since_is_not_published(world: World) -> None:
    row = landed(world)
    world.project.git("branch", "--force", BRANCH, "main")
    said = publish(world, row)
    assert (said.fate, "not at the commit that was judged" in said.why) == (Fate.KEPT, True)
    with pytest.raises(EnvironmentFault, match="does not say that it landed"):
        publish(world, replace(row, commit=world.project.git("rev-parse", "HEAD")))
    assert (BRANCH in world.branches(), world.fake.writes()) == (False, [])


def test_a_body_somebody_edited_is_written_anew_and_the_account_decides_whose_it_is(world: World) -> None:
    row = landed(world)
    publish(world, row)
    (pull,) = world.fake.pulls.values()
    pull["body"] = pull["body"].replace("exactly", "hardly").replace("is what", "was what")
    assert publish(world, row).fate is Fate.PUBLISHED
    assert "is what is on this branch" in pull["body"]
    assert pull["user"]["login"] == BOT
