"""The staged source is what gets tested, however the project is laid out and installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.gates.tests import TestsGate
from dev_agent.gates.tools import choose_pytest
from dev_agent.gates.types import TypesGate
from dev_agent.gates.verdict import GateResult
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import (
    BROKEN,
    CALC,
    MYPY,
    OWN_SITE,
    PYTEST,
    SRC_LAYOUT,
    TEST_CALC,
    Sample,
    make_sample,
    make_venv,
    tree_of,
)

FLAT = {"acme/__init__.py": "", "acme/calc.py": CALC, "tests/test_calc.py": TEST_CALC}
NO_METADATA = {path: text for path, text in SRC_LAYOUT.items() if path != "pyproject.toml"}
IN_INI = {**NO_METADATA, "pytest.ini": "[pytest]\npythonpath = src\naddopts = -x --ff -p no:randomly\n"}


def assert_judged(sample: Sample, source: str) -> None:
    """A break is seen and an honest change passes; the checkout of the user stays as it was."""
    before = sample.project.snapshot()

    broken = sample.tests({source: BROKEN})
    honest = sample.tests({source: CALC + "\nMORE = 1\n"})

    assert (broken.result, broken.reason) == (GateResult.FAILED, "new_failures"), broken
    assert [one.id for one in broken.new_failures] == ["tests/test_calc.py::test_add"]
    assert (honest.result, honest.passed) == (GateResult.PASSED, 2), honest
    assert sample.project.snapshot() == before


def test_editable_src_layout(acme: Sample) -> None:
    assert_judged(acme, "src/acme/calc.py")


def test_flat_layout_without_metadata(tmp_path: Path, sandbox: Sandbox) -> None:
    assert_judged(make_sample(tmp_path, FLAT, sandbox), "acme/calc.py")


def test_pythonpath_and_stopping_options_in_the_ini(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, IN_INI, sandbox)
    both = BROKEN.replace("number // 2", "number // 3")

    verdict = sample.tests({"src/acme/calc.py": both})

    assert len(verdict.new_failures) == 2


def test_a_copy_of_the_project_in_the_environment_is_not_what_gets_tested(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "acme").mkdir()
    (site / "acme" / "__init__.py").touch()
    (site / "acme" / "calc.py").write_text(CALC)

    verdict = sample.tests({"src/acme/calc.py": BROKEN})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_failures")


def test_a_run_that_tests_the_copy_after_all_is_void(tmp_path: Path, sandbox: Sandbox) -> None:
    conftest = (
        "import sys\nsys.path.insert(0, next(one for one in sys.path if one.endswith('site-packages')))\n"
    )
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "conftest.py": conftest}, sandbox)
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "acme").mkdir()
    (site / "acme" / "__init__.py").touch()
    (site / "acme" / "calc.py").write_text(CALC)

    verdict = sample.tests({"src/acme/calc.py": BROKEN})

    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "baseline_tested_elsewhere")
    assert "acme from" in verdict.hint


def test_no_environment_at_all_serves_for_a_project_without_dependencies(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox, venv=None)
    told = sample.gates().describe()

    assert "no virtual environment found" in told["because"]
    assert sample.tests({"src/acme/calc.py": BROKEN}).reason == "new_failures"
    assert sample.types({"src/acme/calc.py": CALC + "X: int = ''\n"}).reason == "new_type_errors"


def test_no_environment_and_dependencies_is_refused_with_a_remedy(tmp_path: Path, sandbox: Sandbox) -> None:
    files = {**SRC_LAYOUT, "requirements.txt": "rich\n"}
    sample = make_sample(tmp_path, files, sandbox, venv=None)

    with pytest.raises(EnvironmentFault, match="no Python environment") as caught:
        sample.gates()
    assert "python -m venv .venv" in caught.value.hint


def test_an_environment_without_pytest_gets_one_lent(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox, venv=())
    told = sample.gates().describe()

    assert told["pytest"]["lent"] is True
    assert any("has no pytest; dev-agent lends its own" in note for note in told["notes"])
    assert sample.tests({"src/acme/calc.py": BROKEN}).reason == "new_failures"


def test_the_active_environment_outside_of_the_repository(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox, venv=None)
    make_venv(tmp_path / "elsewhere", (*PYTEST, *MYPY))
    sample = replace(sample, virtual_env=str(tmp_path / "elsewhere"))
    told = sample.gates().describe()

    assert told["because"] == "the active environment (VIRTUAL_ENV)"
    assert (told["pytest"]["lent"], told["mypy"]["lent"]) == (False, False)
    assert sample.tests({"src/acme/calc.py": BROKEN}).reason == "new_failures"
    assert sample.types({"src/acme/calc.py": CALC + "X: int = ''\n"}).reason == "new_type_errors"


def test_a_configured_interpreter_that_is_missing_is_named(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": 'python = "env/bin/python"\n'}, sandbox)

    with pytest.raises(UsageFault, match="'env/bin/python' does not exist"):
        sample.gates()


def test_a_linked_environment_in_the_change_cannot_aim_our_mount_elsewhere(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox)
    subject = sample.change({"src/acme/calc.py": BROKEN})
    linked = sample.project.make_tree(
        {
            **{path: ("100644", text.encode()) for path, text in sample.base.items()},
            ".venv": ("120000", b"/"),
        }
    )
    verdict = sample.gates().judge_tests(replace(subject, tree=linked, changed=(".venv",)), Cancel())

    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "unavailable")
    assert "symlink" in verdict.hint


def test_generated_files_are_shown_and_set_up_runs_first(tmp_path: Path, sandbox: Sandbox) -> None:
    files = {
        **SRC_LAYOUT,
        "dev-agent.toml": 'include = ["src/acme/_version.py", "none/*"]\n'
        'setup = ["python -c \'open(\\"made.txt\\", \\"w\\").write(\\"x\\")\'"]\n',
        "tests/test_made.py": "from acme._version import V\n\n\n"
        "def test_made():\n    assert (V, open('made.txt').read()) == (3, 'x')\n",
    }
    sample = make_sample(tmp_path, files, sandbox)
    (sample.project.root / "src/acme/_version.py").write_text("V = 3\n")

    verdict = sample.tests({"README.md": "hello\n"})

    assert (verdict.result, verdict.passed) == (GateResult.PASSED, 3), verdict
    assert "include: 'none/*' names no untracked file" in verdict.notes
    assert not (sample.project.root / "made.txt").exists()


def test_a_set_up_that_fails_is_not_a_verdict_on_the_change(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": 'setup = ["false"]\n'}, sandbox)

    for verdict in (sample.tests({"a.txt": ""}), sample.types({"a.txt": ""})):
        assert (verdict.result, verdict.reason) == (GateResult.ERROR, "baseline_setup_failed")


def test_a_read_only_tree_makes_a_writing_test_fail(tmp_path: Path, sandbox: Sandbox) -> None:
    writing = "def test_writes():\n    open('left.txt', 'w').close()\n"
    files = {**SRC_LAYOUT, "dev-agent.toml": 'gates.tests.tree = "read-only"\n'}
    sample = make_sample(tmp_path, files, sandbox)

    verdict = sample.tests({"tests/test_writes.py": writing})

    assert [one.id for one in verdict.new_failures] == ["tests/test_writes.py::test_writes"]


def test_what_is_shown_of_the_host_is_named_and_never_more_than_code(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "data").mkdir()
    settings = f'read_only = ["{tmp_path / "data"}", "{tmp_path}", "/no/such/place"]\n'
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "added.pth").write_text(f"{outside}\n{tmp_path}\n{sample.project.root / 'src'}\n")

    project = sample.gates().project
    shown = {target for target, _ in project.shown}

    assert {outside, tmp_path / "data"} <= shown
    assert tmp_path not in shown
    assert project.pth_roots == ("src",)
    assert any("holds more than code" in note for note in project.notes)
    assert any("overlaps the repository" in note for note in project.notes)
    assert "read_only: /no/such/place does not exist" in project.notes


def test_variables_of_the_settings_reach_the_tests(tmp_path: Path, sandbox: Sandbox) -> None:
    settings = 'env = { PYTHONPATH = "code", WORD = "hello" }\n'
    code = "import os\nimport acme\n\n\ndef test_it():\n    assert os.environ['WORD'] == 'hello'\n"
    # What the launcher does to start fast has ended by then.
    plain = "import gc\n\nassert gc.isenabled()\n"
    files = {"code/acme.py": "X = 1\n", "test_it.py": code, "conftest.py": plain, "dev-agent.toml": settings}
    sample = make_sample(tmp_path, files, sandbox)

    assert sample.tests({"code/acme.py": "X = 2\n"}).result is GateResult.PASSED
    assert sample.gates().project.env["PYTHONPATH"] == str(sample.project.root / "code")


def test_nothing_to_type_check_is_skipped_or_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, {"README.md": "x\n"}, sandbox)

    assert sample.types({"a.txt": ""}).result is GateResult.SKIPPED
    assert sample.types({"a.txt": ""}, no_types="deny").result is GateResult.FAILED
    assert len(sample.gates().preflight().missing) == 2


def test_where_a_file_of_the_base_stops_mypy_no_type_passes_and_that_is_said(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "src/acme/old.py": "print 'two'\n"}, sandbox)
    wrong = {"src/acme/calc.py": CALC + "halve('a')\n"}

    verdict = sample.types(wrong)
    assert (verdict.result, verdict.reason, verdict.passed) == (GateResult.SKIPPED, "nothing_checked", 0)
    assert "src/acme/old.py:1" in verdict.hint
    assert sample.types(wrong, no_types="deny").result is GateResult.FAILED
    assert sample.types({"src/acme/old.py": None, **wrong}).reason == "new_type_errors"


def test_a_mend_of_what_stopped_mypy_is_charged_with_all_it_uncovers_and_told_the_way_out(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    files = {
        **SRC_LAYOUT,
        "src/acme/calc.py": CALC + "halve('old')\n",
        "src/acme/rest.py": "def rest() -> int:\n    return (\n",
        "src/acme/use.py": "from acme.rest import rest\n\nX: int = rest()\n",
    }
    sample = make_sample(tmp_path, files, sandbox)
    mend = {"src/acme/rest.py": "def rest() -> int:\n    return 1\n"}
    # The mend's own error shows in a file it does not touch, as an old one would.
    hiding = {"src/acme/rest.py": "def rest() -> str:\n    return 'a'\n"}

    for change, places in ((mend, {"src/acme/calc.py"}), (hiding, {"src/acme/calc.py", "src/acme/use.py"})):
        verdict = sample.types(change)
        assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
        assert {one.path for one in verdict.new_failures} == places
        assert "on the base mypy stops at src/acme/rest.py:" in verdict.hint
        assert 'gates.types = "off"' in verdict.hint
    assert "on the base" not in sample.types(mend, types="strict").hint
    assert sample.types(mend, types="off").result is GateResult.SKIPPED
    assert sample.types({**mend, "src/acme/calc.py": CALC}).result is GateResult.PASSED

    mended = make_sample(tmp_path / "mended", {**files, **mend}, sandbox)
    worse = mended.types(hiding)
    assert (worse.hint, {one.path for one in worse.new_failures}) == ("", {"src/acme/use.py"})


@pytest.mark.parametrize("base", ["README.md", "docs/conf.py"])
def test_the_first_source_file_of_a_project_is_judged(tmp_path: Path, sandbox: Sandbox, base: str) -> None:
    sample = make_sample(tmp_path, {base: "x = 1\n"}, sandbox)

    good, bad = sample.types({"calc.py": CALC}), sample.types({"calc.py": CALC + "halve('a')\n"})

    assert (good.result, good.reason, good.passed) == (GateResult.PASSED, "clean", 1), good
    assert (bad.result, [one.code for one in bad.new_failures]) == (GateResult.FAILED, ["arg-type"])


def test_the_last_source_file_can_go(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, {"calc.py": CALC}, sandbox)
    assert sample.types({"calc.py": None}).result is GateResult.PASSED


def test_a_configured_path_that_neither_tree_has_is_a_fault_and_no_verdict(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    settings = 'gates.types.paths = ["sorce"]\n'
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)
    assert sample.types({"src/acme/calc.py": BROKEN}).result is GateResult.ERROR


def test_a_gate_the_settings_switch_off_is_missing_like_one_with_nothing_to_judge(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    settings = "gates.tests.enabled = false\ngates.types.enabled = false\n"
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)

    found = sample.gates().preflight()

    assert (found.has_tests, found.has_types) == (False, False)
    assert found.missing == (
        "dev-agent.toml switches the tests gate off: no test is run",
        "dev-agent.toml switches the types gate off: no type is checked",
    )
    assert sample.ruled(tests="off", types="off").gates().preflight().missing == ()


def test_a_test_that_must_pass_is_never_dropped_with_a_gate_that_is_off(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    settings = "gates.tests.enabled = false\n"
    off = make_sample(tmp_path / "off", {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)
    with pytest.raises(UsageFault, match=r"dev-agent\.toml switches the tests gate off"):
        replace(off, must_pass=("all",)).gates()
    on = make_sample(tmp_path / "on", SRC_LAYOUT, sandbox)
    with pytest.raises(UsageFault, match="the policy switches the tests gate off"):
        replace(on.ruled(tests="off"), must_pass=("all",)).gates()


@pytest.mark.parametrize("made", ["dangling link", "settings alone"])
def test_a_broken_environment_is_not_replaced_by_another_in_silence(
    tmp_path: Path, sandbox: Sandbox, made: str
) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox, venv=None)
    venv = sample.project.root / ".venv"
    (venv / "bin").mkdir(parents=True)
    if made == "dangling link":
        (venv / "bin" / "python").symlink_to("/no/such/python3")
    else:
        (venv / "pyvenv.cfg").write_text("home = /no/such\n")
    with pytest.raises(EnvironmentFault, match="environment is broken") as raised:
        sample.gates()
    assert "--clear" in raised.value.hint


@pytest.mark.parametrize("command", ["no-such-command .", "sh -c 'echo cannot >&2; exit 127'"])
def test_a_check_that_cannot_run_says_what_it_said(tmp_path: Path, sandbox: Sandbox, command: str) -> None:
    settings = f'gates.checks = [{{ name = "lint", command = "{command}" }}]\n'
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "dev-agent.toml": settings}, sandbox)

    verdict = sample.gates().judge_checks(sample.change({"src/acme/calc.py": BROKEN}), Cancel())

    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "baseline_not_run")
    assert ("no-such-command" if "no-such" in command else "cannot") in verdict.hint
    assert not any("mypy" in note or "pytest" in note for note in verdict.notes)


def test_a_declared_dependency_needs_an_environment(tmp_path: Path, sandbox: Sandbox) -> None:
    for number, text in enumerate(
        (
            '[project]\ndependencies = ["rich"]\n',
            '[tool.poetry]\nname = "x"\n',
            '[project]\ndynamic = ["dependencies"]\n',
        )
    ):
        sample = make_sample(tmp_path / str(number), {"pyproject.toml": text}, sandbox, venv=None)
        with pytest.raises(EnvironmentFault, match="no Python environment"):
            sample.gates()


def test_a_python_too_old_for_what_is_lent_is_told_so(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, SRC_LAYOUT, sandbox, venv=())
    project = sample.gates().project
    notes: list[str] = []

    assert choose_pytest(replace(project.interpreter, version=(3, 10, 1)), project.installed, notes) is None
    assert "needs Python 3.11 (it has 3.10.1): install pytest there" in notes[0]
    without = replace(sample.gates().project, pytest=None, mypy=None)
    gates = sample.gates()
    gates._context = replace(gates._context, project=without)
    assert [gates._context.project.pytest, len(gates.preflight().missing)] == [None, 2]
    context = gates._context
    subject = sample.change({"README.md": "x\n"})
    assert TestsGate(context).judge(subject, Cancel()).reason == "no_test_runner"
    assert TypesGate(context).judge(subject, Cancel()).reason == "no_type_checker"


def test_a_project_that_pytest_itself_is_built_on_is_judged_by_its_staged_form(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    installed = OWN_SITE / "iniconfig"
    files = {
        f"src/iniconfig/{file.name}": file.read_text(encoding="utf-8") for file in installed.glob("*.py")
    }
    files["tests/test_ini.py"] = (
        "import iniconfig\ndef test_value() -> None:\n    assert VALUE == 1\n".replace(
            "VALUE", "getattr(iniconfig, 'VALUE', 1)"
        )
    )
    sample = make_sample(tmp_path, files, sandbox)
    source = files["src/iniconfig/__init__.py"] + "\nimport gc\nassert gc.isenabled()\n"

    honest = sample.tests({"src/iniconfig/__init__.py": source + "\nVALUE = 1\n"})
    broken = sample.tests({"src/iniconfig/__init__.py": source + "\nVALUE = 2\n"})

    assert (honest.result, honest.passed) == (GateResult.PASSED, 1), honest
    assert any("pytest is built on iniconfig" in note for note in honest.notes)
    assert (broken.result, broken.reason) == (GateResult.FAILED, "new_failures"), broken


def test_a_landed_change_brings_its_own_baseline(acme: Sample) -> None:
    changed = CALC + "\nREMEMBERED = 1\n"
    first = acme.tests({"src/acme/calc.py": changed})
    assert first.result is GateResult.PASSED
    later = replace(acme, base={**acme.base, "src/acme/calc.py": changed})
    later = replace(later, base_tree=tree_of(acme.project, later.base))
    entries = {path.name for path in acme.cache.rglob("*") if path.is_file()}
    again = later.tests({"src/acme/calc.py": changed + "LATER = 1\n"})
    new = {path.name for path in acme.cache.rglob("*") if path.is_file()} - entries
    assert again.result is GateResult.PASSED
    # One verdict and the baseline for the tree after it; no baseline for the tree it started from.
    assert len(new) == 2, sorted(new)


def test_a_lent_pytest_is_known_to_the_type_checker_too(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path, FLAT, sandbox)
    typed = (
        "import pytest\n\n\n@pytest.fixture\ndef number() -> int:\n    return 1\n\n\n"
        "def test_number(number: int) -> None:\n    with pytest.raises(ValueError):\n        raise ValueError(number)\n"
    )
    verdict = sample.types({"acme/checks.py": typed})
    assert verdict.result is GateResult.PASSED, verdict
    wrong = sample.types({"acme/checks.py": typed.replace("pytest.raises(", "pytest.rises(")})
    assert [one.code for one in wrong.new_failures] == ["attr-defined"], wrong
