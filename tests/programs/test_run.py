"""Any program as a proposer: it works on a copy, its files are the proposal, and nothing else of it counts."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.change import MOST_FILES
from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.proposers import Command
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.run import run
from dev_agent.programs.runs import read_run
from dev_agent.programs.story import told
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.blobs import Blobs
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.trace import read_trace
from tests.programs.conftest import NO_GATES, TESTS_ONLY, Shop, Watching
from tests.testing.children import in_child
from tests.testing.machine import lacks_namespaces
from tests.testing.repos import make_repository

OPEN = 'name = "open"\nnetwork = true\n'


def ran(
    shop: Shop,
    *argv: str,
    policy: str = NO_GATES,
    reporter: Reporter | None = None,
    network: bool = False,
    **more: object,
) -> RunReport:
    if "sandbox" not in more and lacks_namespaces():
        pytest.skip(lacks_namespaces())
    request = ApplyRequest(
        task="Let it work",
        patch=b"",
        policy=shop.policy(policy) if "\n" in policy else policy,
        **more,  # type: ignore[arg-type]  # keywords of the request
    )
    return run(
        shop.repository(),
        request,
        command=Command(argv=argv, network=network),
        environ=shop.project.environ,
        reporter=reporter or Reporter(),
        cancel=shop.cancel,
    )


def shell(script: str) -> tuple[str, str, str]:
    return ("sh", "-c", script)


def said(shop: Shop, report: RunReport, stream: str) -> bytes:
    """What the program said, from the blobs of the trace."""
    folder = find_run(shop.repository(), report.run)
    events = read_trace(folder.path)
    commitment = told(events).blobs[f"patch.{stream}"]
    length = next(blob.length for event in events for blob in event.blobs if blob.commitment == commitment)
    return Blobs(folder.path).read(commitment, length)


def test_the_last_words_of_a_program_that_fails_are_told_and_are_no_line_of_the_trace(shop: Shop) -> None:
    report = ran(shop, *shell("printf 'Jane%s\\n' Roe; exit 3"))

    folder = find_run(shop.repository(), report.run)
    assert (report.reason, report.explanation) == ("command_failed", "sh ended with status 3\nJaneRoe")
    assert "JaneRoe" not in (folder.path / "trace.jsonl").read_text()
    assert read_run(folder).report.explanation == report.explanation


def test_what_a_program_changes_becomes_one_commit(shop: Shop) -> None:
    report = ran(shop, "sed", "-i", "s/two/2/", "notes.txt", policy="default")
    assert (report.outcome, report.exit_code, report.files) == (Outcome.COMMITTED, 0, ("notes.txt",)), report
    assert (shop.root / "notes.txt").read_text() == "one\n2\nthree\n"
    assert shop.status() == ""
    assert shop.project.git("log", "-1", "--format=%s %an") == "Let it work Ann Author"
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run)).ok


def test_bytes_modes_links_and_deletions_arrive_exactly(shop: Shop) -> None:
    script = (
        "printf '\\000\\377\\r\\n' > binary; chmod +x notes.txt; ln -s notes.txt link; rm src/shop/names.py;"
        "mkdir -p deep/er; echo x > 'deep/er/a name'; mkdir empty; echo x > '[g]*'"
    )
    report = ran(shop, *shell(script), dry_run=True)
    assert (report.outcome, report.commit is None) == (Outcome.VERIFIED, False), report
    listed = shop.project.git("ls-tree", "-r", str(report.commit)).splitlines()
    rows = {name: entry for entry, name in (row.split("\t") for row in listed)}
    assert rows["binary"].startswith("100644")
    assert shop.project.git_bytes("cat-file", "blob", f"{report.commit}:binary") == b"\0\xff\r\n"
    assert rows["notes.txt"].startswith("100755")
    assert rows["link"].startswith("120000")
    assert {"deep/er/a name", "[g]*"} < set(rows)
    assert "src/shop/names.py" not in rows
    assert len(rows) == len(shop.project.git("ls-files").splitlines()) - 1 + 4


def test_a_program_that_breaks_a_test_leaves_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = ran(shop, "sed", "-i", "s/sum(prices)/sum(prices) + 1/", "src/shop/cart.py", policy=TESTS_ONLY)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "tests_failed")
    assert shop.project.snapshot() == before


def test_a_program_that_loosens_the_gates_is_denied(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = ran(shop, *shell("echo 'addopts = \"--co\"' >> pyproject.toml"), policy="default")
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "policy_denied")
    assert shop.project.snapshot() == before


def test_a_dry_run_lands_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    assert ran(shop, *shell("echo x > new"), dry_run=True).outcome is Outcome.VERIFIED
    assert shop.project.snapshot() == before


def test_a_program_that_changes_nothing_is_no_change(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = ran(shop, *shell("touch notes.txt; mkdir empty; echo done"))
    assert (report.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0)
    assert said(shop, report, "stdout") == b"done\n"
    assert report.explanation == "sh ended with status 0 and changed nothing that git does not ignore\ndone"
    assert shop.project.snapshot() == before


def test_a_status_other_than_zero_rejects_and_keeps_what_was_said(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = ran(shop, *shell("echo half > new; echo why; echo where >&2; exit 3"))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "command_failed", 1)
    assert report.explanation.splitlines() == ["sh ended with status 3", "why", "", "where"]
    assert (said(shop, report, "stdout"), said(shop, report, "stderr")) == (b"why\n", b"where\n")
    assert told(read_trace(find_run(shop.repository(), report.run).path)).facts["patch"]["status"] == 3
    assert shop.project.snapshot() == before


def test_the_first_commit_of_a_repository_can_be_a_programs(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    project = make_repository(tmp_path, object_format="sha256")
    shop = Shop(project=project, policies=tmp_path / "policies")
    report = ran(shop, *shell("echo x > new"))
    assert (report.outcome, report.base, report.files) == (Outcome.COMMITTED, "", ("new",)), report
    assert project.git("status", "--porcelain") == ""


def test_a_program_that_is_not_there_is_said_to_be_missing(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = ran(shop, "no-such-program")
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "command_failed")
    said = report.explanation
    assert said.startswith("no-such-program was not found inside the sandbox: not in ")
    assert "-m pip install no-such-program" in said
    assert shop.project.snapshot() == before


def test_a_program_that_calls_one_that_is_not_there_is_told_where_those_are_sought(shop: Shop) -> None:
    report = ran(shop, *shell("no-such-program"))
    assert report.explanation.startswith("sh ended with status 127; if it calls another program: ")
    assert ran(shop, *shell("exit 3")).explanation.startswith("sh ended with status 3")


def test_ignored_files_are_no_part_of_the_change(shop: Shop) -> None:
    shop.project.commit("ignore", {".gitignore": b"*.cache\n"})
    report = ran(
        shop, *shell("echo x > a.cache; echo x > b.kept; mkdir d; echo '*' > d/.gitignore; echo x > d/e")
    )
    assert report.files == ("b.kept",)


ATTACKS = {
    "deletes .git": "rm -rf .git; echo x > new",
    "makes .git a file": "rm -rf .git; echo 'gitdir: /tmp' > .git; echo x > new",
    "commits inside": "echo x > new; git add -A; git commit -qm inside",
    "hides it from git": "echo x > new; git add -A; git commit -qm x; git update-index --assume-unchanged new",
    "rewrites history and moves refs": "git update-ref -d HEAD; echo x > new",
    "plants hooks and settings": (
        "mkdir -p .git/hooks; printf '#!/bin/sh\\ntouch %s/pwned' \"$PWD\" > .git/hooks/pre-commit;"
        "chmod +x .git/hooks/pre-commit; git config core.fsmonitor 'touch pwned'; echo x > new"
    ),
    "leaves a daemon": "echo x > new; (setsid sh -c 'while :; do echo y > new; done' > /dev/null 2>&1 &)",
    "takes permissions away": "mkdir shut; echo x > new; chmod 000 shut",
}


@pytest.mark.parametrize("script", ATTACKS.values(), ids=ATTACKS.keys())
def test_what_a_program_does_to_its_own_git_or_leaves_running_does_not_count(shop: Shop, script: str) -> None:
    """Each of these ends as the same plain change, judged by its bytes, and the user's `.git` is untouched."""
    if "shut" in script and os.geteuid() != 0:
        pytest.skip("an ordinary user cannot look into it: refused, see the test of pipes")
    before = shop.project.snapshot()
    report = ran(shop, *shell(script), dry_run=True)
    assert (report.outcome, report.files) == (Outcome.VERIFIED, ("new",)), report
    assert shop.project.snapshot() == before
    assert not (shop.root / "pwned").exists()
    assert list((shop.repository().state_dir / "tmp").iterdir()) == []


def test_the_users_own_tree_secrets_and_home_are_out_of_reach(shop: Shop, tmp_path: Path) -> None:
    (shop.root / ".env").write_text("TOKEN=hidden-value\n")
    (shop.project.git_dir / "secret").write_text("hidden-value")
    outside = tmp_path / "outside"
    outside.write_text("hidden-value")
    before = shop.project.snapshot()
    script = (
        f"cat .env .git/secret {outside} ~/.gitconfig; echo x > {outside}; echo x > {shop.root}/notes.txt;"
        f"env; echo heard; rm -rf {shop.policies}; exit 0"
    )
    report = ran(shop, *shell(script), dry_run=True)
    assert (report.outcome, report.files) == (Outcome.VERIFIED, ("notes.txt",)), report
    assert shop.project.snapshot() == before
    assert outside.read_text() == "hidden-value"
    assert list(shop.policies.iterdir())
    heard = said(shop, report, "stdout") + said(shop, report, "stderr")
    assert b"No such file" in heard
    assert b"hidden-value" not in heard
    assert b"Ann" not in heard


@pytest.mark.parametrize(
    ("script", "reason", "word"),
    [
        ("ln -s /etc/passwd link", "refused_path", "plain relative path"),
        ("ln -s ../../outside link", "refused_path", "outside the repository"),
        ("ln -s .git/config link", "refused_path", "into .git"),
        ("mkdir inner; cp -r .git inner/.git", "refused_path", "leads into .git"),
        ("echo x > aux.py", "refused_path", "device name"),
        ("echo x > NOTES.txt", "refused_path", "only in case"),
        ("mkfifo pipe", "not_taken", "neither a file nor a symlink"),
        (f"mkdir m; cd m; seq {MOST_FILES + 100} | xargs touch", "not_taken", "entries"),
        ("truncate -s 1G big", "command_failed", "sh ended"),
        ("truncate -s 200M a; truncate -s 200M b", "not_taken", "bytes"),
    ],
)
def test_what_cannot_become_part_of_a_tree_is_refused(
    shop: Shop, script: str, reason: str, word: str
) -> None:
    before = shop.project.snapshot()
    report = ran(shop, *shell(script))
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, reason, 1), report
    assert word in report.explanation
    assert shop.project.snapshot() == before


@pytest.mark.parametrize(
    ("script", "outcome"), [("echo x > vendored/new", Outcome.REJECTED), ("echo x > new", Outcome.VERIFIED)]
)
def test_a_submodule_is_kept_and_nothing_is_put_into_it(shop: Shop, script: str, outcome: Outcome) -> None:
    shop.project.git("update-index", "--add", "--cacheinfo", f"160000,{shop.head()},vendored")
    shop.project.git("commit", "--quiet", "-m", "vendor")
    report = ran(shop, *shell(script), dry_run=True)
    assert report.outcome is outcome, report
    if outcome is Outcome.REJECTED:
        assert (report.reason, "inside the submodule" in report.explanation) == ("refused_path", True)
    else:
        assert report.files == ("new",)


@pytest.mark.parametrize("script", ["ln -s notes.txt link", "mkdir inner; ln -s ../notes.txt inner/link"])
def test_a_link_that_stays_inside_may_come_along(shop: Shop, script: str) -> None:
    assert ran(shop, *shell(script), dry_run=True).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("name", "outcome"), [("dos.txt", Outcome.REJECTED), ("notes.txt", Outcome.COMMITTED)]
)
def test_a_file_whose_form_on_disk_is_not_gits_is_kept_or_refused_never_rewritten(
    shop: Shop, name: str, outcome: Outcome
) -> None:
    shop.project.commit("dos", {".gitattributes": b"dos.txt eol=crlf\n", "dos.txt": b"one\r\n"})
    blob = shop.project.git("rev-parse", "HEAD:dos.txt")
    report = ran(shop, *shell(f"echo more >> {name}"))
    assert report.outcome is outcome, report
    assert outcome is Outcome.COMMITTED or (report.reason, "dos.txt" in report.explanation) == (
        "not_taken",
        True,
    )
    assert shop.project.git("rev-parse", "HEAD:dos.txt") == blob


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine's own loopback that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("network", [False, True])
def test_the_network_is_there_only_if_asked_for_and_given(
    shop: Shop, port: int, tmp_path: Path, network: bool
) -> None:
    profile = tmp_path / "open.toml"
    profile.write_text(OPEN)
    code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5); open('reached', 'w').close()"
    report = ran(shop, "python3", "-c", code, network=network, profile=str(profile))
    assert report.outcome is (Outcome.COMMITTED if network else Outcome.REJECTED), report


def test_a_wish_the_profile_does_not_grant_is_refused_before_a_run_is_made(shop: Shop) -> None:
    with pytest.raises(UsageFault, match="no network"):
        ran(shop, "true", network=True)
    assert all_runs(shop.repository()) == ()


@pytest.mark.parametrize("sandbox", ["off", "landlock"])
def test_without_confinement_nothing_is_run(shop: Shop, sandbox: str) -> None:
    before = shop.project.snapshot()
    lax = NO_GATES.replace("[on]", '[sandbox]\nconfinement = "optional"\n[on]')
    with pytest.raises(UsageFault, match="only run confined"):
        ran(shop, "touch", "new", policy=lax, sandbox=sandbox)
    assert shop.project.snapshot() == before
    assert all_runs(shop.repository()) == ()


@pytest.mark.parametrize("argv", [(), ("",), ("a\0b",)])
def test_no_command_is_a_usage_error(shop: Shop, argv: tuple[str, ...]) -> None:
    with pytest.raises(UsageFault, match="no command"):
        ran(shop, *argv)


def test_interrupted_while_it_works_it_works_again_on_resume(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = ran(
        shop,
        *shell("echo x > new"),
        reporter=Watching("patch", lambda: shop.cancel.on_signal(signal.SIGINT, None)),
    )
    assert (report.outcome, report.exit_code) == (Outcome.INTERRUPTED, 130)
    assert shop.project.snapshot() == before
    report = shop.resume(report.run)
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("new",))


class _Dying(Reporter):
    def __init__(self, state: str) -> None:
        self.state = state

    def entered(self, state: str, attempt: int) -> None:
        if state == self.state:
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.kill
@pytest.mark.parametrize(("state", "times"), [("patch", 1), ("stage", 0), ("check", 0)])
def test_killed_later_the_tree_it_made_is_taken_up_and_it_does_not_work_twice(
    shop: Shop, state: str, times: int
) -> None:
    """The program writes the time it ran; a second working would give another tree."""
    if lacks_namespaces():
        pytest.skip(lacks_namespaces())
    before = shop.project.snapshot()
    command = shell("head -c 16 /dev/urandom | od -An -tx1 > new")
    assert os.WIFSIGNALED(in_child(lambda: ran(shop, *command, reporter=_Dying(state))))
    assert shop.project.snapshot() == before
    (folder,) = all_runs(shop.repository())
    known = told(read_trace(folder.path)).facts.get("patch", {}).get("tree")
    report = shop.resume(folder.run)
    assert report.outcome is Outcome.COMMITTED, report
    assert (known is None) == bool(times)
    assert times or report.tree == known


def test_the_interpreter_of_the_project_is_the_programs_too(shop: Shop) -> None:
    shop = Shop(project=shop.project.with_environ(VIRTUAL_ENV=sys.prefix), policies=shop.policies)
    report = ran(shop, "python", "-c", "import pytest, pathlib; pathlib.Path('new').write_text('x')")
    assert report.outcome is Outcome.COMMITTED, report
