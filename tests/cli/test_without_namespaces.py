"""The command line on a machine that allows no namespaces: it works, confined by the weaker tier, and says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dev_agent.sandbox.kernel import landlock_abi
from dev_agent.sandbox.landlock import OLDEST_ABI
from tests.cli.test_scenarios import CONFIG, GOOD, TESTS, TINY
from tests.testing.repos import Project, make_repository

pytestmark = pytest.mark.skipif(
    landlock_abi() < OLDEST_ABI, reason="this kernel's Landlock is too old or off"
)


@pytest.fixture
def tiny(tmp_path: Path) -> Project:
    """A typed module with one test, judged in the environment the tests run in."""
    project = make_repository(tmp_path, {"pyproject.toml": CONFIG, "tiny.py": TINY, "test_tiny.py": TESTS})
    return project.with_environ(VIRTUAL_ENV=sys.prefix)


def without_namespaces(project: Project, *args: str) -> subprocess.CompletedProcess[bytes]:
    checkout = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "tests.sandbox.without_namespaces", sys.executable, *args],
        cwd=project.root,
        env={**project.environ, "PYTHONPATH": checkout},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def test_the_kernel_refuses_namespaces_there(tiny: Project) -> None:
    """Otherwise the tests below would prove nothing."""
    code = "from tests.testing.machine import lacks_namespaces as lacks; print(lacks() or 'none')"
    assert without_namespaces(tiny, "-c", code).stdout.startswith(b"no namespaces here: bwrap:")


def test_a_change_is_judged_and_lands_under_the_weaker_tier_which_is_named(tiny: Project) -> None:
    (tiny.root / "fix.patch").write_text(GOOD, encoding="utf-8")
    done = without_namespaces(tiny, "-m", "dev_agent", "apply", "Double faster", "--patch", "fix.patch")
    assert done.returncode == 0, done.stderr.decode()
    assert b"confinement: landlock (tier 2) lacks namespaces" in done.stderr
    assert tiny.git("rev-list", "--count", "HEAD") == "2"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("apply", "x", "--patch", "fix.patch", "--sandbox", "bubblewrap"), 3, "no sandbox works here"),
        (("run", "--", "true"), 2, "only run confined by namespaces"),
    ],
)
def test_what_needs_namespaces_is_refused_and_never_done_with_less(
    tiny: Project, args: tuple[str, ...], code: int, said: str
) -> None:
    (tiny.root / "fix.patch").write_text(GOOD, encoding="utf-8")
    before = tiny.snapshot()
    done = without_namespaces(tiny, "-m", "dev_agent", *args)
    assert (done.returncode, said in done.stderr.decode()) == (code, True), done.stderr.decode()
    assert tiny.snapshot() == before
