from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from dev_agent import process
from dev_agent.cancel import Cancel
from dev_agent.process import Completed, Stopped, run
from tests.testing.children import ends

_ENV = {"PATH": os.environ["PATH"]}


def _run(*argv: str, timeout_s: float = 300, **more: object) -> Completed:
    return run(argv, cwd=Path("/"), env=_ENV, timeout_s=timeout_s, **more)  # type: ignore[arg-type]  # table of keywords


def test_status_output_and_error_output_come_back_apart() -> None:
    done = _run("sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.code, done.stdout, done.stderr, done.stopped) == (3, b"out\n", b"err\n", Stopped.NO)
    assert not done.ok


def test_a_missing_program_has_the_same_shape_as_a_failing_one() -> None:
    done = _run("no-such-program-here")
    assert done.code == 127
    assert b"no-such-program-here" in done.stderr
    assert not done.ok


def test_a_signal_is_a_negative_status() -> None:
    assert _run("sh", "-c", "kill -SEGV $$").code == -signal.SIGSEGV


def test_nothing_of_our_environment_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/somewhere/else")
    assert b"GIT_DIR" not in _run("env").stdout


def test_stdin_larger_than_a_pipe_arrives_whole() -> None:
    payload = os.urandom(1_000_000)
    assert _run("cat", stdin=payload).stdout == payload


def test_a_child_that_reads_nothing_does_not_block_us() -> None:
    assert _run("true", stdin=b"x" * 1_000_000).ok


def test_without_stdin_the_child_reads_end_of_file() -> None:
    assert _run("cat").stdout == b""


def test_a_flood_keeps_head_and_tail_and_says_what_is_missing() -> None:
    done = _run("sh", "-c", "echo first; yes | head -c 3000000; echo last", output_limit=1000)
    assert done.truncated
    assert done.stdout.startswith(b"first\n")
    assert done.stdout.endswith(b"last\n")
    assert b"bytes left out" in done.stdout
    assert len(done.stdout) < 1100


def test_output_of_exactly_the_limit_is_whole() -> None:
    done = _run("sh", "-c", "printf 0123456789", output_limit=10)
    assert (done.stdout, done.truncated) == (b"0123456789", False)


def test_a_time_out_kills_the_whole_process_group(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    # Longer and longer: on a slow machine the first ones may be over before there is a group.
    for timeout_s in (0.3, 3, 30):
        done = _run("sh", "-c", f"sleep 600 & echo $! >{pids}; sleep 600", timeout_s=timeout_s)
        assert done.stopped is Stopped.TIMED_OUT
        assert done.code == -signal.SIGKILL
        if pids.exists() and pids.read_text():
            assert ends(int(pids.read_text()))
            break
    else:
        pytest.fail("it never started anything")


def test_a_request_to_stop_ends_the_child() -> None:
    cancel = Cancel()
    reader, writer = os.pipe()

    def ready(_data: bytes) -> None:
        cancel.request()

    try:
        script = f"import os, time; os.write({writer}, b'x'); time.sleep(600)"
        done = _run(sys.executable, "-c", script, cancel=cancel, pass_fds=(writer,), extra=((reader, ready),))
    finally:
        os.close(reader)
        os.close(writer)
    assert done.stopped is Stopped.CANCELLED


def test_a_child_that_says_a_lot_is_not_looked_at_more_often() -> None:
    looks: list[int] = []
    said = "for line in range(3000):\n print(line, flush=True)\n"

    def look(pid: int) -> str:
        looks.append(pid)
        return ""

    done = _run(sys.executable, "-c", said, watch=look)

    assert done.stdout.count(b"\n") == 3000
    # Twenty times a second, so perhaps not once where the child was quicker than that.
    assert len(looks) <= done.ms / 50 + 2


def test_a_watcher_ends_the_child_with_its_reason() -> None:
    done = _run("sleep", "600", watch=lambda _pid: "too much memory")
    assert (done.stopped, done.veto) == (Stopped.VETOED, "too much memory")


def test_a_daemon_that_keeps_our_pipe_does_not_keep_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    done = _run(
        "sh",
        "-c",
        f"setsid sh -c 'echo $$ >{pid}; exec sleep 600' & while ! [ -s {pid} ]; do :; done; echo done",
    )
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert (done.code, done.stdout, done.stopped) == (0, b"done\n", Stopped.NO)


def test_the_end_of_a_child_is_noticed_while_a_pipe_of_ours_stays_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Looking at the clock alone would take this long.
    monkeypatch.setattr(process, "_TICK_S", 250.0)
    said: list[bytes] = []
    reader, writer = os.pipe()
    try:
        script = f"import os, time; os.write({writer}, b'late\\n'); os.close(1); os.close(2); time.sleep(0.2)"
        done = _run(sys.executable, "-c", script, pass_fds=(writer,), extra=((reader, said.append),))
    finally:
        os.close(reader)
        os.close(writer)
    assert (done.code, b"".join(said)) == (0, b"late\n")
    assert done.ms < 250_000


def test_only_named_descriptors_reach_the_child() -> None:
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    try:
        script = f"import os\ntry: os.fstat({reader}); print('leaked')\nexcept OSError: print('closed')"
        done = _run(sys.executable, "-c", script)
    finally:
        os.close(reader)
        os.close(writer)
    assert done.stdout == b"closed\n"


def test_an_exception_here_leaves_no_child_behind(tmp_path: Path) -> None:
    seen: list[int] = []

    def explode(pid: int) -> str:
        seen.append(pid)
        raise RuntimeError("watcher is broken")

    with pytest.raises(RuntimeError, match="watcher is broken"):
        _run("sleep", "600", watch=explode)
    assert ends(seen[0])


def test_many_threads_may_use_the_door_at_once() -> None:
    outputs: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=n: outputs.append(_run("sh", "-c", f"echo {n}").stdout))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outputs) == [b"%d\n" % n for n in range(8)]
