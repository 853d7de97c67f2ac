"""What a guarding hook lets in: by its own settings, and by the rules of the ref's old tip."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.programs.guard import Guard, guard_of
from dev_agent.programs.pre_push import pre_push, updates_of
from dev_agent.programs.pre_receive import PushReport, pre_receive
from dev_agent.programs.ref_updates import Kind, RefUpdate, guards, read_pre_push, read_pre_receive
from dev_agent.repository.discovery import discover
from dev_agent.repository.judging_copy import judging_copy, object_folders
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.runtime.engine import Reporter
from tests.programs.conftest import NO_GATES, TESTS_ONLY, Shop

MAIN = "refs/heads/main"
ZERO = "0" * 40


@pytest.fixture
def server(shop: Shop) -> Path:
    """A bare repository with what the shop has, judged by policy alone."""
    bare = shop.root.parent / "server.git"
    shop.project.git("clone", "--quiet", "--bare", str(shop.root), str(bare))
    settle(shop, bare, "policy", shop.policy(NO_GATES))
    return bare


def settle(shop: Shop, server: Path, key: str, value: str) -> None:
    shop.project.git("--git-dir", str(server), "config", "--add", f"dev-agent.{key}", value)


def pushed(shop: Shop, server: Path, *updates: RefUpdate) -> PushReport:
    """What the hook says once the objects of the shop have come in, as in a quarantine that is kept."""
    shop.project.git("--git-dir", str(server), "fetch", "--quiet", str(shop.root), "+refs/*:refs/came/*")
    return pre_receive(
        discover(server, shop.project.environ),
        updates,
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )


def files_of(server: Path) -> dict[str, bytes]:
    """All there is, but for the folder of scratch folders."""
    return {
        str(one.relative_to(server)): one.read_bytes() for one in sorted(server.rglob("*")) if one.is_file()
    }


def moved(shop: Shop, files: dict[str, bytes]) -> RefUpdate:
    old = shop.head()
    return RefUpdate(ref=MAIN, old=old, new=shop.project.commit("more", dict(files)))


def test_a_good_push_is_taken_and_a_refused_one_leaves_nothing_behind(shop: Shop, server: Path) -> None:
    good = pushed(shop, server, moved(shop, {"notes.txt": b"other\n"}))
    assert (good.exit_code, [one.accepted for one in good.answers]) == (0, [True])
    bad = moved(shop, {".github/workflows/x.yml": b"on: push\n"})
    pushed(shop, server)
    before = files_of(server)
    report = pushed(shop, server, bad)
    assert (report.exit_code, report.answers[0].reason) == (1, "The change touches continuous integration.")
    assert files_of(server) == before
    assert not any((server / "dev-agent/tmp").iterdir())
    assert report.to_json()["updates"][0]["report"]["reason"] == "policy_denied"


def test_the_rules_are_the_old_tips_and_not_those_that_are_pushed(shop: Shop, server: Path) -> None:
    """The push takes the house's rule away and breaks it in the same breath."""
    shop.project.git("--git-dir", str(server), "config", "--unset-all", "dev-agent.policy")
    house = NO_GATES.replace("[on]", '[scope]\ndeny = ["notes.txt"]\n[on]\npolicy_files = "allow"')
    settings = {"dev-agent.toml": b'policy = "house.toml"\n', "house.toml": house.encode()}
    shop.project.commit("rules", dict(settings))
    lax = NO_GATES.replace("[on]", '[on]\npolicy_files = "allow"').encode()
    attack = moved(shop, {"house.toml": lax, "notes.txt": b"mine\n"})
    report = pushed(shop, server, attack)
    assert report.answers[0].reason == "The change touches paths the policy closes."
    assert report.answers[0].report is not None
    assert [one["rule"] for one in report.answers[0].report.own_judge] == ["on.policy_files"]


def test_what_is_not_guarded_is_none_of_the_hooks_business(shop: Shop, server: Path) -> None:
    side = RefUpdate(ref="refs/heads/side", old=None, new=shop.head())
    assert pushed(shop, server, side).answers == ()
    settle(shop, server, "guarded", "release/*")
    assert pushed(shop, server, moved(shop, {".github/x.yml": b"1"})).answers == ()
    release = RefUpdate(ref="refs/heads/release/1", old=None, new=shop.head())
    assert pushed(shop, server, release).exit_code == 1


def test_a_symbolic_ref_is_no_way_around_the_guard_of_what_it_names(shop: Shop, server: Path) -> None:
    shop.project.git("--git-dir", str(server), "symbolic-ref", "refs/heads/alias", MAIN)
    attack = moved(shop, {".github/workflows/x.yml": b"on: push\n"})
    report = pushed(shop, server, RefUpdate(ref="refs/heads/alias", old=attack.old, new=attack.new))
    assert report.exit_code == 1


def test_deleting_is_refused_until_the_server_allows_it(shop: Shop, server: Path) -> None:
    gone = RefUpdate(ref=MAIN, old=shop.head(), new=None)
    refused = pushed(shop, server, gone).answers[0]
    assert (refused.accepted, refused.remedy.rpartition(": ")[2]) == (
        False,
        "git config dev-agent.delete allow",
    )
    settle(shop, server, "delete", "allow")
    assert pushed(shop, server, gone).exit_code == 0


def test_going_elsewhere_is_refused_or_judged_by_what_it_undoes(shop: Shop, server: Path) -> None:
    old = shop.project.commit("tests", {"tests/test_new.py": b"def test_new() -> None:\n    assert 1\n"})
    shop.project.git("--git-dir", str(server), "fetch", "--quiet", str(shop.root), "main:main")
    back = RefUpdate(ref=MAIN, old=old, new=shop.project.git("rev-parse", "HEAD~1"))
    assert "not built on its tip" in pushed(shop, server, back).answers[0].reason
    settle(shop, server, "force", "judge")
    assert pushed(shop, server, back).answers[0].reason == "The change removes tests."


def test_a_new_guarded_branch_is_judged_as_a_merge_into_the_trunk(shop: Shop, server: Path) -> None:
    settle(shop, server, "guarded", "*")
    shop.project.git("checkout", "--quiet", "-b", "topic")
    good = RefUpdate(ref="refs/heads/topic", old=None, new=shop.project.commit("good", {"notes.txt": b"1\n"}))
    assert pushed(shop, server, good).exit_code == 0
    new = shop.project.commit("bad", {".github/workflows/x.yml": b"on: push\n"})
    bad = RefUpdate(ref="refs/heads/topic", old=None, new=new)
    assert pushed(shop, server, bad).exit_code == 1
    settle(shop, server, "create", "allow")
    assert pushed(shop, server, bad).exit_code == 0
    settle(shop, server, "create", "deny")
    assert pushed(shop, server, good).answers[0].reason == "making it is not allowed here"


def test_the_first_push_of_all_has_nothing_to_be_judged_against(shop: Shop, tmp_path: Path) -> None:
    empty = tmp_path / "empty.git"
    shop.project.git("init", "--quiet", "--bare", "--initial-branch=main", str(empty))
    first = RefUpdate(ref=MAIN, old=None, new=shop.head())
    report = pushed(shop, empty, first)
    assert (report.exit_code, report.answers[0].remedy.split(": ")[1].split(",")[0]) == (
        1,
        "git config dev-agent.create allow",
    )
    settle(shop, empty, "create", "allow")
    assert pushed(shop, empty, first).exit_code == 0


def test_one_bad_ref_refuses_all_and_one_rule_spares_the_judging(shop: Shop, server: Path) -> None:
    settle(shop, server, "guarded", "*")
    good = moved(shop, {"notes.txt": b"1\n"})
    gone = RefUpdate(ref="refs/heads/side", old=good.old, new=None)
    report = pushed(shop, server, good, gone)
    assert report.exit_code == 1
    assert [(one.update.ref, one.report) for one in report.answers] == [("refs/heads/side", None)]


def test_a_push_policy_asks_about_is_refused_because_nobody_can_be_asked(shop: Shop, server: Path) -> None:
    asking = shop.policy(NO_GATES.replace("[on]", '[on]\ntests_added = "ask"'))
    settle(shop, server, "policy", asking)
    report = pushed(
        shop, server, moved(shop, {"tests/test_new.py": b"def test_new() -> None:\n    assert 1\n"})
    )
    assert report.exit_code == 5
    assert "nobody can be asked here" in report.answers[0].remedy


@pytest.mark.parametrize(
    ("key", "value", "hint"),
    [
        ("guardad", "main", "did you mean dev-agent.guarded?"),
        ("delete", "yes", "deny, allow"),
        ("force", "allow", "deny, judge"),
        ("sandbox", "off", "auto, bubblewrap, landlock"),
        ("cache", "here", "by its whole path"),
    ],
)
def test_a_setting_that_means_nothing_lets_nothing_in(
    shop: Shop, server: Path, key: str, value: str, hint: str
) -> None:
    settle(shop, server, key, value)
    with pytest.raises(UsageFault) as told:
        pushed(shop, server, moved(shop, {"notes.txt": b"1\n"}))
    assert "nothing is let through" in told.value.message
    assert hint in told.value.hint


def test_without_an_interpreter_a_push_is_refused_with_the_setting_to_make(shop: Shop, server: Path) -> None:
    text = b'[project]\nname = "shop"\nversion = "1"\ndependencies = ["six"]\n'
    shop.project.commit("needs", {"pyproject.toml": text})
    shop.project.git("--git-dir", str(server), "fetch", "--quiet", str(shop.root), "main:main")
    with pytest.raises(EnvironmentFault) as told:
        pushed(shop, server, moved(shop, {"notes.txt": b"1\n"}))
    assert "no Python environment found" in told.value.message
    assert "git config dev-agent.python" in told.value.hint
    settle(shop, server, "python", str(Path(os.path.realpath("/proc/self/exe"))))
    assert pushed(shop, server, moved(shop, {"notes.txt": b"2\n"})).exit_code == 0


def test_defaults_are_the_strict_ones() -> None:
    assert guard_of({}) == Guard(guarded=(), delete="deny", force="deny", create="judge", sandbox="auto")


def test_with_a_cache_what_was_judged_once_is_known_by_the_next_push(
    shop: Shop, server: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    settle(shop, server, "policy", shop.policy(TESTS_ONLY))
    settle(shop, server, "cache", str(cache))
    update = moved(shop, {"notes.txt": b"1\n"})
    told = [pushed(shop, server, update).answers[0].report for _ in range(2)]
    assert [one.run.gates[-1]["cached"] for one in told if one] == [False, True]
    assert cache.is_dir()
    assert not any((server / "dev-agent/tmp").iterdir())


# -- the private repository


def test_the_copy_sees_the_quarantine_and_writes_nothing_there(shop: Shop, tmp_path: Path) -> None:
    repository = shop.repository()
    quarantine = tmp_path / "incoming"
    quarantine.mkdir()
    text = b"only pushed"
    made = quarantined(shop, quarantine, text)
    environ = {
        **shop.project.environ,
        "GIT_QUARANTINE_PATH": str(quarantine),
        "GIT_OBJECT_DIRECTORY": str(quarantine),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository.common_dir / "objects"),
    }
    assert object_folders(repository, environ) == (quarantine, repository.common_dir / "objects")
    before = sorted(quarantine.rglob("*"))
    with judging_copy(repository, environ) as copy:
        place = copy.git_dir
        assert ObjectStore(copy).read(made) == text
        assert copy.git.out("cat-file", "-t", shop.head()).strip() == b"commit"
        ObjectStore(copy).write([NewObject(kind="blob", data=b"ours")])
        copy.git.out("update-ref", "refs/heads/x", shop.head())
    assert not place.exists()
    assert sorted(quarantine.rglob("*")) == before
    assert not shop.project.git("for-each-ref", "refs/heads/x")


def quarantined(shop: Shop, folder: Path, data: bytes) -> str:
    """Write a blob into another folder of objects, as git does in a quarantine; its id."""
    done = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=shop.root,
        env={**shop.project.environ, "GIT_OBJECT_DIRECTORY": str(folder)},
        input=data,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


# -- what git says


def test_the_lines_of_both_hooks_are_understood() -> None:
    new, old = "a" * 40, "b" * 40
    lines = f"{old} {new} refs/heads/x\n{ZERO} {new} refs/tags/t\n{old} {ZERO} refs/heads/caf\xe9\n"
    made = read_pre_receive(lines.encode())
    assert [one.kind for one in made] == [Kind.MOVE, Kind.CREATE, Kind.DELETE]
    assert (made[0].old, made[0].new, made[2].name) == (old, new, "caf\xe9")
    pushed_line = f"refs/heads/y {new} refs/heads/x {old}\n".encode()
    assert read_pre_push(pushed_line) == (RefUpdate(ref="refs/heads/x", old=old, new=new),)


@given(st.binary(max_size=200))
@pytest.mark.law
def test_whatever_comes_on_stdin_is_updates_or_a_clear_fault(lines: bytes) -> None:
    """Law: a line is understood whole or refused; nothing else is raised."""
    try:
        found = read_pre_receive(lines)
    except UsageFault as fault:
        assert "not what git tells a hook" in fault.message  # noqa: PT017 - one of two ends
    else:
        assert len(found) == len([line for line in lines.split(b"\n") if line])


@pytest.mark.parametrize(
    ("pattern", "ref", "guarded"),
    [
        ("main", MAIN, True),
        (MAIN, MAIN, True),
        ("main", "refs/heads/maintenance", False),
        ("main", "refs/tags/main", False),
        ("release/*", "refs/heads/release/1/2", True),
        ("refs/tags/v*", "refs/tags/v1", True),
        ("Main", MAIN, False),
    ],
)
def test_what_a_pattern_guards(pattern: str, ref: str, guarded: bool) -> None:
    assert guards((pattern,), ref) is guarded


# -- the pusher's side


def looked_at(shop: Shop, *updates: RefUpdate, remote: str = "origin") -> PushReport:
    return pre_push(
        shop.repository(),
        updates,
        remote=remote,
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )


def test_before_a_push_the_same_is_judged_as_a_server_would(shop: Shop) -> None:
    shop.project.git("config", "dev-agent.policy", shop.policy(NO_GATES))
    assert looked_at(shop, moved(shop, {"notes.txt": b"1\n"})).exit_code == 0
    assert looked_at(shop, moved(shop, {".github/workflows/x.yml": b"on: push\n"})).exit_code == 1
    gone = looked_at(shop, RefUpdate(ref=MAIN, old=shop.head(), new=None))
    assert (gone.exit_code, gone.answers, len(gone.notes)) == (0, (), 1)


def test_a_new_branch_is_judged_against_the_remotes_trunk_or_said_not_to_be(shop: Shop) -> None:
    shop.project.git("config", "dev-agent.policy", shop.policy(NO_GATES))
    base = shop.head()
    new = RefUpdate(
        ref="refs/heads/t", old=None, new=shop.project.commit("x", {".github/workflows/x.yml": b"1"})
    )
    told = looked_at(shop, new)
    assert (told.exit_code, told.answers) == (0, ())
    assert "nothing is judged" in told.notes[0]
    shop.project.git("update-ref", "refs/remotes/origin/HEAD", base)
    assert looked_at(shop, new).exit_code == 1


def test_a_remote_that_is_ahead_has_to_be_fetched_first(shop: Shop) -> None:
    with pytest.raises(UsageFault) as told:
        looked_at(shop, RefUpdate(ref=MAIN, old="c" * 40, new=shop.head()))
    assert told.value.hint == "fetch it first: git fetch origin"


def test_pre_commit_says_the_same_in_variables() -> None:
    environ = {
        "PRE_COMMIT_FROM_REF": "a" * 40,
        "PRE_COMMIT_TO_REF": "b" * 40,
        "PRE_COMMIT_REMOTE_BRANCH": MAIN,
    }
    assert updates_of(b"", environ) == (RefUpdate(ref=MAIN, old="a" * 40, new="b" * 40),)
    assert updates_of(b"", {}) == ()
