from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.gates.cache import Cache, digest_of
from dev_agent.gates.verdict import Failure, GateResult, Verdict

KEY = "ab" * 32
VERDICT = Verdict(
    gate="tests",
    result=GateResult.FAILED,
    reason="new_failures",
    tree="t",
    base_tree="b",
    argv=("pytest",),
    new_failures=(Failure(id="a::b", path="a", line=3, code="failed", message="m", detail="\udcff"),),
    notes=("n",),
    exit_code=1,
    ms=7,
    output=b"x",
)


def entry_of(folder: Path) -> Path:
    return next(folder.rglob("*.json"))


def test_what_was_stored_comes_back(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", KEY, VERDICT.to_json())

    found = cache.get("kind", KEY)

    assert found is not None
    again = Verdict.from_json(found).from_cache()
    assert (again.cached, again.ms, again.output) == (True, 0, b"")
    assert again.to_json() == {**VERDICT.to_json(), "cached": True, "ms": 0}


def test_no_entry_another_kind_and_another_key_are_misses(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", KEY, {"a": 1})

    assert cache.get("other", KEY) is None
    assert cache.get("kind", "cd" * 32) is None


@pytest.mark.law
@given(st.data())
def test_an_entry_changed_in_any_byte_is_a_miss_or_the_same(tmp_path_factory, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("cache")
    cache = Cache(folder)
    cache.put("kind", KEY, {"result": "failed"})
    path = entry_of(folder)
    raw = bytearray(path.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(raw))

    assert cache.get("kind", KEY) in (None, {"result": "failed"})


def test_an_entry_moved_to_another_key_is_a_miss(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put("kind", KEY, {"result": "passed"})
    other = KEY[:-1] + "0"
    entry_of(tmp_path).rename(entry_of(tmp_path).with_name(f"{other}.json"))

    assert cache.get("kind", other) is None


def test_a_folder_that_cannot_be_written_forgets(tmp_path: Path) -> None:
    (tmp_path / "kind").write_text("a file in the way")

    Cache(tmp_path).put("kind", KEY, {})

    assert Cache(tmp_path).get("kind", KEY) is None


def test_a_full_disk_leaves_no_half_entry(tmp_path: Path) -> None:
    (tmp_path / "kind" / KEY[:2] / f"{KEY}.json").mkdir(parents=True)

    Cache(tmp_path).put("kind", KEY, {"a": 1})

    assert [one.name for one in (tmp_path / "kind" / KEY[:2]).iterdir()] == [f"{KEY}.json"]


def test_digests_know_no_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of([1, 2]) != digest_of([2, 1])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {**VERDICT.to_json(), "argv": "x"},
        {**VERDICT.to_json(), "gate": 1},
        {**VERDICT.to_json(), "notes": [1]},
    ],
)
def test_what_is_no_verdict_is_refused(data: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Verdict.from_json(data)
