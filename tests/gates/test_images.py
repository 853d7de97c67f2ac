"""Images of test modules, one at a time: how they are made, and when one is not to be believed."""

from __future__ import annotations

import ast
import base64
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from _pytest.assertion import rewrite
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.gates.image_bundle import ImageBundle, read_bundle
from tests.gates.test_reading import runner

images = runner("images")
SOURCE = b"def test_sum():\n    left = [1, 2]\n    assert sum(left) == 4, 'said'\n"
WARNS = b"def test_odd():\n    assert (1, 'always true')\n"
ESCAPES = b"PATTERN = '\\d'\n"
BROKEN = b"def test_broken(:\n"
BOMB = b"x = " + b"-" * 200_000 + b"1\n"


@dataclass
class Settings:
    """As much of pytest's configuration as is asked for."""

    hook: bool = False
    mode: str = "rewrite"
    asked: list[str] = field(default_factory=list)

    def getini(self, name: str) -> bool:
        self.asked.append(name)
        return self.hook

    def getoption(self, name: str) -> str:
        self.asked.append(name)
        return self.mode


def made(monkeypatch: pytest.MonkeyPatch, *sources: bytes) -> ImageBundle:
    """What the maker says about some sources, as a bundle."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    said: list[dict[str, Any]] = []
    told = {"site_dirs": [], "lent": [], "sources": [base64.b64encode(one).decode() for one in sources]}
    assert images.make(told, said.append) == 0
    assert [one["type"] for one in said] == ["start", *["image"] * len(sources), "end"]
    found = {one["source"]: base64.b64decode(one["image"]) for one in said[1:-1] if one["image"]}
    return ImageBundle.of(said[0]["tag"], (), found)


Reader = Callable[[Path], CodeType | None]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Reader | None]:
    """pytest's own reader of bytecode once the images of some bytes are in front of it; None if they are not used."""
    # What is put there here is put back.
    monkeypatch.setattr(rewrite, "_read_pyc", rewrite._read_pyc)
    before = images.Rewriting()

    def start(shown: bytes, settings: Settings | None = None) -> Reader | None:
        place = tmp_path / "shown"
        place.write_bytes(shown)
        if not images.use(str(place), settings or Settings(), before):
            return None
        return lambda path: rewrite._read_pyc(path, path.with_suffix(".nothing"))

    return start


def written(tmp_path: Path, source: bytes = SOURCE) -> Path:
    path = tmp_path / "test_sum.py"
    path.write_bytes(source)
    return path


def what_it_raises(code: CodeType) -> str:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - what was made of our own text
    with pytest.raises(AssertionError) as caught:
        names["test_sum"]()
    assert str(caught.traceback[-1].path).endswith("test_sum.py")
    return str(caught.value)


def test_an_image_says_what_pytest_would_have_said(
    reading: Callable[..., Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    read = reading(made(monkeypatch, SOURCE).shown)

    code = read(path)

    assert code is not None
    inside = [one for one in code.co_consts if isinstance(one, CodeType)]
    assert {one.co_filename for one in (code, *inside)} == {str(path)}
    own = rewrite._rewrite_test(path, None)[1]  # type: ignore[arg-type]
    assert what_it_raises(code) == what_it_raises(own)
    assert "3 = sum([1, 2])" in what_it_raises(code)


def test_other_bytes_of_the_same_size_and_time_have_no_image(
    reading: Callable[..., Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    read = reading(made(monkeypatch, SOURCE).shown)
    status = path.stat()

    path.write_bytes(SOURCE.replace(b"== 4", b"== 3"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert read(path) is None


@pytest.mark.parametrize("place", ["first", "a word of the test's", "last"])
def test_a_damaged_image_is_not_loaded(
    reading: Callable[..., Reader], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path, shown = written(tmp_path), bytearray(made(monkeypatch, SOURCE).shown)
    size = size_of_the_only_image(bytes(shown))
    start = len(shown) - size
    at = {"first": start, "last": len(shown) - 1}.get(place, shown.index(b"said", start))
    shown[at] ^= 0x01
    read = reading(bytes(shown))
    assert read(path) is None


def size_of_the_only_image(shown: bytes) -> int:
    bundle = read_bundle(ImageBundle(shown=shown).kept())
    assert bundle is not None
    ((_, size, _),) = bundle.places.values()
    return size


def test_a_cut_bundle_has_no_image(
    reading: Callable[..., Reader | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, shown = written(tmp_path), made(monkeypatch, SOURCE).shown
    for length in (0, 7, 8, 40, len(shown) - 1):
        read = reading(shown[:length])
        assert read is None or read(path) is None


def test_images_of_another_pytest_or_python_are_not_used(
    reading: Callable[..., Reader | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = made(monkeypatch, SOURCE)
    assert reading(bundle.shown) is not None

    monkeypatch.setattr(pytest, "__version__", "7.0.0")

    assert reading(bundle.shown) is None
    assert images.tag(pytest) != bundle.tag


@pytest.mark.parametrize("settings", [Settings(hook=True), Settings(mode="plain")], ids=["hook", "plain"])
def test_settings_that_change_rewriting_leave_it_to_pytest(
    reading: Callable[..., Reader | None], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    plain = rewrite._read_pyc
    assert reading(made(monkeypatch, SOURCE).shown, settings) is None
    assert rewrite._read_pyc is plain
    assert settings.asked


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (rewrite, "_rewrite_test"),
        (rewrite, "rewrite_asserts"),
        (rewrite.AssertionRewriter, "visit_Assert"),
        (rewrite, "AssertionRewriter"),
        (ast, "parse"),
    ],
    ids=lambda one: getattr(one, "__name__", str(one)),
)
def test_a_conftest_that_changes_rewriting_gets_what_it_wants(
    reading: Callable[..., Reader],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
) -> None:
    path, read = written(tmp_path), reading(made(monkeypatch, SOURCE).shown)
    assert read(path) is not None

    with monkeypatch.context() as conftest:
        conftest.setattr(owner, name, lambda *_args, **_more: None)
        assert read(path) is None

    assert read(path) is not None


def test_a_plugin_that_changed_rewriting_before_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrite, "_read_pyc", rewrite._read_pyc)
    before = images.Rewriting()
    place = tmp_path / "shown"
    place.write_bytes(made(monkeypatch, SOURCE).shown)
    monkeypatch.setattr(rewrite, "rewrite_asserts", lambda *_: None)
    assert not images.use(str(place), Settings(), before)


def test_a_pytest_that_looks_for_bytecode_in_another_way_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rewrite, "_read_pyc", lambda _path, _tag: None)
    said: list[dict[str, Any]] = []
    assert images.make({"site_dirs": [], "lent": [], "sources": []}, said.append) == 3
    assert [one["reason"] for one in said] == ["rewriting_unknown"]
    assert not images.Rewriting().known


def test_a_pytest_that_rewrites_into_something_else_makes_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexplained(fn: Path, _config: object) -> tuple[bytes, CodeType]:
        return b"", compile(fn.read_bytes(), str(fn), "exec")

    monkeypatch.setattr(rewrite, "_rewrite_test", unexplained)
    said: list[dict[str, Any]] = []
    assert images.make({"site_dirs": [], "lent": [], "sources": []}, said.append) == 3


def test_what_cannot_be_compiled_or_warns_has_no_image_and_keeps_nobody_from_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = made(monkeypatch, WARNS, BROKEN, BOMB, ESCAPES, SOURCE)
    assert bundle.places.keys() == made(monkeypatch, SOURCE).places.keys()


def test_what_stands_in_front_of_pytest_is_in_the_photograph(
    reading: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    integrity = runner("integrity")
    reading(made(monkeypatch, SOURCE).shown)
    before = integrity.photograph()
    assert integrity.changed(before) == []
    monkeypatch.setattr(rewrite, "_read_pyc", lambda *_: None)
    assert integrity.changed(before) == ["_pytest.assertion.rewrite._read_pyc"]


@given(st.dictionaries(st.text("0123456789abcdef", min_size=1), st.binary()), st.frozensets(st.text("ab")))
def test_a_bundle_comes_back_as_it_was(found: dict[str, bytes], seen: frozenset[str]) -> None:
    bundle = ImageBundle.of("tag", seen, found)
    again = read_bundle(bundle.kept())
    assert again == bundle
    assert again is not None
    assert again.images_of(found.keys()) == found


@given(st.data())
def test_no_change_of_a_kept_bundle_goes_unnoticed(data: st.DataObject) -> None:
    kept = bytearray(ImageBundle.of("tag", ("blob",), {"ab": b"image", "cd": b"other"}).kept())
    at = data.draw(st.integers(0, len(kept) - 1))
    kept[at] ^= data.draw(st.integers(1, 255))
    assert read_bundle(bytes(kept)) is None
    assert read_bundle(bytes(kept[:at])) is None
