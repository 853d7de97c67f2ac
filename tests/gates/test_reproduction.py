"""Does a test that a change brings show the fault on the base? Real pytest on a base that adds wrongly."""

from __future__ import annotations

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import BROKEN, CALC, SRC_LAYOUT, TEST_CALC, Sample, make_sample

HONEST = "from acme.calc import add\n\n\ndef test_sum():\n    assert add(2, 3) == 5\n"
BREAKS_BEFORE_ITS_BODY = """\
import pytest
from acme.calc import add


@pytest.fixture
def five():
    assert add(2, 3) == 5


def test_sum(five):
    pass
"""
NAMES_WHAT_IS_NEW = """\
def test_sum():
    from acme.calc import plus
    assert plus(2, 3) == 5


def test_also():
    from acme import calc
    assert calc.plus(2, 3) == 5
"""
SUM = "tests/test_sum.py::test_sum"


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A base that subtracts instead of adding, and whose only test does not see it."""
    files = {
        **SRC_LAYOUT,
        "src/acme/calc.py": BROKEN,
        "pytest.ini": "[pytest]\npythonpath = src\n",
        "tests/test_calc.py": TEST_CALC.replace("add(2, 3) == 5", "add(2, 0) == 2"),
    }
    return make_sample(tmp_path_factory.mktemp("wrong"), files, sandbox)


def tried(sample: Sample, files: dict[str, str | None], **rules: str) -> Verdict:
    return sample.ruled(**rules).gates().judge_reproduction(sample.change(files), Cancel())


def test_a_new_test_that_fails_before_and_passes_after_shows_it(wrong: Sample) -> None:
    shown = tried(wrong, {"src/acme/calc.py": CALC, "tests/test_sum.py": HONEST})
    again = tried(wrong, {"src/acme/calc.py": CALC, "tests/test_sum.py": HONEST})

    assert (shown.result, shown.reason, shown.fixed) == (GateResult.PASSED, "shown", (SUM,))
    assert again.cached
    assert again.fixed == (SUM,)


def test_a_test_added_to_a_file_of_the_base_counts_and_its_old_ones_do_not(wrong: Sample) -> None:
    more = wrong.base["tests/test_calc.py"] + "\n\ndef test_sum():\n    assert add(2, 3) == 5\n"
    stronger = wrong.base["tests/test_calc.py"].replace("add(2, 0) == 2", "add(2, 3) == 5")

    added = tried(wrong, {"src/acme/calc.py": CALC, "tests/test_calc.py": more})
    replaced = tried(wrong, {"src/acme/calc.py": CALC, "tests/test_calc.py": stronger})

    assert added.fixed == ("tests/test_calc.py::test_sum",)
    assert (replaced.result, replaced.reason) == (GateResult.FAILED, "no_new_test")


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("def test_sum():\n    assert True\n", "green_before"),
        (HONEST.replace("== 5", "== 6"), "red_after"),
        ("x = 1\n", "no_new_test"),
        (HONEST.replace("add", "plus"), "absent_before"),
        (NAMES_WHAT_IS_NEW, "absent_before"),
        (BREAKS_BEFORE_ITS_BODY, "error_before"),
    ],
)
def test_a_test_that_shows_nothing_is_told_why(wrong: Sample, test: str, reason: str) -> None:
    plus = CALC + "\n\ndef plus(left: int, right: int) -> int:\n    return left + right\n"

    verdict = tried(wrong, {"src/acme/calc.py": plus, "tests/test_sum.py": test})

    assert (verdict.result, verdict.reason, verdict.fixed) == (GateResult.FAILED, reason, ())
    assert verdict.notes


def test_a_test_that_passes_only_in_company_shows_nothing(wrong: Sample) -> None:
    """Green behind its neighbour, red alone."""
    lucky = (
        "from acme.calc import add\nSEEN = []\n\n\ndef test_first():\n    SEEN.append(1)\n\n\n"
        "def test_sum():\n    assert SEEN and add(2, 3) == 5\n"
    )

    verdict = tried(wrong, {"src/acme/calc.py": CALC, "tests/test_sum.py": lucky})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "unsteady")


def test_a_change_without_tests_runs_nothing(wrong: Sample) -> None:
    verdict = tried(wrong, {"src/acme/calc.py": CALC})

    assert (verdict.result, verdict.reason, verdict.ms) == (GateResult.FAILED, "no_new_test", 0)


def test_a_test_that_kills_the_runner_teaches_nothing_and_is_not_remembered(wrong: Sample) -> None:
    files: dict[str, str | None] = {
        "src/acme/calc.py": CALC,
        "tests/test_sum.py": "import os\n\n\ndef test_sum():\n    os._exit(0)\n",
    }

    assert (tried(wrong, files).result, tried(wrong, files).reason) == (GateResult.ERROR, "died_early")
    assert not tried(wrong, files).cached


def test_where_tests_are_switched_off_nothing_is_tried(wrong: Sample) -> None:
    verdict = tried(wrong, {"tests/test_sum.py": HONEST}, tests="off")

    assert (verdict.result, verdict.reason) == (GateResult.SKIPPED, "switched_off")
