"""The user works on while a landing is under way: nothing of theirs is ever lost.

Edits happen at chosen points, through the progress object or a hook script; nothing waits for a clock.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.repository.landing.land import Request, land_request
from dev_agent.repository.landing.outcome import Blocked, Code, Landed, Moved, Outcome, Refusal
from dev_agent.repository.landing.progress import Progress
from dev_agent.repository.lock import land_lock_held
from dev_agent.repository.rebase import Rebased, rebase
from dev_agent.repository.recovery import recover
from dev_agent.repository.rename import Moves
from tests.repository.landing.landing_scene import (
    FULL_CHANGE,
    Scene,
    files_of,
    leftovers,
    make_scene,
    snapshot,
    status,
)
from tests.testing.children import in_child

_NOBODY = 65534


class At(Progress):
    """Does something the first time a point is reached."""

    def __init__(self, point: str, act: Callable[[], object]) -> None:
        self._point = point
        self._act = act
        self.done = False

    def reached(self, point: str) -> None:
        if point == self._point and not self.done:
            self.done = True
            self._act()


def landing(
    scene: Scene,
    point: str,
    act: Callable[[], object],
    change: dict[str, bytes | tuple[str, bytes] | None] | None = None,
    moves: Moves | None = None,
) -> Outcome:
    request = scene.request(
        scene.propose(change or {"a.txt": b"ours\n", "b.txt": b"ours too\n"}), moves=moves
    )
    at = At(point, act)
    outcome = scene.land(request, progress=at)
    assert at.done, "the point was never reached"
    return outcome


def refused_as(outcome: Outcome, code: Code, *paths: str) -> Blocked:
    assert isinstance(outcome, Blocked), outcome
    assert (outcome.code, outcome.paths) == (code, paths)
    return outcome


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"typed meanwhile\n")


def replace_atomically(path: Path) -> None:
    other = path.with_name("editor-temp")
    other.write_bytes(b"saved by an editor\n")
    other.rename(path)


EDITS: list[tuple[str, Callable[[Path], object]]] = [
    ("append", append),
    ("rewrite in place", lambda path: path.write_bytes(b"rewritten\n")),
    ("temp and rename", replace_atomically),
    ("delete", lambda path: path.unlink()),
    ("chmod", lambda path: path.chmod(0o755)),
]
EDIT = pytest.mark.parametrize("edit", [edit for _, edit in EDITS], ids=[name for name, _ in EDITS])
MOVES = pytest.mark.parametrize(
    "moves", [None, Moves(exchange=False, noreplace=False)], ids=["native", "only links"]
)


@MOVES
@EDIT
def test_an_edit_just_before_its_file_is_taken_is_seen_and_stays(
    tmp_path: Path, edit: Callable[[Path], object], moves: Moves | None
) -> None:
    scene = make_scene(tmp_path)
    victim = scene.root / "b.txt"
    state: dict[str, object] = {}

    def act() -> None:
        edit(victim)
        state.update(files_of(scene.root), **{"a.txt": (0o644, b"one\n")})

    outcome = landing(scene, "renamed 0", act, moves=moves)
    refused_as(outcome, Code.CONCURRENT_EDIT, "b.txt")
    assert files_of(scene.root) == state
    assert leftovers(scene) == []


@EDIT
def test_an_edit_of_an_installed_file_survives_the_way_back(
    tmp_path: Path, edit: Callable[[Path], object]
) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    victim = scene.root / "a.txt"
    edited: list[object] = []

    def act() -> None:
        edit(victim)
        edited.append(files_of(scene.root).get("a.txt"))

    outcome = landing(scene, "installed", act)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.HOOK_VETO
    assert files_of(scene.root).get("a.txt") == edited[0]
    assert (scene.root / "b.txt").read_bytes() == b"two\n"
    assert len(outcome.kept) == 1
    kept = recover(scene.repository).kept
    assert [(path, file.read_bytes()) for path, file in kept[0].files] == [("a.txt", b"one\n")]
    assert leftovers(scene) == [f"dev-agent/{Path(outcome.kept[0]).name}"]


def test_an_edit_by_the_hook_of_the_commit_point_itself_survives(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook(
        "reference-transaction", f"test $1 = prepared && echo mine >> {scene.root}/a.txt; test $1 != prepared"
    )
    outcome = scene.land(scene.request(scene.propose({"a.txt": b"ours\n"})))
    assert isinstance(outcome, Blocked)
    assert (scene.root / "a.txt").read_bytes() == b"ours\nmine\n"
    assert len(outcome.kept) == 1


def test_an_edit_of_an_installed_file_before_a_commit_that_succeeds_is_simply_dirty(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    outcome = landing(scene, "installed", lambda: append(scene.root / "a.txt"))
    assert isinstance(outcome, Landed)
    assert (scene.root / "a.txt").read_bytes() == b"ours\ntyped meanwhile\n"
    assert status(scene) == " M a.txt"


def test_a_file_made_where_one_is_to_be_added_stays(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    outcome = landing(
        scene, "locked index", lambda: scene.write("new", b"mine\n"), {"a.txt": b"o\n", "new": b"theirs\n"}
    )
    refused_as(outcome, Code.CONCURRENT_EDIT, "new")
    assert (scene.root / "new").read_bytes() == b"mine\n"
    assert (scene.root / "a.txt").read_bytes() == b"one\n"
    assert leftovers(scene) == []


def test_a_file_made_where_one_was_deleted_stays_and_the_deleted_one_is_kept(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    outcome = landing(scene, "installed", lambda: scene.write("a.txt", b"mine\n"), {"a.txt": None})
    assert isinstance(outcome, Blocked)
    assert (scene.root / "a.txt").read_bytes() == b"mine\n"
    assert [path.read_bytes() for path in Path(outcome.kept[0]).glob("0-*")] == [b"one\n"]


@EDIT
def test_an_edit_of_an_added_file_survives_the_way_back(
    tmp_path: Path, edit: Callable[[Path], object]
) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    edited: list[object] = []

    def act() -> None:
        edit(scene.root / "n" / "new")
        edited.append(files_of(scene.root).get("n/new"))

    outcome = landing(scene, "installed", act, {"n/new": b"theirs\n"})
    assert isinstance(outcome, Blocked)
    assert files_of(scene.root).get("n/new") == edited[0]
    assert (scene.root / "n").exists() == (edited[0] is not None)


def test_a_folder_exchanged_for_a_symlink_sends_nothing_elsewhere(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "c.py").write_bytes(b"three\n")

    def act() -> None:
        (scene.root / "src").rename(tmp_path / "src-away")
        (scene.root / "src").symlink_to(outside)

    outcome = landing(scene, "locked index", act, {"src/c.py": b"ours\n"})
    refused_as(outcome, Code.CONCURRENT_EDIT, "src/c.py")
    assert (outside / "c.py").read_bytes() == b"three\n"
    assert (tmp_path / "src-away" / "c.py").read_bytes() == b"three\n"


def test_a_folder_gone_before_the_way_back_leaves_the_old_file_among_the_kept(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    away = tmp_path / "src-away"

    def act() -> None:
        (scene.root / "src").rename(away)
        scene.write("src", b"a file now\n")

    outcome = landing(scene, "installed", act, {"src/c.py": b"ours\n", "src/deep/d.py": None})
    assert isinstance(outcome, Blocked)
    assert (away / "c.py").read_bytes() == b"ours\n"
    assert (scene.root / "src").read_bytes() == b"a file now\n"
    assert sorted(file.read_bytes() for file in Path(outcome.kept[0]).glob("[0-9]*")) == [
        b"four\n",
        b"three\n",
    ]


def test_a_file_somebody_has_open_for_writing_is_a_concurrent_edit(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    before = snapshot(scene)
    with (scene.root / "a.txt").open("ab") as log:
        outcome = scene.land(scene.request(scene.propose({"a.txt": b"ours\n"})))
        refused_as(outcome, Code.CONCURRENT_EDIT, "a.txt")
        log.write(b"late line\n")
    assert (scene.root / "a.txt").read_bytes() == b"one\nlate line\n"
    assert leftovers(scene) == before["leftovers"] == []


def test_a_writer_of_the_new_file_keeps_its_bytes_even_if_it_is_taken_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    opened: list[int] = []
    outcome = landing(
        scene,
        "installed",
        lambda: opened.append(os.open(scene.root / "new", os.O_WRONLY | os.O_APPEND)),
        {"new": b"theirs\n"},
    )
    assert isinstance(outcome, Blocked)
    os.write(opened[0], b"typed late\n")
    assert leftovers(scene) != [], "nothing may be removed while somebody writes"
    os.close(opened[0])
    report = recover(scene.repository)
    assert [(path, file.read_bytes()) for path, file in report.kept[0].files] == [
        ("new", b"theirs\ntyped late\n")
    ]


def test_something_staged_between_plan_and_lock_is_seen(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def stage() -> None:
        scene.write("b.txt", b"staged\n")
        scene.git("add", "b.txt")

    refused_as(landing(scene, "begun", stage), Code.STAGED_OVERLAP, "b.txt")
    assert status(scene) == "M  b.txt"
    assert leftovers(scene) == []


def test_something_else_staged_between_plan_and_lock_stays_staged(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def stage() -> None:
        scene.write("mine/staged", b"staged\n")
        scene.git("add", "mine/staged")

    assert isinstance(landing(scene, "begun", stage), Landed)
    assert status(scene) == "M  mine/staged"


@pytest.mark.parametrize("point", ["begun", "installed"])
def test_a_commit_between_plan_and_commit_point_is_a_moved_branch(tmp_path: Path, point: str) -> None:
    scene = make_scene(tmp_path)
    tip = scene.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "meanwhile")
    outcome = landing(scene, point, lambda: scene.git("update-ref", "refs/heads/main", tip))
    assert outcome == Moved(tip=tip)
    assert status(scene) == ""
    assert leftovers(scene) == []


def test_a_deleted_branch_is_a_moved_branch(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    outcome = landing(scene, "installed", lambda: scene.git("update-ref", "-d", "refs/heads/main"))
    assert outcome == Moved(tip=None)
    assert (scene.root / "a.txt").read_bytes() == b"one\n"


def test_a_merge_begun_meanwhile_is_an_operation_in_progress(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    mark = scene.root / ".git" / "MERGE_HEAD"
    outcome = landing(scene, "begun", lambda: mark.write_text("0" * 40))
    refused_as(outcome, Code.OPERATION_IN_PROGRESS)


@pytest.mark.parametrize("staged", [False, True], ids=["nothing staged", "something staged"])
def test_a_removed_index_lock_does_not_cost_what_was_staged_then(tmp_path: Path, staged: bool) -> None:
    scene = make_scene(tmp_path)

    def follow_gits_advice() -> None:
        (scene.root / ".git" / "index.lock").unlink()
        if staged:
            scene.write("mine/staged", b"staged\n")
            scene.write("b.txt", b"mine after all\n")
            scene.git("add", "mine/staged", "b.txt")

    outcome = landing(scene, "committed", follow_gits_advice)
    assert isinstance(outcome, Landed)
    assert status(scene) == ("M  b.txt\nM  mine/staged" if staged else "")
    assert leftovers(scene) == []


def test_an_index_lock_taken_over_by_git_is_finished_by_the_next_recovery(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    lock = scene.root / ".git" / "index.lock"

    def taken_over() -> None:
        lock.unlink()
        lock.write_bytes(b"")

    outcome = landing(scene, "committed", taken_over)
    assert isinstance(outcome, Landed)
    assert "dev-agent recover" in outcome.warnings[0]
    lock.unlink()
    assert [settled.landed for settled in recover(scene.repository).settled] == [True]
    assert status(scene) == ""
    assert leftovers(scene) == []


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(5, "Input/output error")])
@pytest.mark.parametrize("point", ["planned", "files written", "begun", "renamed 0", "installed"])
def test_whatever_is_raised_before_the_commit_point_takes_everything_back(
    tmp_path: Path, point: str, error: BaseException
) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose(dict(FULL_CHANGE)))
    before = snapshot(scene)

    def act() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        scene.land(request, progress=At(point, act))
    assert raised.value is error
    after = snapshot(scene)
    assert {key: after[key] for key in ("files", "index bytes", "refs", "head", "leftovers")} == {
        key: before[key] for key in ("files", "index bytes", "refs", "head", "leftovers")
    }


def test_what_on_begin_raises_comes_out_and_nothing_is_left(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose(dict(FULL_CHANGE)))
    before = snapshot(scene)

    def refuse() -> None:
        raise EnvironmentFault("the trace cannot be anchored")

    with pytest.raises(EnvironmentFault, match="anchored"):
        scene.land(request, on_begin=refuse)
    assert snapshot(scene) == before


def test_on_begin_is_called_when_the_journal_is_there_and_the_index_lock_is_not(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    git_dir = scene.root / ".git"
    seen: list[tuple[int, bool]] = []

    def look() -> None:
        journals = list(git_dir.glob("dev-agent/tx-*/journal"))
        seen.append((len(journals), (git_dir / "index.lock").exists()))

    request = scene.request(scene.propose({"a.txt": b"ours\n"}))
    assert isinstance(scene.land(request, on_begin=look), Landed)
    assert seen == [(1, False)]


def test_a_signal_inside_the_critical_section_waits_and_does_not_hide_the_landing(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose({"a.txt": b"ours\n"}))
    cancel = Cancel()
    progress = At("renamed 0", lambda: cancel.on_signal(2, None))
    assert isinstance(scene.land(request, progress=progress, cancel=cancel), Landed)
    assert cancel.requested


def test_a_signal_in_a_landing_that_is_refused_interrupts_after_the_way_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    request = scene.request(scene.propose({"a.txt": b"ours\n"}))
    cancel = Cancel()
    outcome = scene.land(request, progress=At("renamed 0", lambda: cancel.on_signal(2, None)), cancel=cancel)
    assert isinstance(outcome, Blocked)
    assert cancel.requested
    assert (scene.root / "a.txt").read_bytes() == b"one\n"


@pytest.mark.parametrize("point", ["planned", "files written"])
def test_a_stop_asked_for_before_begin_is_obeyed(tmp_path: Path, point: str) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose({"a.txt": b"ours\n"}))
    before = snapshot(scene)
    cancel = Cancel()
    with pytest.raises(KeyboardInterrupt):
        scene.land(request, progress=At(point, cancel.request), cancel=cancel)
    assert snapshot(scene) == before


def test_a_full_disk_is_a_refusal_with_everything_taken_back(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose(dict(FULL_CHANGE)))
    before = files_of(scene.root)
    for point in ("files written", "renamed 1"):

        def full() -> None:
            raise OSError(28, "No space left on device", "somewhere")

        refused_as(scene.land(request, progress=At(point, full)), Code.DISK_FULL)
        assert files_of(scene.root) == before
        assert leftovers(scene) == []


def test_after_the_commit_point_an_error_is_a_warning_and_recovery_finishes(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def fail() -> None:
        raise OSError(28, "No space left on device")

    outcome = landing(scene, "published index", fail)
    assert isinstance(outcome, Landed)
    assert "No space left" in outcome.warnings[0]
    assert len(recover(scene.repository).settled) == 1
    assert status(scene) == ""


def test_an_error_between_commit_point_and_index_goes_forward_and_comes_out(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def fail() -> None:
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        landing(scene, "committed", fail)
    assert status(scene) == ""
    assert (scene.root / "a.txt").read_bytes() == b"ours\n"
    assert leftovers(scene) == []


def test_a_way_back_that_cannot_be_finished_is_reported_and_finished_by_recovery(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    scene.hook("reference-transaction", "test $1 != prepared")
    home = scene.root / ".git" / "dev-agent"
    obstacle: list[Path] = []

    def act() -> None:
        (tx,) = home.glob("tx-*")
        obstacle.append(home / tx.name.replace("tx-", "kept-"))
        obstacle[0].write_bytes(b"no folder")
        append(scene.root / "a.txt")

    with pytest.raises(EnvironmentFault, match="could not be taken back yet") as raised:
        landing(scene, "installed", act)
    assert "dev-agent recover" in raised.value.hint
    assert (scene.root / ".git" / "index.lock").exists()
    obstacle[0].unlink()
    assert [path for kept in recover(scene.repository).kept for path, _ in kept.files] == ["a.txt"]
    assert (scene.root / "a.txt").read_bytes() == b"ours\ntyped meanwhile\n"
    assert (scene.root / "b.txt").read_bytes() == b"two\n"
    assert not (scene.root / ".git" / "index.lock").exists()


def test_a_refusal_that_comes_too_late_is_a_landing(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)

    def refuse() -> None:
        raise Refusal(Code.REF_UPDATE_FAILED, "too late")

    assert isinstance(landing(scene, "committed", refuse), Landed)
    assert status(scene) == ""


def test_git_children_inherit_the_land_lock(tmp_path: Path) -> None:
    """If only the agent is killed, its orphan must still hold recovery off."""
    scene = make_scene(tmp_path)
    seen = tmp_path / "seen"
    scene.hook("reference-transaction", f"ls -l /proc/$$/fd | grep -q land.lock && touch {seen}; exit 0")
    assert isinstance(scene.land(scene.request(scene.propose({"a.txt": b"ours\n"}))), Landed)
    assert seen.exists()


@pytest.fixture
def readable() -> Iterator[Scene]:
    """A scene that whoever somebody else is may look into, and whose owner git trusts."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        scene = make_scene(Path(name))
        trusting = scene.home / "config"
        trusting.write_text("[safe]\n\tdirectory = *\n")
        scene.environ["GIT_CONFIG_GLOBAL"] = str(trusting)
        yield scene


def landed_by_nobody(scene: Scene, request: Request, check: Callable[[Outcome], object]) -> None:
    """Land as another user, for whom the outcome is checked and nothing changes."""
    before = snapshot(scene)
    repository = scene.repository

    def as_somebody_else() -> None:
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
        check(land_request(repository, request, Cancel()))

    assert in_child(as_somebody_else) == 0
    assert snapshot(scene) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("git_dir_is_theirs", [False, True], ids=["nothing", "the git dir only"])
def test_where_one_may_not_write_the_landing_is_refused(readable: Scene, git_dir_is_theirs: bool) -> None:
    request = readable.request(readable.propose({"a.txt": b"ours\n", "src/c.py": None}))
    if git_dir_is_theirs:
        for path in [readable.root / ".git", *(readable.root / ".git").rglob("*")]:
            os.chown(path, _NOBODY, _NOBODY)
    blamed = (".", "src") if git_dir_is_theirs else ()

    landed_by_nobody(readable, request, lambda seen: refused_as(seen, Code.NO_WRITE_PERMISSION, *blamed))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_one_may_not_read_is_named_by_its_whole_path(readable: Scene) -> None:
    request = readable.request(readable.propose({"src/c.py": None}))
    top = readable.root.parent
    for path in [top, *top.rglob("*")]:
        os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
    os.chown(readable.root / "src/c.py", 0, 0)
    (readable.root / "src/c.py").chmod(0o600)

    def check(seen: Outcome) -> None:
        assert isinstance(seen, Blocked)
        assert (seen.code, seen.text) == (Code.NO_WRITE_PERMISSION, "src/c.py: Permission denied")

    landed_by_nobody(readable, request, check)


def test_a_landing_that_waits_too_long_for_another_says_whose_it_is(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    request = scene.request(scene.propose({"a.txt": b"ours\n"}), land_wait_s=0.0)
    before = snapshot(scene)
    with land_lock_held(scene.repository, "landing for run other", timeout_s=0):
        outcome = scene.land(request)
    assert isinstance(outcome, Blocked)
    assert outcome.code is Code.LANDING_BUSY
    assert "landing for run other" in outcome.text
    assert snapshot(scene) == before


def land_until_it_lands(scene: Scene, name: str, results: multiprocessing.Queue[str]) -> None:
    """One agent: propose, land, and on a moved branch carry the change over and try again."""
    base = scene.head()
    assert base is not None
    index = {"GIT_INDEX_FILE": str(scene.home / f"index-{name}")}
    scene.git("read-tree", base, env=index)
    blob = scene.git("hash-object", "-w", "--stdin", stdin=name.encode())
    scene.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}/file", env=index)
    commit = scene.git("commit-tree", scene.git("write-tree", env=index), "-p", base, "-m", name)
    while True:
        request: Request = replace(scene.request(commit, base=base), index_wait_s=300.0, land_wait_s=300.0)
        outcome = scene.land(request)
        if isinstance(outcome, Landed):
            results.put("landed")
            return
        if isinstance(outcome, Blocked):
            # The user was just committing: their branch is ahead of their files for an instant.
            results.put(outcome.code)
            if outcome.code is not Code.STAGED_OVERLAP:
                return
            continue
        assert isinstance(outcome, Moved)
        carried = rebase(scene.repository, base=base, commit=commit, onto=outcome.tip)
        assert isinstance(carried, Rebased)
        assert outcome.tip is not None
        base = outcome.tip
        commit = scene.git("commit-tree", carried.tree, "-p", base, "-m", name)


def test_three_landings_at_once_and_a_user_committing_all_end_in_one_line_of_history(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[str] = context.Queue()
    agents = [
        context.Process(target=land_until_it_lands, args=(scene, name, results))
        for name in ("agent-1", "agent-2", "agent-3")
    ]
    for agent in agents:
        agent.start()
    committed = 0
    while committed < 2:
        scene.write("mine/dirty", f"{committed}\n".encode())
        try:
            scene.git("commit", "-q", "-m", "user", "mine/dirty")
        except Exception:  # noqa: BLE001, S112 - index.lock was taken; a user tries again
            continue
        committed += 1
    said: list[str] = []
    while said.count("landed") < 3 and all(agent.exitcode in (None, 0) for agent in agents):
        said.append(results.get(timeout=600))
    for agent in agents:
        agent.join()
    assert said.count("landed") == 3
    assert scene.git("rev-list", "--count", "HEAD") == "6"
    assert scene.git("rev-list", "--count", "--min-parents=2", "HEAD") == "0"
    assert status(scene) == ""
    assert leftovers(scene) == []


def test_two_landings_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    scene = make_scene(tmp_path)
    first = scene.request(scene.propose({"a.txt": b"first\n"}))
    second = replace(scene.request(scene.propose({"b.txt": b"second\n"})), land_wait_s=300.0)
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(scene.land(second)))
    assert isinstance(scene.land(first, progress=At("installed", thread.start)), Landed)
    thread.join()
    assert outcomes == [Moved(tip=first.commit)]
