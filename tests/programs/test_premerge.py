"""The merge of a head into its base is judged: by the base's rules, as one tree, and what lands is what was judged."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.actions.registry import ACTIONS
from dev_agent.programs.builtin import PREMERGE, builtin_program, builtin_text
from dev_agent.programs.folders import find_run
from dev_agent.programs.merge_report import MergeReport
from dev_agent.programs.premerge import MergeRequest, judge_merge
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.replay import replay
from dev_agent.programs.report import Outcome
from dev_agent.programs.verify import verify_run
from dev_agent.repository.discovery import discover
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.errors import ProgramRefused
from dev_agent.runtime.program import load_program
from dev_agent.runtime.validation import prove
from tests.programs.conftest import FILES, NO_GATES, TESTS_ONLY, Shop, Watching
from tests.testing.children import in_child

CART = "src/shop/cart.py"
SUM, OTHER_SUM, WRONG_SUM = b"sum(prices)", b"sum(p for p in prices)", b"sum(prices) + 1"


def of_base(path: str) -> bytes:
    content = FILES[path]
    assert isinstance(content, bytes)
    return content


BETTER, WORSE = of_base(CART).replace(SUM, OTHER_SUM), of_base(CART).replace(SUM, WRONG_SUM)
LAX = NO_GATES.replace("[on]", '[on]\nci_files = "allow"\npolicy_files = "allow"').encode()


def judged(
    shop: Shop,
    base: str = "main",
    head: str = "topic",
    *,
    policy: str | None = NO_GATES,
    where: Path | None = None,
    reporter: Reporter | None = None,
    **more: object,
) -> MergeReport:
    request = MergeRequest(
        base=base,
        head=head,
        policy=shop.policy(policy) if policy and "\n" in policy else policy,
        **more,  # type: ignore[arg-type]  # keywords of the request
    )
    return judge_merge(
        discover(where or shop.root, shop.project.environ),
        request,
        environ=shop.project.environ,
        reporter=reporter or Reporter(),
        cancel=shop.cancel,
    )


def diverged(shop: Shop, files: dict[str, bytes], *, on_main: dict[str, bytes] | None = None) -> str:
    """`topic` with `files`, `main` gone on by itself; back on main. The head's id."""
    shop.project.git("checkout", "--quiet", "-b", "topic")
    head = shop.project.commit("topic", dict(files))
    shop.project.git("checkout", "--quiet", "main")
    shop.project.commit("main goes on", dict(on_main or {"main.txt": b"1\n"}))
    return head


def test_the_merge_is_judged_and_nothing_of_the_users_moves(shop: Shop) -> None:
    head = diverged(shop, {CART: BETTER})
    before = shop.project.snapshot()
    report = judged(shop, policy=TESTS_ONLY)
    assert (report.run.outcome, report.exit_code, report.passed) == (Outcome.VERIFIED, 0, True), report
    assert report.head == head
    assert report.run.files == (CART,)
    assert shop.project.git("rev-parse", f"{report.commit}^1", f"{report.commit}^2").split() == [
        report.base,
        head,
    ]
    assert shop.project.git("show", f"{report.tree}:main.txt") == "1"
    assert {one["name"]: one["verdict"] for one in report.run.gates} == {
        "types": "skipped",
        "tests": "passed",
    }
    assert shop.project.snapshot() == before
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run.run)).ok


def test_a_semantic_conflict_that_neither_side_shows_is_red(shop: Shop) -> None:
    """Each side passes alone: main asserts the old sum, topic changes it together with its own test."""
    extra = b"from shop.cart import total\n\n\ndef test_more() -> None:\n    assert total([]) == 0\n"
    diverged(
        shop,
        {CART: WORSE, "tests/test_cart.py": b"def test_none() -> None:\n    pass\n"},
        on_main={"tests/test_more.py": extra},
    )
    report = judged(
        shop, policy=TESTS_ONLY.replace("[on]", '[on]\ntests_removed = "allow"\ntests_weakened = "allow"')
    )
    assert (report.run.outcome, report.run.reason, report.exit_code) == (Outcome.REJECTED, "tests_failed", 1)
    assert "tests/test_more.py::test_more" in [one["id"] for one in report.run.gates[-1]["new_failures"]]


def test_a_failure_of_the_base_is_not_held_against_the_head(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"}, on_main={CART: WORSE})
    report = judged(shop, policy=TESTS_ONLY)
    assert report.passed
    assert report.run.gates[-1]["preexisting"] == 1


def test_a_head_built_on_the_base_is_itself_the_tested_commit(shop: Shop) -> None:
    shop.project.git("checkout", "--quiet", "-b", "topic")
    head = shop.project.commit("topic", {"notes.txt": b"other\n"})
    assert judged(shop).commit == head
    own = judged(shop, own_commit=True)
    assert own.commit != head
    assert own.tree == shop.project.tree(head)


def test_conflicts_are_a_verdict_with_their_paths(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"theirs\n", "a\tb": b"1"}, on_main={"notes.txt": b"ours\n", "a\tb": b"2"})
    before = shop.project.snapshot()
    report = judged(shop)
    assert (report.run.outcome, report.run.reason, report.exit_code) == (Outcome.REJECTED, "conflict", 1)
    assert report.conflicts == ("a\tb", "notes.txt")
    assert report.to_json()["conflicts"] == ["a\tb", "notes.txt"]
    assert "merge the base into the head" in report.run.advice
    assert shop.project.snapshot() == before


def test_a_head_the_base_holds_already_is_nothing_to_do(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    shop.project.git("merge", "--quiet", "topic")
    report = judged(shop)
    assert (report.run.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0)


def test_histories_without_a_common_commit_are_refused_with_a_remedy(shop: Shop) -> None:
    lone = shop.project.git("commit-tree", shop.project.tree(), "-m", "lone")
    report = judged(shop, head=lone)
    assert (report.run.reason, report.exit_code) == ("conflict", 1)
    assert "no commit in common" in report.run.explanation


@pytest.mark.parametrize(
    ("base", "head"), [("main", "nowhere"), ("nowhere", "main"), ("--all", "main"), ("", "main")]
)
def test_a_name_that_is_no_commit_is_told_before_a_run_exists(shop: Shop, base: str, head: str) -> None:
    with pytest.raises(UsageFault) as told:
        judged(shop, base, head)
    assert "is no commit here" in told.value.message
    assert "git fetch" in told.value.hint
    assert not (shop.root / ".git/dev-agent/runs").exists()


def test_a_head_that_brings_its_own_policy_workflow_and_settings_is_judged_by_the_bases(shop: Shop) -> None:
    """Whatever the head says about its judge counts after it landed, if it lands; here it is refused, and named."""
    attack = {
        "dev-agent.toml": b'policy = "lax.toml"\n[gates.tests]\nenabled = false\n',
        "lax.toml": LAX,
        ".github/workflows/ci.yml": b"on: push\n",
        "pyproject.toml": of_base("pyproject.toml") + b'addopts = "--collect-only"\n',
        "conftest.py": b"def pytest_collection_modifyitems(items):\n    items.clear()\n",
    }
    diverged(shop, {CART: WORSE, **attack})
    report = judged(shop, policy=None)
    assert (report.run.outcome, report.run.reason) == (Outcome.REJECTED, "policy_denied")
    assert report.run.policy["name"] == "default"
    flagged = {one["rule"] for one in report.own_judge}
    assert flagged == {"on.policy_files", "on.gate_configuration", "on.conftest_changed", "on.ci_files"}


def test_even_where_policy_lets_it_change_the_judge_the_bases_tests_judge_it(shop: Shop) -> None:
    permissive = TESTS_ONLY.replace(
        "[on]", '[on]\nconftest_changed = "allow"\npolicy_files = "allow"\nci_files = "allow"'
    )
    empties = b"def pytest_collection_modifyitems(items):\n    items.clear()\n"
    diverged(
        shop, {CART: WORSE, "conftest.py": empties, "dev-agent.toml": b"[gates.tests]\nenabled = false\n"}
    )
    report = judged(shop, policy=permissive)
    assert report.run.outcome is Outcome.REJECTED
    assert report.run.reason in {"tests_failed", "tests_error"}
    assert {one["rule"] for one in report.own_judge} == {"on.conftest_changed", "on.policy_files"}


def test_policy_that_asks_leaves_the_merge_to_a_person(shop: Shop) -> None:
    diverged(shop, {"run.sh": b"echo\n"})
    shop.project.git("checkout", "--quiet", "topic")
    shop.project.commit("mode", {"run.sh": ("100755", b"echo\n")})
    shop.project.git("checkout", "--quiet", "main")
    asking = NO_GATES.replace("[on]", '[on]\nexecutables_added = "ask"')
    report = judged(shop, policy=asking)
    assert (report.run.outcome, report.exit_code, report.passed) == (Outcome.SUSPENDED, 5, False)
    again = shop.decide(report.run.run, approved=True)
    assert (again.outcome, again.tree) == (Outcome.VERIFIED, report.tree)


def test_landing_moves_the_base_to_the_tested_commit_and_files_follow(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    report = judged(shop, land=True)
    assert (report.run.outcome, report.exit_code, report.run.branch) == (Outcome.COMMITTED, 0, "main")
    assert shop.project.git("rev-parse", "main") == report.commit
    assert (shop.root / "notes.txt").read_bytes() == b"other\n"
    assert shop.project.git("status", "--porcelain") == ""
    assert f"Dev-Agent-Run: {report.run.run}" in shop.project.git("log", "-1", "--format=%B")
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run.run)).ok


def test_a_red_merge_does_not_land(shop: Shop) -> None:
    diverged(shop, {CART: WORSE})
    before = shop.project.snapshot()
    assert judged(shop, policy=TESTS_ONLY, land=True).exit_code == 1
    assert shop.project.snapshot() == before


def test_a_base_that_is_no_branch_takes_no_landing(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    with pytest.raises(UsageFault, match="is no branch"):
        judged(shop, base=shop.project.git("rev-parse", "main"), land=True)


def test_a_base_that_moved_meanwhile_is_merged_and_judged_again(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    judged_trees: list[str] = []

    def move() -> None:
        shop.project.git("checkout", "--quiet", "--detach")
        tree = shop.project.git("rev-parse", "main^{tree}")
        moved = shop.project.git("commit-tree", tree, "-p", "main", "-m", "faster")
        judged_trees.append(moved)
        shop.project.git("update-ref", "refs/heads/main", moved)

    shop.project.git("checkout", "--quiet", "--detach")
    report = judged(shop, land=True, reporter=Watching("land", move))
    assert report.run.outcome is Outcome.COMMITTED
    assert report.base == judged_trees[0]
    assert shop.project.git("rev-parse", "main", "main^1").split() == [report.commit, judged_trees[0]]


def move_main(shop: Shop, files: dict[str, bytes]) -> None:
    """Somebody is faster: main gets a commit with `files`, without a work tree."""
    shop.project.git("checkout", "--quiet", "--detach", "main")
    moved = shop.project.commit("faster", dict(files))
    shop.project.git("update-ref", "refs/heads/main", moved)


def test_a_base_that_moved_and_brings_other_rules_ends_the_run(shop: Shop) -> None:
    """A run is judged by one policy. The new one may refuse what the old one let through."""
    shop.project.commit("rules", {"dev-agent.toml": b'policy = "rules.toml"\n', "rules.toml": LAX})
    diverged(shop, {"notes.txt": b"other\n"})
    shop.project.git("checkout", "--quiet", "--detach")
    stricter = LAX.replace(b"[on]", b'[scope]\ndeny = ["notes.txt"]\n[on]')
    faster = Watching("land", lambda: move_main(shop, {"rules.toml": stricter}))
    report = judged(shop, policy=None, land=True, reporter=faster)
    assert (report.run.outcome, report.run.reason) == (Outcome.REJECTED, "conflict")
    assert report.conflicts == ("rules.toml",)
    assert shop.project.git("log", "-1", "--format=%s", "main") == "faster"


def test_a_base_that_moved_into_a_conflict_or_was_rewritten_takes_nothing(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    shop.project.git("checkout", "--quiet", "--detach")
    report = judged(
        shop, land=True, reporter=Watching("land", lambda: move_main(shop, {"notes.txt": b"3\n"}))
    )
    assert (report.run.reason, report.conflicts) == ("conflict", ("notes.txt",))

    def rewrite() -> None:
        shop.project.git("update-ref", "refs/heads/main", "main~1")

    shop.project.git("update-ref", "refs/heads/main", "main~1")
    report = judged(shop, land=True, reporter=Watching("land", rewrite))
    assert (report.run.reason, report.conflicts) == ("conflict", ())
    assert "rewritten" in report.run.explanation


def test_a_base_that_took_the_head_meanwhile_needs_no_landing(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    shop.project.git("checkout", "--quiet", "--detach")

    def merge() -> None:
        shop.project.git("checkout", "--quiet", "--detach", "main")
        shop.project.git("merge", "--quiet", "topic")
        shop.project.git("update-ref", "refs/heads/main", "HEAD")

    assert judged(shop, land=True, reporter=Watching("land", merge)).run.outcome is Outcome.NO_CHANGE


def test_a_base_that_never_rests_is_left_to_the_caller(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    shop.project.git("checkout", "--quiet", "--detach")

    def move() -> None:
        moved = shop.project.git("commit-tree", "main^{tree}", "-p", "main", "-m", "faster")
        shop.project.git("update-ref", "refs/heads/main", moved)

    report = judged(shop, land=True, reporter=Watching("land", move, times=99))
    assert (report.run.outcome, report.run.reason, report.exit_code) == (Outcome.KEPT, "branch_busy", 6)


def test_a_head_that_moved_meanwhile_is_superseded_and_does_not_land(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    main = shop.project.git("rev-parse", "main")

    def push_again() -> None:
        newer = shop.project.git("commit-tree", "topic^{tree}", "-p", "topic", "-m", "newer")
        shop.project.git("update-ref", "refs/heads/topic", newer)

    report = judged(shop, land=True, reporter=Watching("check", push_again))
    assert (report.run.reason, report.exit_code, report.passed) == ("superseded", 130, False)
    assert shop.project.git("rev-parse", "main") == main


def test_a_head_that_moved_while_it_was_only_judged_is_superseded_too(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})

    def push_again() -> None:
        newer = shop.project.git("commit-tree", "topic^{tree}", "-p", "topic", "-m", "newer")
        shop.project.git("update-ref", "refs/heads/topic", newer)

    report = judged(shop, reporter=Watching("check", push_again))
    assert (report.run.outcome, report.exit_code, report.passed) == (Outcome.VERIFIED, 130, False)
    assert "is at" in report.superseded


def with_remote(shop: Shop) -> Path:
    """A bare `origin` with main and topic as they are here, and its remote-tracking branches."""
    bare = shop.root.parent / "origin.git"
    shop.project.git("clone", "--quiet", "--bare", str(shop.root), str(bare))
    shop.project.git("remote", "add", "origin", str(bare))
    shop.project.git("fetch", "--quiet", "origin")
    return bare


def test_landing_on_a_remote_pushes_the_tested_commit_with_a_lease(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    bare = with_remote(shop)
    before = shop.project.git("rev-parse", "main")
    report = judged(shop, base="origin/main", land=True)
    assert (report.run.outcome, report.run.branch) == (Outcome.COMMITTED, "main")
    assert shop.project.git("--git-dir", str(bare), "rev-parse", "main") == report.commit
    assert shop.project.git("rev-parse", "main") == before
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run.run)).ok


def test_a_remote_that_moved_is_fetched_merged_and_judged_again(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    bare = with_remote(shop)

    def move() -> None:
        git = shop.project.git
        tree = git("--git-dir", str(bare), "rev-parse", "main^{tree}")
        moved = git("--git-dir", str(bare), "commit-tree", tree, "-p", "main", "-m", "faster")
        git("--git-dir", str(bare), "update-ref", "refs/heads/main", moved)

    report = judged(shop, base="origin/main", land=True, reporter=Watching("push", move))
    assert report.run.outcome is Outcome.COMMITTED
    log = shop.project.git("--git-dir", str(bare), "log", "-2", "--first-parent", "--format=%s", "main")
    assert log.splitlines() == ["Merge topic into origin/main", "faster"]


def test_a_remote_that_refuses_is_told_and_stays(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    bare = with_remote(shop)
    hook = bare / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    main = shop.project.git("rev-parse", "origin/main")
    report = judged(shop, base="origin/main", land=True)
    assert (report.run.outcome, report.run.reason) == (Outcome.REJECTED, "push_refused")
    assert "protected branch" in report.run.explanation
    assert shop.project.git("--git-dir", str(bare), "rev-parse", "main") == main


def test_a_bare_repository_judges_and_lands_too(shop: Shop) -> None:
    diverged(shop, {CART: BETTER})
    bare = with_remote(shop)
    report = judged(shop, where=bare, policy=TESTS_ONLY, land=True)
    assert (report.run.outcome, report.run.branch) == (Outcome.COMMITTED, "main"), report
    assert [one["verdict"] for one in report.run.gates] == ["skipped", "passed"]
    assert shop.project.git("--git-dir", str(bare), "rev-parse", "main") == report.commit


def test_a_landed_merge_can_be_undone_here_and_is_explained_elsewhere(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    with_remote(shop)
    before = shop.project.tree("main")
    landed = judged(shop, land=True)
    assert shop.undo(landed.run.run).outcome is Outcome.COMMITTED
    assert shop.project.tree("main") == before
    pushed = judged(shop, base="origin/main", land=True)
    with pytest.raises(UsageFault) as told:
        shop.undo(pushed.run.run)
    assert "landed on origin" in told.value.message
    assert f"git revert -m 1 {pushed.commit}" in told.value.hint


def test_a_person_who_agrees_lets_exactly_that_merge_land(shop: Shop) -> None:
    diverged(shop, {"tests/test_new.py": b"def test_new() -> None:\n    assert 1\n"})
    report = judged(shop, policy=NO_GATES.replace("[on]", '[on]\ntests_added = "ask"'), land=True)
    assert report.run.outcome is Outcome.SUSPENDED
    assert shop.decide(report.run.run, approved=True).outcome is Outcome.COMMITTED
    assert shop.project.tree("main") == report.tree


def test_killed_after_the_remote_took_it_the_run_finds_it_there(shop: Shop) -> None:
    """The remote's own hook kills the agent once its branch has moved."""
    diverged(shop, {"notes.txt": b"other\n"})
    bare, pid = with_remote(shop), shop.root.parent / "pid"
    hook = bare / "hooks/post-update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nkill -9 $(cat {pid})\n")
    hook.chmod(0o755)
    policy = shop.policy(NO_GATES)

    def body() -> None:
        pid.write_text(str(os.getpid()), encoding="ascii")
        judged(shop, base="origin/main", land=True, policy=policy)

    assert in_child(body) == signal.SIGKILL
    moved = shop.project.git("--git-dir", str(bare), "rev-parse", "main")
    hook.unlink()
    report = shop.resume("last")
    assert (report.outcome, report.commit) == (Outcome.COMMITTED, moved)
    assert shop.project.git("--git-dir", str(bare), "rev-parse", "main") == moved


def test_a_replay_of_a_landing_publishes_nothing_again(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    bare = with_remote(shop)
    report = judged(shop, base="origin/main", land=True)
    shop.project.git("--git-dir", str(bare), "update-ref", "refs/heads/main", f"{report.commit}^1")
    repository = shop.repository()
    found = replay(
        repository,
        find_run(repository, report.run.run),
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=shop.cancel,
    )
    assert found.same, found
    assert shop.project.git("--git-dir", str(bare), "rev-parse", "main") == report.base


@pytest.mark.parametrize("state", ["begin", "stage", "check_policy", "check", "look_again", "push"])
def test_killed_in_any_state_it_goes_on_to_the_same_end(shop: Shop, state: str) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    bare = with_remote(shop)
    policy = shop.policy(NO_GATES)

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def body() -> None:
        judged(shop, base="origin/main", land=True, policy=policy, reporter=Watching(state, die))

    assert in_child(body) == signal.SIGKILL
    recover_everything(shop.repository())
    report = shop.resume("last")
    assert report.outcome is Outcome.COMMITTED
    assert shop.project.git("--git-dir", str(bare), "rev-parse", "main") == report.commit


@pytest.mark.parametrize(
    ("old", "new", "invariant"),
    [
        ('failed = "rejected", error = "rejected" }', 'failed = "consent", error = "rejected" }', "nothing"),
        ('land = "look_again"', 'land = "land"', "still stands"),
    ],
)
def test_a_premerge_with_a_way_around_its_judge_does_not_load(old: str, new: str, invariant: str) -> None:
    text = builtin_text(PREMERGE)
    actions = {name: action.unbound() for name, action in ACTIONS.items()}
    prove(builtin_program(PREMERGE), actions)
    assert text.count(old) == 1
    with pytest.raises(ProgramRefused) as told:
        prove(load_program(text.replace(old, new), source="test"), actions)
    assert any(invariant in fault.message for fault in told.value.faults), told.value.faults


def test_what_the_report_says_of_a_merge_comes_back_from_its_trace(shop: Shop) -> None:
    diverged(shop, {"notes.txt": b"other\n"})
    report = judged(shop)
    assert report.to_json()["head"] == report.head
    assert replace(report, superseded="x").exit_code == 130
