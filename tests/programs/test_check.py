"""A change that exists is judged like a proposed one; nothing of the user's moves, and the change chooses no judge."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.programs.actions.registry import ACTIONS
from dev_agent.programs.builtin import CHECK, builtin_program, builtin_text, load_and_prove
from dev_agent.programs.change import MOST_BYTES, MOST_FILES, excess_of
from dev_agent.programs.check import Checked, CheckRequest, Index, Patch, Range, WorkTree, check
from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.runs import read_run
from dev_agent.programs.verify import verify_run
from dev_agent.repository.tree_walk import Difference
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.errors import ProgramRefused
from dev_agent.runtime.program import load_program
from dev_agent.runtime.validation import prove
from tests.programs.conftest import BREAKS_A_TEST, HARMLESS, NO_GATES, TESTS_ONLY, Shop, Watching
from tests.testing.children import in_child
from tests.testing.repos import make_repository

GOOD_CART = (
    b"def total(prices: list[int]) -> int:\n"
    b"    return sum(price for price in prices)\n"
    b"\n\n"
    b"def count(prices: list[int]) -> int:\n"
    b"    return len(prices)\n"
)
BAD_CART = GOOD_CART.replace(b"sum(price for price in prices)", b"sum(prices) + 1")
CART = "src/shop/cart.py"


def checked(
    shop: Shop,
    what: Checked,
    *,
    policy: str | None = NO_GATES,
    reporter: Reporter | None = None,
    **more: object,
) -> RunReport:
    request = CheckRequest(
        checked=what,
        policy=shop.policy(policy) if policy and "\n" in policy else policy,
        **more,  # type: ignore[arg-type]  # keywords of the request
    )
    return check(
        shop.repository(),
        request,
        environ=shop.project.environ,
        reporter=reporter or Reporter(),
        cancel=shop.cancel,
    )


def test_a_good_range_is_verified_and_its_receipt_names_the_real_commit(shop: Shop) -> None:
    head = shop.project.commit("better", {CART: GOOD_CART})
    before = shop.project.snapshot()
    report = checked(shop, Range(text="HEAD~1..HEAD"), policy="default")
    assert (report.outcome, report.exit_code, report.commit) == (Outcome.VERIFIED, 0, head), report
    assert (report.tree, report.files, report.branch) == (shop.project.tree(), (CART,), None)
    assert {gate["name"]: gate["verdict"] for gate in report.gates} == {"types": "passed", "tests": "passed"}
    assert shop.project.snapshot() == before
    folder = find_run(shop.repository(), report.run)
    assert b'"program":{"digest"' in folder.receipt.read_bytes()
    assert b'"name":"check"' in folder.receipt.read_bytes()
    assert verify_run(shop.repository(), folder).ok


def test_a_range_that_breaks_a_test_is_rejected(shop: Shop) -> None:
    shop.project.commit("worse", {CART: BAD_CART})
    before = shop.project.snapshot()
    report = checked(shop, Range(text="HEAD~1..HEAD"), policy=TESTS_ONLY)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "tests_failed", 1)
    assert shop.project.snapshot() == before


def test_a_range_of_several_commits_is_judged_by_where_it_ends(shop: Shop) -> None:
    shop.project.commit("worse", {CART: BAD_CART})
    shop.project.commit("mended", {CART: GOOD_CART})
    assert checked(shop, Range(text="HEAD~2..HEAD"), policy=TESTS_ONLY).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(("dots", "undone"), [("..", True), ("...", False)])
def test_what_the_base_has_and_the_head_lacks_is_said_to_be_undone(
    shop: Shop, dots: str, undone: bool
) -> None:
    shop.project.git("branch", "topic")
    shop.project.commit("main goes on", {"main.txt": b"1\n"})
    shop.project.git("checkout", "--quiet", "topic")
    shop.project.commit("topic", {"topic.txt": b"1\n"})
    report = checked(shop, Range(text=f"main{dots}topic"))
    assert report.files == (("main.txt", "topic.txt") if undone else ("topic.txt",))
    assert any("count as undone" in note for note in report.notes) is undone


LAX = b'name = "lax"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[on]\n'
HOUSE = LAX.replace(b"lax", b"house").replace(b"[on]", b'[scope]\ndeny = ["notes.txt"]\n[on]')


@pytest.mark.parametrize(
    ("base_rules", "outcome"), [(HOUSE, Outcome.REJECTED), (LAX, Outcome.VERIFIED)], ids=["attack", "twin"]
)
def test_the_policy_of_the_base_rules_and_not_the_one_the_change_brings(
    shop: Shop, base_rules: bytes, outcome: Outcome
) -> None:
    base = shop.project.commit(
        "rules", {"rules.toml": base_rules, "dev-agent.toml": b'policy = "rules.toml"\n'}
    )
    shop.project.commit("dig in", {"dev-agent.toml": b'policy = "other.toml"\n', "other.toml": LAX})
    shop.project.git("rm", "--quiet", "other.toml")
    shop.project.git("checkout", "--quiet", base, "--", "dev-agent.toml")
    shop.project.commit("go on", {"notes.txt": b"changed\n"})
    lax_head = shop.project.make_tree(
        {
            path: ("100644", (shop.root / path).read_bytes())
            for path in shop.project.git("ls-files").splitlines()
            if path != "rules.toml"
        }
        | {"rules.toml": ("100644", LAX)}
    )
    head = shop.project.git("commit-tree", lax_head, "-p", base, "-m", "lax")
    report = checked(shop, Range(text=f"{base}..{head}"), policy=None)
    assert (report.outcome, report.policy["name"]) == (
        outcome,
        "house" if outcome is Outcome.REJECTED else "lax",
    )


def test_the_gate_settings_of_the_base_rule(shop: Shop) -> None:
    """The change breaks a test and tells pytest not to look at it."""
    config = (
        shop.root / "pyproject.toml"
    ).read_bytes() + b'addopts = "--deselect tests/test_cart.py::test_total"\n'
    shop.project.commit("blind", {CART: BAD_CART, "pyproject.toml": config})
    lenient = TESTS_ONLY + 'gate_configuration = "allow"\n'
    report = checked(shop, Range(text="HEAD~1..HEAD"), policy=lenient)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "tests_failed")
    shop.project.commit("still blind", {CART: GOOD_CART})
    assert checked(shop, Range(text="HEAD~2..HEAD"), policy=lenient).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("staged", "on_disk", "index", "work_tree"),
    [
        (GOOD_CART, BAD_CART, Outcome.VERIFIED, Outcome.REJECTED),
        (BAD_CART, GOOD_CART, Outcome.REJECTED, Outcome.VERIFIED),
    ],
)
def test_index_and_work_tree_are_judged_each_by_its_own_bytes(
    shop: Shop, staged: bytes, on_disk: bytes, index: Outcome, work_tree: Outcome
) -> None:
    shop.project.write(CART, staged)
    shop.project.git("add", CART)
    shop.project.write(CART, on_disk)
    before = shop.project.snapshot()
    assert checked(shop, Index(), policy=TESTS_ONLY).outcome is index
    assert checked(shop, WorkTree(), policy=TESTS_ONLY).outcome is work_tree
    assert shop.project.snapshot() == before


def test_new_files_count_only_when_asked_for(shop: Shop) -> None:
    shop.project.write("tests/test_new.py", b"def test_new() -> None:\n    assert False\n")
    before = shop.project.snapshot()
    report = checked(shop, WorkTree(), policy=TESTS_ONLY)
    assert (report.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0)
    report = checked(shop, WorkTree(untracked=True), policy=TESTS_ONLY)
    assert (report.outcome, report.files) == (Outcome.REJECTED, ("tests/test_new.py",))
    assert shop.project.snapshot() == before


@pytest.mark.parametrize(
    ("patch", "outcome"), [(HARMLESS, Outcome.VERIFIED), (BREAKS_A_TEST, Outcome.REJECTED)]
)
def test_a_patch_is_judged_and_not_landed(shop: Shop, patch: bytes, outcome: Outcome) -> None:
    before = shop.project.snapshot()
    assert checked(shop, Patch(content=patch), policy=TESTS_ONLY).outcome is outcome
    assert shop.project.snapshot() == before


def test_must_pass_is_asked_of_the_change(shop: Shop) -> None:
    shop.project.commit("better", {CART: GOOD_CART})
    report = checked(
        shop, Range(text="HEAD~1..HEAD"), policy=TESTS_ONLY, must_pass=("tests/test_cart.py::test_absent",)
    )
    assert report.outcome is Outcome.REJECTED


def test_nobodys_name_and_nobodys_key_are_needed(shop: Shop) -> None:
    shop.project.git("config", "commit.gpgsign", "true")
    shop.project.git("config", "user.useConfigOnly", "true")
    names = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    nameless = Shop(project=shop.project.without_environ(*names), policies=shop.policies)
    nameless.project.write("notes.txt", b"1\n")
    assert checked(nameless, WorkTree()).outcome is Outcome.VERIFIED
    with pytest.raises(UsageFault):
        nameless.apply(HARMLESS)


def test_a_change_too_large_to_be_read_is_refused_with_its_size(shop: Shop) -> None:
    blob = shop.project.blob(b"x")
    many = shop.project.git(
        "mktree",
        stdin="".join(f"100644 blob {blob}\t{number}\n" for number in range(MOST_FILES + 1)).encode(),
    )
    commit = shop.project.git("commit-tree", many, "-m", "many")
    report = checked(shop, Range(text=f"HEAD..{commit}"))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "too_large", 1)
    assert str(MOST_FILES) in report.explanation
    large = shop.project.blob(bytes(MOST_BYTES // 16))
    change = [
        Difference(path=str(number), status="A", before=None, after=("100644", large)) for number in range(17)
    ]
    assert "bytes" in excess_of(shop.repository(), change)
    assert excess_of(shop.repository(), change[:16]) == ""


def test_in_the_middle_of_a_merge_the_index_can_still_be_judged(shop: Shop) -> None:
    shop.project.write("notes.txt", b"1\n")
    shop.project.git("add", "notes.txt")
    (shop.project.git_dir / "MERGE_HEAD").write_text(shop.head() + "\n")
    assert checked(shop, Index()).outcome is Outcome.VERIFIED


def test_the_first_commit_can_be_judged_before_it_is_made(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    shop = Shop(project=make_repository(tmp_path), policies=tmp_path / "policies")
    shop.project.write("a.txt", b"1\n")
    report = checked(shop, WorkTree(untracked=True))
    assert (report.outcome, report.base, report.files) == (Outcome.VERIFIED, "", ("a.txt",))


def test_a_bare_repository_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    shop = Shop(project=make_repository(tmp_path, bare=True), policies=tmp_path / "policies")
    with pytest.raises(RepositoryFault) as caught:
        checked(shop, Index())
    assert caught.value.code == "bare-repo"
    assert all_runs(shop.repository()) == ()


class _Dying(Reporter):
    """Kills its own process when a state is entered."""

    def __init__(self, state: str) -> None:
        self.state = state

    def entered(self, state: str, attempt: int) -> None:
        if state == self.state:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.kill
@pytest.mark.parametrize("state", ["begin", "patch", "stage", "check_policy", "check"])
def test_killed_in_any_state_the_bytes_it_began_with_are_judged_on_resume(shop: Shop, state: str) -> None:
    shop.project.write("notes.txt", b"as it was\n")
    before = shop.project.snapshot()
    assert os.WIFSIGNALED(in_child(lambda: checked(shop, WorkTree(), reporter=_Dying(state))))
    assert shop.project.snapshot() == before
    shop.project.write("notes.txt", b"as it is by now\n")
    recover_everything(shop.repository())
    (folder,) = all_runs(shop.repository())
    assert read_run(folder).report.outcome is Outcome.INTERRUPTED
    report = shop.resume(folder.run)
    assert (report.outcome, report.files) == (Outcome.VERIFIED, ("notes.txt",))
    assert b"+as it was\n" in read_run(folder).patch
    assert verify_run(shop.repository(), folder).ok


def test_interrupted_by_a_signal_it_says_so(shop: Shop) -> None:
    shop.project.write("notes.txt", b"1\n")
    before = shop.project.snapshot()
    report = checked(
        shop, WorkTree(), reporter=Watching("check", lambda: shop.cancel.on_signal(signal.SIGINT, None))
    )
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130)
    assert shop.project.snapshot() == before


def test_the_program_is_that_of_apply_without_what_lands() -> None:
    program, apply = load_and_prove(None, builtin=CHECK), builtin_program("apply")
    assert set(program.states) < set(apply.states)
    assert not {"land", "hooks", "rebase", "committed", "approve"} & set(program.states)
    finals = {name for name, state in program.states.items() if state.kind.value == "final"}
    assert finals == {"verified", "no_change", "rejected", "failed"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('allowed = "check"', 'allowed = "verified"'),
        ('staged = "check_policy"', 'staged = "check"'),
        ('failed = "rejected", error = "rejected" }', 'failed = "verified", error = "rejected" }'),
        ('empty = "no_change"', 'empty = "verified"'),
    ],
)
def test_a_program_that_could_verify_around_a_gate_does_not_load(old: str, new: str) -> None:
    text = builtin_text(CHECK)
    assert text.count(old) == 1
    program = load_program(text.replace(old, new), source="check.toml")
    with pytest.raises(ProgramRefused):
        prove(program, {name: action.unbound() for name, action in ACTIONS.items()})
