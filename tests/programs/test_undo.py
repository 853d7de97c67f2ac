"""Taking a landed change back: a landing of its own, judged where the result is new, refused only on a conflict."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev_agent.errors import UsageFault
from dev_agent.programs.actions.registry import ACTIONS
from dev_agent.programs.builtin import UNDO, builtin_program, builtin_text
from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.proof import Mark
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.runs import diff_of, read_run
from dev_agent.programs.verify import verify_run
from dev_agent.repository import receipts
from dev_agent.repository.anchors import anchors_of
from dev_agent.runtime.errors import ProgramRefused
from dev_agent.runtime.program import load_program
from dev_agent.runtime.validation import prove
from tests.programs.conftest import BETTER, HARMLESS, NO_GATES, TESTS_ONLY, Shop, Watching, replacing
from tests.programs.test_interrupted import Dying
from tests.testing.children import in_child
from tests.testing.repos import File, make_repository

PROTECTED = NO_GATES + '[scope]\nprotected = ["notes.txt"]\n'
DENIED = NO_GATES + '[scope]\ndeny = ["notes.txt"]\n'
BINARY = b"\x00\x01\xff\xfe\r\n\x00" * 9


def landed(shop: Shop, patch: bytes = HARMLESS, *, policy: str = NO_GATES) -> RunReport:
    report = shop.apply(patch, policy=policy)
    assert report.outcome is Outcome.COMMITTED, report
    return report


def index(shop: Shop) -> bytes:
    """The user's index, entry by entry with all flags."""
    return shop.project.git_bytes("ls-files", "--stage", "-v", "-z")


def files(shop: Shop) -> dict[str, tuple[str, str]]:
    """Everything in the work tree: kind, mode and bytes."""
    return {
        path: state[:2] for path, state in shop.project.snapshot().items() if not path.startswith(".git/")
    }


def git_patch(shop: Shop, changes: Mapping[str, File | None]) -> bytes:
    """The patch git makes of some changes, renames found; everything is put back afterwards."""
    base = shop.head()
    shop.project.commit("draft", changes)
    patch = shop.project.git_bytes("diff", "-M", base, "HEAD")
    shop.project.git("reset", "--quiet", "--hard", base)
    return patch


def test_an_undo_is_one_commit_that_restores_the_tree(shop: Shop) -> None:
    base, tree = shop.head(), shop.project.tree()
    applied = landed(shop)
    report = shop.undo(applied.run)
    assert (report.outcome, report.exit_code) == (Outcome.COMMITTED, 0), report
    assert shop.project.tree() == tree == report.tree
    assert shop.project.git("rev-list", f"{base}..HEAD").split() == [report.commit, applied.commit]
    assert shop.status() == ""
    assert report.files == ("notes.txt",)


def test_the_message_says_what_is_reverted_and_by_which_run(shop: Shop) -> None:
    applied = shop.apply(HARMLESS, task="Count in digits")
    report = shop.undo("last")
    message = shop.project.git("log", "-1", "--format=%B").splitlines()
    assert message[0] == 'Revert "Count in digits"'
    assert f"This reverts commit {applied.commit}." in message
    assert f"Dev-Agent-Undoes: {applied.commit}" in message
    assert f"Dev-Agent-Run: {report.run}" in message


def test_an_undo_has_its_own_proof(shop: Shop) -> None:
    applied = landed(shop)
    report = shop.undo(applied.run)
    assert report.commit
    checked = verify_run(shop.repository(), find_run(shop.repository(), report.run))
    assert {check.name: check.mark for check in checked.checks} == {
        "chain": Mark.OK,
        "anchors": Mark.OK,
        "receipt": Mark.OK,
        "signature": Mark.UNCHECKED,
        "commit": Mark.OK,
        "attached receipt": Mark.OK,
        "anchored landing": Mark.OK,
    }
    assert [one.phase for one in anchors_of(shop.repository(), report.run)] == ["start", "landing", "end"]
    stored = receipts.read(shop.repository(), report.commit)
    assert stored is not None
    predicate = json.loads(stored.receipt)["predicate"]
    assert predicate["program"]["name"] == "undo"
    assert predicate["undoes"]["run"] == applied.run
    assert predicate["undoes"]["commit"] == {"gitCommit": applied.commit}
    assert predicate["undoes"]["actor"] == "Rita Reviewer"
    assert predicate["gates"] == []
    assert b"-2\n+two\n" in diff_of(find_run(shop.repository(), report.run))


def test_restoring_the_base_is_judged_by_nobody_even_where_the_base_was_red(shop: Shop) -> None:
    shop.project.commit(
        "break", {"src/shop/cart.py": b"def total(p: list[int]) -> int:\n    return 0\n\n\n"
                                      b"def count(p: list[int]) -> int:\n    return len(p)\n"}
    )  # fmt: skip
    applied = landed(shop, replacing("src/shop/cart.py", "    return 0\n", "    return sum(p)\n"))
    report = shop.undo(applied.run, policy=TESTS_ONLY)
    assert (report.outcome, report.gates) == (Outcome.COMMITTED, ())
    assert any("exactly the tree" in note for note in report.notes)


def test_a_new_tree_is_judged_and_refused_like_any_change(shop: Shop) -> None:
    applied = landed(shop, b"src/shop/rate.py\n<<<<<<< SEARCH\n=======\nRATE: int = 2\n>>>>>>> REPLACE\n")
    used = b"from shop.rate import RATE\n\n\ndef test_rate() -> None:\n    assert RATE\n"
    shop.project.commit("use it", {"tests/test_rates.py": used})
    before = shop.project.snapshot()
    report = shop.undo(applied.run, policy=TESTS_ONLY)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "tests_failed", 1)
    assert shop.project.snapshot() == before


def test_a_new_tree_that_passes_lands(shop: Shop) -> None:
    applied = landed(shop, BETTER)
    shop.project.commit("elsewhere", {"notes.txt": b"one\ntwo\nthree\nfour\n"})
    report = shop.undo(applied.run, policy=TESTS_ONLY)
    assert report.outcome is Outcome.COMMITTED, report
    assert ("tests", "passed") in [(gate["name"], gate["verdict"]) for gate in report.gates]
    assert "price for price" not in (shop.root / "src/shop/cart.py").read_text()
    assert (shop.root / "notes.txt").read_bytes().endswith(b"four\n")


@pytest.mark.parametrize(("policy", "verdict"), [(PROTECTED, "ask"), (DENIED, "deny")])
def test_policy_is_told_and_does_not_stop_a_person(shop: Shop, policy: str, verdict: str) -> None:
    applied = landed(shop)
    shop.project.commit("elsewhere", {"other.txt": b"x\n"})
    report = shop.undo(applied.run, policy=policy)
    assert (report.outcome, report.policy["verdict"]) == (Outcome.COMMITTED, verdict), report
    assert any("whoever undoes a run" in note for note in report.notes)
    assert any(finding["verdict"] == verdict for finding in report.policy["findings"])


def test_a_feature_goes_with_the_tests_it_brought(shop: Shop) -> None:
    feature = git_patch(
        shop,
        {
            "src/shop/rate.py": b"RATE: int = 2\n",
            "tests/test_rate.py": b"from shop.rate import RATE\n\n\ndef test_rate() -> None:\n    assert RATE\n",
        },
    )
    applied = landed(shop, feature)
    shop.project.commit("elsewhere", {"notes.txt": b"other\n"})
    report = shop.undo(applied.run, policy="default")
    assert (report.outcome, report.policy["verdict"]) == (Outcome.COMMITTED, "deny"), report
    assert not (shop.root / "tests/test_rate.py").exists()


def test_a_later_change_of_the_same_lines_is_a_conflict_that_says_where(shop: Shop) -> None:
    applied = landed(shop)
    shop.project.commit("again", {"notes.txt": b"one\nzwei\nthree\n"})
    before = shop.project.snapshot()
    report = shop.undo(applied.run)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "conflict", 1)
    assert "notes.txt" in report.explanation
    assert "git revert" in report.advice
    assert shop.project.snapshot() == before


def test_a_conflict_names_every_place_and_what_is_gone_already_is_none(shop: Shop) -> None:
    """Changed since in two files; the third, which the run made, was deleted since, as the undo would."""
    names = b'GREETING: str = "hello"\n'
    change = {"notes.txt": b"one\n2\nthree\n", "src/shop/names.py": names + b"A: int = 1\n", "new": b"n\n"}
    applied = landed(shop, git_patch(shop, change))
    since = {"notes.txt": b"one\nzwei\nthree\n", "src/shop/names.py": names + b"A: int = 2\n", "new": None}
    shop.project.commit("since", since)
    before = shop.project.snapshot()
    report = shop.undo(applied.run)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "conflict"), report
    assert "notes.txt, src/shop/names.py" in report.explanation
    assert "new" not in report.explanation.replace("notes", "")
    assert shop.project.snapshot() == before


def test_an_undo_can_be_undone_and_then_the_change_again(shop: Shop) -> None:
    applied = landed(shop)
    changed = shop.project.tree()
    undone = shop.undo(applied.run)
    again = shop.undo(undone.run)
    assert (again.outcome, shop.project.tree()) == (Outcome.COMMITTED, changed)
    assert shop.project.git("log", "-1", "--format=%s") == 'Revert "Revert "Change something""'
    third = shop.undo(applied.run)
    assert (third.outcome, shop.project.tree()) == (Outcome.COMMITTED, shop.project.tree("HEAD~4"))


def test_what_was_undone_already_is_refused_and_names_the_undo(shop: Shop) -> None:
    applied = landed(shop)
    undone = shop.undo(applied.run)
    before, runs = shop.project.snapshot(), all_runs(shop.repository())
    with pytest.raises(UsageFault, match="undone already") as caught:
        shop.undo(applied.run)
    assert undone.run in caught.value.hint
    assert (shop.project.snapshot(), all_runs(shop.repository())) == (before, runs)


def test_a_change_reverted_by_hand_leaves_nothing_to_undo(shop: Shop) -> None:
    applied = landed(shop)
    shop.project.git("revert", "--no-edit", "HEAD")
    before = shop.project.snapshot()
    report = shop.undo(applied.run)
    assert (report.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0)
    assert "left to undo" in report.explanation
    assert shop.project.snapshot() == before


def test_a_run_that_never_landed_is_refused(shop: Shop) -> None:
    report = shop.apply(HARMLESS, dry_run=True)
    before, runs = shop.project.snapshot(), all_runs(shop.repository())
    with pytest.raises(UsageFault, match="landed nothing that could be undone: it ended in verified"):
        shop.undo(report.run)
    assert (shop.project.snapshot(), all_runs(shop.repository())) == (before, runs)


def test_an_undo_that_was_cut_off_and_is_undone_is_told_how_it_goes_on(shop: Shop) -> None:
    applied = landed(shop)

    def killed() -> None:
        shop.undo(applied.run, reporter=Dying("consent", when="entered"))

    assert in_child(killed) != 0
    cut_off = find_run(shop.repository(), "last").run
    with pytest.raises(UsageFault, match="it stands in consent") as refused:
        shop.undo("last")
    assert f"it takes back run {applied.run}" in refused.value.hint
    assert f"dev-agent resume {cut_off}" in refused.value.hint


def test_a_commit_that_was_rebased_away_is_refused(shop: Shop) -> None:
    applied = landed(shop)
    shop.project.git("commit", "--quiet", "--amend", "-m", "my own words")
    before, runs = shop.project.snapshot(), all_runs(shop.repository())
    with pytest.raises(UsageFault, match="is not on main any more") as caught:
        shop.undo(applied.run)
    assert applied.run in caught.value.hint
    assert (shop.project.snapshot(), all_runs(shop.repository())) == (before, runs)


def test_a_change_of_another_branch_is_undone_there(shop: Shop) -> None:
    main = shop.project.tree()
    applied = shop.apply(HARMLESS, branch="side")
    before = files(shop), index(shop), shop.head()
    report = shop.undo(applied.run)
    assert (report.outcome, report.branch) == (Outcome.COMMITTED, "side")
    assert shop.project.tree("side") == main
    assert (files(shop), index(shop), shop.head()) == before


def test_a_branch_that_is_gone_is_named(shop: Shop) -> None:
    applied = shop.apply(HARMLESS, branch="side")
    shop.project.git("branch", "-D", "side")
    with pytest.raises(UsageFault, match="the branch side"):
        shop.undo(applied.run)


def test_uncommitted_work_in_the_way_keeps_the_undo_and_it_lands_later(shop: Shop) -> None:
    tree = shop.project.tree()
    applied = landed(shop)
    shop.project.write("notes.txt", b"one\n2\nthree\nmine\n")
    before = shop.project.snapshot()
    report = shop.undo(applied.run)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.KEPT, "dirty-overlap", 6)
    assert shop.project.snapshot() == before
    shop.project.git("checkout", "--", "notes.txt")
    resumed = shop.resume(report.run)
    assert (resumed.outcome, shop.project.tree()) == (Outcome.COMMITTED, tree)
    assert shop.status() == ""


def test_uncommitted_work_elsewhere_stays(shop: Shop) -> None:
    applied = landed(shop)
    shop.project.write("mine.txt", b"mine\n")
    shop.project.write("src/shop/names.py", b"staged = 1\n")
    shop.project.git("add", "src/shop/names.py")
    status = shop.status()
    assert shop.undo(applied.run).outcome is Outcome.COMMITTED
    assert shop.status() == status


def test_a_branch_that_moves_meanwhile_is_followed_and_judged(shop: Shop) -> None:
    applied = landed(shop)
    mover = Watching("land", lambda: shop.project.commit("faster", {"other.txt": b"x\n"}))
    report = shop.undo(applied.run, reporter=mover)
    assert report.outcome is Outcome.COMMITTED, report
    path = [step.state for step in read_run(find_run(shop.repository(), report.run)).path]
    assert path[-5:] == ["rebase", "check_policy", "check", "consent", "land"]
    assert (shop.root / "other.txt").exists()
    assert (shop.root / "notes.txt").read_bytes() == b"one\ntwo\nthree\n"
    assert not any("exactly the tree" in note for note in report.notes)


@pytest.mark.kill
@pytest.mark.parametrize("when", ["entered", "left"])
@pytest.mark.parametrize("state", ["begin", "stage", "hooks", "check_policy", "check", "consent", "land"])
def test_killed_in_any_state_the_undo_can_be_resumed(shop: Shop, state: str, when: str) -> None:
    applied = landed(shop)
    judged = state in {"hooks", "check_policy", "check"}
    if judged:
        shop.project.commit("elsewhere", {"other.txt": b"x\n"})
    before, count = shop.project.snapshot(), int(shop.project.git("rev-list", "--count", "HEAD"))
    status = in_child(lambda: shop.undo(applied.run, reporter=Dying(state, when=when)))
    assert os.WIFSIGNALED(status)
    folder = all_runs(shop.repository())[0]
    if (state, when) == ("land", "left"):
        recover_everything(shop.repository())
        assert read_run(folder).report.outcome is Outcome.COMMITTED
    else:
        assert shop.project.snapshot() == before
    report = shop.resume(folder.run)
    assert report.outcome is Outcome.COMMITTED, report
    assert int(shop.project.git("rev-list", "--count", "HEAD")) == count + 1
    assert (shop.root / "notes.txt").read_bytes() == b"one\ntwo\nthree\n"
    assert (shop.status(), verify_run(shop.repository(), folder).ok) == ("", True)


def test_a_dry_run_shows_and_lands_nothing(shop: Shop) -> None:
    applied = landed(shop)
    before = shop.project.snapshot()
    report = shop.undo(applied.run, dry_run=True)
    assert (report.outcome, report.exit_code) == (Outcome.VERIFIED, 0)
    assert shop.project.snapshot() == before


def test_the_first_commit_of_a_repository_can_be_undone(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    shop = Shop(project=make_repository(tmp_path, name="empty"), policies=tmp_path / "policies")
    applied = landed(shop, b"--- /dev/null\n+++ b/a.txt\n@@ -0,0 +1 @@\n+a\n")
    report = shop.undo(applied.run)
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("a.txt",)), report
    assert shop.project.git("ls-tree", "-r", "HEAD") == ""
    assert not (shop.root / "a.txt").exists()


def test_a_base_without_tests_does_not_stop_going_back(shop: Shop) -> None:
    wants_tests = 'name = "t"\nversion = 1\n[gates]\ntypes = "off"\nno_tests = "deny"\n[on]\n'
    tree = shop.project.tree()
    applied = landed(
        shop, git_patch(shop, {"tests/test_cart.py": None}), policy=NO_GATES + 'tests_removed = "allow"\n'
    )
    report = shop.undo(applied.run, policy=wants_tests)
    assert (report.outcome, shop.project.tree()) == (Outcome.COMMITTED, tree), report


def test_a_base_without_tests_is_held_against_a_new_tree(shop: Shop) -> None:
    wants_tests = 'name = "t"\nversion = 1\n[gates]\ntypes = "off"\nno_tests = "deny"\n[on]\n'
    applied = landed(
        shop, git_patch(shop, {"tests/test_cart.py": None}), policy=NO_GATES + 'tests_removed = "allow"\n'
    )
    shop.project.commit("elsewhere", {"other.txt": b"x\n"})
    before = shop.project.snapshot()
    report = shop.undo(applied.run, policy=wants_tests)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "no_tests"), report
    assert shop.project.snapshot() == before


START: dict[str, File] = {
    "text.txt": b"one\ntwo\nthree\nfour\nfive\n",
    "crlf.txt": b"one\r\ntwo\r\n",
    "no-newline": b"x",
    "dir/blob.bin": BINARY,
    "dir/run.sh": ("100755", b"#!/bin/sh\n"),
    "deep/er/only": b"alone\n",
    "link": ("120000", b"text.txt"),
}
CHANGES: dict[str, dict[str, File | None]] = {
    "modified": {"text.txt": b"one\nTWO\nthree\nfour\nfive\nsix\n"},
    "crlf modified": {"crlf.txt": b"one\r\n2\r\n"},
    "newline added": {"no-newline": b"x\n"},
    "binary renamed": {"dir/blob.bin": None, "moved/blob.bin": BINARY},
    "mode changed": {"dir/run.sh": b"#!/bin/sh\n"},
    "last of a folder deleted": {"deep/er/only": None},
    "created in new folders": {"new/er/file.txt": b"new\n"},
    "text renamed": {"link": None, "other-link": ("120000", b"text.txt")},
}


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(chosen=st.sets(st.sampled_from(sorted(CHANGES)), min_size=1))
def test_apply_then_undo_is_the_start(tmp_path_factory: pytest.TempPathFactory, chosen: set[str]) -> None:
    """undo(apply(x)) = x: bytes and modes of every file, every index entry, every ref but two more commits."""
    folder = tmp_path_factory.mktemp("law")
    (folder / "policies").mkdir()
    shop = Shop(project=make_repository(folder, START), policies=folder / "policies")
    patch = git_patch(shop, {path: to for name in chosen for path, to in CHANGES[name].items()})
    start = files(shop), index(shop), shop.project.tree(), shop.head()
    landed(shop, patch)
    assert (files(shop), index(shop)) != start[:2]
    assert shop.undo("last").outcome is Outcome.COMMITTED
    base = shop.project.git("rev-parse", "HEAD~2")
    assert (files(shop), index(shop), shop.project.tree(), base) == start
    listed = shop.project.git("for-each-ref", "--format=%(refname)").split()
    assert [ref for ref in listed if "dev-agent/receipts" not in ref and "dev-agent/anchors" not in ref] == [
        "refs/heads/main"
    ]


@pytest.mark.parametrize(
    ("edge", "shortcut"),
    [
        ('rebased = "check_policy"', 'rebased = "land"'),
        ('staged = "hooks"', 'staged = "hooks", restart = "consent"'),
        ('allowed = "check"', 'allowed = "consent"'),
        ('empty = "no_change"', 'empty = "consent"'),
    ],
)
def test_the_program_with_a_way_around_a_gate_is_not_run(edge: str, shortcut: str) -> None:
    text = builtin_text(UNDO)
    actions = {name: action.unbound() for name, action in ACTIONS.items()}
    prove(builtin_program(UNDO), actions)
    assert edge in text
    with pytest.raises(ProgramRefused):
        prove(load_program(text.replace(edge, shortcut), source="undo.toml"), actions)
