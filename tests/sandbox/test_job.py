from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.sandbox.job import Job, Limits, Mount, MountKind
from tests.sandbox.lab import DATA, READ_ONLY, TMPFS


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a\0b"])
def test_a_path_that_means_different_things_to_different_readers(path: str) -> None:
    with pytest.raises(ValueError, match="absolute path without"):
        Mount(kind=READ_ONLY, target=Path(path), source=Path("/usr"))
    with pytest.raises(ValueError, match="absolute path without"):
        Mount(kind=READ_ONLY, target=Path("/a"), source=Path(path))
    with pytest.raises(ValueError, match="absolute path without"):
        Job(argv=("true",), cwd=Path(path))


@pytest.mark.parametrize("kind", MountKind)
def test_a_mount_needs_exactly_what_its_kind_uses(kind: MountKind) -> None:
    takes_source = kind not in {DATA, TMPFS}
    source = None if takes_source else Path("/usr")
    with pytest.raises(ValueError, match="source"):
        Mount(kind=kind, target=Path("/a"), source=source, size=1)


def test_memory_without_a_bound_is_no_mount() -> None:
    with pytest.raises(ValueError, match="size in bytes"):
        Mount(kind=TMPFS, target=Path("/a"))


def test_modes_default_by_kind() -> None:
    assert Mount(kind=TMPFS, target=Path("/a"), size=1).permissions == 0o700
    assert Mount(kind=DATA, target=Path("/a")).permissions == 0o444
    assert Mount(kind=DATA, target=Path("/a"), mode=0o555).permissions == 0o555


@pytest.mark.parametrize("name", Limits.__slots__)
def test_a_limit_of_nothing_is_a_mistake(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: 0})


@pytest.mark.parametrize("argv", [(), ("a\0b",)])
def test_an_argv_that_cannot_be_run(argv: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="argv"):
        Job(argv=argv, cwd=Path("/"))


@pytest.mark.parametrize("env", [{"": "x"}, {"A=B": "x"}, {"A": "x\0"}])
def test_an_environment_that_would_read_differently_inside(env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="environment variable"):
        Job(argv=("true",), cwd=Path("/"), env=env)
