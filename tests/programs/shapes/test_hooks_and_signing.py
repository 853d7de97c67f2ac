"""The user's own hooks and signatures: obeyed where git would, and no way around them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dev_agent.programs.report import Outcome
from tests.programs.conftest import Shop
from tests.programs.shapes.scene import MODIFY, lands, leftovers, proposing, refuses, shop_of


def hook(folder: Path, name: str, script: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n" + script, encoding="utf-8")
    path.chmod(0o755)


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg"])
def test_a_commit_hook_that_says_no_stops_the_change_and_is_quoted(tmp_path: Path, name: str) -> None:
    shop = shop_of(tmp_path)
    hook(shop.project.git_dir / "hooks", name, "echo not today >&2; exit 1\n")
    report = refuses(shop, MODIFY, "hook_failed", outcome=Outcome.REJECTED)
    assert "not today" in report.explanation
    assert name in report.explanation


def test_hooks_below_a_relative_hooks_path_are_those_of_the_base(tmp_path: Path) -> None:
    """As husky sets it: the folder is part of the tree, and counts as it was before the change."""
    shop = shop_of(tmp_path)
    hook(
        shop.root / ".husky",
        "pre-commit",
        "grep -q ours a.txt || exit 3; echo checked >>checked\ngit add checked\n",
    )
    shop.project.commit("hooks")
    shop.project.git("config", "core.hooksPath", ".husky")
    report = shop.apply(proposing(shop.project, MODIFY))
    assert (report.outcome, set(report.files)) == (Outcome.COMMITTED, {"a.txt", "checked"}), report
    refuses(shop, {"a.txt": b"theirs\n"}, "hook_failed", outcome=Outcome.REJECTED)


def test_a_reference_transaction_hook_can_veto_the_landing_and_is_quoted(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    script = (
        'test "$1" = prepared || exit 0\n'
        "while read old new ref; do\n"
        '  if test "$ref" = refs/heads/main; then echo main is frozen >&2; exit 1; fi\n'
        "done\n"
    )
    hook(shop.project.git_dir / "hooks", "reference-transaction", script)
    kept = refuses(shop, MODIFY, "hook-veto", "main is frozen")
    (shop.project.git_dir / "hooks/reference-transaction").unlink()
    assert shop.resume(kept.run).outcome is Outcome.COMMITTED


def test_a_reference_transaction_hook_is_asked_about_the_users_refs_and_not_about_ours(
    tmp_path: Path,
) -> None:
    shop = shop_of(tmp_path)
    hook(shop.project.git_dir / "hooks", "reference-transaction", f"cat >>{tmp_path}/asked\n")
    lands(shop, MODIFY)
    asked = (tmp_path / "asked").read_text()
    assert "refs/heads/main" in asked
    assert "dev-agent" not in asked


def test_post_merge_runs_after_the_landing_and_its_failure_is_a_warning(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    hook(shop.project.git_dir / "hooks", "post-merge", "echo broken >&2; exit 3\n")
    report = lands(shop, MODIFY)
    assert any("post-merge hook ended with status 3: broken" in said for said in report.warnings)


def test_hooks_that_git_would_not_run_on_a_landing_do_not_run(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    for name in ("pre-push", "pre-merge-commit", "post-commit", "post-checkout", "pre-rebase"):
        hook(shop.project.git_dir / "hooks", name, f"touch {tmp_path}/{name}.ran; exit 1\n")
    lands(shop, MODIFY)
    assert list(tmp_path.glob("*.ran")) == []


def signing(shop: Shop, folder: Path) -> Path:
    """Commits are signed with an SSH key that git trusts; the key."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen")
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a", "-f", key], check=True)
    (folder / "allowed").write_text(f"cam@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in {
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "commit.gpgSign": "true",
        "gpg.ssh.allowedSignersFile": str(folder / "allowed"),
    }.items():
        shop.project.git("config", name, value)
    return key


def test_where_commits_are_signed_with_an_ssh_key_ours_are_and_their_undo_is(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    signing(shop, tmp_path)
    report = lands(shop, MODIFY)
    shop.project.git("verify-commit", "HEAD")
    assert shop.undo(report.run).outcome is Outcome.COMMITTED
    shop.project.git("verify-commit", "HEAD")
    assert shop.project.git("log", "-2", "--format=%G?") == "G\nG"


def test_a_change_that_follows_its_branch_is_signed_anew(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    signing(shop, tmp_path)
    shop.project.write("a.txt", b"mine\n")
    kept = refuses(shop, MODIFY, "dirty-overlap", "a.txt")
    shop.project.git("checkout", "-q", "--", "a.txt")
    shop.project.commit("meanwhile", {"b.txt": b"meanwhile\n"})
    assert shop.resume(kept.run).outcome is Outcome.COMMITTED
    shop.project.git("verify-commit", "HEAD")


def test_a_key_that_is_not_there_stops_the_change_before_anything_is_judged(tmp_path: Path) -> None:
    """An unsigned commit is never the answer."""
    shop = shop_of(tmp_path)
    signing(shop, tmp_path).unlink()
    before = shop.project.snapshot()
    report = shop.apply(proposing(shop.project, MODIFY))
    assert report.outcome in {Outcome.FAILED, Outcome.REJECTED}, report
    assert "could not be signed" in report.explanation
    assert report.gates == ()
    assert shop.project.snapshot() == before
    assert leftovers(shop) == []
