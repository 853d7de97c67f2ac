from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sandbox.lab import NOBODY, Lab, ordinary_argv, ordinary_env
from tests.testing.machine import lacks_namespaces

# Runs the same tests with another bubblewrap than the one that would be chosen.
BWRAP = Path(os.environ["DEV_AGENT_TEST_BWRAP"]) if "DEV_AGENT_TEST_BWRAP" in os.environ else None
CALLERS = ["self", "ordinary"] if os.geteuid() == 0 else ["self"]


@pytest.fixture(scope="session")
def ordinary_works() -> bool:
    """An ordinary user needs an interpreter and a checkout that others may read."""
    code = "import sys, dev_agent.sandbox.choose, tests.sandbox.lab; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run(ordinary_argv("-c", code), env=ordinary_env(), check=False).returncode == 0


@pytest.fixture(params=[(who, how) for how in ("bubblewrap", "landlock") for who in CALLERS], ids="-".join)
def lab(request: pytest.FixtureRequest, ordinary_works: bool) -> Iterator[Lab]:
    """Every caller there is, in both tiers."""
    with made_lab(*request.param, ordinary_works=ordinary_works) as made:
        yield made


@pytest.fixture(params=CALLERS)
def namespaced(request: pytest.FixtureRequest, ordinary_works: bool) -> Iterator[Lab]:
    """Every caller there is, in tier 1: for what namespaces alone give."""
    with made_lab(str(request.param), "bubblewrap", ordinary_works=ordinary_works) as made:
        yield made


@pytest.fixture(params=CALLERS)
def ruled(request: pytest.FixtureRequest, ordinary_works: bool) -> Iterator[Lab]:
    """Every caller there is, in tier 2: for what it lacks, and for what it does in its own way."""
    with made_lab(str(request.param), "landlock", ordinary_works=ordinary_works) as made:
        yield made


@pytest.fixture(
    params=[(who, how) for how in ("bubblewrap", "landlock", "off") for who in CALLERS], ids="-".join
)
def any_lab(request: pytest.FixtureRequest, ordinary_works: bool) -> Iterator[Lab]:
    """Every caller there is, in every tier: for what a job is, confined or not."""
    with made_lab(*request.param, ordinary_works=ordinary_works) as made:
        yield made


@contextmanager
def made_lab(who: str, confinement: str, *, ordinary_works: bool) -> Iterator[Lab]:
    """A lab in a directory that all callers can reach (pytest's own is private to its user)."""
    if who == "ordinary" and not ordinary_works:
        pytest.skip("no interpreter and checkout here that an ordinary user may read")
    lacking = lacks_namespaces(ordinary=who == "ordinary") if confinement == "bubblewrap" else ""
    if lacking:
        pytest.skip(lacking)
    top = Path(tempfile.mkdtemp(prefix="sandbox-test-"))
    top.chmod(0o755)
    place, scratch = top / "place", top / "scratch"
    place.mkdir()
    scratch.mkdir(mode=0o700)
    if who == "ordinary":
        os.chown(place, NOBODY, NOBODY)
        os.chown(scratch, NOBODY, NOBODY)
    yield Lab(who=who, place=place, scratch_root=scratch, bwrap=BWRAP, confinement=confinement)
    shutil.rmtree(top)


@pytest.fixture(params=["bubblewrap", "landlock"])
def here_confined(request: pytest.FixtureRequest, here: Lab) -> Lab:
    """Whoever runs the suite, in both tiers."""
    if request.param == "bubblewrap" and lacks_namespaces():
        pytest.skip(lacks_namespaces())
    return replace(here, confinement=str(request.param))


@pytest.fixture
def here(tmp_path: Path) -> Lab:
    """Whoever runs the suite."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    place = tmp_path / "place"
    place.mkdir()
    return Lab(who="self", place=place, scratch_root=scratch, bwrap=BWRAP)
