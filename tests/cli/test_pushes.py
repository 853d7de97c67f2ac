"""Real pushes by real git to real bare repositories that are guarded by the hook: in, refused, at once, killed."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.programs.conftest import FILES, NO_GATES, TESTS_ONLY
from tests.testing.repos import Project, make_repository

SOURCE = Path(__file__).parents[2]
CART = "src/shop/cart.py"
_PATIENCE_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Team:
    """A guarded bare repository, a clone of it, and where the hook writes its process id."""

    server: Path
    clone: Project
    pid: Path

    def push(self, *what: str, clone: Project | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "push", "origin", *what],
            cwd=(clone or self.clone).root,
            env=dict(self.clone.environ),
            capture_output=True,
            text=True,
            check=False,
        )

    def refs(self) -> str:
        return self.clone.git("--git-dir", str(self.server), "for-each-ref")

    def everything(self) -> dict[str, bytes]:
        """All files of the server but scratch folders."""
        found = (one for one in sorted(self.server.rglob("*")) if one.is_file())
        kept = (one for one in found if "dev-agent" not in one.relative_to(self.server).parts)
        return {str(one.relative_to(self.server)): one.read_bytes() for one in kept}

    def policy(self, text: str) -> None:
        path = self.server.parent / "policy.toml"
        path.write_text(text, encoding="utf-8")
        self.clone.git("--git-dir", str(self.server), "config", "dev-agent.policy", str(path))

    def another(self, name: str) -> Project:
        """A second clone."""
        root = self.server.parent / name
        self.clone.git("clone", "--quiet", str(self.server), str(root))
        return replace(self.clone, root=root)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    clone = make_repository(tmp_path, FILES, name="shop")
    server = tmp_path / "server.git"
    clone.git("clone", "--quiet", "--bare", str(clone.root), str(server))
    clone.git("remote", "add", "origin", str(server))
    pid = tmp_path / "hook.pid"
    hook = server / "hooks/pre-receive"
    command = shlex.join([sys.executable, "-m", "dev_agent", "premerge", "--pre-receive"])
    hook.write_text(
        f"#!/bin/sh\necho $$ >{shlex.quote(str(pid))}\nPYTHONPATH={shlex.quote(str(SOURCE))} exec {command}\n"
    )
    hook.chmod(0o755)
    made = Team(server=server, clone=clone, pid=pid)
    made.policy(NO_GATES)
    return made


def test_a_bad_push_is_refused_in_readable_words_and_a_good_one_gets_in(team: Team) -> None:
    team.policy(TESTS_ONLY)
    before, refs = team.everything(), team.refs()
    cart = (team.clone.root / CART).read_bytes()
    team.clone.commit("bad", {CART: cart.replace(b"sum(prices)", b"sum(prices) + 1")})
    refused = team.push("main")
    assert refused.returncode == 1
    assert "REFUSED  main" in refused.stderr
    assert "tests/test_cart.py::test_total" in refused.stderr
    assert "pre-receive hook declined" in refused.stderr
    assert (team.everything(), team.refs()) == (before, refs)
    team.clone.git("reset", "--quiet", "--hard", "HEAD~1")
    good = team.clone.commit("good", {CART: cart.replace(b"sum(prices)", b"sum(p for p in prices)")})
    taken = team.push("main")
    assert taken.returncode == 0, taken.stderr
    assert "accepted  main" in taken.stderr
    assert good in team.refs()
    assert not any((team.server / "dev-agent/tmp").iterdir())


def test_what_the_pusher_names_cannot_act_on_the_terminal_of_anybody(team: Team) -> None:
    """A path with an escape sequence and a right-to-left override, in a finding that is shown."""
    team.clone.commit("\x1b]0;owned\x07", {".github/\x1b[2J\u202eevil.yml": b"on: push\n"})
    refused = team.push("main")
    assert refused.returncode == 1
    assert "\\x1b[2J\\u202eevil.yml" in refused.stderr
    assert "\u202e" not in refused.stderr
    assert "\x1b[2J" not in refused.stderr


def test_of_two_refs_pushed_at_once_none_gets_in_if_one_is_bad(team: Team) -> None:
    team.clone.git("--git-dir", str(team.server), "config", "dev-agent.guarded", "*")
    refs = team.refs()
    team.clone.commit("good", {"notes.txt": b"1\n"})
    team.clone.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    team.clone.commit("bad", {".github/workflows/x.yml": b"on: push\n"})
    assert team.push("main", "side").returncode == 1
    assert team.refs() == refs


def test_of_two_pushes_at_once_exactly_one_gets_in(team: Team) -> None:
    other = team.another("other")
    commits = [team.clone.commit("one", {"one.txt": b"1\n"}), other.commit("two", {"two.txt": b"2\n"})]
    pushes = [
        subprocess.Popen(
            ["git", "push", "origin", "main"],
            cwd=clone.root,
            env=dict(clone.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for clone in (team.clone, other)
    ]
    codes = [(one.communicate()[1], one.returncode)[1] for one in pushes]
    assert sorted(codes) == [0, 1]
    winner = commits[codes.index(0)]
    assert team.clone.git("--git-dir", str(team.server), "rev-parse", "main") == winner


@pytest.mark.kill
@pytest.mark.parametrize("who", [signal.SIGKILL, signal.SIGTERM])
def test_a_hook_killed_while_it_judges_refuses_and_leaves_no_half(team: Team, who: signal.Signals) -> None:
    team.policy(TESTS_ONLY)
    before = team.everything()
    endless = b"import time\n\n\ndef test_long() -> None:\n    time.sleep(600)\n"
    team.clone.commit("slow", {"tests/test_slow.py": endless})
    push = subprocess.Popen(
        ["git", "push", "origin", "main"],
        cwd=team.clone.root,
        env=dict(team.clone.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _until(lambda: _is_judging(team.server))
    os.kill(int(team.pid.read_text()), who)
    assert push.wait(timeout=_PATIENCE_S) == 1
    assert team.everything() == before
    team.policy(NO_GATES)
    assert team.push("main").returncode == 0
    assert not any((team.server / "dev-agent/tmp").iterdir())


def _is_judging(server: Path) -> bool:
    """True once a trace says that the gates have been entered."""
    traces = server.glob("dev-agent/tmp/*/judged.git/dev-agent/runs/*/trace.jsonl")
    return any(b'"state":"check"' in one.read_bytes() for one in traces)


def _until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while not there():
        assert time.monotonic() < end, "the hook never came to judge"
        time.sleep(0.02)
