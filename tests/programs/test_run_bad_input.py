"""Programs given to `run` that misbehave: each ends as a refusal or as nothing, promptly, and leaves nothing behind."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from dev_agent.programs.report import Outcome
from tests.programs.conftest import Shop
from tests.programs.shapes.scene import leftovers
from tests.programs.test_run import ran, said, shell
from tests.testing.machine import needs_namespaces

pytestmark = needs_namespaces


def everything(shop: Shop) -> tuple[object, list[str], list[str], list[str]]:
    """The user's bytes; what lies in our scratch folders; work trees git knows of; our temporary files elsewhere."""
    scratch = shop.repository().state_dir / "scratch"
    copies = sorted(str(path) for path in scratch.iterdir() if path.is_dir()) if scratch.exists() else []
    worktrees = shop.project.git("worktree", "list", "--porcelain").splitlines()
    return shop.project.snapshot(), leftovers(shop), worktrees, copies


REFUSED = {
    "command not found": (("no-such-program",), "command_failed", "not found"),
    "a folder as the command": (("/tmp",), "command_failed", "ended with status 126"),
    "a file without the right": (("./notes.txt",), "command_failed", "has no right to be executed"),
    "a socket": (
        ("python3", "-c", "import socket; socket.socket(socket.AF_UNIX).bind('sock')"),
        "not_taken",
        "neither a file nor a symlink",
    ),
    "a fifo": (("mkfifo", "pipe"), "not_taken", "neither a file nor a symlink"),
    "a device node": (("mknod", "device", "c", "1", "3"), "command_failed", "Operation not permitted"),
    "a set-user-id program": (("sh", "-c", "cp /bin/true t; chmod u+s t"), "command_failed", "not permitted"),
    "a symlink out of the tree": (
        ("ln", "-s", "/etc/passwd", "out"),
        "refused_path",
        "'out' -> '/etc/passwd'",
    ),
    "100,000 files": (shell("seq 100000 | xargs touch"), "not_taken", "entries"),
    "a sparse file of 1 GB": (("truncate", "-s", "1G", "big"), "command_failed", "File too large"),
    "a file of 1 GB": (shell("head -c 1G /dev/zero > big"), "command_failed", "ended with status"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_and_nothing_is_left(shop: Shop, what: str) -> None:
    argv, reason, word = REFUSED[what]
    before = everything(shop)
    report = ran(shop, *argv)
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, reason, 1), report
    assert word in report.explanation
    assert "setpriv" not in report.explanation
    assert "bwrap" not in report.explanation
    assert everything(shop) == before


def test_a_script_whose_interpreter_is_not_there_is_told_by_that(shop: Shop) -> None:
    (shop.root / "script").write_text("#!/no/such/interpreter\n")
    (shop.root / "script").chmod(0o755)
    shop.project.commit("a script")
    before = everything(shop)

    report = ran(shop, "./script")

    assert (report.outcome, report.reason) == (Outcome.REJECTED, "command_failed"), report
    assert "what its first line (#!) names" in report.explanation
    assert "setpriv" not in report.explanation
    assert "bwrap" not in report.explanation
    assert everything(shop) == before


NOTHING = {
    "it does nothing": "true",
    "it deletes git's folder": "rm -rf .git",
    "it takes all permissions from a file": "chmod 000 notes.txt",
    "it makes folders only": "mkdir -p a/b/c",
    "it puts everything back": "rm -rf src; git checkout -q -- src",
    "it writes outside": "echo x > /etc/x; echo x > ~/x; echo x > $TMPDIR/x; echo x > ../x; exit 0",
    "it commits what it puts back": "echo x > n; git add n; git commit -qm n; git rm -q n; rm -f n",
}


@pytest.mark.parametrize("what", NOTHING)
def test_it_changes_nothing_and_nothing_is_left(shop: Shop, tmp_path: Path, what: str) -> None:
    before = everything(shop)
    report = ran(shop, *shell(NOTHING[what]))
    assert (report.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0), report
    assert everything(shop) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "policies", "shop"]


def test_what_it_prints_is_kept_from_both_ends_and_costs_bounded_space(shop: Shop) -> None:
    before = everything(shop)
    report = ran(shop, *shell("echo first; yes | head -c 100000000; echo last"))
    assert report.outcome is Outcome.NO_CHANGE, report
    heard = said(shop, report, "stdout")
    assert heard.startswith(b"first\n")
    assert heard.endswith(b"last\n")
    assert len(heard) < 20_000_000
    assert everything(shop) == before


def test_it_reads_an_empty_standard_input_and_never_the_users(shop: Shop) -> None:
    report = ran(shop, *shell("cat > got; read more || echo no more >> got"))
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("got",)), report
    assert (shop.root / "got").read_bytes() == b"no more\n"


def _running(mark: str) -> list[int]:
    """The processes of this machine that have `mark` in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:  # it has ended meanwhile
            continue
    return [one for one in found if one != os.getpid()]


def test_a_daemon_it_leaves_is_gone_when_it_has_ended(shop: Shop) -> None:
    mark = f"daemon-of-{shop.root.parent.name}"
    daemon = f"exec -a {mark} sleep 1000"
    start = f"setsid bash -c '{daemon}' </dev/null >/dev/null 2>&1 &"
    script = f"{start} until pgrep -f '^{mark}'; do :; done; echo x > new"
    report = ran(shop, "bash", "-c", script, dry_run=True)
    assert (report.outcome, report.files) == (Outcome.VERIFIED, ("new",)), report
    assert b"\n" in said(shop, report, "stdout"), "the daemon was never up: the test would prove nothing"
    assert _running(mark) == []


def test_one_that_traps_every_signal_ends_when_it_is_interrupted(shop: Shop) -> None:
    before = everything(shop)
    mark = f"stubborn-{shop.root.parent.name}"

    def stop_when_it_is_up() -> None:
        while not _running(mark):
            time.sleep(0.01)
        shop.cancel.request()

    waiting = threading.Thread(target=stop_when_it_is_up, daemon=True)
    waiting.start()
    report = ran(shop, *shell(f"trap '' TERM INT HUP QUIT; while :; do :; done # {mark}"))
    waiting.join()
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130), report
    assert _running(mark) == []
    assert everything(shop) == before
