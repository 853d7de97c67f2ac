"""Attacks by the code under judgement. Each is shown to work without the defence first, then not to with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.sandbox.job import EndedHow, Mount
from tests.sandbox.lab import (
    AS_NOBODY,
    READ_ONLY,
    SCRATCH,
    WRITABLE,
    Lab,
    limited,
    ordinary_argv,
    ordinary_env,
    python_job,
)
from tests.testing.children import wait_until_unlocked

CONNECT = """
    import socket
    try:
        with socket.socket({family}, {kind}) as s:
            s.settimeout(5)
            s.connect({address!r})
            s.send(b"hello")
        print("REACHED")
    except OSError as error:
        print("BLOCKED", error)
"""


def test_tcp_to_a_server_on_the_host(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        job = python_job(CONNECT.format(family=2, kind=1, address=server.getsockname()))
        assert b"REACHED" in lab.unconfined(job).stdout
        if lab.has_namespaces:
            assert b"REACHED" in lab.run(job, drop=("--unshare-net",)).stdout
        assert b"BLOCKED" in lab.run(job).stdout


def test_udp_to_a_server_on_the_host(lab: Lab) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        job = python_job(CONNECT.format(family=2, kind=2, address=server.getsockname()))
        lab.unconfined(job)
        assert server.recv(100) == b"hello"
        lab.run(job)
        with pytest.raises(BlockingIOError):
            server.recv(100)


def test_abstract_unix_socket_of_the_host(lab: Lab) -> None:
    name = f"\0dev-agent-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        job = python_job(CONNECT.format(family=1, kind=1, address=name))
        assert b"REACHED" in lab.unconfined(job).stdout
        assert b"BLOCKED" in lab.run(job).stdout


def test_unix_socket_in_the_hosts_file_system(lab: Lab) -> None:
    path = lab.place / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o777)
        server.listen()
        job = python_job(CONNECT.format(family=1, kind=1, address=str(path)))
        assert b"REACHED" in lab.unconfined(job).stdout
        assert b"BLOCKED" in lab.run(job).stdout


def test_loopback_inside_works_because_servers_in_tests_need_it(namespaced: Lab) -> None:
    ended = namespaced.python("""
        import socket
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        print("fine")
    """)
    assert ended.stdout == b"fine\n"


@contextmanager
def decoy(lab: Lab) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the caller's on the host, with a secret in its environment."""
    argv = [sys.executable, "-c", "import sys; print(1, flush=True); sys.stdin.read()"]
    if lab.who == "ordinary":
        argv = [*AS_NOBODY, "sh", "-c", "echo 1; read x"]
    env = {**os.environ, "DECOY": "the-secret"}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_secrets_in_the_environment_of_other_processes(lab: Lab) -> None:
    with decoy(lab) as process:
        job = python_job(f"""
            import glob
            for path in [*glob.glob("/proc/[0-9]*/environ"), "/proc/{process.pid}/environ"]:
                try:
                    if b"DECOY=the-secret" in open(path, "rb").read():
                        print("STOLEN")
                except OSError:
                    pass
        """)
        assert b"STOLEN" in lab.unconfined(job).stdout
        ended = lab.run(job)
        assert (ended.how, ended.stdout) == (EndedHow.EXITED, b"")


def test_our_own_environment_does_not_reach_a_job(
    here_confined: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = here_confined
    monkeypatch.setenv("ANTHROPIC_API_KEY", "the-secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    ended = here.python("import os; print(sorted(os.environ))")
    expected = ["HOME", "LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH", "TMPDIR"]
    if here.has_namespaces:
        expected.insert(3, "PWD")
    assert ended.stdout.decode().strip() == str(expected)
    assert b"ANTHROPIC" not in here.unconfined(python_job("import os; print(os.environ)")).stdout


def test_secrets_in_the_home_directory(lab: Lab) -> None:
    key = lab.place / "home" / ".ssh" / "id_ed25519"
    key.parent.mkdir(parents=True)
    key.write_text("the-secret")
    job = python_job(f"print(open({str(key)!r}).read())")
    assert b"the-secret" in lab.unconfined(job).stdout
    ended = lab.run(job)
    assert ended.code == 1
    assert (b"FileNotFoundError" if lab.has_namespaces else b"PermissionError") in ended.stderr


def test_write_outside_of_the_mounts(lab: Lab) -> None:
    target = lab.place / "planted"
    job = python_job(f"open({str(target)!r}, 'w').write('x')")
    lab.unconfined(job)
    assert target.exists()
    target.unlink()
    assert lab.run(job).code == 1
    assert not target.exists()


def test_nothing_but_the_mounts_is_writable(lab: Lab) -> None:
    ended = lab.python("""
        import os
        for folder in ("/", "/etc", "/dev", "/usr", "/proc", "/home"):
            try:
                os.mkdir(folder + "/planted")
                print("WRITABLE", folder)
            except OSError:
                pass
    """)
    assert (ended.code, ended.stdout) == (0, b"")


@pytest.fixture
def repository(lab: Lab) -> Path:
    """A checkout and, beside it, the staged tree."""
    for name in ("repo", "slot"):
        folder = lab.place / name
        folder.mkdir()
        (folder / "code.py").write_text(f"where = {name!r}\n")
        lab.own(folder)
    return lab.place / "repo"


CHANGE = """
    print(open("code.py").read())
    open("code.py", "w").write("changed")
"""


def test_the_staged_tree_stands_in_for_the_checkout_and_neither_changes(lab: Lab, repository: Path) -> None:
    slot = lab.place / "slot"
    for kind in (READ_ONLY, SCRATCH):
        mounts = [Mount(kind=kind, target=repository, source=slot)]
        ended = lab.python(CHANGE, mounts=mounts, cwd=repository)
        assert b"where = 'slot'" in ended.stdout
        assert ended.code == (1 if kind is READ_ONLY else 0), ended.stderr
        assert (slot / "code.py").read_text() == "where = 'slot'\n"
        assert (repository / "code.py").read_text() == "where = 'repo'\n"
    mounts = [Mount(kind=READ_ONLY, target=repository, source=slot)]
    lab.unconfined(python_job(CHANGE, mounts=mounts, cwd=repository))
    assert (slot / "code.py").read_text() == "changed"


def test_what_a_job_writes_to_a_writable_mount_stays(lab: Lab, repository: Path) -> None:
    mounts = [Mount(kind=WRITABLE, target=repository, source=lab.place / "slot")]
    assert lab.python(CHANGE, mounts=mounts, cwd=repository).code == 0
    assert (lab.place / "slot" / "code.py").read_text() == "changed"


DAEMON = """
    import os, time
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writing, b"up")
            time.sleep(300)  # MARKER
        os._exit(0)
    os.read(reading, 2)
    print("started")
"""


def survivors(marker: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_a_daemon_does_not_outlive_its_job(lab: Lab) -> None:
    """Not even unconfined: whatever session it is in, the supervisor adopted it."""
    marker = f"marker-{os.getpid()}-{lab.who}"
    job = python_job(DAEMON.replace("MARKER", marker))
    for run in (lab.unconfined, lab.run):
        assert run(job).stdout == b"started\n"
        assert survivors(marker) == []


def test_kill_a_process_of_the_host(lab: Lab) -> None:
    with decoy(lab) as process:
        job = python_job(f"import os; os.kill({process.pid}, 9)")
        ended = lab.run(job)
        assert (b"ProcessLookupError" if lab.has_namespaces else b"PermissionError") in ended.stderr
        assert process.poll() is None
        lab.unconfined(job)
        assert process.wait() == -signal.SIGKILL


def test_kill_everything_in_sight(lab: Lab) -> None:
    with decoy(lab) as process:
        ended = lab.python("""
            import os, time
            if os.fork() == 0:
                time.sleep(300)
            os.kill(-1, 9)
            print(os.WTERMSIG(os.wait()[1]), flush=True)
            os.kill(0, 9)
        """)
        assert ended.stdout == b"9\n"
        assert (ended.how, ended.signal) == (EndedHow.SIGNALLED, signal.SIGKILL)
        assert process.poll() is None


def test_a_flood_of_output_costs_bounded_memory(lab: Lab) -> None:
    flood = """
        import os
        for _ in range(2000):
            os.write(1, b"x" * 65536)
        os.write(1, b"the end")
    """
    job = python_job(flood, limits=limited(output_bytes=1_000_000))
    ended = lab.run(job)
    assert ended.how is EndedHow.EXITED
    assert ended.truncated
    assert len(ended.stdout) < 1_000_200
    assert ended.stdout.endswith(b"the end")
    assert not lab.run(python_job("print('short')")).truncated


def test_a_flooded_report_is_cut_and_says_so(lab: Lab) -> None:
    job = replace(python_job("import os; os.write(4, b'a' * 10 + b'b' * 1000)"), report_bytes=12)
    ended = lab.run(job)
    assert (ended.report, ended.truncated) == (b"a" * 10 + b"bb", True)


FORK = """
    import os, time
    made = 0
    try:
        for _ in range(60):
            if os.fork() == 0:
                time.sleep(300)
            made += 1
    except OSError:
        pass
    print("MADE", made, flush=True)
    if made < 60:
        time.sleep(300)
    os.kill(-1, 9)
"""


def test_a_fork_bomb(lab: Lab) -> None:
    assert b"MADE 60" in lab.run(python_job(FORK)).stdout
    bomb = FORK.replace("os.kill(-1, 9)", "time.sleep(300)")
    ended = lab.run(python_job(bomb, limits=limited(processes=20)))
    assert ended.how is EndedHow.PROCESSES
    assert "more than 20 processes" in ended.detail


def test_the_kernel_itself_limits_processes(lab: Lab) -> None:
    ended = lab.python("import resource; print(resource.getrlimit(resource.RLIMIT_NPROC)[1] < 5000)")
    assert ended.stdout == b"True\n"
    # Whoever the job is, it must not be a user whom the kernel exempts.
    # Root's job of tier 2 is one: there the watchdog counts alone.
    exempt = lab.is_root and not lab.has_namespaces
    ended = lab.python("""
        import os, resource
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        try:
            if os.fork() == 0:
                os._exit(0)
            print("EXEMPT")
        except BlockingIOError:
            print("refused")
    """)
    assert ended.stdout == (b"EXEMPT\n" if exempt else b"refused\n")


HOG = """
    import os, time
    for _ in range(3):
        if os.fork() == 0:
            break
    kept = bytearray(b"x") * (60 * 1024**2)
    print("got it", flush=True)
    time.sleep({seconds})
"""


def test_memory_taken_by_many_processes_together(lab: Lab) -> None:
    assert lab.run(python_job(HOG.format(seconds=0))).how is EndedHow.EXITED
    ended = lab.run(python_job(HOG.format(seconds=300), limits=limited(memory_bytes=100 * 1024**2)))
    assert ended.how is EndedHow.MEMORY
    assert "100 MiB" in ended.detail


def test_memory_of_one_process_at_once(lab: Lab) -> None:
    ended = lab.python("bytearray(10 * 1024**3)")
    assert ended.code == 1
    assert b"MemoryError" in ended.stderr


def test_fill_the_disk(namespaced: Lab) -> None:
    fill = """
        import errno, os
        try:
            for number in range(20):
                with open("{folder}/" + str(number), "wb") as file:
                    os.posix_fallocate(file.fileno(), 0, 30 * 1024**2)
        except OSError as error:
            print(errno.errorcode[error.errno])
    """
    for folder in ("/tmp", "/dev/shm", "/home/sandbox"):
        assert namespaced.python(fill.format(folder=folder)).stdout == b"ENOSPC\n", folder


def test_fill_one_file(lab: Lab) -> None:
    write = "import os; open(os.environ['TMPDIR'] + '/big', 'wb').truncate(2 * 1024**2)"
    assert lab.run(python_job(write)).code == 0
    ended = lab.run(python_job(write, limits=limited(file_bytes=1024**2)))
    assert b"File too large" in ended.stderr


def test_fill_scratch_space(lab: Lab, repository: Path) -> None:
    fill = """
        import os, time
        for number in range(10):
            with open(str(number), "wb") as file:
                os.posix_fallocate(file.fileno(), 0, 20 * 1024**2)
        print("full", flush=True)
        time.sleep({seconds})
    """
    mounts = [Mount(kind=SCRATCH, target=repository, source=lab.place / "slot")]
    fine = lab.python(fill.format(seconds=0), mounts=mounts, cwd=repository)
    assert fine.stdout == b"full\n", fine
    small = limited(memory_bytes=100 * 1024**2, disk_bytes=100 * 1024**2)
    ended = lab.python(fill.format(seconds=300), mounts=mounts, cwd=repository, limits=small)
    assert ended.how in {EndedHow.MEMORY, EndedHow.DISK}
    assert sorted(path.name for path in (lab.place / "slot").iterdir()) == ["code.py"]
    assert list(lab.scratch_root.iterdir()) == []


def test_hang_and_ignore_every_signal_there_is(lab: Lab) -> None:
    marker = f"hang-{os.getpid()}-{lab.who}"
    source = f"""
        import signal, time
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        print("up", flush=True)
        time.sleep(600)  # {marker}
    """
    # Longer and longer: on a slow machine the first ones may end it before it ignores anything.
    for wall_s in (1, 4, 16, 64):
        ended = lab.run(python_job(source, limits=limited(wall_s=wall_s)))
        assert (ended.how, ended.code) == (EndedHow.TIMED_OUT, None)
        assert survivors(marker) == []
        if ended.stdout:
            assert ended.stdout == b"up\n"
            break
    else:
        pytest.fail("it was never up")


def test_no_core_dump_is_left(lab: Lab, repository: Path) -> None:
    mounts = [Mount(kind=WRITABLE, target=repository, source=lab.place / "slot")]
    source = "import os, resource; print(resource.getrlimit(resource.RLIMIT_CORE), flush=True); os.abort()"
    ended = lab.python(source, mounts=mounts, cwd=repository)
    assert (ended.how, ended.signal, ended.stdout) == (EndedHow.SIGNALLED, signal.SIGABRT, b"(0, 0)\n")
    assert sorted(path.name for path in (lab.place / "slot").iterdir()) == ["code.py"]


def test_kernel_settings(lab: Lab) -> None:
    job = python_job("""
        import os
        paths = [os.path.join(top, name) for top, _, names in os.walk("/proc/sys") for name in names]
        writable = 0
        for path in paths:
            try:
                os.close(os.open(path, os.O_WRONLY))
                writable += 1
            except OSError:
                pass
        print(len(paths), writable)
    """)
    seen, writable = map(int, lab.run(job).stdout.split())
    assert seen > 100
    assert writable == 0
    if lab.is_root or lab.has_namespaces:
        weaker = lab.unconfined(job) if lab.is_root else lab.run(job, drop=("--remount-ro /proc",))
        assert int(weaker.stdout.split()[1]) > 0


def test_shared_memory_does_not_outlive_a_job(lab: Lab) -> None:
    name = f"/dev/shm/planted-{os.getpid()}"
    job = python_job(f"open({name!r}, 'w').close()")
    lab.unconfined(job)
    assert Path(name).exists()
    Path(name).unlink()
    assert lab.run(job).code == (0 if lab.has_namespaces else 1)
    assert not Path(name).exists()
    assert lab.python(f"import os; print(os.path.exists({name!r}))").stdout == b"False\n"


def test_descriptors_we_leaked(here_confined: Lab) -> None:
    here = here_confined
    secret = here.place / "secret"
    secret.write_text("the-secret")
    leaked = os.open(secret, os.O_RDONLY)
    try:
        os.set_inheritable(leaked, True)
        show = "import os; print(sorted(int(n) for n in os.listdir('/proc/self/fd'))[:-1])"
        assert here.python(show).stdout == b"[0, 1, 2, 3, 4]\n"
        assert here.unconfined(python_job(show)).stdout == b"[0, 1, 2, 3, 4]\n"
    finally:
        os.close(leaked)


def test_a_fifo_in_the_tree_does_not_make_us_wait(lab: Lab, repository: Path) -> None:
    os.mkfifo(lab.place / "slot" / "fifo")
    lab.own(lab.place / "slot")
    mounts = [Mount(kind=SCRATCH, target=repository, source=lab.place / "slot")]
    ended = lab.python("import os; print(os.path.exists('code.py'))", mounts=mounts, cwd=repository)
    assert ended.stdout == b"True\n"


def test_a_mount_point_that_the_change_made_a_symlink(lab: Lab, repository: Path) -> None:
    outside = lab.place / "outside"
    outside.mkdir()
    (lab.place / "slot" / ".venv").symlink_to(outside)
    lab.own(lab.place / "slot", outside)
    mounts = [
        Mount(kind=READ_ONLY, target=repository, source=lab.place / "slot"),
        Mount(kind=READ_ONLY, target=repository / ".venv", source=Path("/usr/share")),
    ]
    ended = lab.python("print('ran')", mounts=mounts)
    assert (ended.how, ended.stdout) == (EndedHow.UNAVAILABLE, b"")
    assert "through a symlink" in ended.detail
    assert list(outside.iterdir()) == []
    (lab.place / "slot" / ".venv").unlink()
    assert lab.python("print('ran')", mounts=mounts).stdout == b"ran\n"


def test_a_tree_that_is_hard_to_remove(lab: Lab, repository: Path) -> None:
    nest = """
        import os
        for _ in range(1500):
            os.mkdir("d" * 40)
            os.chdir("d" * 40)
        open("file", "w").close()
        os.mkdir("closed")
        open("closed/file", "w").close()
        os.chmod("closed", 0)
        print("nested")
    """
    mounts = [Mount(kind=SCRATCH, target=repository, source=lab.place / "slot")]
    ended = lab.python(nest, mounts=mounts, cwd=repository)
    assert ended.stdout == b"nested\n", ended
    assert list(lab.scratch_root.iterdir()) == []


def test_a_set_user_id_file_in_a_writable_mount(lab: Lab, repository: Path) -> None:
    (lab.place / "slot" / "fine").touch()
    lab.own(lab.place / "slot")
    mounts = [Mount(kind=WRITABLE, target=repository, source=lab.place / "slot")]
    job = python_job(
        """
        import os
        for attempt in (
            lambda: os.chmod("code.py", 0o4755),
            lambda: os.open("new", os.O_CREAT | os.O_WRONLY, 0o4755),
            lambda: os.mknod("node", 0o104755),
        ):
            try:
                attempt()
            except PermissionError:
                print("refused")
        os.open("code.py", os.O_RDONLY, 0o4755)
        os.chmod("fine", 0o755)
        """,
        mounts=mounts,
        cwd=repository,
    )
    _ = lab.run(job, drop=("--seccomp *",)) if lab.has_namespaces else lab.unconfined(job)
    code = lab.place / "slot" / "code.py"
    assert code.stat().st_mode & 0o4000
    code.chmod(0o644)
    for name in ("new", "node"):
        (lab.place / "slot" / name).unlink()
    ended = lab.run(job)
    assert (ended.code, ended.stdout) == (0, b"refused\n" * 3)
    assert code.stat().st_mode & 0o7777 == 0o644


KILLED = """
import sys, pathlib
from dev_agent.cancel import Cancel
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.profile import Profile
from tests.sandbox.lab import *

place, scratch, marker, setting = map(pathlib.Path, sys.argv[1:])
source = f'''
open("up", "w").close()
import time
time.sleep(300)  # {marker}
'''
mounts = [Mount(kind=WRITABLE, target=pathlib.Path("/up"), source=place / "up"),
          Mount(kind=SCRATCH, target=pathlib.Path("/tree"), source=place / "up")]
job = python_job(source, mounts=mounts, cwd=pathlib.Path("/up"))
choose(str(setting), Profile(), scratch_root=scratch).run(job, Cancel())
"""


def test_kill_9_of_the_agent_ends_the_job_and_the_next_one_sweeps_up(lab: Lab) -> None:
    up = lab.place / "up"
    up.mkdir()
    lab.own(up)
    marker = f"killed-{os.getpid()}-{lab.who}"
    argv = [sys.executable] if lab.who == "self" else ordinary_argv()
    env = ordinary_env()
    arguments = [*argv, "-c", KILLED, str(lab.place), str(lab.scratch_root), marker, lab.confinement]
    with subprocess.Popen(arguments, env=env) as agent:
        assert _eventually((up / "up").exists)
        assert survivors(marker)
        agent.kill()
    assert _eventually(lambda: not survivors(marker))
    # A process that ends has no command line any more a moment before it lets go of its locks.
    for left in lab.scratch_root.glob("job-*"):
        wait_until_unlocked(left)
    assert lab.python("print(1)").stdout == b"1\n"
    assert list(lab.scratch_root.iterdir()) == []


def _eventually(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.02)
    return False
