"""The user's own commit hooks: run apart, judged by what they leave, unable to reach the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.programs.folders import find_run
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from dev_agent.programs.verify import verify_run
from tests.programs.conftest import HARMLESS, NO_GATES, Shop
from tests.testing.machine import lacks_namespaces

SKIPS = NO_GATES.replace("[gates]", '[hooks]\nrun = "skip"\n[gates]')


def _install(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    hook = folder / name
    hook.write_text("#!/bin/sh\nset -e\n" + script, encoding="utf-8")
    hook.chmod(0o755)


@pytest.fixture
def hooks(shop: Shop) -> Path:
    return shop.project.git_dir / "hooks"


def test_a_hook_that_fails_stops_the_change(shop: Shop, hooks: Path) -> None:
    _install(hooks, "pre-commit", "echo not today; exit 3\n")
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "hook_failed")
    assert "pre-commit ended with status 3" in report.explanation
    assert report.explanation.endswith("status 3: not today")
    assert shop.project.snapshot() == before


def test_a_hook_of_pre_commit_that_was_never_prepared_says_what_to_run(shop: Shop, hooks: Path) -> None:
    _install(
        hooks, "pre-commit", "echo '[INFO] Initializing environment for https://x.'; echo '```'; exit 3\n"
    )
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "hook_failed")
    assert "once by hand: pre-commit install-hooks" in report.explanation.splitlines()[0]
    assert "status 3: [INFO] Initializing environment" in report.explanation


def test_a_hook_sees_what_git_commit_would_show_it(shop: Shop, hooks: Path) -> None:
    script = (
        'test "$(git diff --cached --name-only)" = notes.txt\n'
        'test "$(git symbolic-ref HEAD)" = refs/heads/main\n'
        'test "$(git show HEAD:notes.txt | sed -n 2p)" = two\n'
        'test "$(sed -n 2p notes.txt)" = 2\n'
        'test -z "$(git diff --name-only)"\n'
        # Without mounts the clone lies elsewhere.
        + ("" if lacks_namespaces() else f'test "$(pwd)" = "{shop.root}"\n')
    )
    _install(hooks, "pre-commit", script)
    assert shop.apply(HARMLESS).outcome is Outcome.COMMITTED


def test_what_a_hook_rewrites_is_what_is_judged_and_landed(shop: Shop, hooks: Path) -> None:
    _install(hooks, "pre-commit", "echo four >>notes.txt; echo made >made.txt; git add notes.txt made.txt\n")
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.COMMITTED, report
    assert (shop.root / "notes.txt").read_bytes() == b"one\n2\nthree\nfour\n"
    assert (shop.root / "made.txt").read_bytes() == b"made\n"
    assert set(report.files) == {"notes.txt", "made.txt"}
    assert any("hooks changed files" in note for note in report.notes)
    record = read_run(find_run(shop.repository(), report.run))
    assert b"+four" in record.patch
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run)).ok
    assert shop.status() == ""


def test_policy_judges_what_a_hook_made(shop: Shop, hooks: Path) -> None:
    _install(hooks, "pre-commit", "echo x >secret.txt; git add secret.txt\n")
    before = shop.project.snapshot()
    report = shop.apply(
        HARMLESS, policy=NO_GATES.replace("[gates]", '[scope]\ndeny = ["secret.txt"]\n[gates]')
    )
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "policy_denied")
    assert shop.project.snapshot() == before


def test_a_message_hook_may_change_the_message_but_not_drop_the_proof(shop: Shop, hooks: Path) -> None:
    _install(hooks, "commit-msg", 'echo "TICKET-1 reworded" >"$1"\n')
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.COMMITTED
    message = shop.project.git("log", "-1", "--format=%B")
    assert message.startswith("TICKET-1 reworded\n")
    assert f"Dev-Agent-Run: {report.run}" in shop.project.git("log", "-1", "--format=%(trailers:only)")
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run)).ok


def test_a_message_hook_that_fails_stops_the_change(shop: Shop, hooks: Path) -> None:
    _install(hooks, "commit-msg", 'grep -q TICKET "$1"\n')
    report = shop.apply(HARMLESS)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "hook_failed")
    assert shop.apply(HARMLESS, task="TICKET-2 count in digits").outcome is Outcome.COMMITTED


def test_hooks_are_skipped_only_by_policy_and_never_in_silence(shop: Shop, hooks: Path) -> None:
    _install(hooks, "pre-commit", "exit 3\n")
    report = shop.apply(HARMLESS, policy=SKIPS)
    assert report.outcome is Outcome.COMMITTED
    assert any("hooks skipped by policy no-gates: pre-commit" in note for note in report.notes)


def test_a_hook_cannot_reach_the_repository_or_the_network(shop: Shop, hooks: Path) -> None:
    outside = shop.root.parent / "outside.txt"
    script = (
        f"echo hacked >{outside} || true\n"
        "git config core.fsmonitor 'touch /tmp/hacked-by-hook' || true\n"
        "git update-ref refs/heads/main HEAD~0 || true\n"
        "git update-ref refs/heads/evil HEAD || true\n"
        "rm -rf .git/objects/info || true\n"
    )
    _install(hooks, "pre-commit", script)
    config = (shop.project.git_dir / "config").read_bytes()
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.COMMITTED, report
    assert not outside.exists()
    assert not Path("/tmp/hacked-by-hook").exists()
    assert (shop.project.git_dir / "config").read_bytes() == config
    assert "evil" not in shop.project.git("for-each-ref")


def test_without_confinement_a_hook_still_works_on_a_clone(shop: Shop, hooks: Path) -> None:
    script = 'test "$(git show HEAD:notes.txt | sed -n 2p)" = two\necho four >>notes.txt; git add notes.txt\n'
    _install(hooks, "pre-commit", script)
    shop.project.write("staged.txt", b"mine\n")
    shop.project.git("add", "staged.txt")
    report = shop.apply(HARMLESS, sandbox="off")
    assert report.outcome is Outcome.COMMITTED, report
    assert (shop.root / "notes.txt").read_bytes() == b"one\n2\nthree\nfour\n"
    assert shop.status() == "A  staged.txt"


def test_a_hooks_folder_in_the_tree_is_the_bases_and_not_the_patchs(shop: Shop) -> None:
    _install(shop.root / ".githooks", "pre-commit", "exit 3\n")
    shop.project.commit("hooks of our own")
    shop.project.git("config", "core.hooksPath", ".githooks")
    lax = (
        b"--- a/.githooks/pre-commit\n+++ b/.githooks/pre-commit\n"
        b"@@ -1,3 +1,3 @@\n #!/bin/sh\n set -e\n-exit 3\n+exit 0\n"
    )
    before = shop.project.snapshot()
    report = shop.apply(lax)
    assert report.reason == "hook_failed", report
    assert shop.project.snapshot() == before


def test_a_hook_that_stages_a_submodule_is_refused(shop: Shop, hooks: Path) -> None:
    _install(hooks, "pre-commit", "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub\n")
    before = shop.project.snapshot()
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.FAILED
    assert "160000" in report.explanation
    assert shop.project.snapshot() == before
