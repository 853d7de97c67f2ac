"""The gates under the kernel's own rules, where the staged tree cannot be mounted over the repository's path."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dev_agent.gates.verdict import GateResult
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.profile import load_profile, shipped
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import BROKEN, CALC, PYTEST, SRC_LAYOUT, Sample, make_sample, write_editable

CALC_FILE = "src/acme/calc.py"


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    scratch = tmp_path_factory.mktemp("scratch")
    scratch.chmod(0o700)
    return choose("landlock", load_profile(shipped("default")), scratch_root=scratch)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory, ruled: Sandbox) -> Sample:
    """A src layout, installed editable into its own environment: its path file leads to the checkout."""
    sample = make_sample(tmp_path_factory.mktemp("acme"), SRC_LAYOUT, ruled, venv=PYTEST)
    write_editable(sample)
    return sample


def test_a_good_change_passes(acme: Sample) -> None:
    change = {CALC_FILE: CALC + "\n\ndef double(number: int) -> int:\n    return add(number, number)\n"}
    assert acme.tests(change).result is GateResult.PASSED
    assert acme.types(change).result is GateResult.PASSED


def test_the_staged_code_is_judged_and_not_the_editable_install(acme: Sample) -> None:
    verdict = acme.tests({CALC_FILE: BROKEN})
    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_failures")
    assert (acme.project.root / CALC_FILE).read_text() == CALC


def test_a_new_type_error_is_found(acme: Sample) -> None:
    verdict = acme.types({CALC_FILE: CALC + "X: int = ''\n"})
    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")


def test_a_new_test_that_imports_the_lent_pytest_has_its_types(tmp_path: Path, ruled: Sandbox) -> None:
    own = {"pyproject.toml": SRC_LAYOUT["pyproject.toml"] + '[tool.mypy]\nfiles = ["src", "tests"]\n'}
    sample = make_sample(tmp_path, {**SRC_LAYOUT, **own}, ruled, venv=())
    test = (
        "import pytest\n\n\ndef test_new() -> None:\n    with pytest.raises(ValueError):\n        int('')\n"
    )
    assert sample.types({"tests/test_new.py": test}).result is GateResult.PASSED


def test_what_a_mypy_plugin_of_the_repository_imports_is_the_bases(tmp_path: Path, ruled: Sandbox) -> None:
    plugin = "import words\nfrom mypy.plugin import Plugin\n\n\ndef plugin(version):\n    return Plugin\n"
    own = {
        "mypy.ini": "[mypy]\nfiles = src\nplugins = tools/plug.py\n",
        "tools/plug.py": plugin,
        "tools/words.py": "",
    }
    sample = make_sample(tmp_path, {**SRC_LAYOUT, **own}, ruled, venv=())
    verdict = sample.types({CALC_FILE: CALC + "X: int = ''\n", "tools/words.py": "import os\nos._exit(0)\n"})
    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")


def test_a_test_that_imports_in_a_program_of_its_own_gets_the_staged_code(acme: Sample) -> None:
    child = (
        "import subprocess, sys\n\n\ndef test_child() -> None:\n"
        "    code = 'import acme.calc; print(acme.calc.NEW)'\n"
        "    assert subprocess.check_output([sys.executable, '-c', code]) == b'7\\n'\n"
    )
    verdict = acme.tests({CALC_FILE: CALC + "NEW = 7\n", "tests/test_child.py": child})
    assert verdict.result is GateResult.PASSED, verdict


def test_tests_that_read_secrets_or_connect_out_are_stopped(acme: Sample) -> None:
    secret = acme.home / ".ssh" / "id_ed25519"
    secret.parent.mkdir(exist_ok=True)
    secret.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        steal = (
            "import socket\n\n\n"
            f"def test_key() -> None:\n    assert open({str(secret)!r}).read()\n\n\n"
            f"def test_out() -> None:\n    socket.create_connection({server.getsockname()!r}, timeout=5)\n"
        )
        verdict = acme.tests({"tests/test_steal.py": steal})
    assert verdict.result is GateResult.FAILED
    assert {one.id.rpartition("::")[2] for one in verdict.new_failures} == {"test_key", "test_out"}
    assert all("Permission denied" in one.message for one in verdict.new_failures)


def test_the_users_checkout_cannot_be_read_or_imported_from(acme: Sample) -> None:
    reach = (
        "import sys\nimport pytest\n\n\n"
        f"ROOT = {str(acme.project.root)!r}\n\n\n"
        "def test_read() -> None:\n"
        "    with pytest.raises(PermissionError):\n        open(ROOT + '/src/acme/calc.py')\n\n\n"
        "def test_import() -> None:\n"
        "    for name in [one for one in sys.modules if one.startswith('acme')]:\n        del sys.modules[name]\n"
        "    sys.path.insert(0, ROOT + '/src')\n"
        "    import acme.calc\n"
        "    assert not acme.calc.__file__.startswith(ROOT + '/src')\n"
    )
    assert acme.tests({"tests/test_reach.py": reach}).result is GateResult.PASSED


def test_a_run_on_modules_from_outside_of_the_staged_tree_is_void(tmp_path: Path, ruled: Sandbox) -> None:
    conftest = (
        "import sys\nsys.path.insert(0, next(one for one in sys.path if one.endswith('site-packages')))\n"
    )
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "conftest.py": conftest}, ruled)
    site = next((sample.project.root / ".venv/lib").glob("python*/site-packages"))
    (site / "acme").mkdir()
    (site / "acme" / "__init__.py").touch()
    (site / "acme" / "calc.py").write_text(CALC)

    verdict = sample.tests({CALC_FILE: BROKEN})

    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "baseline_tested_elsewhere")
    assert "acme from" in verdict.hint


def test_modules_of_the_users_checkout_void_a_run_where_they_can_be_read(tmp_path: Path) -> None:
    """Without confinement the checkout is there for whoever asks for it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    unconfined = choose("off", load_profile(shipped("default")), scratch_root=scratch)
    root = tmp_path / "work" / "project"
    conftest = f"import sys\nsys.path.insert(0, {str(root / 'src')!r})\n"
    sample = make_sample(tmp_path, {**SRC_LAYOUT, "conftest.py": conftest}, unconfined)
    assert sample.project.root == root

    verdict = sample.tests({CALC_FILE: BROKEN})

    assert (verdict.result, verdict.reason) == (GateResult.ERROR, "baseline_tested_elsewhere")


def test_an_included_file_stands_in_the_copy(tmp_path: Path, ruled: Sandbox) -> None:
    files = {
        **SRC_LAYOUT,
        ".gitignore": ".venv\n_version.py\n",
        "dev-agent.toml": 'include = ["src/acme/_version.py"]\n',
        "tests/test_version.py": (
            "from acme._version import VERSION\n\n\ndef test_version() -> None:\n    assert VERSION == '1'\n"
        ),
    }
    sample = make_sample(tmp_path, files, ruled)
    (sample.project.root / "src/acme/_version.py").write_text("VERSION = '1'\n")
    verdict = sample.tests({CALC_FILE: CALC + "# more\n"})
    assert (verdict.result, verdict.passed) == (GateResult.PASSED, 3), verdict
