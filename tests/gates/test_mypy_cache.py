"""Where mypy's caches come from, who may fill them, and that none of them can hide an error."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates.interpreter import Surroundings
from dev_agent.gates.mypy_cache import leased_cache, lock_of
from dev_agent.gates.mypy_seed import Seed, copy_whole, users_cache
from dev_agent.gates.verdict import GateResult
from dev_agent.repository.plain_checkout import content_time
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import CALC, MYPY, PYTEST, SRC_LAYOUT, Sample, make_sample

KEY, OTHER = "a" * 64, "b" * 64
WRONG = CALC.replace("return number // 2", 'return "half     "')
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Sample:
    """A project whose own environment has mypy, and whose user has run it a moment ago."""
    sample = make_sample(
        tmp_path_factory.mktemp("typed"),
        {**SRC_LAYOUT, ".gitignore": ".venv\n.mypy_cache\n"},
        sandbox,
        venv=(*PYTEST, *MYPY),
    )
    root = sample.project.root
    done = subprocess.run(
        [root / ".venv/bin/python", "-m", "mypy", "--strict", "src"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    assert b"Success" in done.stdout, done
    (root / ".mypy_cache" / VERSION / "mark").touch()
    age(root / ".mypy_cache")
    return sample


def age(folder: Path) -> None:
    """Nothing in it was written in this very moment."""
    for here, _, names in os.walk(folder):
        for name in (".", *names):
            os.utime(f"{here}/{name}", (10**9, 10**9))


def state_of(folder: Path) -> Mapping[str, object]:
    return {
        str(one): (one.lstat().st_mtime_ns, one.lstat().st_uid, one.read_bytes() if one.is_file() else b"")
        for one in sorted(folder.rglob("*"))
    }


def marks(sample: Sample) -> list[Path]:
    return sorted((sample.cache / "mypy").glob("*/*/mark"))


def forget(sample: Sample) -> Sample:
    """The same project as if it had never been judged."""
    subprocess.run(["rm", "-rf", sample.cache], check=True)
    return sample


def test_the_first_run_starts_from_the_users_own_cache_and_leaves_it_alone(typed: Sample) -> None:
    before = state_of(typed.project.root / ".mypy_cache")

    verdict = forget(typed).types({"src/acme/more.py": "x: int = 1\n"})

    assert (verdict.result, verdict.reason) == (GateResult.PASSED, "clean")
    assert len(marks(typed)) == 1
    assert state_of(typed.project.root / ".mypy_cache") == before


def test_an_error_shows_however_warm_the_users_cache_says_the_file_is(typed: Sample) -> None:
    verdict = forget(typed).types({"src/acme/calc.py": WRONG})

    assert len(marks(typed)) == 1
    assert [one.code for one in verdict.new_failures] == ["return-value"]


def test_ci_has_no_cache_of_a_persons_own(typed: Sample) -> None:
    sample = replace(forget(typed), in_ci=True)

    assert sample.types({"src/acme/more.py": "x: int = 1\n"}).result is GateResult.PASSED
    assert marks(typed) == []


def test_the_settings_can_say_no(typed: Sample) -> None:
    files = {**typed.base, "dev-agent.toml": "gates.types.seed = false\n"}
    tree = typed.project.make_tree({path: ("100644", text.encode()) for path, text in files.items()})
    sample = replace(forget(typed), base=files, base_tree=tree)

    assert sample.types({"src/acme/more.py": "x: int = 1\n"}).result is GateResult.PASSED
    assert marks(typed) == []


def test_a_cache_that_the_change_brings_along_is_not_believed(typed: Sample) -> None:
    path = f".mypy_cache/{VERSION}/mark"

    assert forget(typed).types({path: "", "src/acme/more.py": "x: int = 1\n"}).result is GateResult.PASSED
    assert marks(typed) == []


def test_a_cache_that_a_checked_out_branch_brought_is_not_believed(typed: Sample) -> None:
    project = typed.project
    project.git("add", "--force", f".mypy_cache/{VERSION}/mark")
    try:
        verdict = forget(typed).types({"src/acme/more.py": "x: int = 1\n"})
    finally:
        project.git("rm", "-q", "--cached", f".mypy_cache/{VERSION}/mark")

    assert verdict.result is GateResult.PASSED
    assert marks(typed) == []


def test_two_files_of_one_size_and_one_time_are_told_apart(typed: Sample) -> None:
    """A proposer can make them at will: the times of a slot are 28 bits of a hash."""
    good, wrong = collision(CALC, WRONG)

    assert typed.types({"src/acme/calc.py": good}).result is GateResult.PASSED
    verdict = typed.types({"src/acme/calc.py": wrong})

    assert (verdict.result, verdict.reason) == (GateResult.FAILED, "new_type_errors")


def collision(one: str, other: str) -> tuple[str, str]:
    """Both texts with a last line, such that size and slot time are the same."""

    def time_of(text: str) -> int:
        data = text.encode()
        return content_time(hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest())

    width = max(len(one), len(other))
    texts = [f"{one}# {'x' * (width - len(one))}{number:07}\n" for number in range(60_000)]
    times = {time_of(text): text for text in texts}
    for number in range(10_000_000):
        text = f"{other}# {'x' * (width - len(other))}{number:07}\n"
        if time_of(text) in times:
            return times[time_of(text)], text
    raise AssertionError("no collision")


def test_a_damaged_cache_is_thrown_away_and_not_blamed_on_the_change(typed: Sample) -> None:
    assert forget(typed).types({"src/acme/more.py": "x: int = 1\n"}).result is GateResult.PASSED
    for database in (typed.cache / "mypy").glob("*/*/*.db"):
        database.write_bytes(b"no database" * 1000)

    verdict = typed.types({"src/acme/more.py": "x: int = 2\n"})

    assert (verdict.result, verdict.reason) == (GateResult.PASSED, "clean")


SETUP = 'setup = ["python tools/make.py"]\n'
POISON = """\
import pathlib
place = pathlib.Path("/opt/dev-agent/mypy-cache")
assert place.is_dir()
try:
    (place / "poison").write_text("")
except OSError:
    pass
"""


def test_set_up_code_of_the_change_cannot_write_a_cache_that_is_kept(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    files = {**SRC_LAYOUT, "dev-agent.toml": SETUP, "tools/make.py": "import sys\n"}
    sample = make_sample(tmp_path / "set-up", files, sandbox)

    verdict = sample.types({"tools/make.py": POISON, "src/acme/calc.py": WRONG})

    assert [one.code for one in verdict.new_failures] == ["return-value"]
    assert list((sample.cache / "mypy").rglob("poison")) == []


# The directories themselves.


def test_a_directory_is_lent_once_at_a_time(tmp_path: Path) -> None:
    with leased_cache(tmp_path, KEY) as first, leased_cache(tmp_path, KEY) as second:
        assert first.path != second.path
        assert lock_of(first.path) is None
    with leased_cache(tmp_path, KEY) as again:
        assert again.path == first.path


def test_whoever_comes_second_starts_as_warm_as_the_first(tmp_path: Path) -> None:
    with leased_cache(tmp_path, KEY) as first:
        fill(first.path)
        with leased_cache(tmp_path, KEY) as second:
            assert (second.path / "3.11" / "cache.db").read_text() == "warm"


def test_another_environment_starts_from_what_was_used_last(tmp_path: Path) -> None:
    with leased_cache(tmp_path, KEY) as first:
        fill(first.path)
    with leased_cache(tmp_path, OTHER) as second:
        assert not second.is_empty


def test_a_kill_in_the_middle_of_seeding_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    half = tmp_path / f"{KEY[:24]}-0.seed"
    fill(half)
    with leased_cache(tmp_path, KEY) as cache:
        assert cache.is_empty
    assert not half.exists()


def fill(folder: Path) -> Path:
    (folder / "3.11").mkdir(parents=True)
    (folder / "3.11" / "cache.db").write_text("warm")
    age(folder)
    return folder


def _link(folder: Path) -> None:
    (folder / "3.11" / "more.db").symlink_to("/etc/passwd")


def _journal(folder: Path) -> None:
    (folder / "3.11" / "cache.db-journal").touch()
    age(folder)


def _open_to_all(folder: Path) -> None:
    (folder / "3.11" / "cache.db").chmod(0o666)


def _written_now(folder: Path) -> None:
    os.utime(folder / "3.11" / "cache.db", (2**33, 2**33))


@pytest.mark.parametrize("doubt", [_link, _journal, _open_to_all, _written_now])
def test_no_copy_in_doubt(tmp_path: Path, doubt: Callable[[Path], None]) -> None:
    seed = Seed(path=fill(tmp_path / "own"), owners=frozenset({os.geteuid()}))
    assert copy_whole(seed, tmp_path / "first")
    doubt(seed.path)

    assert not copy_whole(seed, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_no_copy_of_what_belongs_to_another_or_is_reached_by_a_link(tmp_path: Path) -> None:
    own = fill(tmp_path / "own")
    (tmp_path / "link").symlink_to(own)

    assert not copy_whole(Seed(path=own, owners=frozenset({os.geteuid() + 1})), tmp_path / "copy")
    assert not copy_whole(Seed(path=tmp_path / "link", owners=None), tmp_path / "copy")
    assert not copy_whole(Seed(path=tmp_path / "nothing", owners=None), tmp_path / "copy")


def test_where_the_users_cache_is() -> None:
    root = Path("/repo")

    assert users_cache(root, "", "") == Path("/repo/.mypy_cache")
    assert users_cache(root, "build/mypy", "") == Path("/repo/build/mypy")
    assert users_cache(root, "build/mypy", "/var/mypy") == Path("/var/mypy")
    assert users_cache(root, "/dev/null", "") is None


def test_what_the_environment_says_about_caches() -> None:
    assert Surroundings.of({"MYPY_CACHE_DIR": "/c"}).mypy_cache == "/c"
    assert Surroundings.of({"CI": "true"}).in_ci
    assert not Surroundings.of({"CI": "false"}).in_ci


def test_an_interrupted_judgement_gives_the_directory_back(typed: Sample) -> None:
    cancel = Cancel()
    cancel.request()
    typed.gates().judge_types(typed.change({"src/acme/never.py": "y = 1\n"}), cancel)

    assert all(lock_of(one.with_suffix("")) is not None for one in (typed.cache / "mypy").glob("*.lock"))
