"""A worker without an engine: real mypy, real pytest, a real sandbox, and nothing of the asker but the job."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cancel import Cancel
from dev_agent.cluster.answer import Answer, Judged, Lacking, Trouble, TroubleKind
from dev_agent.cluster.workshop import Workshop
from dev_agent.cluster.workshop_settings import WorkshopSettings
from dev_agent.errors import UsageFault
from dev_agent.gates import suite_runs
from dev_agent.gates.case import run_case
from dev_agent.gates.subject import Subject
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.kernel import landlock_abi
from dev_agent.sandbox.landlock import OLDEST_ABI
from dev_agent.sandbox.profile import load_profile, shipped
from tests.gates.samples import (
    BROKEN,
    CALC,
    PYTEST,
    SRC_LAYOUT,
    Sample,
    make_sample,
    make_sandbox,
    make_venv,
    write_editable,
)
from tests.testing.jobs import Ask, answer_with, ask_of, digest, ship

CALC_FILE = "src/acme/calc.py"
RED = {CALC_FILE: BROKEN}
ILL_TYPED = {CALC_FILE: CALC + "\n\nWRONG: str = add(1, 2)\n"}
LAYOUT = {
    **SRC_LAYOUT,
    "pyproject.toml": SRC_LAYOUT["pyproject.toml"]
    + '[tool.dev-agent]\ninclude = ["local.txt"]\n'
    + 'gates.checks = [{ name = "lint", command = "grep -q def src/acme/calc.py" }]\n',
    ".gitignore": ".venv\nlocal.txt\n",
    "tests/test_local.py": "from pathlib import Path\n\n\ndef test_local() -> None:\n"
    "    assert (Path(__file__).parents[1] / 'local.txt').read_text() == 'here'\n",
}
TIERS = (
    "bubblewrap",
    pytest.param(
        "landlock",
        marks=pytest.mark.skipif(
            landlock_abi() < OLDEST_ABI, reason="this kernel's Landlock is too old or off"
        ),
    ),
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("asker")
    made = make_sample(folder, LAYOUT, make_sandbox(folder), venv=PYTEST)
    (made.project.root / "local.txt").write_text("here")
    write_editable(made)
    return made


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worker's machine: what it keeps, and an environment of its own without the project."""
    folder = tmp_path_factory.mktemp("worker")
    make_venv(folder / "env", PYTEST)
    return folder


@pytest.fixture
def workshop(place: Path, sample: Sample) -> Iterator[Workshop]:
    made = make_workshop(place, sample)
    yield made
    made.close()


def make_workshop(place: Path, sample: Sample, **changes: object) -> Workshop:
    settings = WorkshopSettings(
        name="anvil",
        folder=place / "shop",
        environ=sample.project.environ,
        declared=(place / "env",),
        least_free=1,
    )
    return Workshop(replace(settings, **changes))  # type: ignore[arg-type]


@contextmanager
def asker_far_away(sample: Sample) -> Iterator[None]:
    """Inside, this machine has nothing at the asker's path but what the worker shows there."""
    away = sample.project.root.with_name("away")
    sample.project.root.rename(away)
    try:
        yield
    finally:
        away.rename(sample.project.root)


def judged_here(sample: Sample, gate: str, subject: Subject) -> list[dict[str, object]]:
    gates = sample.gates()
    found: tuple[Verdict, ...]
    if gate == "checks":
        found = gates.judge_each_check(subject, Cancel())
    else:
        found = ({"types": gates.judge_types, "tests": gates.judge_tests}[gate](subject, Cancel()),)
    return [timeless(one) for one in found]


def timeless(verdict: Verdict) -> dict[str, object]:
    return {**verdict.to_json(), "ms": 0, "cached": False}


def verdicts_of(answer: Answer) -> list[dict[str, object]]:
    assert isinstance(answer, Judged), answer
    return [timeless(one) for one in answer.verdicts]


def trouble_of(answer: Answer, kind: TroubleKind) -> str:
    assert isinstance(answer, Trouble), answer
    assert answer.kind is kind, answer
    return answer.message


def test_a_worker_far_away_says_of_a_change_what_the_same_gates_say_here(
    sample: Sample, workshop: Workshop
) -> None:
    """It has the same wheels elsewhere, and nothing of the project but what is shipped."""
    cases = [
        (gate, sample.change(files))
        for gate, files in (("types", ILL_TYPED), ("tests", RED), ("checks", RED))
    ]
    here = [judged_here(sample, gate, subject) for gate, subject in cases]
    asks = [ask_of(sample, subject, gate) for gate, subject in cases]
    with asker_far_away(sample):
        there = [answer_with(workshop, ask) for ask in asks]
    assert [verdicts_of(one) for one in there] == here
    assert [verdicts[0]["result"] for verdicts in here] == ["failed", "failed", "passed"]
    assert all(isinstance(one, Judged) and one.environment == asks[0].job.environment.digest for one in there)


@pytest.mark.skipif(landlock_abi() < OLDEST_ABI, reason="this kernel's Landlock is too old or off")
def test_without_namespaces_a_worker_far_away_says_the_same_too(
    sample: Sample, workshop: Workshop, tmp_path: Path
) -> None:
    """Nothing can be mounted at the asker's path there; it is said anew, on both sides alike."""
    tmp_path.chmod(0o700)
    ruled = replace(
        sample, sandbox=choose("landlock", load_profile(shipped("default")), scratch_root=tmp_path)
    )
    subject = ruled.change(RED)
    here, ask = judged_here(ruled, "tests", subject), ask_of(ruled, subject, "tests", sandbox="landlock")
    with asker_far_away(sample):
        there = answer_with(workshop, ask)
    assert verdicts_of(there) == here
    assert isinstance(there, Judged)
    assert there.confinement == "landlock"


def test_a_worker_on_the_same_machine_takes_the_environment_that_is_there(
    place: Path, sample: Sample, tmp_path: Path
) -> None:
    subject = sample.change(RED)
    workshop = make_workshop(tmp_path, sample, declared=())
    answer = answer_with(workshop, ask_of(sample, subject, "checks"))
    assert verdicts_of(answer) == judged_here(sample, "checks", subject)
    workshop.close()


def test_what_was_judged_before_is_remembered_and_a_fresh_question_is_judged_anew(
    sample: Sample, workshop: Workshop
) -> None:
    ask = ask_of(sample, sample.change(RED), "checks")
    answer_with(workshop, ask)
    again, fresh = answer_with(workshop, ask), answer_with(workshop, ask.but(fresh="once"))
    assert isinstance(again, Judged)
    assert isinstance(fresh, Judged)
    assert (again.verdicts[0].cached, fresh.verdicts[0].cached) == (True, False)


def test_the_run_that_judged_a_tree_is_the_baseline_of_what_is_judged_on_top_of_it(
    sample: Sample, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def counted(*arguments: Any, **words: Any) -> Any:
        runs.append(arguments[3])
        return run_case(*arguments, **words)

    monkeypatch.setattr(suite_runs, "run_case", counted)
    first = sample.change({CALC_FILE: CALC + "\n\nONE: int = 1\n"})
    second = sample.change({CALC_FILE: BROKEN + "\n\nONE: int = 1\n"})
    below = Subject(base_tree=first.tree, tree=second.tree, changed=second.changed)
    answers = [answer_with(workshop, ask_of(sample, one, "tests")) for one in (first, below)]
    assert [verdicts_of(one)[0]["result"] for one in answers] == ["passed", "failed"]
    assert runs.count(first.tree) == 1, "judged once, and not again as the base"


def test_askers_of_other_rules_or_another_place_never_get_each_others_verdicts(
    sample: Sample, workshop: Workshop, tmp_path: Path
) -> None:
    subject = sample.change({**ILL_TYPED})
    off = ask_of(sample.ruled(types="off"), subject, "types")
    strict = ask_of(sample.ruled(types="strict"), subject, "types")
    found = [answer_with(workshop, one) for one in (off, strict, off)]
    assert [verdicts_of(one)[0]["result"] for one in found] == ["skipped", "failed", "skipped"]
    elsewhere = strict.but(root=str(tmp_path / "elsewhere"), prefix="", interpreter=strict.job.interpreter)
    answer = answer_with(workshop, elsewhere)
    # The environment's path file leads to the first asker's place: there is no such environment for the second.
    trouble_of(answer, TroubleKind.ENVIRONMENT)


@pytest.mark.parametrize("tier", TIERS)
def test_a_hostile_test_on_a_worker_reaches_nothing_of_the_worker(
    sample: Sample, place: Path, tier: str, tmp_path: Path
) -> None:
    """It may fail to look; if it sees a file of the worker's, or anything answers on a socket, it says so."""
    key = tmp_path / "worker-key.pem"
    key.write_text("secret")
    key.chmod(0o644)
    workshop = make_workshop(place, sample)
    shop = place / "shop"
    with socket.create_server(("127.0.0.1", 0)) as scheduler:
        port = scheduler.getsockname()[1]
        hostile = HOSTILE.format(
            key=str(key),
            store=str(shop / "store"),
            mirrors=str(shop / "mirrors"),
            folder=str(shop),
            pid=os.getpid(),
            port=port,
        )
        change = {"tests/test_hostile.py": hostile}
        answer = answer_with(workshop, ask_of(sample, sample.change(change), "tests", sandbox=tier))
    workshop.close()
    assert isinstance(answer, Judged), answer
    assert answer.confinement == tier
    verdict = answer.verdicts[0]
    assert verdict.result is GateResult.PASSED, verdict.new_failures
    assert verdict.passed == 4


HOSTILE = """\
import os
import socket


def test_nothing_of_the_worker_is_seen() -> None:
    seen = []
    for path in ({key!r}, {store!r}, {mirrors!r}, {folder!r}, "/proc/{pid}/environ", "/proc/{pid}/fd"):
        try:
            with open(path) as stream:
                seen.append((path, stream.read(1)))
        except OSError:
            pass
        try:
            seen.append((path, os.listdir(path)[:3]))
        except OSError:
            pass
    try:
        socket.create_connection(("127.0.0.1", {port}), timeout=3)
        seen.append("the scheduler")
    except OSError:
        pass
    try:
        os.kill({pid}, 0)
        seen.append("the worker's process")
    except OSError:
        pass
    assert seen == []
"""


def test_a_worker_without_the_environment_names_what_differs_and_judges_nothing(
    sample: Sample, place: Path, tmp_path: Path
) -> None:
    make_venv(tmp_path / "env", PYTEST[:-1])
    ask = ask_of(sample, sample.change(RED), "tests")
    workshop = make_workshop(tmp_path, sample)
    with asker_far_away(sample):
        said = trouble_of(answer_with(workshop, ask), TroubleKind.ENVIRONMENT)
    workshop.close()
    assert ask.job.environment.digest[:12] in said
    assert "pygments" in said
    assert "is wanted and not there" in said


def test_another_version_of_the_tool_is_refused_with_both_named(sample: Sample, workshop: Workshop) -> None:
    ask = ask_of(sample, sample.change(RED), "tests")
    other = replace(ask.job.tool, dev_agent="9.9", python="3.99", distributed="1.2")
    said = trouble_of(answer_with(workshop, ask.but(tool=other)), TroubleKind.TOOL)
    for name, mine, theirs in (
        ("dev-agent", ask.job.tool.dev_agent, "9.9"),
        ("Python", ask.job.tool.python, "3.99"),
        ("distributed", ask.job.tool.distributed, "1.2"),
    ):
        assert f"{name} {mine} here, {theirs} there" in said


def test_confinement_that_cannot_be_had_is_a_trouble_and_no_verdict(
    sample: Sample, workshop: Workshop
) -> None:
    """Nothing can be mounted below a file of the system, so nothing is run."""
    ask = ask_of(sample.ruled(types="off"), sample.change(RED), "checks")
    root = "/usr/bin/env/acme"
    pinned = replace(ask.job.environment, own=())
    moved = ask.but(root=root, prefix="", interpreter="/nowhere/python", environment=pinned, files=())
    trouble_of(answer_with(workshop, moved), TroubleKind.UNCONFINED)


def test_bundles_that_hold_something_else_are_a_trouble(sample: Sample, workshop: Workshop) -> None:
    ask = ask_of(sample, sample.change({CALC_FILE: CALC + "\n# bundles\n"}), "types")
    false = replace(ask.job.objects[-1], sha256=digest(b"no bundle"), size=9)
    content = {**ask.content, false.sha256: b"no bundle"}
    lying = Ask(job=replace(ask.job, objects=(ask.job.objects[0], false)), content=content)
    said = trouble_of(answer_with(workshop, lying), TroubleKind.BUNDLE)
    assert "bundle" in said
    another = ask_of(sample, sample.change(RED), "types")
    mixed = replace(ask.job, objects=(ask.job.objects[0], another.job.objects[1]))
    said = trouble_of(answer_with(workshop, Ask(job=mixed, content=another.content)), TroubleKind.BUNDLE)
    assert "do not hold its trees" in said


def test_a_piece_that_lies_about_its_content_is_refused(workshop: Workshop) -> None:
    assert b'"bundle"' in ship(workshop, digest(b"good"), b"evil")


def test_two_threads_judge_one_repository_at_once(sample: Sample, workshop: Workshop) -> None:
    subjects = [sample.change({CALC_FILE: f"{CALC}\n# {number}\n"}) for number in range(2)]
    asks = [ask_of(sample, subject, gate) for subject in subjects for gate in ("checks", "types")]
    answers: dict[int, Answer] = {}

    def judge(number: int) -> None:
        answers[number] = answer_with(workshop, asks[number], sender=f"thread{number}")

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(len(asks))]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for number, ask in enumerate(asks):
        (verdict,) = verdicts_of(answers[number])
        assert (verdict["result"], verdict["tree"]) == ("passed", ask.job.tree)


def test_a_cancelled_judgement_stops_the_sandbox_and_is_no_verdict(
    sample: Sample, workshop: Workshop
) -> None:
    cancel = Cancel()
    cancel.request()
    ask = ask_of(sample, sample.change({CALC_FILE: CALC + "\n# cancelled\n"}), "checks")
    trouble_of(answer_with(workshop, ask, cancel), TroubleKind.CANCELLED)
    assert verdicts_of(answer_with(workshop, ask))[0]["result"] == "passed"


def test_a_full_disk_is_a_trouble_and_what_was_begun_is_not_torn(sample: Sample, tmp_path: Path) -> None:
    """It fills up while a bundle is shipped, while one is unpacked, and before anything is begun."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount(disk, "2m")
    small = ask_of(sample, sample.change(RED), "checks")
    try:
        workshop = make_workshop(disk, sample, declared=())
        # A worker that could not be given all of it says so, or says what it lacks.
        assert b'"no_space"' in ship(workshop, digest(b"x" * 3_000_000), b"x" * 3_000_000)
        unpacked = ask_of(sample, sample.change({"big.bin": os.urandom(700_000).hex()}), "checks")
        trouble_of(answer_with(workshop, unpacked), TroubleKind.NO_SPACE)
        (disk / "filler").write_bytes(b"x" * free_on(disk))
        trouble_of(workshop.answer(small.job, Cancel()), TroubleKind.NO_SPACE)
        workshop.close()
        (disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        again = make_workshop(disk, sample, declared=())
        for ask in (small, unpacked):
            assert verdicts_of(answer_with(again, ask))[0]["tree"] == ask.job.tree
        again.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_too_little_room_to_begin_is_said_before_anything_is(sample: Sample, tmp_path: Path) -> None:
    workshop = make_workshop(tmp_path, sample, least_free=2**60)
    said = trouble_of(
        workshop.answer(ask_of(sample, sample.change(RED), "types").job, Cancel()), TroubleKind.NO_SPACE
    )
    workshop.close()
    assert "are needed" in said


def test_a_remote_stands_for_the_base(sample: Sample, tmp_path: Path) -> None:
    commit = sample.project.git("rev-parse", "HEAD")
    assert sample.project.tree() == sample.base_tree
    ask = ask_of(sample, sample.change(RED), "checks")
    thin = ask.but(objects=ask.job.objects[1:], base_commit=commit, remote=f"file://{sample.project.root}")
    workshop = make_workshop(tmp_path, sample, declared=())
    lacking = workshop.answer(thin.job, Cancel())
    assert isinstance(lacking, Lacking)
    assert thin.job.objects[0].sha256 in lacking.digests
    assert verdicts_of(answer_with(workshop, thin))[0]["result"] == "passed"
    gone = thin.but(repository="9" * 64, remote=f"file://{tmp_path / 'nowhere'}")
    trouble_of(answer_with(workshop, gone), TroubleKind.REMOTE)
    workshop.close()


def test_what_is_kept_stays_below_the_limit_and_is_had_again(sample: Sample, tmp_path: Path) -> None:
    workshop = make_workshop(tmp_path, sample, declared=())
    ask = ask_of(sample, sample.change(RED), "checks")
    before = verdicts_of(answer_with(workshop, ask))
    assert workshop.keeping.collect() == ()
    gone = workshop.keeping.collect(0)
    assert any(one.startswith("mirror") for one in gone)
    assert [one for one in workshop.keeping.kept() if one.bytes > 0] == []
    assert verdicts_of(answer_with(workshop, ask)) == before
    workshop.close()


def test_a_folder_has_one_worker(
    sample: Sample, workshop: Workshop, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dev_agent.cluster.folder_lock._WAIT_S", 0.0)
    with pytest.raises(UsageFault, match="another worker has the folder"):
        make_workshop(place, sample)


def test_a_filter_of_gits_is_not_judged_as_if_there_were_none(sample: Sample, workshop: Workshop) -> None:
    ask = ask_of(sample, sample.change({".gitattributes": "*.bin filter=lfs\n"}), "types")
    assert "filter" in trouble_of(answer_with(workshop, ask), TroubleKind.ENVIRONMENT)


def mount(folder: Path, size: str) -> None:
    if os.geteuid() or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], check=False
    ).returncode:
        pytest.skip("nothing can be mounted here")


def free_on(folder: Path) -> int:
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
