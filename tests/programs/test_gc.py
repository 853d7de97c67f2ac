"""What is kept for speed stays below a size; what is used, and what is no matter of size, stays."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dev_agent.cli.pages.gc import gc_page
from dev_agent.cluster import mirrors
from dev_agent.cluster.folder_lock import hold_folder
from dev_agent.cluster.workshop import Workshop
from dev_agent.cluster.workshop_settings import WorkshopSettings
from dev_agent.errors import UsageFault
from dev_agent.gates import mypy_cache
from dev_agent.gates.cache import Cache
from dev_agent.gates.mypy_cache import leased_cache
from dev_agent.programs.gc import collect, keep_within, plan_collection
from dev_agent.programs.limit import size_limit
from dev_agent.programs.prune import PruneRequest, prune
from dev_agent.programs.report import Outcome
from dev_agent.programs.storage import Stored, StoredKind, drop, stored
from dev_agent.repository.slots import Slots
from dev_agent.sandbox import scratch
from dev_agent.sizes import parse_size, said_size
from tests.programs.conftest import BETTER, TESTS_ONLY, Shop
from tests.testing.children import in_child

KEYS = tuple(letter * 64 for letter in "abc")


def cache_folder(shop: Shop) -> Path:
    return shop.repository().state_dir / "cache"


def fill_mypy(shop: Shop, key: str, *, used: int, size: int = 100_000) -> Path:
    """A cache of mypy's of `size` bytes, used last at the second `used`."""
    with leased_cache(cache_folder(shop) / "mypy", key) as cache:
        (cache.path / "3.11").mkdir(exist_ok=True)
        (cache.path / "3.11" / "cache.db").write_bytes(os.urandom(size))
        place = cache.path
    os.utime(f"{place}.lock", (used, used))
    return place


def fill_slot(shop: Shop, purpose: str, *, used: int) -> Path:
    with Slots(shop.repository()).lease(purpose) as slot:
        slot.checkout(shop.project.git("rev-parse", "HEAD^{tree}"))
    os.utime(slot.folder / "lock", (used, used))
    return slot.folder


def names(things: tuple[Stored, ...]) -> list[str]:
    return [one.name for one in things]


def total(shop: Shop) -> int:
    return sum(one.bytes for one in stored(shop.repository()))


def test_what_was_used_longest_ago_goes_first_whatever_it_is(shop: Shop) -> None:
    old = fill_mypy(shop, KEYS[0], used=100)
    slot = fill_slot(shop, "tests", used=200)
    new = fill_mypy(shop, KEYS[1], used=300)
    Cache(cache_folder(shop)).put("tests-verdict", "d" * 64, {"a": 1})

    things = stored(shop.repository())
    assert [one.kind for one in things] == ["mypy", "slot", "mypy", "verdicts"]
    done = collect(shop.repository(), total(shop) - things[0].bytes - 1)

    assert names(done.freed) == [old.name, slot.name]
    assert (old.exists(), (slot / "tree").exists(), new.exists()) == (False, False, True)
    assert total(shop) == done.after <= done.limit


def test_a_plan_changes_nothing_and_a_large_limit_frees_nothing(shop: Shop) -> None:
    fill_mypy(shop, KEYS[0], used=100)
    before = total(shop)

    assert names(plan_collection(shop.repository(), 0).freed)
    assert collect(shop.repository(), before).freed == ()
    assert total(shop) == before


def test_using_a_thing_makes_it_new(shop: Shop) -> None:
    cache = Cache(cache_folder(shop))
    for key in KEYS:
        cache.put("tests-verdict", key, {"a": 1})
    for path in cache_folder(shop).rglob("*.json"):
        os.utime(path, (100, 100))
    cache.get("tests-verdict", KEYS[1])
    fill_slot(shop, "tests", used=100)
    with Slots(shop.repository()).lease("tests"):
        pass

    last = stored(shop.repository())[-2:]

    assert {Path(one.name).stem for one in last} == {KEYS[1], "tests-1"}


def test_what_is_in_use_stays_even_if_nothing_else_is_left(shop: Shop) -> None:
    fill_mypy(shop, KEYS[0], used=100)
    fill_slot(shop, "tests", used=100)
    with (
        leased_cache(cache_folder(shop) / "mypy", KEYS[0]) as cache,
        Slots(shop.repository()).lease("tests") as slot,
    ):
        for drop_all in (lambda: collect(shop.repository(), 0), lambda: prune(shop.repository(), EVERYTHING)):
            drop_all()
            assert (cache.path / "3.11" / "cache.db").exists()
            assert (slot.folder / "tree").exists()
        assert sorted(names(collect(shop.repository(), 0).busy)) == sorted(
            [cache.path.name, slot.folder.name]
        )


EVERYTHING = PruneRequest(cache=True, slots=True)


def test_a_lock_outlives_what_it_locked(shop: Shop) -> None:
    """Whoever waits at its name must find the same file."""
    place = fill_mypy(shop, KEYS[0], used=100)
    slot = fill_slot(shop, "tests", used=100)
    inodes = [Path(f"{place}.lock").stat().st_ino, (slot / "lock").stat().st_ino]

    collect(shop.repository(), 0)

    assert [Path(f"{place}.lock").stat().st_ino, (slot / "lock").stat().st_ino] == inodes


@pytest.mark.kill
def test_killed_while_a_cache_is_dropped_no_half_of_it_is_believed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = fill_mypy(shop, KEYS[0], used=100)
    removes = scratch.remove_tree

    def dies(path: Path) -> None:
        if path.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        removes(path)

    with monkeypatch.context() as patched:
        patched.setattr(mypy_cache, "remove_tree", dies)
        status = in_child(lambda: collect(shop.repository(), 0))
    assert os.WIFSIGNALED(status)
    assert not place.exists()
    assert total(shop) > 0
    assert names(collect(shop.repository(), 0).freed) == [f"{place.name}.seed"]
    assert total(shop) == 0


def test_every_run_ends_below_the_limit_and_the_next_one_is_whole(shop: Shop) -> None:
    shop.project.commit("settings", {"dev-agent.toml": b'cache_size = "0"\n'})

    first = shop.apply(BETTER, policy=TESTS_ONLY, dry_run=True)
    assert (first.outcome, total(shop)) == (Outcome.VERIFIED, 0)
    again = shop.apply(BETTER, policy=TESTS_ONLY)

    assert (again.outcome, total(shop)) == (Outcome.COMMITTED, 0)


def test_the_end_of_a_run_looks_again_only_if_it_has_to(shop: Shop) -> None:
    repository = shop.repository()
    note = repository.state_dir / "storage.json"
    fill_mypy(shop, KEYS[0], used=100)
    keep_within(repository, 10_000_000)
    os.utime(note, (note.stat().st_atime, note.stat().st_mtime - 10))
    looked = note.stat().st_mtime_ns

    keep_within(repository, 10_000_000)
    assert note.stat().st_mtime_ns == looked
    for changed in (
        lambda: fill_mypy(shop, KEYS[1], used=100),  # something large came
        lambda: os.utime(note, (0, 0)),  # long ago
        lambda: os.utime(note, (2**33, 2**33)),  # the clock was set back
        lambda: note.write_text("{"),
    ):
        changed()
        before = note.stat().st_mtime_ns
        keep_within(repository, 10_000_000)
        assert note.stat().st_mtime_ns != before
    keep_within(repository, 0)
    assert total(shop) == 0


def test_a_cache_that_came_back_after_it_was_freed_is_freed_again(shop: Shop) -> None:
    fill_mypy(shop, KEYS[0], used=100)
    keep_within(shop.repository(), 0)
    fill_mypy(shop, KEYS[0], used=100)
    keep_within(shop.repository(), 0)

    assert total(shop) == 0


def fill_worker(shop: Shop, *, used: int) -> Path:
    """What a worker of a cluster here keeps: a shipped file, a mirror, an environment; used last at that second."""
    folder = shop.repository().state_dir / "cluster" / "worker-1"
    file = folder / "store" / "files" / "ab" / ("ab" + "c" * 62)
    mirror = folder / "mirrors" / f"{'d' * 64}.git"
    environment = folder / "environments" / ("e" * 64)
    for path, content in ((file, file), (mirror, mirror / "HEAD"), (environment, environment / "lib")):
        content.parent.mkdir(parents=True)
        content.write_bytes(os.urandom(50_000))
        os.utime(path, (used, used))
        os.utime(content, (used, used))
    mark = environment.with_name(f"{environment.name}.whole")
    mark.write_bytes(b"")
    os.utime(mark, (used, used))
    (folder / "lock").touch()
    return folder


def test_what_workers_here_keep_counts_and_goes_in_the_order_of_its_last_use(shop: Shop) -> None:
    fill_mypy(shop, KEYS[0], used=100)
    worker = fill_worker(shop, used=200)
    fill_mypy(shop, KEYS[1], used=300)
    os.utime(worker / "mirrors" / f"{'d' * 64}.git" / "HEAD", (400, 400))
    things = stored(shop.repository())
    assert [one.kind for one in things] == ["mypy", "worker", "shipped", "mypy", "worker"]
    assert sum(one.bytes for one in things) >= 350_000

    done = collect(shop.repository(), total(shop) - sum(one.bytes for one in things[:2]) - 1)

    assert [one.kind for one in done.freed] == ["mypy", "worker", "shipped"]
    assert not (worker / "environments" / ("e" * 64)).exists()
    assert not list((worker / "store/files").rglob("*c"))
    assert (worker / "mirrors" / f"{'d' * 64}.git" / "HEAD").exists()
    assert collect(shop.repository(), 0).after == 0
    assert (worker / "lock").exists(), "whoever waits at its name must find the same file"


def test_while_a_worker_has_its_folder_nothing_of_it_goes_and_the_next_run_looks_again(shop: Shop) -> None:
    worker = fill_worker(shop, used=100)
    before = {path: path.stat().st_mtime_ns for path in worker.rglob("*")}
    held = hold_folder(worker / "lock")
    done = collect(shop.repository(), 0)
    keep_within(shop.repository(), 0)
    assert (done.freed, {one.kind for one in done.busy}) == ((), {"worker", "shipped"})
    assert gc_page(done).data["busy"] == ["worker-1"]
    assert not any(drop(shop.repository(), one) for one in done.busy), (
        "a worker may come between looking and dropping"
    )
    assert {path: path.stat().st_mtime_ns for path in worker.rglob("*")} == before
    os.close(held)
    keep_within(shop.repository(), 0)
    assert total(shop) == 0


def test_a_worker_that_starts_after_its_folder_was_emptied_is_whole(shop: Shop) -> None:
    worker = fill_worker(shop, used=100)
    collect(shop.repository(), 0)
    workshop = Workshop(WorkshopSettings(name="w", folder=worker, environ=os.environ))
    assert list(workshop.keeping.kept()) == []
    workshop.close()


@pytest.mark.kill
def test_killed_while_a_workers_mirror_is_dropped_no_half_of_it_is_believed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = fill_worker(shop, used=100)
    removes = scratch.remove_tree

    def dies(path: Path) -> None:
        if path.exists():
            os.kill(os.getpid(), signal.SIGKILL)
        removes(path)

    with monkeypatch.context() as patched:
        patched.setattr(mirrors, "remove_tree", dies)
        status = in_child(lambda: collect(shop.repository(), 0))
    assert os.WIFSIGNALED(status)
    assert not list((worker / "mirrors").glob("*.git"))
    workshop = Workshop(WorkshopSettings(name="w", folder=worker, environ=os.environ))
    assert not list((worker / "mirrors").iterdir())
    workshop.close()


def test_a_repository_without_state_has_nothing_to_collect(shop: Shop) -> None:
    assert collect(shop.repository(), 0).before == 0


def test_the_limit_is_the_callers_else_the_settings(shop: Shop) -> None:
    assert size_limit(shop.repository(), None) == 2_000_000_000
    shop.project.commit("settings", {"dev-agent.toml": b'cache_size = "1.5MiB"\n'})
    assert size_limit(shop.repository(), None) == 1_572_864
    assert size_limit(shop.repository(), "4096") == 4096
    with pytest.raises(UsageFault, match="not a size"):
        size_limit(shop.repository(), "plenty")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("5 kb", 5000),
        ("5KiB", 5120),
        ("2G", 2_000_000_000),
        ("1.5m", 1_500_000),
        ("7B", 7),
    ],
)
def test_sizes(text: str, number: int) -> None:
    assert parse_size(text) == number


@pytest.mark.parametrize("text", ["", "GB", "-1", "1 XB", "1e9", "1GBB", "nan"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


def test_sizes_are_said_as_people_read_them() -> None:
    assert [said_size(one) for one in (0, 1023, 1024, 3_565_158)] == ["0 B", "1023 B", "1.0 KiB", "3.4 MiB"]


def test_the_kinds_are_words_of_the_json_answer() -> None:
    assert {one.value for one in StoredKind} == {"slot", "mypy", "verdicts", "index", "worker", "shipped"}
