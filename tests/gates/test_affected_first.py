"""The tests nearest to a change run first: red comes sooner, and is never said of what the whole suite would pass."""

from __future__ import annotations

import pytest

from dev_agent.gates.import_graph import ImportGraph, imports_of
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import BROKEN, CALC, SRC_LAYOUT, TEST_CALC, Sample, make_sample

FAR = "import pytest\n\n\n@pytest.mark.parametrize('n', range(40))\ndef test_far(n: int) -> None:\n    assert n >= 0\n"
READS = """\
from pathlib import Path


def test_the_text_of_the_source() -> None:
    assert "left - right" not in Path("src/acme/calc.py").read_text()
"""
STATE = "import builtins\n\n\ndef test_state() -> None:\n    builtins.acme_state = True\n"
NEEDS_STATE = """\
import builtins

from acme.calc import add


def test_with_state() -> None:
    assert getattr(builtins, "acme_state", False)
    assert add(1, 1) == 2
"""
FILES = {
    **SRC_LAYOUT,
    "dev-agent.toml": "gates.tests.affected_first_s = 0\n",
    "tests/test_far.py": FAR,
    "tests/test_reads.py": READS,
}


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A suite of which one file in three is near to the change."""
    return make_sample(tmp_path_factory.mktemp("long"), FILES, sandbox)


def stopped(verdict: Verdict) -> bool:
    return any("the rest was not run" in note for note in verdict.notes)


def test_a_red_near_the_change_is_said_without_the_rest(long: Sample) -> None:
    verdict = long.tests({"src/acme/calc.py": BROKEN})

    assert (verdict.result, verdict.reason, stopped(verdict)) == (GateResult.FAILED, "new_failures", True)
    assert [one.id for one in verdict.new_failures] == ["tests/test_calc.py::test_add"]
    assert verdict.new_failures[0].message


def test_green_is_only_ever_said_of_the_whole_suite(long: Sample) -> None:
    verdict = long.tests({"src/acme/calc.py": CALC.replace("left + right", "right + left")})

    assert (verdict.result, verdict.passed, stopped(verdict)) == (GateResult.PASSED, 43, False)


def test_a_red_far_from_the_change_is_found_by_the_whole_suite(long: Sample) -> None:
    verdict = long.tests({"src/acme/calc.py": CALC + "\n# not: left - right\n"})

    assert (verdict.result, stopped(verdict)) == (GateResult.FAILED, False)
    assert [one.path for one in verdict.new_failures] == ["tests/test_reads.py"]


def test_a_suite_that_is_quick_is_not_split(tmp_path, sandbox: Sandbox) -> None:  # type: ignore[no-untyped-def]
    sample = make_sample(tmp_path / "quick", {**FILES, "dev-agent.toml": ""}, sandbox)

    verdict = sample.tests({"src/acme/calc.py": BROKEN})

    assert (len(verdict.new_failures), stopped(verdict)) == (2, False)


def test_a_test_that_leans_on_others_is_no_false_red(tmp_path, sandbox: Sandbox) -> None:  # type: ignore[no-untyped-def]
    """Alone it fails, on the base as well; in the whole suite it passes."""
    files = {**FILES, "tests/test_a_state.py": STATE, "tests/test_calc.py": NEEDS_STATE}
    sample = make_sample(tmp_path / "leaning", files, sandbox)

    verdict = sample.tests({"src/acme/calc.py": CALC + "\n# changed\n"})

    assert (verdict.result, verdict.new_failures) == (GateResult.PASSED, ())


def test_a_test_the_change_brings_in_another_form_is_not_judged_early(long: Sample) -> None:
    """The old form fails; whether the new one takes its place, only both can say."""
    new = TEST_CALC.replace("add(2, 3) == 5", "add(2, 3) == -1")

    reads = READS.replace("not in", "in")
    verdict = long.tests(
        {"src/acme/calc.py": BROKEN, "tests/test_calc.py": new, "tests/test_reads.py": reads}
    )

    assert stopped(verdict) is False
    assert verdict.result is GateResult.PASSED
    assert "tests/test_calc.py::test_add" in verdict.superseded


PROJECT = {
    "src/acme/__init__.py": "",
    "src/acme/core.py": "",
    "src/acme/sub/__init__.py": "from . import deep\n",
    "src/acme/sub/deep.py": "from ..core import x\n",
    "src/acme/other.py": "def f():\n    import json\n",
    "tests/conftest.py": "",
    "tests/helpers.py": "import acme.sub\n",
    "tests/test_core.py": "from acme import core\n",
    "tests/test_deep.py": "import acme.sub.deep as d\n",
    "tests/test_helped.py": "from helpers import y\n",
    "tests/test_other.py": "from acme.other import f\n",
    "tests/bad.py": "def (:\n",
}
TESTS = [path for path in PROJECT if "/test_" in path]


@pytest.mark.parametrize(
    ("changed", "near"),
    [
        ("src/acme/core.py", ["core", "deep", "helped"]),
        ("src/acme/sub/deep.py", ["deep", "helped"]),
        ("src/acme/other.py", ["other"]),
        ("src/acme/__init__.py", ["core", "deep", "other", "helped"]),
        ("tests/conftest.py", ["core", "deep", "helped", "other"]),
        ("tests/helpers.py", ["helped"]),
        ("docs/no.py", []),
    ],
)
def test_the_nearest_importers_come_first(changed: str, near: list[str]) -> None:
    graph = ImportGraph({path: imports_of(text.encode()) for path, text in PROJECT.items()}, ["src", "."])

    assert graph.nearest([changed], TESTS) == tuple(f"tests/test_{one}.py" for one in near)


@pytest.mark.parametrize("text", [b"\xff", b"\0", b"def (:", b"(" * 5000])
def test_what_does_not_parse_and_says_nothing_of_imports_has_none(text: bytes) -> None:
    assert imports_of(text) == ()


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_what_does_not_parse_imports_what_its_lines_say(ends: str) -> None:
    text = (
        "import a, b.c as d\nfrom ..x.y import (k,  # not )\n    l as m,\n)\nfrom . import z, \\\n    zz\n"
        "try: import q\nexcept ImportError: from .w import *\nimportlib.import_module('acme.tests:x')\n"
    )
    whole = imports_of(text.replace("\n", ends).encode())
    broken = imports_of((text + "type X[T = int] = list[T] (\n").replace("\n", ends).encode())

    told = {(level, module, name) for level, module, names in broken for name in (*names, "")}
    for level, module, names in whole:
        assert {(level, module, name) for name in (*names, "") if name != "*"} <= told


@pytest.mark.parametrize(
    "run", [" ", "\n", " .", "from ", "from a import (", "from . import #\\\n", "import ", ";: "]
)
def test_a_source_made_to_be_read_for_ever_is_read_once(run: str) -> None:
    """So much text that only work in proportion to it ends."""
    assert imports_of(f"def (:\nfrom{run * 50_000}x y\nimport late\n".encode())[-1] == (0, "late", ())


def test_imports_wherever_they_stand() -> None:
    text = b"import a.b\ntry:\n    from . import c\nexcept ImportError:\n    from ..d.e import f, g\n"

    assert imports_of(text) == ((0, "a.b", ()), (1, "", ("c",)), (2, "d.e", ("f", "g")))
