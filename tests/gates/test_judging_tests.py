"""What a verdict on tests says: old failures, demanded tests, ends of runs, memory of earlier runs."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates import neighbours
from dev_agent.gates.absent import absent_files
from dev_agent.gates.neighbours import Vicinity
from dev_agent.gates.verdict import GateResult
from dev_agent.runtime.canonical import canonical
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import BROKEN, CALC, SRC_LAYOUT, TEST_CALC, Sample, make_sample, tree_of

ADD = "tests/test_calc.py::test_add"
HALVE = "tests/test_calc.py::test_halve"


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A base whose test_add fails."""
    files = {**SRC_LAYOUT, "src/acme/calc.py": BROKEN, "pytest.ini": "[pytest]\npythonpath = src\n"}
    return make_sample(tmp_path_factory.mktemp("red"), files, sandbox)


def test_a_failure_of_the_base_is_counted_and_not_charged(red: Sample) -> None:
    untouched = red.tests({"README.md": "x\n"})
    strict = red.tests({"README.md": "x\n"}, tests="strict")
    mended = red.tests({"src/acme/calc.py": CALC})

    assert (untouched.result, untouched.preexisting, untouched.passed) == (GateResult.PASSED, 1, 1)
    assert "1 failure(s) of the base are still there" in untouched.notes
    assert (strict.result, strict.reason) == (GateResult.FAILED, "new_failures")
    assert (mended.result, mended.fixed, mended.preexisting) == (GateResult.PASSED, (ADD,), 0)


@pytest.mark.parametrize("demand", [ADD, "all", "tests/test_calc.py"])
def test_a_demanded_test_has_to_turn_green(red: Sample, demand: str) -> None:
    demanding = replace(red, must_pass=(demand,))

    mended = demanding.tests({"src/acme/calc.py": CALC})
    idle = demanding.tests({"README.md": "x\n"})

    assert mended.result is GateResult.PASSED
    assert (idle.result, idle.reason) == (GateResult.FAILED, "must_pass_red")


def test_a_demanded_test_that_was_green_shows_nothing(red: Sample) -> None:
    verdict = replace(red, must_pass=(HALVE,)).tests({"src/acme/calc.py": CALC})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "must_pass_already_green")


def test_a_demanded_test_that_does_not_exist_is_missing(red: Sample) -> None:
    verdict = replace(red, must_pass=("tests/test_calc.py::test_none",)).tests({"src/acme/calc.py": CALC})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "must_pass_missing")


def test_a_new_demanded_test_is_tried_on_the_base_first(red: Sample) -> None:
    double = "\n\ndef double(number: int) -> int:\n    return number * 2\n"
    honest = "from acme.calc import double\n\n\ndef test_double():\n    assert double(4) == 8\n"
    empty = "def test_double():\n    assert True\n"
    demanding = replace(red, must_pass=("tests/test_double.py::test_double",))

    shown = demanding.tests({"src/acme/calc.py": BROKEN + double, "tests/test_double.py": honest})
    hollow = demanding.tests({"src/acme/calc.py": BROKEN + double, "tests/test_double.py": empty})

    assert shown.result is GateResult.PASSED, shown
    assert (hollow.result, hollow.reason) == (GateResult.FAILED, "must_pass_already_green")


def test_a_demanded_test_that_passes_by_luck_is_not_met(tmp_path: Path, sandbox: Sandbox) -> None:
    """Green in the whole run, red when it runs without its neighbour in front."""
    wrong = CALC.replace("number // 2", "number // 3")
    lucky = CALC.replace("number // 2", "number // 2 if SEEN else 0") + "\n\nSEEN: list[int] = []\n"
    lucky = lucky.replace("    return left + right", "    SEEN.append(1)\n    return left + right")
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "src/acme/calc.py": wrong}, sandbox)

    verdict = replace(sample, must_pass=(HALVE,)).tests({"src/acme/calc.py": lucky})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "must_pass_flaky")


def test_a_file_that_no_longer_imports_stands_for_its_tests(red: Sample) -> None:
    verdict = red.tests({"src/acme/calc.py": CALC.replace("halve", "half")})

    assert [one.id for one in verdict.new_failures] == [HALVE]
    assert "ImportError" in verdict.new_failures[0].detail


def test_the_same_tree_twice_costs_nothing(red: Sample) -> None:
    change = {"src/acme/calc.py": CALC + "# again\n"}

    first, second = red.tests(change), red.tests(change)

    assert (first.cached, second.cached, second.ms) == (False, True, 0)
    assert replace(second, cached=False, ms=first.ms, output=first.output) == first


def test_another_dependency_is_another_verdict(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    change = {"README.md": "x\n"}
    sample.tests(change)
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "other-1.dist-info").mkdir()
    (site / "other-1.dist-info" / "METADATA").write_text("Name: other\n")

    assert sample.tests(change).cached is False


def test_a_library_beside_the_repository_that_changes_is_another_environment(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Or what broke on the base because of the library would be taken for broken still, whoever breaks it now."""
    using = CALC.replace("return left + right", "import beside\n\n    return int(beside.plus(left, right))")
    sample = make_sample(tmp_path / "here", {**SRC_LAYOUT, "src/acme/calc.py": using}, sandbox)
    library = tmp_path / "library"
    library.mkdir()
    (library / "beside.py").write_text("def plus(a, b):\n    return a - b\n")
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "beside.pth").write_text(f"{library}\n")
    still_red = sample.tests({"README.md": "x\n"})

    (library / "beside.py").write_text("def plus(a, b):\n    return a + b\n")
    verdict = sample.tests({"src/acme/calc.py": using.replace("(left, right))", "(left, -right))")})

    assert (still_red.result, still_red.preexisting) == (GateResult.PASSED, 1)
    assert (verdict.result, verdict.reason, verdict.preexisting) == (GateResult.FAILED, "new_failures", 0)


def test_what_no_package_vouches_for_is_looked_at_in_every_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, folder, notes = tmp_path / "site", tmp_path / "beside", list[str]()
    monkeypatch.setattr(neighbours, "_TIME_ZONE", (tmp_path / "localtime",))
    for one in (site, folder / "deep" / "__pycache__", site / "package"):
        one.mkdir(parents=True)
    states = [Vicinity.at([folder], [site], [], notes).digest]
    for path in (folder / "deep/x.json", site / "sitecustomize.py", folder / "deep/y.py"):
        path.write_text("1")
        states.append(Vicinity.at([folder], [site], [], notes).digest)
    (folder / "deep/x.json").write_text("2 and more")
    states.append(Vicinity.at([folder], [site], [], notes).digest)
    (tmp_path / "localtime").write_text("TZif")
    states.append(Vicinity.at([folder], [site], [], notes).digest)
    (folder / "deep/__pycache__/y.pyc").write_text("")
    (site / "package/__init__.py").write_text("")

    assert len(set(states)) == len(states) == 6
    assert Vicinity.at([folder], [site], [], notes).digest == states[-1]
    assert notes == []


def test_a_pass_from_an_environment_that_changed_meanwhile_is_none(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    change = sample.change({"src/acme/calc.py": CALC + "# again\n"})
    gates = sample.gates()
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "pytest_more.py").write_text("")

    tests, types = gates.judge_tests(change, Cancel()), gates.judge_types(change, Cancel())
    again = sample.gates().judge_tests(change, Cancel())

    assert (tests.result, tests.reason) == (GateResult.ERROR, "environment_changed")
    assert (types.result, types.reason) == (GateResult.ERROR, "environment_changed")
    assert (again.result, again.cached) == (GateResult.PASSED, False)
    assert gates.judge_tests(change, Cancel()).cached is False


def test_what_changes_between_two_gates_is_seen_by_the_second(tmp_path: Path, sandbox: Sandbox) -> None:
    """The look that answered for the first was taken before the programs of the second ended."""
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    change = sample.change({"src/acme/calc.py": CALC + "# again\n"})
    gates = sample.gates()
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))

    types = gates.judge_types(change, Cancel())
    (site / "pytest_more.py").write_text("")
    tests = gates.judge_tests(change, Cancel())

    assert types.result is GateResult.PASSED
    assert (tests.result, tests.reason) == (GateResult.ERROR, "environment_changed")


def test_beside_too_many_files_nothing_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_MOST_FILES", 1)
    for name in ("a", "b"):
        (tmp_path / name).write_text("")
    notes: list[str] = []

    assert Vicinity.at([tmp_path], [], [], notes).digest != Vicinity.at([tmp_path], [], [], notes).digest
    assert notes[0] == f"{tmp_path} holds more than 1 files: verdicts are not remembered beside it"


def test_a_project_without_tests_is_refused_unless_policy_allows(tmp_path: Path, sandbox: Sandbox) -> None:
    files = {path: text for path, text in SRC_LAYOUT.items() if not path.startswith("tests/")}
    sample = make_sample(tmp_path, files, sandbox)
    change = {"src/acme/calc.py": CALC + "# x\n"}

    refused, allowed = sample.tests(change), sample.tests(change, no_tests="allow")
    brought = sample.tests({**change, "tests/test_calc.py": SRC_LAYOUT["tests/test_calc.py"]})
    empty = sample.tests({**change, "tests/test_calc.py": "X = 1\n"})

    assert (refused.result, refused.reason) == (GateResult.FAILED, "no_tests")
    assert (allowed.result, allowed.reason) == (GateResult.SKIPPED, "no_tests")
    assert (brought.result, brought.passed) == (GateResult.PASSED, 2)
    assert (empty.result, empty.reason) == (GateResult.FAILED, "no_tests")
    assert sample.gates().preflight().missing[0].startswith("this repository has no tests")
    assert (sample.gates().has_tests, sample.gates().has_types) == (False, True)


def test_a_hanging_change_is_ended_and_red(tmp_path: Path, sandbox: Sandbox) -> None:
    # Longer and longer, until it is enough for the good ones: how long they take is the machine's business.
    for timeout_s in (4, 20, 100):
        sample = make_sample(
            tmp_path / str(timeout_s),
            {**SRC_LAYOUT, "dev-agent.toml": f"gates.tests.timeout_s = {timeout_s}\n"},
            sandbox,
        )
        if sample.tests({"src/acme/calc.py": CALC + "# good\n"}).result is GateResult.PASSED:
            break
    else:
        pytest.fail("no limit is long enough for the good ones")

    # Asleep, not busy: nobody else should wait for it.
    verdict = sample.tests({"src/acme/calc.py": CALC + "import time\nwhile True:\n    time.sleep(60)\n"})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "timed_out")
    assert sample.tests({"src/acme/calc.py": CALC}).result is GateResult.PASSED


def test_a_flood_of_output_is_cut_and_does_not_decide(red: Sample) -> None:
    verdict = red.tests({"src/acme/calc.py": CALC + "import os\nos.write(1, b'x' * 1000 * 1000 * 40)\n"})

    assert verdict.result is GateResult.PASSED
    assert len(verdict.output) < 20 * 1024 * 1024


def test_a_cancelled_run_says_nothing_about_the_change(red: Sample) -> None:
    cancel = Cancel()
    cancel.request()

    verdict = red.gates().judge_tests(red.change({"src/acme/calc.py": CALC + "# cancelled\n"}), cancel)

    assert verdict.result is GateResult.ERROR
    assert "cancelled" in verdict.reason


def test_gates_for_another_base_are_refused(red: Sample) -> None:
    other = tree_of(red.project, {"a.py": ""})

    with pytest.raises(ValueError, match="another base"):
        red.gates().judge_tests(replace(red.change({}), base_tree=other), Cancel())


def test_switched_off_by_policy_or_settings_is_skipped(tmp_path: Path, sandbox: Sandbox) -> None:
    off = "gates.tests.enabled = false\ngates.types.enabled = false\n"
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": off}, sandbox, venv=())

    assert sample.tests({}).reason == sample.types({}).reason == "switched_off"
    assert sample.tests({}, tests="off").result is GateResult.SKIPPED


def test_checks_are_judged_by_their_exit_status_against_the_base(tmp_path: Path, sandbox: Sandbox) -> None:
    settings = """
[[gates.checks]]
name = "words"
command = "grep -q left src/acme/calc.py"
[[gates.checks]]
name = "always-red"
command = "false"
[[gates.checks]]
name = "missing"
command = "no-such-program"
"""
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)
    gates = sample.gates()

    good = gates.judge_each_check(sample.change({"README.md": "x\n"}), Cancel())
    bad = gates.judge_each_check(sample.change({"src/acme/calc.py": "X = 1\n"}), Cancel())
    again = gates.judge_each_check(sample.change({"src/acme/calc.py": "X = 1\n"}), Cancel())
    one = gates.judge_checks(sample.change({"src/acme/calc.py": "X = 1\n"}), Cancel())

    assert [(each.gate, each.result, each.reason) for each in good] == [
        ("words", GateResult.PASSED, "exit_status"),
        ("always-red", GateResult.PASSED, "red_on_base_too"),
        ("missing", GateResult.ERROR, "baseline_not_run"),
    ]
    assert (bad[0].result, bad[0].exit_code) == (GateResult.FAILED, 1)
    assert (again[0].cached, again[2].cached) == (True, False)
    assert (one.result, one.reason, one.gate) == (GateResult.ERROR, "baseline_not_run", "checks")
    assert [each.id for each in one.new_failures] == ["words"]


def test_a_type_checker_of_the_projects_own_is_a_check(tmp_path: Path, sandbox: Sandbox) -> None:
    settings = 'gates.types.command = "grep -rq int src"\n'
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)

    assert sample.types({"README.md": "x\n"}).result is GateResult.PASSED
    assert sample.types({"src/acme/calc.py": "X = 1\n"}).result is GateResult.FAILED


def test_no_checks_are_skipped(red: Sample) -> None:
    verdict = red.gates().judge_checks(red.change({}), Cancel())

    assert (verdict.result, verdict.reason) == (GateResult.SKIPPED, "no_checks")


def test_a_failure_that_utf8_cannot_hold_can_still_be_recorded(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    said = 'def test_name() -> None:\n    assert False, "file \\udcff"\n'

    verdict = sample.tests({"tests/test_name.py": said})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_failures")
    recorded = verdict.to_json()
    assert "file \\udcff" in recorded["new_failures"][0]["message"]
    canonical(recorded)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import sys\nsys.exit(0)\n", r"SystemExit: 0 \(/.*/tests/test_evil\.py:2\)"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "pytest was ended by SIGSEGV"),
    ],
)
def test_a_run_that_broke_off_says_so_in_its_first_line(
    tmp_path: Path, sandbox: Sandbox, body: str, said: str
) -> None:
    verdict = make_sample(tmp_path, SRC_LAYOUT, sandbox).tests({"tests/test_evil.py": body})
    assert verdict.result is GateResult.FAILED
    assert re.fullmatch(said, verdict.hint.partition("\n")[0])


def test_a_suite_of_which_nothing_passes_shows_nothing_and_says_what_it_lacks(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    files = {
        **SRC_LAYOUT,
        ".gitignore": ".venv\n_version.py\n",
        "src/acme/__init__.py": "import acme._version\n",
    }
    sample = make_sample(tmp_path, files, sandbox)
    (sample.project.root / "src/acme/_version.py").write_text("version = '1'\n")
    change = {"src/acme/calc.py": BROKEN}

    refused, allowed = sample.tests(change), sample.tests(change, no_tests="allow")

    assert (refused.result, refused.reason) == (GateResult.FAILED, "none_pass")
    assert (allowed.result, allowed.reason, allowed.passed) == (GateResult.SKIPPED, "none_pass", 0)
    assert 'set include = ["src/acme/_version.py"]' in refused.hint
    mended = sample.tests({"src/acme/__init__.py": ""})
    assert (mended.result, mended.passed) == (GateResult.PASSED, 2)


def test_a_change_that_gives_every_test_a_new_form_is_told_that_and_not_that_nothing_passes(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    change = {
        "src/acme/calc.py": CALC.replace("def add", "def plus").replace("def halve", "def half"),
        "tests/test_calc.py": TEST_CALC.replace("add, halve", "half, plus")
        .replace("assert add", "assert plus")
        .replace("assert halve", "assert half"),
    }

    refused, allowed = sample.tests(change), sample.tests(change, no_tests="allow")

    assert (refused.result, refused.reason, refused.superseded) == (
        GateResult.FAILED,
        "none_pass",
        (ADD, HALVE),
    )
    assert allowed.result is GateResult.SKIPPED
    for verdict in (refused, allowed):
        assert verdict.hint.startswith("all 2 tests that pass do so in the form that the change gave")
        assert "no test passes" not in verdict.hint


def test_what_is_absent_is_looked_for_where_python_would(tmp_path: Path) -> None:
    for name in ("acme/_version.py", "src/gen/__init__.py", "src/known.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    said = [
        "No module named 'gen'",
        "cannot import name '_version' from 'acme' (x)",
        "No module named 'known'",
    ]

    found = absent_files([*said, "No module named '...etc.passwd'"], tmp_path, (".", "src"), {"src/known.py"})
    assert found == ("src/gen/__init__.py", "acme/_version.py")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"pytest.ini": "[pytest]\naddopts = --unheard-of=3\n"},
            "unrecognized arguments: --unheard-of=3; install the plugins that pytest.ini asks for beside pytest",
        ),
        (
            {"conftest.py": "raise OSError('no such thing')\n"},
            "OSError: no such thing; see whether they do without dev-agent: .venv/bin/python -m pytest",
        ),
    ],
)
def test_a_base_on_which_pytest_does_not_begin_says_why_and_what_to_try(
    tmp_path: Path, sandbox: Sandbox, files: dict[str, str], said: str
) -> None:
    verdict = make_sample(tmp_path, {**SRC_LAYOUT, **files}, sandbox).tests({"src/acme/calc.py": BROKEN})

    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "baseline_pytest_refused")
    assert verdict.hint.partition("\n")[0] == f"the tests do not run on the base: {said}"
