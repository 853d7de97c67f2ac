from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import dev_agent.sandbox.launcher as module
from dev_agent.sandbox.launch import rlimits, signal_of
from tests.sandbox.lab import limited

SCRIPT = [sys.executable, "-I", "-S", module.__file__]


def launcher(parent: int, *program: str, limits: str = "") -> subprocess.CompletedProcess[bytes]:
    argv = [*SCRIPT, str(parent), "-1", "-1", limits, "--", *program]
    return subprocess.run(argv, capture_output=True, check=False, stdin=subprocess.DEVNULL)


def test_nothing_is_started_for_a_parent_that_died() -> None:
    done = launcher(os.getpid() + 1, "/bin/echo", "started")
    assert (done.returncode, done.stdout) == (module.NOT_STARTED, b"")
    assert b"is gone" in done.stderr


def test_a_program_that_cannot_be_started() -> None:
    done = launcher(os.getpid(), "/no/such/program")
    assert done.returncode == module.NOT_STARTED
    assert done.stderr.startswith(b"launcher: /no/such/program: ")


def test_a_limit_nobody_knows_starts_nothing() -> None:
    done = launcher(os.getpid(), "/bin/echo", "started", limits="CORE")
    assert (done.returncode, done.stdout) == (module.NOT_STARTED, b"")


def test_limits_go_down_soft_and_hard_and_never_up() -> None:
    show = "import resource as r; print(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_NOFILE))"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    done = launcher(os.getpid(), sys.executable, "-c", show, limits=f"CORE=0,NOFILE={2**40}")
    assert done.stdout.decode().strip() == f"(0, 0) ({hard}, {hard})"


def test_what_the_launcher_is_told() -> None:
    limits = limited(cpu_s=5, file_bytes=6, open_files=7, processes=8, memory_bytes=9)
    assert rlimits(limits, tasks=100) == "CORE=0,CPU=5,FSIZE=6,NOFILE=7,NPROC=364,AS=18"


def test_exit_codes_that_stand_for_signals() -> None:
    assert [signal_of(code) for code in (0, 1, 127, 128, 137, 192, 193, 255)] == [
        *[None] * 4,
        9,
        64,
        *[None] * 2,
    ]
    assert signal_of(-15) == 15


def test_the_script_imports_nothing_but_what_an_interpreter_brings() -> None:
    source = Path(module.__file__).read_text(encoding="utf-8")
    imports = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
    assert imports == [
        "from __future__ import annotations",
        "import fcntl",
        "import os",
        "import resource",
        "import sys",
    ]
