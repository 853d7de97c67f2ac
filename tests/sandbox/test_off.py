"""What is left of a job's description when there is no confinement."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.sandbox.imitation import remap
from dev_agent.sandbox.job import EndedHow, Job, Mount
from tests.sandbox.lab import DATA, LIMITS, READ_ONLY, SCRATCH, TMPFS, WRITABLE, Lab, limited, python_job

REPO = Path("/home/ann/repo")
PLACES = {REPO: Path("/slot"), REPO / ".venv": REPO / ".venv", Path("/cache"): Path("/state/c(1)")}


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("/home/ann/repo", "/slot"),
        ("/home/ann/repo/src/a.py", "/slot/src/a.py"),
        ("/home/ann/repo/.venv/bin/python", "/home/ann/repo/.venv/bin/python"),
        ("/home/ann/repository", "/home/ann/repository"),
        ("/other/home/ann/repo", "/other/home/ann/repo"),
        ("--rootdir=/home/ann/repo", "--rootdir=/slot"),
        ("/usr/lib:/home/ann/repo/src:/cache/x", "/usr/lib:/slot/src:/state/c(1)/x"),
        ("print('/home/ann/repo')", "print('/home/ann/repo')"),
        ("", ""),
    ],
)
def test_paths_of_mounts_become_paths_of_their_content(text: str, becomes: str) -> None:
    assert remap(text, PLACES) == becomes


def test_mounts_are_imitated(here: Lab) -> None:
    for name in ("slot", "cache", "venv"):
        (here.place / name).mkdir()
    (here.place / "slot/code.py").write_text("staged")
    (here.place / "slot/.git").write_text("real")
    mounts = (
        Mount(kind=SCRATCH, target=REPO, source=here.place / "slot"),
        Mount(kind=DATA, target=REPO / ".git", data=b"empty"),
        Mount(kind=DATA, target=Path("/etc/made-up"), data=b"made up"),
        Mount(kind=TMPFS, target=REPO / "build", size=1000),
        Mount(kind=READ_ONLY, target=REPO / ".venv", source=here.place / "venv"),
        Mount(kind=WRITABLE, target=Path("/cache"), source=here.place / "cache"),
    )
    job = Job(
        argv=("sh", "-c", 'pwd; cat code.py .git "$1"; echo x > code.py; echo y > build/y; echo z > "$2"/z', "sh",
              "/etc/made-up", "/cache"),
        cwd=REPO,
        env={"SRC": f"/usr:{REPO}/src"},
        mounts=mounts,
        limits=LIMITS,
    )  # fmt: skip
    ended = here.unconfined(job)
    assert ended.code == 0, ended.stderr
    where, _, said = ended.stdout.partition(b"\n")
    assert said == b"stagedemptymade up"
    assert where.startswith(str(here.scratch_root).encode())
    assert (here.place / "slot/code.py").read_text() == "staged"
    assert (here.place / "slot/.git").read_text() == "real"
    assert (here.place / "cache/z").read_text() == "z\n"
    assert list(here.scratch_root.iterdir()) == []


def test_home_and_temporary_files_are_private_and_go(here: Lab) -> None:
    job = python_job(
        "import os; [open(os.environ[n] + '/x', 'w') for n in ('HOME', 'TMPDIR')]; print(sorted(os.environ))"
    )
    ended = here.unconfined(job)
    assert ended.code == 0, ended.stderr
    assert "HOME" in ended.stdout.decode()
    assert list(here.scratch_root.iterdir()) == []


def test_mounts_that_are_refused_confined_are_refused_here(here: Lab) -> None:
    mounts = (Mount(kind=READ_ONLY, target=REPO, source=here.place / "missing"),)
    ended = here.unconfined(python_job("print('ran')", mounts=mounts))
    assert (ended.how, ended.stdout) == (EndedHow.UNAVAILABLE, b"")


def test_a_scratch_root_that_cannot_be_used(here: Lab) -> None:
    blocked = replace(here, scratch_root=here.place / "file" / "scratch")
    (here.place / "file").touch()
    for setting in ("off", "bubblewrap"):
        mounts = (Mount(kind=SCRATCH, target=REPO, source=Path(__file__).parent),)
        if setting == "bubblewrap" and os.geteuid() != 0 and here.bwrap is None:
            continue  # no copy is made there
        ended = blocked.run(python_job("print('ran')", mounts=mounts), setting=setting)
        assert (ended.how, ended.stdout) == (EndedHow.UNAVAILABLE, b"")
        assert "could not be prepared" in ended.detail


def test_limits_hold_without_confinement_too(here: Lab) -> None:
    hang = python_job("import time; time.sleep(300)", limits=limited(wall_s=0.3))
    assert here.unconfined(hang).how is EndedHow.TIMED_OUT
    flood = python_job("print('x' * 1000000)", limits=limited(output_bytes=1000))
    assert here.unconfined(flood).truncated
    hog = python_job(
        "x = b'x' * 10**8; import time; time.sleep(300)", limits=limited(memory_bytes=5 * 10**7 * 2)
    )
    assert here.unconfined(hog).how is EndedHow.MEMORY


def test_a_program_that_is_not_there_ends_as_a_shell_says_it(here: Lab) -> None:
    ended = here.unconfined(replace(python_job(""), argv=("/no/such/program",)))
    assert (ended.how, ended.code) == (EndedHow.EXITED, 127)
    ended = here.unconfined(replace(python_job(""), argv=("/etc/passwd",)))
    assert (ended.how, ended.code) == (EndedHow.UNAVAILABLE, None)
    assert "Permission denied" in ended.detail


def test_an_unconfined_job_that_kills_its_supervisor_proves_nothing(here: Lab) -> None:
    ended = here.unconfined(python_job("import os, time; os.kill(os.getppid(), 9); time.sleep(300)"))
    assert (ended.how, ended.code) == (EndedHow.UNAVAILABLE, None)
    assert "its supervisor was killed" in ended.detail


def test_the_supervisor_is_no_process_of_the_job(here: Lab) -> None:
    alone = python_job("import time; time.sleep(0.3)", limits=limited(processes=1))
    assert here.unconfined(alone).code == 0
