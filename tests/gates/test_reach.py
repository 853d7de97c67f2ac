"""Code that counts as tests by its name or its place is judged in the change's own form, by every test that sees it."""

from __future__ import annotations

import pytest

from dev_agent.gates.layout import TestLayout
from dev_agent.gates.verdict import GateResult
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import CALC, SRC_LAYOUT, Sample, make_sample

DUMMY = "def test_nothing() -> None:\n    assert True\n"
FILES = {
    "pyproject.toml": SRC_LAYOUT["pyproject.toml"],
    "src/acme/__init__.py": "",
    "src/acme/ab_test.py": CALC,
    "src/acme/test/__init__.py": "",
    "src/acme/test/client.py": CALC,
    "src/acme/core.py": "from acme.tests.sums import add as total\n",
    "src/acme/tests/__init__.py": "",
    "src/acme/tests/sums.py": CALC,
    "src/acme/tests/test_sums.py": DUMMY,
    "tests/one/helping.py": CALC,
    "tests/one/test_one.py": DUMMY,
    "tests/test_ab.py": "from acme.ab_test import add\n\n\ndef test_ab() -> None:\n    assert add(2, 3) == 5\n",
    "tests/test_client.py": (
        "from acme.test.client import add\n\n\ndef test_client() -> None:\n    assert add(2, 3) == 5\n"
    ),
    "tests/test_core.py": (
        "import subprocess, sys\n\n\ndef test_core() -> None:\n"
        "    run = 'import acme.core; raise SystemExit(acme.core.total(2, 3) != 5)'\n"
        "    assert subprocess.call([sys.executable, '-c', run], env={'PYTHONPATH': 'src'}) == 0\n"
    ),
    "tests/test_helped.py": (
        "from tests.one.helping import add\n\n\ndef test_helped() -> None:\n    assert add(2, 3) == 5\n"
    ),
}
BROKEN = CALC.replace("left + right", "left - right")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """Sources with the names and in the places of tests."""
    return make_sample(tmp_path_factory.mktemp("named"), FILES, sandbox)


@pytest.mark.parametrize(
    ("change", "test"),
    [
        pytest.param({"src/acme/ab_test.py": BROKEN}, "test_ab", id="called-like-a-test-and-holding-none"),
        pytest.param(
            {"src/acme/test/client.py": BROKEN, "src/acme/test/test_new.py": DUMMY},
            "test_client",
            id="beside-a-test-that-the-change-lays-there",
        ),
        pytest.param({"src/acme/tests/sums.py": BROKEN}, "test_core", id="in-a-folder-of-tests-and-used-by-a-source"),
        pytest.param({"tests/one/helping.py": BROKEN}, "test_helped", id="a-helper-of-tests-in-another-folder"),
        pytest.param(
            {
                "src/acme/core.py": "try:\n    from acme.tests.extra import add as total\n"
                "except ImportError:\n    from acme.tests.sums import add as total\n",
                "src/acme/tests/extra.py": BROKEN,
            },
            "test_core",
            id="a-new-file-among-the-tests-that-a-source-takes-if-it-is-there",
        ),
        pytest.param(
            {
                "src/acme/core.py": "from importlib import import_module\n\ntry:\n"
                "    total = import_module('acme.tests.extra').add\n"
                "except ImportError:\n    from acme.tests.sums import add as total\n",
                "src/acme/tests/extra.py": BROKEN,
            },
            "test_core",
            id="and-loads-by-its-name",
        ),
    ],
)  # fmt: skip
def test_a_break_behind_a_tests_name_is_seen(named: Sample, change: dict[str, str | None], test: str) -> None:
    verdict = named.tests(change)

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_failures")
    assert [one.id.rpartition("::")[2] for one in verdict.new_failures] == [test]


def test_a_test_that_nothing_imports_reaches_no_other(named: Sample) -> None:
    verdict = named.tests({"tests/one/test_one.py": DUMMY.replace("True", "1")})

    assert (verdict.result, verdict.argv[-2:]) == (GateResult.PASSED, ("--", "tests/one/test_one.py"))


def test_the_base_says_what_its_own_folders_are() -> None:
    base = ["acme/test/client.py", "tests/test_a.py"]
    now = [
        *base,
        "acme/test/conftest.py",
        "acme/test/unit/test_b.py",
        "more/tests/test_c.py",
        "more/tests/x.json",
    ]

    layout = TestLayout.between(base, now, ("test_*.py",))

    assert layout.folders == {"tests", "more/tests"}
    assert [one for one in now if not layout.is_test_side(one)] == ["acme/test/client.py"]
