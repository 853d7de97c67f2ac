"""The tests gate with images of the base's test modules: the same verdicts, and no way in for what is judged."""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates import images as module
from dev_agent.gates.case import case_of
from dev_agent.gates.image_bundle import ImageBundle, read_bundle
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.job import Ended, EndedHow, Job, Limits
from dev_agent.sandbox.profile import load_profile, shipped
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import (
    BROKEN,
    CALC,
    PYTEST,
    SRC_LAYOUT,
    TEST_CALC,
    Sample,
    make_sample,
    tree_of,
    write_editable,
)
from tests.gates.test_remembering import Counting

CALC_FILE, TEST_FILE = "src/acme/calc.py", "tests/test_calc.py"
# Long enough to be worth an image.
LONG = "# " + "x" * 120_000 + "\n"
TESTS = (
    LONG
    + TEST_CALC
    + """

def test_explained() -> None:
    numbers = [add(1, 2), add(3, 4)]
    assert numbers == [3, 7], "by a message"


class TestMore:
    def test_text(self) -> None:
        assert "b" in f"a{add(1, 1)}b"
"""
)
CONFTEST = "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef nothing() -> None:\n    assert True\n"
FILES = {**SRC_LAYOUT, TEST_FILE: TESTS, "tests/conftest.py": CONFTEST}
WITHOUT = "[tool.dev-agent.gates]\ntests = { images = false }\n"
OTHER = CALC + "\n\ndef double(number: int) -> int:\n    return 2 * number\n"


class Refusing(Counting):
    """A machine that starts no job that makes images."""

    def run(self, job: Job, cancel: Cancel) -> Ended:
        if kinds([job]) == ["images"]:
            return Ended(how=EndedHow.UNAVAILABLE, detail="no")
        return super().run(job, cancel)


def kinds(jobs: list[Job]) -> list[str]:
    """What each job that was run was for."""
    return [json.loads(job.input)["kind"] for job in jobs if job.input.startswith(b"{")]


def kept_file(sample: Sample) -> Path:
    (path,) = (sample.cache / "images").rglob("*.images")
    return path


def kept(sample: Sample) -> ImageBundle:
    bundle = read_bundle(kept_file(sample).read_bytes())
    assert bundle is not None
    return bundle


def essence(verdict: Verdict) -> tuple[object, ...]:
    """All that a verdict says but for times, ids of objects and what the tool printed."""
    failures = [
        (one.id, one.path, one.line, one.code, one.message, one.detail) for one in verdict.new_failures
    ]
    counts = (verdict.passed, verdict.preexisting, verdict.fixed, verdict.flaky, verdict.superseded)
    return verdict.result, verdict.reason, failures, counts, verdict.exit_code


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A project whose images were made by a first judgement."""
    sample = make_sample(tmp_path_factory.mktemp("with"), FILES, sandbox, venv=PYTEST)
    write_editable(sample)
    assert sample.tests({CALC_FILE: OTHER}).result is GateResult.PASSED
    return sample


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """The same project, which wants no images."""
    settings = {"pyproject.toml": FILES["pyproject.toml"] + WITHOUT}
    sample = make_sample(tmp_path_factory.mktemp("without"), {**FILES, **settings}, sandbox, venv=PYTEST)
    write_editable(sample)
    return sample


@pytest.mark.parametrize(
    "change",
    [
        {CALC_FILE: BROKEN},
        {TEST_FILE: TESTS.replace("== 5", "== 6")},
        {CALC_FILE: BROKEN, TEST_FILE: TESTS.replace("== 5", "== -1").replace("[3, 7]", "[-1, -1]")},
        {TEST_FILE: None, "tests/test_new.py": TESTS.replace("== 5", "== 7")},
        {"tests/conftest.py": CONFTEST.replace("True", "1 == 2")},
    ],
    ids=["source", "test", "both", "moved", "conftest"],
)
def test_a_verdict_is_the_same_without_images(
    acme: Sample, plain: Sample, change: Mapping[str, str | None]
) -> None:
    assert essence(acme.tests(change)) == essence(plain.tests(change))


def test_images_are_made_once_of_base_files_only_and_apart_from_the_repository(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    counting = Counting(sandbox)
    sample = make_sample(tmp_path, FILES, counting)
    mine = TESTS + "\n\ndef test_mine() -> None:\n    assert add(1, 1) == 2\n"

    assert sample.tests({CALC_FILE: OTHER, TEST_FILE: mine}).result is GateResult.PASSED
    first = [job for job in counting.jobs if b'"kind": "images"' in job.input]
    assert kinds(counting.jobs).count("images") == 1
    assert all(mount.source is None or mount.source.name != "tree" for mount in first[0].mounts)
    assert not any(mount.target == sample.project.root for mount in first[0].mounts)
    assert kept(sample).places.keys() == {hashlib.sha256(FILES[one].encode()).hexdigest() for one in (
        TEST_FILE, "tests/conftest.py")}  # fmt: skip

    counting.jobs.clear()
    assert sample.tests({CALC_FILE: OTHER + "# again\n"}).result is GateResult.PASSED
    assert kinds(counting.jobs).count("images") == 0


@pytest.mark.parametrize("tier", ["auto", "landlock"])
def test_a_judged_run_is_shown_the_images_and_takes_them(tmp_path: Path, tier: str) -> None:
    """Who could write to where they are kept would decide the verdict: that is why nothing that is run can."""
    (tmp_path / "scratch").mkdir(mode=0o700)
    confined = choose(tier, load_profile(shipped("default")), scratch_root=tmp_path / "scratch")
    sample = make_sample(tmp_path / "project", FILES, confined)
    assert sample.tests({CALC_FILE: OTHER}).result is GateResult.PASSED
    bundle, source = kept(sample), hashlib.sha256(TESTS.encode()).hexdigest()
    forged = marshal.dumps(compile("def test_forged() -> None:\n    pass\n", "forged", "exec"))

    kept_file(sample).write_bytes(ImageBundle.of(bundle.tag, bundle.seen, {source: forged}).kept())

    verdict = sample.tests({CALC_FILE: OTHER + "# forged\n"})
    assert verdict.reason == "tests_vanished"


ATTACK = """
import glob, os, pathlib, sys
for name in (*sys.argv, "/opt/dev-agent/images", *glob.glob("/opt/dev-agent/*")):
    try:
        with open(name, "r+b") as stream:
            stream.write(b"x" * 100)
    except OSError:
        pass
here = pathlib.Path("tests/__pycache__")
here.mkdir(exist_ok=True)
for tail in ("", "-pytest-" + sys.modules["pytest"].__version__):
    (here / f"test_calc.{sys.implementation.cache_tag}{tail}.pyc").write_bytes(b"x" * 100)
"""


def test_a_judged_run_that_writes_bytecode_leaves_none_for_the_next(acme: Sample) -> None:
    before = kept_file(acme).read_bytes()

    acme.tests({CALC_FILE: OTHER + ATTACK})

    assert kept_file(acme).read_bytes() == before
    assert acme.tests({CALC_FILE: OTHER + "# after\n"}).result is GateResult.PASSED
    assert acme.tests({CALC_FILE: BROKEN + "# after\n"}).reason == "new_failures"


def test_a_changed_test_is_never_run_as_the_base_had_it(acme: Sample) -> None:
    """Same size, and a slot's times follow from content: only content tells the two apart."""
    verdict = acme.tests({TEST_FILE: TESTS.replace("add(2, 3) == 5", "add(2, 3) == 4")})
    assert (verdict.result, [one.id for one in verdict.new_failures]) == (
        GateResult.FAILED,
        ["tests/test_calc.py::test_add"],
    )


@pytest.mark.parametrize("damage", [b"x" * 50, None], ids=["noise", "cut"])
def test_a_damaged_cache_costs_nothing_but_time(tmp_path: Path, acme: Sample, damage: bytes | None) -> None:
    path = kept_file(acme)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if damage is None else damage)

    assert acme.tests({CALC_FILE: BROKEN + f"# {tmp_path.name}\n"}).reason == "new_failures"

    assert kept(acme).places.keys() == read_whole(whole).places.keys()


def read_whole(data: bytes) -> ImageBundle:
    bundle = read_bundle(data)
    assert bundle is not None
    return bundle


def shown(sample: Sample) -> bytes:
    """What a run of some change would be shown, without running it."""
    context = sample.gates()._context
    assert context.project.pytest is not None
    case = case_of(context, sample.change({CALC_FILE: OTHER}), context.project.pytest)
    return module.TestImages(context).of(case, Cancel())


def test_a_job_that_is_ended_by_its_limits_is_not_started_again(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIMITS", Limits(wall_s=0.001))
    counting = Counting(sandbox)
    sample = make_sample(tmp_path, FILES, counting)

    assert (shown(sample), kept(sample).places, len(kept(sample).seen)) == (b"", {}, 2)
    assert "images" in kinds(counting.jobs)

    counting.jobs.clear()
    assert shown(sample) == b""
    assert "images" not in kinds(counting.jobs)


def test_what_the_base_does_not_have_any_more_goes_with_the_next_making(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sample = make_sample(tmp_path, FILES, sandbox)
    assert shown(sample)
    first = kept(sample)
    moved_on = {**sample.base, TEST_FILE: TESTS.replace("== 5", "== 2 + 3")}

    assert shown(replace(sample, base=moved_on, base_tree=tree_of(sample.project, moved_on)))

    now, conftest = kept(sample), hashlib.sha256(CONFTEST.encode()).hexdigest()
    assert (len(now.places), len(now.seen)) == (2, 2)
    assert now.places.keys() & first.places.keys() == {conftest}


@pytest.mark.parametrize(
    "files",
    [SRC_LAYOUT, {**FILES, "src/pluggy/__init__.py": ""}, {**FILES, "src/_pytest/__init__.py": ""}],
    ids=["small", "foundation", "pytest"],
)
def test_suites_for_which_it_does_not_pay_and_pytest_itself_get_none(
    tmp_path: Path, sandbox: Sandbox, files: Mapping[str, str]
) -> None:
    counting = Counting(sandbox)
    assert shown(make_sample(tmp_path, files, counting)) == b""
    assert "images" not in kinds(counting.jobs)


def test_a_machine_that_starts_no_such_job_is_asked_again(tmp_path: Path, sandbox: Sandbox) -> None:
    """An answer about the machine is none about these files."""
    sample = make_sample(tmp_path, FILES, Refusing(sandbox))
    assert shown(sample) == b""
    assert not (sample.cache / "images").exists()
    assert shown(replace(sample, sandbox=sandbox))
