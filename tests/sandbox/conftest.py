from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.lab import NOBODY, Lab, ordinary_argv, ordinary_env

# Runs the same tests with another bubblewrap than the one that would be chosen.
BWRAP = Path(os.environ["DEV_AGENT_TEST_BWRAP"]) if "DEV_AGENT_TEST_BWRAP" in os.environ else None
CALLERS = ["self", "ordinary"] if os.geteuid() == 0 else ["self"]


@pytest.fixture(scope="session")
def ordinary_works() -> bool:
    """An ordinary user needs an interpreter and a checkout that others may read."""
    code = "import sys, dev_agent.sandbox.choose, tests.sandbox.lab; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run(ordinary_argv("-c", code), env=ordinary_env(), check=False).returncode == 0


@pytest.fixture(params=CALLERS)
def lab(request: pytest.FixtureRequest, ordinary_works: bool) -> Iterator[Lab]:
    """Every caller there is; a directory all of them can reach (pytest's own is private to its user)."""
    who = str(request.param)
    if who == "ordinary" and not ordinary_works:
        pytest.skip("no interpreter and checkout here that an ordinary user may read")
    top = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
    top.chmod(0o755)
    place, scratch = top / "place", top / "scratch"
    place.mkdir()
    scratch.mkdir(mode=0o700)
    if who == "ordinary":
        os.chown(place, NOBODY, NOBODY)
        os.chown(scratch, NOBODY, NOBODY)
    yield Lab(who=who, place=place, scratch_root=scratch, bwrap=BWRAP)
    shutil.rmtree(top)


@pytest.fixture
def here(tmp_path: Path) -> Lab:
    """Whoever runs the suite."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    place = tmp_path / "place"
    place.mkdir()
    return Lab(who="self", place=place, scratch_root=scratch, bwrap=BWRAP)
