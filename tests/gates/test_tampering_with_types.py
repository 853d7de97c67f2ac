"""Every change here brings a type error and something that is meant to hide it."""

from __future__ import annotations

import pytest

from dev_agent.gates.verdict import GateResult
from tests.gates.samples import CALC, SRC_LAYOUT, Sample, make_sample

WRONG = CALC.replace("return number // 2", 'return "half"')
PLUGIN = "from mypy.plugin import Plugin\n\n\ndef plugin(version: str) -> type[Plugin]:\n    return Plugin\n"


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory, sandbox) -> Sample:  # type: ignore[no-untyped-def]
    """A project with a mypy configuration and a plugin of its own."""
    files = {
        **SRC_LAYOUT,
        "mypy.ini": "[mypy]\nfiles = src\nplugins = tools/plug.py\n",
        "tools/plug.py": PLUGIN,
    }
    return make_sample(tmp_path_factory.mktemp("configured"), files, sandbox)


HIDING = {
    "mypy_ini": {"mypy.ini": "[mypy]\nignore_errors = True\n"},
    "dotted_mypy_ini": {".mypy.ini": "[mypy]\nignore_errors = True\n"},
    "setup_cfg": {"setup.cfg": "[mypy]\nexclude = .*\n"},
    "pyproject": {"pyproject.toml": '[tool.mypy]\nignore_errors = true\n[project]\nname = "acme"\n'},
    "gate_settings": {"dev-agent.toml": "gates.types.enabled = false\n"},
}


@pytest.mark.parametrize("attack", HIDING)
def test_new_configuration_does_not_judge(acme: Sample, attack: str) -> None:
    verdict = acme.types({"src/acme/calc.py": WRONG, **HIDING[attack]})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert [one.code for one in verdict.new_failures] == ["return-value"]


def test_changed_configuration_is_named_and_not_used(configured: Sample) -> None:
    verdict = configured.types(
        {"src/acme/calc.py": WRONG, "mypy.ini": "[mypy]\nfiles = src\nignore_errors = True\n"}
    )

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert any("edits mypy.ini" in note for note in verdict.notes)


def test_a_changed_plugin_is_named_and_does_not_run(configured: Sample) -> None:
    attack = "import os\nos._exit(0)\n"

    verdict = configured.types({"src/acme/calc.py": WRONG, "tools/plug.py": attack})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert any("mypy plugin tools/plug.py" in note for note in verdict.notes)


def test_a_stub_in_front_of_the_source_is_refused(acme: Sample) -> None:
    stub = "def add(left: int, right: int) -> int: ...\ndef halve(number: int) -> int: ...\n"

    verdict = acme.types({"src/acme/calc.py": WRONG, "src/acme/calc.pyi": stub})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "fewer_files_checked")
    assert [one.path for one in verdict.new_failures] == ["src/acme/calc.py"]


# A search from the front would read it once for each of its spaces.
LONG = "# mypy: a" + 200_000 * " " + "b\n"


def test_inline_switches_are_named_for_policy_to_rule_on(acme: Sample) -> None:
    verdict = acme.types({"src/acme/calc.py": "# mypy: ignore-errors\n" + WRONG + LONG})

    assert any("src/acme/calc.py sets mypy options for itself" in note for note in verdict.notes)


@pytest.mark.parametrize("path", ["mypy.py", "src/mypy/__init__.py", "json.py", "src/typing.py"])
def test_a_shadow_of_the_type_checker_or_the_library_is_refused(acme: Sample, path: str) -> None:
    verdict = acme.types({"src/acme/calc.py": WRONG, path: "import os\nos._exit(0)\n"})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "shadowed_modules")


def test_code_beside_the_source_does_not_run_in_the_type_checker(acme: Sample) -> None:
    verdict = acme.types({"src/acme/calc.py": WRONG, "src/sitecustomize.py": "import os\nos._exit(0)\n"})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")


def test_an_edit_of_equal_size_is_never_taken_for_the_checked_file(acme: Sample) -> None:
    """mypy trusts equal size and equal second of modification; a fast loop of edits has both."""
    for text, result in (
        ("X: int = 1\n", GateResult.PASSED),
        ("X: str = 1\n", GateResult.FAILED),
        ("Y: int = 1\n", GateResult.PASSED),
        ("Y: str = 1\n", GateResult.FAILED),
    ):
        assert acme.types({"src/acme/more.py": text}).result is result


def test_a_syntax_error_is_red_and_not_a_crash(acme: Sample) -> None:
    verdict = acme.types({"src/acme/calc.py": "def add(\n"})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert {one.code for one in verdict.new_failures} == {"syntax"}


def test_old_errors_are_counted_and_not_charged_wherever_they_move(tmp_path, sandbox) -> None:  # type: ignore[no-untyped-def]
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "src/acme/calc.py": WRONG}, sandbox)

    moved = sample.types({"src/acme/calc.py": "# a line\n\n" + WRONG})
    renamed = sample.types({"src/acme/calc.py": None, "src/acme/sums.py": WRONG})
    strict = sample.types({"src/acme/calc.py": "# a line\n\n" + WRONG}, types="strict")
    mended = sample.types({"src/acme/calc.py": CALC})
    twice = sample.types({"src/acme/calc.py": WRONG.replace("return left + right", 'return "sum"')})

    assert [(one.result, one.preexisting) for one in (moved, renamed)] == [(GateResult.PASSED, 1)] * 2
    assert (strict.result, strict.preexisting) == (GateResult.FAILED, 0)
    assert (mended.result, mended.reason, len(mended.fixed)) == (GateResult.PASSED, "clean", 1)
    assert (twice.result, len(twice.new_failures), twice.preexisting) == (GateResult.FAILED, 1, 1)


FORGERY = """\
import os
import sys

frame = sys._getframe()
while frame.f_code.co_name != "run_mypy":
    frame = frame.f_back
frame.f_locals["send"]({"type": "end", "status": 0})
os._exit(0)
"""
HELPED = "import plug_words\n\ntry:\n    import plug_more\nexcept ImportError:\n    pass\n\n" + PLUGIN


@pytest.fixture(scope="module")
def helped(tmp_path_factory: pytest.TempPathFactory, sandbox) -> Sample:  # type: ignore[no-untyped-def]
    """A project with a mypy plugin of its own that imports from beside itself, and would from the sources."""
    files = {
        **SRC_LAYOUT,
        "mypy.ini": "[mypy]\nfiles = src\nplugins = tools/plug.py, acme.typing_plugin\n",
        "tools/plug.py": HELPED,
        "tools/plug_words.py": "WORDS = ()\n",
        "src/acme/typing_plugin.py": "from acme.calc import add\n\n" + PLUGIN,
    }
    return make_sample(tmp_path_factory.mktemp("helped"), files, sandbox)


@pytest.mark.parametrize("path", ["tools/plug_words.py", "tools/plug_more.py", "src/acme/calc.py"])
def test_what_a_plugin_imports_is_the_bases_too(helped: Sample, path: str) -> None:
    brought = {"src/acme/more.py": WRONG, path: FORGERY if path.startswith("tools") else FORGERY + WRONG}

    verdict = helped.types(brought)

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")
    assert "src/acme/more.py" in {one.path for one in verdict.new_failures}


def test_a_plugin_of_the_base_serves_a_change_without_it(helped: Sample) -> None:
    verdict = helped.types({"src/acme/calc.py": CALC + "\n", "tools/plug_words.py": None})

    assert (verdict.result, verdict.new_failures) == (GateResult.PASSED, ())
