"""What is not asked or run a second time, and when it is asked again."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.cache import Cache
from dev_agent.gates.inquiry import Answer, ask
from dev_agent.gates.verdict import GateResult
from dev_agent.sandbox.job import Ended, Job, Mount, MountKind
from dev_agent.sandbox.sandbox import Json, Sandbox
from tests.gates.samples import CALC, SRC_LAYOUT, Sample, make_sample

PYTHON = Path(sys.base_prefix).resolve() / "bin" / f"python3.{sys.version_info.minor}"


class Counting:
    """A sandbox that counts the jobs it passes on."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.name, self.tier = sandbox.name, sandbox.tier
        self.jobs: list[Job] = []

    def run(self, job: Job, cancel: Cancel) -> Ended:
        self.jobs.append(job)
        return self._sandbox.run(job, cancel)

    def describe(self) -> Mapping[str, Json]:
        return self._sandbox.describe()


def mounts(python: Path) -> tuple[Mount, ...]:
    prefixes = {one for one in (PYTHON.parent.parent, python.parent.parent) if not one.is_relative_to("/usr")}
    return tuple(Mount(kind=MountKind.READ_ONLY, target=one, source=one) for one in sorted(prefixes))


def asked(python: Path, sandbox: Counting, cache: Cache | None) -> tuple[Answer, int]:
    before = len(sandbox.jobs)
    answer = ask(python, "told", mounts=mounts(python), sandbox=sandbox, cancel=Cancel(), cache=cache)
    return answer, len(sandbox.jobs) - before


def test_a_python_that_answered_is_asked_again_only_if_it_is_another(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    counting, cache = Counting(sandbox), Cache(tmp_path / "cache")
    python = tmp_path / "own" / "bin" / "python"
    python.parent.mkdir(parents=True)
    script = f'#!/bin/sh\nexec {PYTHON} "$@"\n'
    python.write_text(script)
    python.chmod(0o755)

    first, jobs = asked(python, counting, cache)
    assert (first.version, jobs) == (sys.version_info[:3], 1)
    assert asked(python, counting, cache) == (first, 0)
    assert asked(python, counting, None) == (first, 1)
    python.write_text(f"{script}# another\n")
    assert asked(python, counting, cache) == (first, 1)


def test_a_python_that_fails_is_asked_every_time(tmp_path: Path, sandbox: Sandbox) -> None:
    counting, cache = Counting(sandbox), Cache(tmp_path / "cache")
    python = tmp_path / "own" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 3\n")
    python.chmod(0o755)

    for expected in (1, 2):
        with pytest.raises(EnvironmentFault, match="told"):
            asked(python, counting, cache)
        assert len(counting.jobs) == expected


def landed(sample: Sample, files: Mapping[str, str]) -> Sample:
    """The project once a change has landed: its tree is the next base."""
    base = {**sample.base, **files}
    tree = sample.project.make_tree({path: ("100644", text.encode()) for path, text in base.items()})
    return replace(sample, base=base, base_tree=tree)


def test_a_tree_that_passed_is_the_next_runs_baseline(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path / "chain", SRC_LAYOUT, sandbox)
    first, second = {"src/acme/calc.py": f"{CALC}\n# one\n"}, {"src/acme/calc.py": f"{CALC}\n# two\n"}
    assert sample.types(first).result is GateResult.PASSED
    assert sample.tests(first).result is GateResult.PASSED
    counting = Counting(sandbox)
    after = replace(landed(sample, first), sandbox=counting)
    gates = after.gates()
    prepared = len(counting.jobs)

    assert gates.judge_types(after.change(second), Cancel()).result is GateResult.PASSED
    assert len(counting.jobs) == prepared + 1
    assert gates.judge_tests(after.change(second), Cancel()).result is GateResult.PASSED
    assert len(counting.jobs) == prepared + 2
    assert gates.judge_types(after.change(second), Cancel()).cached
    assert len(counting.jobs) == prepared + 2


def test_what_a_red_tree_says_is_its_own_baseline_and_no_others(tmp_path: Path, sandbox: Sandbox) -> None:
    """Errors of a tree are not new once it is the base; they are while it is not."""
    sample = make_sample(tmp_path / "red", SRC_LAYOUT, sandbox)
    wrong = {"src/acme/calc.py": CALC.replace("return number // 2", 'return "half"')}
    assert sample.types(wrong).result is GateResult.FAILED
    assert sample.types({**wrong, "other.txt": ""}).result is GateResult.FAILED

    assert landed(sample, wrong).types({"other.txt": ""}).result is GateResult.PASSED


def test_what_is_remembered_can_be_thrown_away(tmp_path: Path, sandbox: Sandbox) -> None:
    sample = make_sample(tmp_path / "forgotten", SRC_LAYOUT, sandbox)
    change = {"src/acme/calc.py": f"{CALC}\n# one\n"}
    before = sample.tests(change)
    shutil.rmtree(sample.cache)

    again = sample.tests(change)

    assert (again.result, again.cached, sample.cache.exists()) == (before.result, False, True)
