"""Every change here breaks `add` and something that is meant to hide it. None may pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates.verdict import GateResult
from dev_agent.sandbox.job import Ended, Job
from dev_agent.sandbox.sandbox import Json, Sandbox
from tests.gates.samples import BROKEN, CALC, TEST_CALC, Sample

ADD = "tests/test_calc.py::test_add"

HOOKS = {
    "conftest_sets_exit_status_0": """\
def pytest_sessionfinish(session):
    session.exitstatus = 0
""",
    "conftest_deselects_everything": """\
def pytest_collection_modifyitems(config, items):
    items.clear()
""",
    "conftest_rewrites_reports": """\
import pytest

@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    result = yield
    result.get_result().outcome = "passed"
""",
    "conftest_skips_by_autouse": """\
import pytest

@pytest.fixture(autouse=True)
def no_tests_today():
    pytest.skip("later")
""",
    "conftest_ignores_the_tests": "collect_ignore_glob = ['test_*', '*/test_*', '*']\n",
    "conftest_unregisters_the_recorder": """\
def pytest_configure(config):
    for plugin in list(config.pluginmanager.get_plugins()):
        if type(plugin).__name__ == "Recorder":
            config.pluginmanager.unregister(plugin)
""",
    "conftest_leaves_at_once": "import os\nos._exit(0)\n",
}


@pytest.mark.parametrize("attack", HOOKS)
def test_a_new_conftest_does_not_judge(acme: Sample, attack: str) -> None:
    verdict = acme.tests({"src/acme/calc.py": BROKEN, "tests/conftest.py": HOOKS[attack]})

    assert verdict.result is GateResult.FAILED
    assert ADD in {one.id for one in verdict.new_failures} or verdict.reason == "died_early"


CONFIGURATION = {
    "collect_only": {"pytest.ini": "[pytest]\naddopts = --collect-only\n"},
    "plugin_of_the_repository": {
        "pytest.ini": "[pytest]\naddopts = -p evil\n",
        "evil.py": "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n",
    },
    "other_test_files": {"pytest.ini": "[pytest]\npython_files = nothing_*.py\n"},
    "other_test_files_in_pyproject": {
        "pyproject.toml": '[project]\nname = "acme"\n[tool.pytest.ini_options]\npython_files = "nothing_*.py"\n'
    },
    "other_test_paths": {
        "tox.ini": "[pytest]\ntestpaths = empty\n",
        "empty/test_nothing.py": "def test_nothing():\n    pass\n",
    },
    "gate_settings": {
        "dev-agent.toml": '[gates.tests]\nenabled = false\ndeselect = ["tests/test_calc.py::test_add"]\n'
    },
    "entry_point_beside_the_source": {
        "src/evil-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1\n",
        "src/evil-1.dist-info/entry_points.txt": "[pytest11]\nevil = evil\n",
        "src/evil.py": "import os\nos._exit(0)\n",
    },
    "sitecustomize_beside_the_source": {"src/sitecustomize.py": "import os\nos._exit(0)\n"},
    "usercustomize_beside_the_source": {"src/usercustomize.py": "import os\nos._exit(0)\n"},
    "pytest_ini_at_the_tests": {"tests/pytest.ini": "[pytest]\naddopts = --collect-only\n"},
}


@pytest.mark.parametrize("attack", CONFIGURATION)
def test_new_configuration_does_not_judge(acme: Sample, attack: str) -> None:
    verdict = acme.tests({"src/acme/calc.py": BROKEN, **CONFIGURATION[attack]})

    assert verdict.result is GateResult.FAILED
    assert verdict.reason == "new_failures"
    assert ADD in {one.id for one in verdict.new_failures}


def test_expecting_the_failure_does_not_help(acme: Sample) -> None:
    expecting = "import pytest\n" + TEST_CALC.replace("def test_add", "@pytest.mark.xfail\ndef test_add")

    verdict = acme.tests({"src/acme/calc.py": BROKEN, "tests/test_calc.py": expecting})

    assert verdict.result is GateResult.FAILED
    assert ADD in {one.id for one in verdict.new_failures}
    assert verdict.superseded == ()


def test_skipping_a_test_that_still_passes_is_not_a_pass(acme: Sample) -> None:
    skipping = "import pytest\n" + TEST_CALC.replace("def test_add", "@pytest.mark.skip\ndef test_add")

    verdict = acme.tests({"tests/test_calc.py": skipping})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "newly_skipped")


def test_deleting_the_test_does_not_help(acme: Sample) -> None:
    without = TEST_CALC.replace("def test_add() -> None:\n    assert add(2, 3) == 5\n", "")

    for change in ({"tests/test_calc.py": without}, {"tests/test_calc.py": None}):
        verdict = acme.tests({"src/acme/calc.py": BROKEN, **change})
        assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_failures")


def test_a_weakened_assertion_is_named_and_a_policy_can_refuse_it(acme: Sample) -> None:
    change = {
        "src/acme/calc.py": BROKEN,
        "tests/test_calc.py": TEST_CALC.replace("add(2, 3) == 5", "add(2, 3)"),
    }

    allowed = acme.tests(change)
    refused = acme.tests(change, changed_tests="deny")

    assert (allowed.result, allowed.superseded) == (GateResult.PASSED, (ADD,))
    assert (refused.result, refused.reason) == (GateResult.FAILED, "changed_tests")


SHADOWS = {
    "pytest_at_the_root": {"pytest.py": "def main(*args, **kwargs):\n    return 0\n"},
    "pytest_in_the_source": {"src/pytest/__init__.py": ""},
    "pluggy_in_the_source": {"src/pluggy.py": "import os\nos._exit(0)\n"},
    "stdlib_at_the_root": {"json.py": "import os\nos._exit(0)\n"},
    "stdlib_in_the_source": {"src/random.py": "import os\nos._exit(0)\n"},
    "stdlib_beside_the_tests": {"tests/statistics.py": "import os\nos._exit(0)\n"},
}


@pytest.mark.parametrize("attack", SHADOWS)
def test_a_shadow_of_what_everybody_uses_is_refused_and_never_loaded(acme: Sample, attack: str) -> None:
    verdict = acme.tests(
        {
            **SHADOWS[attack],
            "tests/test_more.py": "import json, random, statistics\n\ndef test_it():\n    pass\n",
        }
    )

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "shadowed_modules")
    assert {one.code for one in verdict.new_failures} == {"shadows"}


IN_PROCESS = {
    "leaves_at_import": ("import os\nos._exit(0)\n", {"died_early"}),
    "leaves_by_a_signal_handler": (
        (
            "import os, signal, time\n"
            "signal.signal(signal.SIGALRM, lambda *_: os._exit(0))\n"
            "signal.setitimer(signal.ITIMER_REAL, 0.001)\n"
            "time.sleep(5)\n"
        ),
        {"died_early"},
    ),
    "leaves_by_system_exit": ("raise SystemExit(0)\n", {"crashed"}),
    "patches_the_running_of_tests": (
        "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n",
        {"test_runner_patched"},
    ),
    "patches_the_making_of_reports": (
        (
            "import _pytest.reports as reports\n"
            "real = reports.TestReport.from_item_and_call.__func__\n"
            "def fake(cls, item, call):\n"
            "    report = real(cls, item, call)\n"
            "    report.outcome = 'passed'\n"
            "    return report\n"
            "reports.TestReport.from_item_and_call = classmethod(fake)\n"
        ),
        {"test_runner_patched"},
    ),
    "registers_a_plugin_that_turns_reports_green": (
        (
            "import gc, pytest\n"
            "class Rosy:\n"
            "    @pytest.hookimpl(hookwrapper=True)\n"
            "    def pytest_runtest_makereport(self, item):\n"
            "        result = yield\n"
            "        result.get_result().outcome = 'passed'\n"
            "for one in gc.get_objects():\n"
            "    if type(one) is pytest.PytestPluginManager:\n"
            "        one.register(Rosy())\n"
        ),
        {"inconsistent_report"},
    ),
    "leaves_at_exit": ("import atexit, os\natexit.register(os._exit, 0)\n", {"inconsistent_report"}),
    "writes_a_record_of_its_own": (
        (
            "import os\n"
            'text = b\'{"type": "test", "id": "tests/test_calc.py::test_add", "outcome": "passed"}\'\n'
            "os.write(4, len(text).to_bytes(4, 'big') + bytes(16) + text)\n"
        ),
        {"inconsistent_report"},
    ),
    "closes_the_report": ("import os\nos.close(4)\n", {"died_early"}),
    "kills_its_parents": (
        "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos.kill(0, signal.SIGKILL)\n",
        None,
    ),
}


@pytest.mark.parametrize("attack", IN_PROCESS)
def test_code_of_the_change_cannot_talk_its_way_out(acme: Sample, attack: str) -> None:
    code, reasons = IN_PROCESS[attack]

    verdict = acme.tests({"src/acme/calc.py": code + BROKEN})

    assert verdict.result is GateResult.FAILED
    assert reasons is None or verdict.reason in reasons


def test_reading_the_report_back_breaks_it(acme: Sample) -> None:
    """Whoever opens the pipe's other side takes records away: the numbers do not fit any more."""
    code = "import os\nfd = os.open('/proc/self/fd/4', os.O_RDONLY | os.O_NONBLOCK)\nos.read(fd, 1 << 16)\n"

    verdict = acme.tests({"src/acme/calc.py": code + BROKEN})

    assert verdict.result is GateResult.FAILED


def test_a_break_that_shows_only_beside_other_tests_is_no_luck(acme: Sample) -> None:
    """What the change leaves behind in one test breaks the next one, every time; alone each of them passes."""
    once = CALC.replace(
        "    return number // 2", "    import sys\n    return 0 if 'first' in vars(sys) else 4"
    )
    once = once.replace(
        "    return left + right", "    import sys\n    vars(sys)['first'] = 1\n    return left + right"
    )

    allowed = acme.tests({"src/acme/calc.py": once})
    refused = acme.tests({"src/acme/calc.py": once}, flaky="deny")

    assert (allowed.result, allowed.reason, allowed.flaky) == (GateResult.FAILED, "new_failures", ())
    assert [one.id for one in allowed.new_failures] == ["tests/test_calc.py::test_halve"]
    assert "1 test(s) pass alone and fail, twice, beside the others" in allowed.notes
    assert (refused.result, refused.reason) == (GateResult.FAILED, "flaky_tests")


@dataclass
class Counting:
    """A sandbox that tells each of its jobs which one it is."""

    inner: Sandbox
    runs: int = 0

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def tier(self) -> int:
        return self.inner.tier

    def run(self, job: Job, cancel: Cancel) -> Ended:
        self.runs += 1
        return self.inner.run(replace(job, env={**job.env, "NTH_RUN": str(self.runs)}), cancel)

    def describe(self) -> Mapping[str, Json]:
        return self.inner.describe()


def test_a_failure_that_does_not_come_back_is_flaky_and_a_policy_can_refuse_it(acme: Sample) -> None:
    chance = CALC.replace("number // 2", "0 if __import__('os').environ['NTH_RUN'] == '1' else number // 2")
    acme.tests({"README.md": ""})

    allowed = replace(acme, sandbox=Counting(acme.sandbox)).tests({"src/acme/calc.py": chance})
    refused = replace(acme, sandbox=Counting(acme.sandbox)).tests({"src/acme/calc.py": chance}, flaky="deny")

    assert (allowed.result, allowed.flaky) == (GateResult.PASSED, ("tests/test_calc.py::test_halve",))
    assert (refused.result, refused.reason) == (GateResult.FAILED, "flaky_tests")


def test_an_honest_change_stays_green(acme: Sample) -> None:
    verdict = acme.tests(
        {
            "src/acme/calc.py": CALC
            + "\n\ndef double(number: int) -> int:\n    return add(number, number)\n",
            "tests/test_double.py": "from acme.calc import double\n\n\n"
            "def test_double() -> None:\n    assert double(4) == 8\n",
            "tests/conftest.py": "import pytest\n\n\n@pytest.fixture\ndef four() -> int:\n    return 4\n",
        }
    )

    assert (verdict.result, verdict.reason, verdict.new_failures) == (
        GateResult.PASSED,
        "no_new_failures",
        (),
    )
    assert verdict.passed == 3
