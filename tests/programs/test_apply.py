"""The transaction from request to commit: it lands exactly, or leaves nothing."""

from __future__ import annotations

import json

import pytest

from dev_agent.edits.errors import EditError
from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.proof import Mark
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.runs import diff_of, list_runs, read_run
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.engine import Reporter
from dev_agent.sandbox.sandbox import SandboxUnavailable
from tests.programs.conftest import (
    BETTER,
    BREAKS_A_TEST,
    BREAKS_TYPES,
    HARMLESS,
    TESTS_ONLY,
    Shop,
    Watching,
    replacing,
)
from tests.testing.machine import needs_namespaces


def test_a_good_change_becomes_exactly_one_commit(shop: Shop) -> None:
    before = shop.head()
    report = shop.apply(BETTER, policy="default", task="Sum the prices one by one")
    assert (report.outcome, report.exit_code) == (Outcome.COMMITTED, 0), report
    assert shop.project.git("rev-list", f"{before}..HEAD") == report.commit
    assert shop.project.tree() == report.tree
    assert shop.status() == ""
    assert "price for price" in (shop.root / "src/shop/cart.py").read_text()
    assert {gate["name"]: gate["verdict"] for gate in report.gates} == {"types": "passed", "tests": "passed"}
    record = read_run(find_run(shop.repository(), report.run))
    assert [(one["gate"], one["tree"]) for one in record.verdicts] == [
        ("types", report.tree),
        ("tests", report.tree),
    ]


def test_a_change_that_breaks_a_test_leaves_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(BREAKS_A_TEST, policy=TESTS_ONLY)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "tests_failed", 1)
    assert shop.project.snapshot() == before
    tests = next(gate for gate in report.gates if gate["name"] == "tests")
    assert [failure["id"] for failure in tests["new_failures"]] == ["tests/test_cart.py::test_total"]


def test_a_change_that_breaks_types_leaves_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(BREAKS_TYPES, policy="default")
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "types_failed", 1)
    assert shop.project.snapshot() == before
    types = next(gate for gate in report.gates if gate["name"] == "types")
    assert [failure["path"] for failure in types["new_failures"]] == ["src/shop/names.py"]


def test_the_commit_names_its_run_and_the_trace_before_it(shop: Shop) -> None:
    report = shop.apply(HARMLESS, task="Count in digits\n\nSigned-off-by: somebody else")
    trailers = shop.project.git("log", "-1", "--format=%(trailers:only)").splitlines()
    assert trailers[0] == f"Dev-Agent-Run: {report.run}"
    assert trailers[1].startswith("Dev-Agent-Trace: sha256:")
    assert not any("somebody else" in line for line in trailers)
    assert shop.project.git("log", "-1", "--format=%s") == "Count in digits"
    assert shop.project.git("log", "-1", "--format=%an <%ae>") == "Ann Author <ann@example.com>"


def test_a_dry_run_verifies_and_lands_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(BETTER, policy=TESTS_ONLY, dry_run=True)
    assert (report.outcome, report.exit_code) == (Outcome.VERIFIED, 0)
    assert shop.project.snapshot() == before


def test_a_patch_that_changes_nothing_needs_no_commit(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(replacing("notes.txt", "two\n", "two\n"))
    assert (report.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0)
    assert shop.project.snapshot() == before


def test_a_patch_for_other_files_says_which(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(replacing("src/shop/basket.py", "two\n", "2\n"))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "unresolved", 1)
    assert "src/shop/basket.py" in report.explanation
    assert shop.project.snapshot() == before


@pytest.mark.parametrize("patch", [b"", b"please rename total\n", b"\x00\x01\x02", b"x" * 50_000_000])
def test_what_is_no_patch_is_refused_before_a_run_is_made(shop: Shop, patch: bytes) -> None:
    before = shop.project.snapshot()
    with pytest.raises(EditError) as caught:
        shop.apply(patch)
    assert caught.value.message
    assert shop.project.snapshot() == before
    assert all_runs(shop.repository()) == ()


def test_a_faulty_policy_is_refused_with_all_its_faults(shop: Shop) -> None:
    with pytest.raises(PolicyError) as caught:
        shop.apply(
            HARMLESS, policy='name = "x"\nversion = 1\n[gats]\ntypes = "off"\n[limits]\nfiles = "many"\n'
        )
    assert "gats" in caught.value.message
    assert "gates" in caught.value.message
    assert "files" in caught.value.message
    assert all_runs(shop.repository()) == ()


def test_a_policy_that_is_not_there_is_named(shop: Shop) -> None:
    with pytest.raises(UsageFault, match="no policy 'nowhere'"):
        shop.apply(HARMLESS, policy="nowhere")


def test_the_policy_of_the_base_rules_and_not_the_one_in_the_work_tree(shop: Shop) -> None:
    rules = (
        b'name = "house"\nversion = 1\n[scope]\ndeny = ["notes.txt"]\n[gates]\ntypes = "off"\ntests = "off"\n'
    )
    shop.project.commit("rules", {"rules.toml": rules, "dev-agent.toml": b'policy = "rules.toml"\n'})
    shop.project.write("rules.toml", b'name = "lax"\nversion = 1\n')
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS, policy=None)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "policy_denied")
    assert report.policy["name"] == "house"
    assert shop.project.snapshot() == before


def _with_house_rules(shop: Shop) -> None:
    rules = b'name = "house"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n'
    shop.project.commit("rules", {"rules.toml": rules, "dev-agent.toml": b'policy = "rules.toml"\n'})


def test_a_patch_that_touches_the_policy_it_is_judged_by_is_denied(shop: Shop) -> None:
    _with_house_rules(shop)
    before = shop.project.snapshot()
    report = shop.apply(replacing("rules.toml", 'name = "house"\n', 'name = "lax"\n'), policy=None)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "policy_denied")
    assert [finding["rule"] for finding in report.policy["findings"]] == ["on.policy_files"]
    assert shop.project.snapshot() == before


def test_a_run_does_not_land_on_a_branch_that_got_other_rules_meanwhile(shop: Shop) -> None:
    _with_house_rules(shop)

    def change_the_rules() -> None:
        shop.project.commit("stricter", {"rules.toml": b'name = "house"\nversion = 1\n'})

    report = shop.apply(HARMLESS, policy=None, reporter=Watching("consent", change_the_rules))
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "conflict")
    assert "other rules" in report.explanation
    assert shop.project.git("log", "-1", "--format=%s") == "stricter"


def test_a_patch_cannot_bring_its_own_policy(shop: Shop) -> None:
    before = shop.project.snapshot()
    lax = b'name = "lax"\nversion = 1\n'
    diff = (
        b'--- /dev/null\n+++ b/dev-agent.toml\n@@ -0,0 +1 @@\n+policy = "lax.toml"\n'
        b"--- /dev/null\n+++ b/lax.toml\n@@ -0,0 +1,2 @@\n+" + lax.replace(b"\n", b"\n+", 1)
    )
    report = shop.apply(diff, policy="default")
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "policy_denied")
    assert report.policy["name"] == "default"
    assert shop.project.snapshot() == before


def test_a_merge_in_progress_is_refused_before_anything_is_judged(shop: Shop) -> None:
    shop.project.git("checkout", "-q", "-b", "other")
    shop.project.commit("theirs", {"notes.txt": b"theirs\n"})
    shop.project.git("checkout", "-q", "main")
    shop.project.commit("ours", {"notes.txt": b"ours\n"})
    (shop.project.git_dir / "MERGE_HEAD").write_text(shop.project.git("rev-parse", "other") + "\n")
    before = shop.project.snapshot()
    with pytest.raises(RepositoryFault) as caught:
        shop.apply(HARMLESS)
    assert caught.value.code == "operation-in-progress"
    assert shop.project.snapshot() == before


def test_without_an_identity_nothing_is_begun(shop: Shop) -> None:
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    shop.project = shop.project.without_environ(*names).with_environ(EMAIL="")
    shop.project.git("config", "user.useConfigOnly", "true")
    with pytest.raises(UsageFault, match="who you are"):
        shop.apply(HARMLESS)
    assert all_runs(shop.repository()) == ()


def test_unrelated_uncommitted_work_survives_bit_for_bit(shop: Shop) -> None:
    shop.project.commit("more", {"a.txt": b"a\n", "b.txt": b"b\n", ".gitignore": b"*.log\n"})
    shop.project.write("a.txt", b"dirty\n")
    shop.project.write("b.txt", b"staged\n")
    shop.project.git("add", "b.txt")
    shop.project.write("b.txt", b"staged and dirty\n")
    shop.project.write("new.txt", b"untracked\n")
    shop.project.write("intent.txt", b"intent\n")
    shop.project.git("add", "--intent-to-add", "intent.txt")
    shop.project.write("x.log", b"ignored\n")
    status, index = shop.status(), shop.project.git("ls-files", "--stage", "--", "b.txt", "intent.txt")
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.COMMITTED, report
    assert shop.status() == status
    assert shop.project.git("ls-files", "--stage", "--", "b.txt", "intent.txt") == index
    contents = {
        name: (shop.root / name).read_bytes() for name in ("a.txt", "b.txt", "new.txt", "intent.txt", "x.log")
    }
    assert contents == {
        "a.txt": b"dirty\n",
        "b.txt": b"staged and dirty\n",
        "new.txt": b"untracked\n",
        "intent.txt": b"intent\n",
        "x.log": b"ignored\n",
    }


def test_work_in_the_way_keeps_the_change_until_it_is_gone(shop: Shop) -> None:
    shop.project.write("notes.txt", b"one\ntwo\nthree\nmine\n")
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.KEPT, "dirty-overlap", 6)
    assert "notes.txt" in report.notes
    assert shop.project.snapshot() == before
    assert shop.project.git("rev-parse", f"refs/dev-agent/kept/{report.run}") == report.commit

    assert shop.resume(report.run).outcome is Outcome.KEPT
    assert shop.project.snapshot() == before

    shop.project.git("checkout", "--", "notes.txt")
    landed = shop.resume(report.run)
    assert landed.outcome is Outcome.COMMITTED
    assert shop.head() == report.commit
    assert (shop.root / "notes.txt").read_bytes() == b"one\n2\nthree\n"
    assert shop.project.git("for-each-ref", "refs/dev-agent/kept/") == ""


def test_a_branch_that_moved_is_followed_and_judged_again(shop: Shop) -> None:
    def commit_meanwhile() -> None:
        shop.project.commit("meanwhile", {"other.txt": b"other\n"})

    report = shop.apply(BETTER, policy=TESTS_ONLY, reporter=Watching("consent", commit_meanwhile))
    assert report.outcome is Outcome.COMMITTED, report
    assert shop.project.git("log", "--format=%s", "-3").splitlines() == [
        "Change something",
        "meanwhile",
        "first",
    ]
    record = read_run(find_run(shop.repository(), "last"))
    states = [step.state for step in record.path]
    assert states.count("check") == 2
    assert states[-4:] == ["check_policy", "check", "consent", "land"]
    assert (shop.root / "other.txt").exists()
    assert shop.status() == ""


def test_a_branch_that_got_the_same_change_meanwhile_needs_no_second_commit(shop: Shop) -> None:
    def commit_the_change() -> None:
        shop.project.commit("meanwhile", {"notes.txt": b"one\n2\nthree\n"})

    report = shop.apply(HARMLESS, reporter=Watching("consent", commit_the_change))
    assert (report.outcome, report.exit_code, report.files) == (Outcome.NO_CHANGE, 0, ()), report
    assert "holds this change already" in report.explanation
    assert shop.project.git("log", "--format=%s").splitlines() == ["meanwhile", "first"]
    assert shop.status() == ""


def test_a_branch_that_moved_to_the_same_place_is_a_conflict(shop: Shop) -> None:
    def edit_the_same_line() -> None:
        shop.project.commit("meanwhile", {"notes.txt": b"one\nzwei\nthree\n"})

    report = shop.apply(HARMLESS, reporter=Watching("consent", edit_the_same_line))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "conflict", 1)
    assert shop.project.git("log", "-1", "--format=%s") == "meanwhile"
    assert (shop.root / "notes.txt").read_bytes() == b"one\nzwei\nthree\n"
    assert shop.status() == ""


def test_a_branch_that_never_rests_keeps_the_change(shop: Shop) -> None:
    count = iter(range(100))

    def commit_meanwhile() -> None:
        shop.project.commit("again", {f"other{next(count)}.txt": b"\n"})

    report = shop.apply(HARMLESS, reporter=Watching("consent", commit_meanwhile, times=50))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.KEPT, "branch_busy", 6)
    assert shop.resume(report.run).outcome is Outcome.COMMITTED
    assert shop.status() == ""


ASKS = (
    'name = "asks"\nversion = 1\n[scope]\nprotected = ["notes.txt"]\n[gates]\ntypes = "off"\ntests = "off"\n'
)


def test_what_policy_asks_about_waits_for_a_person(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS, policy=ASKS)
    assert (report.outcome, report.exit_code) == (Outcome.SUSPENDED, 5)
    assert shop.project.snapshot() == before
    (finding,) = read_run(find_run(shop.repository(), report.run)).findings
    assert json.loads(json.dumps(finding))["places"][0]["path"] == "notes.txt"
    assert shop.resume(report.run).outcome is Outcome.SUSPENDED
    approved = shop.decide(report.run, approved=True)
    assert approved.outcome is Outcome.COMMITTED
    assert shop.project.tree() == report.tree


def test_a_person_may_say_no(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS, policy=ASKS)
    refused = shop.decide(report.run, approved=False)
    assert (refused.outcome, refused.reason) == (Outcome.REJECTED, "not_approved")
    assert "looked at it" in refused.explanation
    assert shop.project.snapshot() == before
    with pytest.raises(UsageFault, match="does not wait"):
        shop.decide(report.run, approved=True)


def test_an_approval_is_for_one_tree_only(shop: Shop) -> None:
    report = shop.apply(HARMLESS, policy=ASKS)
    shop.project.commit("meanwhile", {"other.txt": b"other\n"})
    again = shop.decide(report.run, approved=True)
    assert again.outcome is Outcome.SUSPENDED
    assert again.tree != report.tree
    assert shop.decide(report.run, approved=True).outcome is Outcome.COMMITTED
    assert shop.status() == ""


def test_a_new_branch_is_made_and_the_work_tree_left_alone(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS, branch="feature/digits")
    assert (report.outcome, report.branch) == (Outcome.COMMITTED, "feature/digits")
    after = shop.project.snapshot()
    made = {path for path in after if path not in before}
    assert all("feature/digits" in path for path in made)
    assert {path: value for path, value in after.items() if path in before} == before
    assert shop.project.git("rev-parse", "feature/digits^") == shop.head()


def test_must_pass_wants_a_test_that_failed_before(shop: Shop) -> None:
    shop.project.commit(
        "a bug is shown",
        {
            "tests/test_bug.py": b"from shop.names import GREETING\ndef test_loud():\n    assert GREETING == 'HELLO'\n"
        },
    )
    fix = replacing("src/shop/names.py", 'GREETING: str = "hello"\n', 'GREETING: str = "HELLO"\n')
    unfixed = shop.apply(HARMLESS, policy=TESTS_ONLY, must_pass=("tests/test_bug.py::test_loud",))
    assert unfixed.outcome is Outcome.REJECTED
    tests = next(gate for gate in unfixed.gates if gate["name"] == "tests")
    assert tests["reason"].startswith("must_pass")
    fixed = shop.apply(fix, policy=TESTS_ONLY, must_pass=("all",))
    assert fixed.outcome is Outcome.COMMITTED, fixed


def test_failures_of_the_base_are_counted_and_do_not_stand_in_the_way(shop: Shop) -> None:
    shop.project.commit("red", {"tests/test_red.py": b"def test_red():\n    assert False\n"})
    report = shop.apply(BETTER, policy=TESTS_ONLY)
    assert report.outcome is Outcome.COMMITTED
    assert report.explanation == "the base's own 1 failing test still there"


class _Noting(Reporter):
    def __init__(self) -> None:
        self.said: list[str] = []

    def noted(self, text: str) -> None:
        self.said.append(text)

    def entered(self, state: str, attempt: int) -> None:
        self.said.append(state)


def test_a_repository_without_tests_says_so_before_it_starts_and_policy_decides(shop: Shop) -> None:
    shop.project.commit("no tests", {"tests/test_cart.py": None})
    reporter = _Noting()
    allowed = shop.apply(HARMLESS, policy=TESTS_ONLY, reporter=reporter)
    first = reporter.said[: reporter.said.index("begin")]
    assert any("no tests" in one for one in first)
    assert allowed.outcome is Outcome.COMMITTED
    assert any("no tests" in note for note in allowed.notes)
    before = shop.project.snapshot()
    denied = shop.apply(BETTER, policy=TESTS_ONLY.replace("[gates]", '[gates]\nno_tests = "deny"'))
    assert (denied.outcome, denied.reason) == (Outcome.REJECTED, "no_tests")
    assert shop.project.snapshot() == before


def test_the_list_of_runs_is_newest_first_and_tells_how_each_ended(shop: Shop) -> None:
    first = shop.apply(HARMLESS)
    second = shop.apply(replacing("nothing.txt", "x\n", "y\n"))
    listed = list_runs(shop.repository())
    assert [(one.run, one.outcome) for one in listed] == [
        (second.run, "rejected"),
        (first.run, "committed"),
    ]
    assert listed[1].commit == first.commit
    assert listed[1].task == "Change something"


def test_the_patch_of_a_rejected_run_stays_and_applies(shop: Shop) -> None:
    report = shop.apply(BREAKS_A_TEST, policy=TESTS_ONLY)
    patch = diff_of(find_run(shop.repository(), report.run))
    shop.project.git("apply", "--check", "-", stdin=patch)
    assert b"+    return sum(prices) + 1" in patch


def test_every_run_can_be_verified(shop: Shop) -> None:
    landed, rejected = shop.apply(HARMLESS), shop.apply(replacing("nothing.txt", "x\n", "y\n"))
    for report in (landed, rejected):
        proof = verify_run(shop.repository(), find_run(shop.repository(), report.run))
        assert proof.ok, proof
        assert {check.name: check.mark for check in proof.checks}["receipt"] is Mark.OK


def test_without_confinement_a_test_that_edits_the_tree_does_not_reach_the_next_run(shop: Shop) -> None:
    poison = (
        b"import pathlib\n"
        b"def test_writes():\n"
        b"    cart = pathlib.Path(__file__).parents[1] / 'src/shop/cart.py'\n"
        b"    cart.write_text('def total(p): return 99\\ndef count(p): return 99\\n')\n"
    )
    # Read-only there, such a tree is the slot itself here: nothing can be mounted without confinement.
    settings = b'gates.tests.tree = "read-only"\n'
    shop.project.commit("a test that writes", {"tests/test_writes.py": poison, "dev-agent.toml": settings})
    lax = TESTS_ONLY.replace("[gates]", '[sandbox]\nconfinement = "optional"\n[gates]')
    first = shop.apply(HARMLESS, policy=lax, sandbox="off", dry_run=True)
    again = shop.apply(replacing("notes.txt", "three\n", "3\n"), policy=lax, sandbox="off", dry_run=True)
    assert (first.outcome, again.outcome) == (Outcome.VERIFIED, Outcome.VERIFIED)
    assert b"99" not in (shop.root / "src/shop/cart.py").read_bytes()


def test_a_policy_that_requires_confinement_outranks_the_flag(shop: Shop) -> None:
    with pytest.raises(UsageFault, match="requires confinement"):
        shop.apply(HARMLESS, policy="strict", sandbox="off")
    assert all_runs(shop.repository()) == ()


@needs_namespaces
def test_a_policy_that_requires_namespaces_outranks_the_flag(shop: Shop) -> None:
    namespaces = TESTS_ONLY.replace("[gates]", '[sandbox]\nconfinement = "namespaces"\n[gates]')
    for sandbox, said in (("landlock", "requires namespaces"), ("off", "requires confinement")):
        with pytest.raises(UsageFault, match=said):
            shop.apply(HARMLESS, policy=namespaces, sandbox=sandbox)
    assert all_runs(shop.repository()) == ()
    assert shop.apply(HARMLESS, policy=namespaces, dry_run=True).outcome is Outcome.VERIFIED


def test_a_policy_that_requires_namespaces_is_not_content_with_less(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they cannot be had, the weaker tier does not step in."""
    monkeypatch.setattr("dev_agent.sandbox.binary.candidates", lambda *_: [])
    namespaces = TESTS_ONLY.replace("[gates]", '[sandbox]\nconfinement = "namespaces"\n[gates]')
    with pytest.raises(SandboxUnavailable):
        shop.apply(HARMLESS, policy=namespaces)
    assert shop.apply(HARMLESS, policy=TESTS_ONLY, dry_run=True).outcome is Outcome.VERIFIED


def trace_of(shop: Shop, report: RunReport) -> str:
    return (find_run(shop.repository(), report.run).path / "trace.jsonl").read_text(encoding="utf-8")


def test_confinement_without_namespaces_is_told_and_recorded(shop: Shop) -> None:
    reporter = _Noting()
    report = shop.apply(HARMLESS, policy="strict", sandbox="landlock", dry_run=True, reporter=reporter)
    assert report.outcome is Outcome.VERIFIED
    assert any("landlock (tier 2) lacks namespaces" in one for one in reporter.said)
    assert "a hold on modes, times and extended attributes" in trace_of(shop, report)


@needs_namespaces
def test_the_settings_of_a_repository_name_the_least_and_never_weaken(shop: Shop) -> None:
    """Only the caller's own word takes the weaker tier where the stronger works."""
    shop.project.commit("settings", {"dev-agent.toml": b'sandbox = "landlock"\n'})
    report = shop.apply(HARMLESS, dry_run=True)
    assert report.outcome is Outcome.VERIFIED
    assert '"name":"bubblewrap"' in trace_of(shop, report)
    weaker = shop.apply(HARMLESS, dry_run=True, sandbox="landlock")
    assert '"name":"landlock"' in trace_of(shop, weaker)


def test_the_settings_of_a_repository_can_ask_for_namespaces(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they cannot be had, the weaker tier steps in only by the caller's own word."""
    monkeypatch.setattr("dev_agent.sandbox.binary.candidates", lambda *_: [])
    shop.project.commit("settings", {"dev-agent.toml": b'sandbox = "bubblewrap"\n'})
    with pytest.raises(SandboxUnavailable):
        shop.apply(HARMLESS, dry_run=True)
    assert shop.apply(HARMLESS, dry_run=True, sandbox="landlock").outcome is Outcome.VERIFIED


def test_a_repository_that_asks_for_the_weaker_tier_gets_it_where_there_is_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dev_agent.sandbox.binary.candidates", lambda *_: [])
    shop.project.commit("settings", {"dev-agent.toml": b'sandbox = "landlock"\n'})
    report = shop.apply(HARMLESS, dry_run=True)
    assert '"name":"landlock"' in trace_of(shop, report)


def test_a_repository_cannot_turn_its_own_confinement_off(shop: Shop) -> None:
    shop.project.commit("lax", {"dev-agent.toml": b'sandbox = "off"\n'})
    with pytest.raises(UsageFault, match="only the person who runs dev-agent"):
        shop.apply(HARMLESS)
