"""Tier 2 in its own way: what it does without namespaces, and, marked as known, what it cannot do."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.sandbox.job import Ended, EndedHow, Job, Mount
from dev_agent.sandbox.kernel import Access, handled
from dev_agent.sandbox.landlock import Landlock
from dev_agent.sandbox.profile import Profile
from tests.sandbox.lab import DATA, READ_ONLY, SCRATCH, WRITABLE, Lab, limited, python_job
from tests.sandbox.test_attacks import decoy, survivors

REPO = Path("/home/ann/repo")


def with_abi(here: Lab, abi: int, job: Job) -> Ended:
    """Run it as on a kernel that offers less."""
    return Landlock(Profile(), scratch_root=here.scratch_root, abi=abi).run(job, Cancel())


@pytest.fixture
def slot(ruled: Lab) -> Path:
    """A staged tree with one file."""
    folder = ruled.place / "slot"
    folder.mkdir()
    (folder / "code.py").write_text("staged")
    ruled.own(folder)
    return folder


def test_every_process_that_changes_its_name_as_it_runs_is_caught(ruled: Lab) -> None:
    """A chain in which each process starts the next and ends is never in a list for long."""
    marker = f"chain-{os.getpid()}-{ruled.who}"
    ended = ruled.python(f"""
        import os, time
        reading, writing = os.pipe()
        for _ in range(4):
            if os.fork() == 0:
                os.setsid()
                os.write(writing, b"x")
                while True:  # {marker}
                    if os.fork():
                        os._exit(0)
        for _ in range(4):
            os.read(reading, 1)
        print("started")
    """)
    assert (ended.how, ended.stdout) == (EndedHow.EXITED, b"started\n"), ended
    assert survivors(marker) == []


def test_command_lines_of_other_processes(ruled: Lab) -> None:
    with decoy(ruled) as process:
        job = python_job(f"print(open('/proc/{process.pid}/cmdline').read())")
        assert ruled.unconfined(job).code == 0
        assert b"PermissionError" in ruled.run(job).stderr


def test_the_environment_of_whoever_started_the_job(ruled: Lab) -> None:
    ended = ruled.python("""
        import os
        for path in (f"/proc/{os.getppid()}/environ", f"/proc/{os.getppid()}/mem", "/proc"):
            try:
                os.listdir(path) if path == "/proc" else open(path, "rb").read()
                print("READ", path)
            except OSError:
                pass
        print(len(open("/proc/self/environ").read()) > 0)
    """)
    assert ended.stdout == b"True\n", ended


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_limit_on_processor_time_set_for_another_process(
    here: Lab, victim: subprocess.Popen[bytes]
) -> None:
    """Set for the one that judges, it would end it."""
    job = python_job(f"""
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        print(resource.prlimit(0, resource.RLIMIT_CORE, (0, 0)))
        print(resource.prlimit({victim.pid}, resource.RLIMIT_CPU, (77, 77)))
    """)
    ended = here.run(job, setting="landlock")
    assert ended.stdout == b"(0, 0)\n"
    assert b"PermissionError" in ended.stderr
    here.unconfined(job)
    assert "77" in Path(f"/proc/{victim.pid}/limits").read_text()


def test_a_second_name_for_a_read_only_file_is_no_way_to_write_to_it(ruled: Lab, slot: Path) -> None:
    cache = ruled.place / "cache"
    cache.mkdir()
    ruled.own(cache)
    mounts = [
        Mount(kind=READ_ONLY, target=REPO, source=slot),
        Mount(kind=WRITABLE, target=Path("/cache"), source=cache),
    ]
    job = Job(
        argv=("ln", f"{REPO}/code.py", "/cache/x"), cwd=Path("/"), mounts=tuple(mounts), limits=limited()
    )
    # `ln` takes its operands as they are said, so both are said anew.
    assert ruled.run(job).code == 1
    assert list(cache.iterdir()) == []


def test_what_lies_in_a_copy_is_found_by_relative_paths(ruled: Lab, slot: Path) -> None:
    data, folder = ruled.place / "data.bin", ruled.place / "venv"
    data.write_text("data")
    folder.mkdir()
    (folder / "tool").write_text("tool")
    ruled.own(data, folder)
    mounts = [
        Mount(kind=SCRATCH, target=REPO, source=slot),
        Mount(kind=READ_ONLY, target=REPO / "sub/data.bin", source=data),
        Mount(kind=READ_ONLY, target=REPO / ".venv", source=folder),
    ]
    ended = ruled.python(
        """
        import os
        print(open("sub/data.bin").read(), open(".venv/tool").read(), os.path.islink("sub/data.bin"))
        try:
            open(".venv/tool", "w")
        except PermissionError:
            print("refused")
        """,
        mounts=mounts,
        cwd=REPO,
    )
    assert ended.stdout == b"data tool False\nrefused\n", ended
    assert (folder / "tool").read_text() == "tool"
    assert sorted(path.name for path in slot.iterdir()) == ["code.py"]


def test_what_test_suites_can_still_do(ruled: Lab) -> None:
    ended = ruled.python("""
        import asyncio, multiprocessing, os, socket, subprocess, tempfile, threading

        async def talk():
            process = await asyncio.create_subprocess_exec("true")
            return await process.wait()

        print(asyncio.run(talk()))
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=theirs.send, args=(49,))
        process.start()
        print(ours.recv())
        process.join()
        thread = threading.Thread(target=print, args=("thread",))
        thread.start()
        thread.join()
        left, right = socket.socketpair()
        left.send(b"pair")
        print(right.recv(9).decode())
        with tempfile.TemporaryDirectory() as folder:
            script = folder + "/script"
            open(script, "w").write("#!/bin/sh\\necho script $HOME")
            os.chmod(script, 0o755)
            print(subprocess.run([script], capture_output=True, text=True).stdout == f"script {os.environ['HOME']}\\n")
    """)
    assert ended.stdout.decode().split() == ["0", "49", "thread", "pair", "True"], ended


def test_known_servers_and_semaphores_of_tests_do_not_work(ruled: Lab) -> None:
    ended = ruled.python("""
        import multiprocessing, os, pty, socket
        for attempt in (
            lambda: socket.create_server(("127.0.0.1", 0)),
            lambda: socket.socket(socket.AF_UNIX),
            lambda: multiprocessing.Lock(),
            lambda: pty.openpty(),
        ):
            try:
                attempt()
                print("works")
            except OSError:
                print("refused")
    """)
    assert ended.stdout == b"refused\n" * 4, ended


def test_known_extended_attributes_of_the_users_files_can_be_changed(ruled: Lab) -> None:
    mine = ruled.place / "mine"
    mine.touch()
    try:
        os.setxattr(mine, "user.tried", b"here")
    except OSError:
        pytest.skip("this file system has none")
    ruled.own(mine)
    assert ruled.python(f"import os; os.setxattr({str(mine)!r}, 'user.planted', b'x')").code == 0
    assert "user.planted" in os.listxattr(mine)


def test_known_modes_and_times_of_the_users_files_can_be_changed(ruled: Lab) -> None:
    mine = ruled.place / "mine"
    mine.write_text("text")
    mine.chmod(0o644)
    ruled.own(mine)
    ended = ruled.python(f"""
        import os
        os.chmod({str(mine)!r}, 0o600)
        os.utime({str(mine)!r}, (1, 1))
        try:
            open({str(mine)!r})
        except PermissionError:
            print("unreadable")
    """)
    assert ended.stdout == b"unreadable\n", ended
    assert (stat.S_IMODE(mine.stat().st_mode), mine.stat().st_mtime) == (0o600, 1)
    assert mine.read_text() == "text"


def test_known_which_processes_exist_can_be_found_out(ruled: Lab) -> None:
    with decoy(ruled) as process:
        ended = ruled.python(f"import os; os.kill({process.pid}, 0)")
        assert b"PermissionError" in ended.stderr
    assert b"ProcessLookupError" in ruled.python(f"import os; os.kill({process.pid}, 0)").stderr


def test_known_which_files_exist_can_be_seen(ruled: Lab) -> None:
    secret = ruled.place / "secret"
    secret.write_text("text")
    ended = ruled.python(
        f"import os; print(os.path.exists({str(secret)!r}), os.stat({str(secret)!r}).st_size)"
    )
    assert ended.stdout == b"True 4\n"


def test_known_a_read_only_file_in_a_copy_can_be_replaced_in_the_copy(ruled: Lab, slot: Path) -> None:
    mounts = [
        Mount(kind=SCRATCH, target=REPO, source=slot),
        Mount(kind=DATA, target=REPO / ".git", data=b"empty"),
    ]
    source = "import os; os.unlink('.git'); open('.git', 'w').write('new'); print(open('.git').read())"
    assert ruled.python(source, mounts=mounts, cwd=REPO).stdout == b"new\n"
    assert sorted(path.name for path in slot.iterdir()) == ["code.py"]


def test_known_temporary_files_fill_the_disk_up_to_the_limit(ruled: Lab) -> None:
    job = python_job(
        """
        import os, time
        for number in range(3):
            with open(os.environ["TMPDIR"] + f"/{number}", "wb") as file:
                os.posix_fallocate(file.fileno(), 0, 20 * 1024**2)
        time.sleep(300)
        """,
        limits=limited(disk_bytes=30 * 1024**2),
    )
    assert ruled.run(job).how is EndedHow.DISK
    assert list(ruled.scratch_root.iterdir()) == []


def test_known_without_scopes_a_job_can_end_processes_of_its_user(
    here: Lab, victim: subprocess.Popen[bytes]
) -> None:
    job = python_job(f"import os; os.kill({victim.pid}, 9)")
    ended = with_abi(here, 6, job)
    assert b"PermissionError" in ended.stderr
    assert victim.poll() is None
    assert with_abi(here, 5, job).code == 0
    assert victim.wait() == -9
    lacks = Landlock(Profile(), scratch_root=here.scratch_root, abi=5).describe()["lacks"]
    assert "a hold on signals" in str(lacks)


def test_a_job_that_kills_its_supervisor_proves_nothing(here: Lab) -> None:
    job = python_job("import os, time; os.kill(os.getppid(), 9); time.sleep(300)")
    ended = with_abi(here, 5, job)
    assert (ended.how, ended.code) == (EndedHow.UNAVAILABLE, None)
    assert "its supervisor was killed" in ended.detail


@pytest.mark.parametrize("abi", [4, 5, 6])
def test_older_kernels_are_asked_for_no_more_than_they_have(here: Lab, abi: int) -> None:
    key = here.place / "key"
    key.write_text("secret")
    assert with_abi(here, abi, python_job("print('ran')")).stdout == b"ran\n"
    assert b"PermissionError" in with_abi(here, abi, python_job(f"open({str(key)!r})")).stderr
    assert (Access.IOCTL_DEV in handled(abi)) is (abi >= 5)


def test_a_forged_word_of_the_supervisor_does_not_reach_us(here: Lab) -> None:
    source = """
        import os
        for number in range(3, 64):
            try:
                os.write(number, b"ended 0\\ngone\\n")
            except OSError:
                pass
        os._exit(3)
    """
    job = replace(python_job(source), report_bytes=100)
    ended = here.run(job, setting="landlock")
    assert (ended.how, ended.code) == (EndedHow.EXITED, 3)
