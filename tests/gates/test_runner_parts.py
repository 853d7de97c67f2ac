"""The pieces of the trusted runner that stand alone. The whole of it runs in every other test of a gate."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path

import pytest

import dev_agent.gates
from tests.gates.test_reading import runner

RUNNER = Path(dev_agent.gates.__path__[0]) / "runner"


@pytest.mark.parametrize("path", sorted(RUNNER.glob("*.py")), ids=lambda path: path.name)
def test_the_runner_is_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))


def test_the_standard_library_comes_first_wherever_a_file_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [one for one in sys.path if one.endswith(f"python3.{sys.version_info.minor}")]
    monkeypatch.setattr(sys, "path", folders)
    finder = runner("pathways").StandardFirst(["random"])
    (tmp_path / "statistics.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *folders])

    found = finder.find_spec("statistics")

    assert found.origin == str(Path(folders[0]) / "statistics.py")
    assert finder.find_spec("random") is None
    assert finder.find_spec("acme") is None
    assert finder.find_spec("statistics", ["/inside/a/package"]) is None


def test_staged_roots_lie_between_the_library_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    added = tmp_path / "added"
    site.mkdir()
    added.mkdir()
    (site / "a.pth").write_text(f"{added}\n")
    monkeypatch.setattr(sys, "path", ["/stdlib"])
    pathways = runner("pathways")

    start = pathways.add_tools([str(site)], ["/lent"])
    before = list(sys.path)
    pathways.add_roots("/repo", ["src", "."], start)
    pathways.add_site([str(site)])

    assert before == ["/stdlib", str(site), "/lent"]
    assert sys.path == ["/stdlib", "/repo/src", "/repo", str(site), "/lent", str(added)]


def test_modules_from_elsewhere_are_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "repo"
    places = {
        "inside": root / "src/inside.py",
        "copy": root / ".venv/lib/copy.py",
        "away": tmp_path / "away.py",
    }
    for name, place in places.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
        module = types.ModuleType(name)
        module.__file__ = str(place)
        monkeypatch.setitem(sys.modules, name, module)

    found = runner("pathways").strangers([*places, "unloaded", "sys"], str(root), [str(root / ".venv")])

    assert found == {"copy": str(places["copy"]), "away": str(places["away"])}


def test_every_replaced_function_of_the_test_runner_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    integrity = runner("integrity")
    module = types.ModuleType("_pytest.fake")
    code = (
        "class C:\n    def m(self): ...\n    @property\n    def p(self): ...\n"
        "    @classmethod\n    def c(cls): ...\n\ndef f(): ...\n\ndef kept(): ...\n"
    )
    exec(code, vars(module))  # noqa: S102 - the text above
    monkeypatch.setitem(sys.modules, "_pytest.fake", module)
    before = integrity.photograph()
    assert integrity.changed(before) == []

    cls = vars(module)["C"]
    cls.m = lambda _self: None
    cls.c = classmethod(lambda _cls: None)
    del cls.p
    vars(module)["f"].__code__ = (lambda: None).__code__

    assert integrity.changed(before) == [f"_pytest.fake.{one}" for one in ("C.c", "C.m", "C.p", "f")]


PASSED, SKIPPED, FAILED = ("passed", ""), ("skipped", "why"), ("failed", "why")


@pytest.mark.parametrize(
    ("phases", "outcome"),
    [
        ({"setup": PASSED, "call": PASSED, "teardown": PASSED}, "passed"),
        ({"setup": PASSED, "call": FAILED, "teardown": PASSED}, "failed"),
        ({"setup": FAILED, "teardown": PASSED}, "error"),
        ({"setup": PASSED, "call": PASSED, "teardown": FAILED}, "error"),
        ({"setup": SKIPPED, "teardown": PASSED}, "skipped"),
        ({"setup": PASSED, "call": ("xfailed", ""), "teardown": PASSED}, "xfailed"),
        ({"setup": PASSED, "call": ("xpassed", ""), "teardown": PASSED}, "xpassed"),
        ({"setup": PASSED, "call": ("rerun", ""), "teardown": PASSED}, "error"),
        ({"setup": PASSED, "teardown": PASSED}, "error"),
        ({}, "error"),
    ],
)
def test_a_test_is_green_only_if_its_call_was(phases: dict[str, tuple[str, str]], outcome: str) -> None:
    assert runner("recorder")._outcome(phases)[0] == outcome
