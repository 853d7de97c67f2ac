"""An environment is what is in it: found, built, proved, and never half believed."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.cluster.building import Installer, is_whole
from dev_agent.cluster.environments import EnvironmentDiffers, Environments, Looked, Wanted
from dev_agent.cluster.frozen import FrozenEnvironment, NamedFile
from dev_agent.cluster.lock import freeze
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.environment import read_installed
from dev_agent.gates.interpreter import Interpreter
from tests.gates.samples import make_venv

VERSION = sys.version_info[:3]
TOOLS = [
    shutil.which("uv"),
    *map(str, Path(sys.prefix).glob("tool-*/bin/uv")),
]
UV = next((Path(one) for one in TOOLS if one), None)


def look(python: Path) -> Looked:
    """What `inspect` says of a Python of this version, without asking it."""
    venv = python.parent.parent
    site = venv / "lib" / f"python{VERSION[0]}.{VERSION[1]}" / "site-packages"
    interpreter = Interpreter(
        path=python,
        prefix=venv,
        base_prefix=Path(sys.base_prefix),
        is_venv=True,
        because="",
        version=(VERSION[0], VERSION[1], VERSION[2]),
        implementation=sys.implementation.name,
        site_dirs=(site,),
        shown=(),
    )
    return Looked(interpreter=interpreter, installed=read_installed((site,), is_folder=lambda _: True))


def lock_of(venv: Path, root: Path = Path("/repo")) -> FrozenEnvironment:
    looked = look(venv / "bin" / "python")
    return freeze(looked.interpreter, looked.installed, root).environment


def install(site: Path, name: str, files: Mapping[str, str], *, version: str = "1", by: str = "pip") -> None:
    """A wheel as an installer leaves it: its files, metadata, RECORD, and what the installer adds."""
    info = f"{name}-{version}.dist-info"
    inside = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    rows = [f"{path},{hashed(text)},{len(text)}" for path, text in inside.items()]
    rows += [f"../../../bin/{name},sha256=x,9", f"{info}/INSTALLER,sha256={by},3", f"{info}/RECORD,,"]
    for path, text in {
        **inside,
        f"{info}/INSTALLER": by,
        f"{info}/RECORD": "\n".join(rows[:: -1 if by == "uv" else 1]),
    }.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)


def hashed(text: str) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def wanted_of(environment: FrozenEnvironment, files: Mapping[str, Path] | None = None) -> Wanted:
    return Wanted(
        environment=environment,
        interpreter=Path("/nowhere/bin/python"),
        root=Path("/repo"),
        look=look,
        find=lambda sha256: (files or {})[sha256],
    )


def test_two_installations_of_the_same_wheels_have_one_lock(tmp_path: Path) -> None:
    """Other folder, other installer, other order, compiled or not: none of it is in the lock."""
    one, two = make_venv(tmp_path / "a", ()), make_venv(tmp_path / "b", ())
    install(one, "acme", {"acme/__init__.py": "X = 1\n"})
    install(two, "acme", {"acme/__init__.py": "X = 1\n"}, by="uv")
    (two / "acme" / "__pycache__").mkdir()
    (two / "acme" / "__pycache__" / "x.pyc").write_bytes(b"x")
    (two / "_virtualenv.pth").write_text("import _virtualenv")
    assert lock_of(tmp_path / "a") == lock_of(tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": "2"}, "acme: 1 is wanted, 2 is there"),
        ({"files": {"acme/__init__.py": "X = 2\n"}}, "acme: 1 has other files"),
        ({"name": "other"}, "acme: 1 is wanted and not there"),
    ],
)
def test_a_difference_names_what_differs(tmp_path: Path, change: dict[str, object], said: str) -> None:
    one, two = make_venv(tmp_path / "a", ()), make_venv(tmp_path / "b", ())
    install(one, "acme", {"acme/__init__.py": "X = 1\n"})
    install(two, **{"name": "acme", "files": {"acme/__init__.py": "X = 1\n"}, **change})  # type: ignore[arg-type]
    wanted, found = lock_of(tmp_path / "a"), lock_of(tmp_path / "b")
    assert wanted.digest != found.digest
    assert said in "; ".join(wanted.differences(found))


def test_a_file_changed_behind_its_record_is_found_where_it_is_proved(tmp_path: Path) -> None:
    site = make_venv(tmp_path / "a", ())
    install(site, "acme", {"acme/__init__.py": "X = 1\n"})
    wanted = lock_of(tmp_path / "a")
    (site / "acme/__init__.py").write_text("X = 'evil'\n")
    environments = Environments(tmp_path / "made", declared=(tmp_path / "a",))
    with pytest.raises(EnvironmentDiffers, match="acme: 1 has other files"):
        ready(environments, wanted_of(wanted))


@pytest.mark.parametrize("shut", ["a home that is closed", "a name no disk takes"])
def test_an_askers_interpreter_that_cannot_even_be_looked_for_is_none(tmp_path: Path, shut: str) -> None:
    """A worker may be another user than the asker: a declared environment serves, else it is said what was met."""
    site = make_venv(tmp_path / "a", ())
    install(site, "acme", {"acme/__init__.py": "X = 1\n"})
    closed = tmp_path / ("home" if shut.startswith("a home") else "x" * 300)
    if len(closed.name) < 255:
        closed.mkdir(mode=0)
        if os.access(closed, os.X_OK):
            pytest.skip("nothing is closed to root")
    wanted = replace(wanted_of(lock_of(tmp_path / "a")), interpreter=closed / "bin/python")
    declared = Environments(tmp_path / "made", declared=(tmp_path / "a",))
    assert ready(declared, wanted) == tmp_path / "a/bin/python"
    with pytest.raises(EnvironmentDiffers, match=r"no environment .*: the interpreter at .*/bin/python: "):
        ready(Environments(tmp_path / "made"), wanted)


def test_code_from_outside_of_the_repository_has_no_lock(tmp_path: Path) -> None:
    site = make_venv(tmp_path / "a", ())
    (site / "lib.pth").write_text("/somewhere/else\n")
    with pytest.raises(EnvironmentFault, match="/somewhere/else"):
        lock_of(tmp_path / "a")
    (site / "lib.pth").write_text("/repo/src\n")
    assert [one.path for one in lock_of(tmp_path / "a").own] == ["lib.pth"]


def test_files_of_the_project_are_added_to_a_copy_and_the_original_stays(tmp_path: Path) -> None:
    site = make_venv(tmp_path / "a", ())
    install(site, "acme", {"acme/__init__.py": "X = 1\n"})
    script = tmp_path / "a" / "bin" / "acme"
    script.write_text(f"#!{tmp_path / 'a'}/bin/python\nprint(1)\n")
    bare = lock_of(tmp_path / "a")
    info = {
        "repo.pth": "/repo/src\n",
        "repo-1.dist-info/METADATA": "Name: repo\n",
        "repo-1.dist-info/entry_points.txt": "[console_scripts]\nrepo = repo.cli:main\nevil = os;system:x\n",
        "repo-1.dist-info/direct_url.json": '{"url": "file:///repo", "dir_info": {"editable": true}}',
    }
    with_project = make_venv(tmp_path / "b", ())
    install(with_project, "acme", {"acme/__init__.py": "X = 1\n"})
    for path, text in info.items():
        (with_project / path).parent.mkdir(exist_ok=True)
        (with_project / path).write_text(text)
    wanted = lock_of(tmp_path / "b")
    files = {one.sha256: with_project / one.path for one in wanted.own}
    environments = Environments(tmp_path / "made", declared=(tmp_path / "a",))
    python = ready(environments, wanted_of(wanted, files))
    assert lock_of(python.parent.parent) == wanted
    assert lock_of(tmp_path / "a") == bare
    made = python.parent
    assert (made / "acme").read_text().startswith(f"#!{made / 'python'}\n")
    assert "from" not in (made / "repo").read_text()
    assert "repo.cli.main()" in (made / "repo").read_text()
    assert not (made / "evil").exists()
    assert not (tmp_path / "a" / "bin" / "repo").exists()


def test_a_file_that_would_replace_a_wheels_is_refused_and_the_original_stays(tmp_path: Path) -> None:
    """The copy shares its files with the original: what is put into it must not be written through a link."""
    site = make_venv(tmp_path / "a", ())
    install(site, "acme", {"acme/__init__.py": "X = 1\n"})
    before = lock_of(tmp_path / "a")
    evil = tmp_path / "evil.py"
    evil.write_text("X = 'evil'\n")
    sha256 = hashlib.sha256(evil.read_bytes()).hexdigest()
    wanted = replace(before, own=(NamedFile(path="acme/__init__.py", sha256=sha256, size=11),))
    environments = Environments(tmp_path / "made", declared=(tmp_path / "a",))
    with pytest.raises(EnvironmentDiffers, match="acme: 1 has other files"):
        ready(environments, wanted_of(wanted, {sha256: evil}))
    assert (site / "acme/__init__.py").read_text() == "X = 1\n"
    assert not is_whole(tmp_path / "made" / wanted.digest)


def test_a_made_environment_without_its_mark_is_made_again(tmp_path: Path) -> None:
    """So it looks after a death while it was made."""
    site = make_venv(tmp_path / "a", ())
    (tmp_path / "own.py").write_text("Y = 1\n")
    (site / "own.py").write_text("Y = 1\n")
    wanted = lock_of(tmp_path / "a")
    (site / "own.py").unlink()
    half = tmp_path / "made" / wanted.digest
    half.mkdir(parents=True)
    (half / "left.txt").write_text("half")
    environments = Environments(tmp_path / "made", declared=(tmp_path / "a",))
    files = {one.sha256: tmp_path / "own.py" for one in wanted.own}
    python = ready(environments, wanted_of(wanted, files))
    assert python == half / "bin" / "python"
    assert not (half / "left.txt").exists()
    assert is_whole(half)


def test_an_environment_in_use_is_not_dropped(tmp_path: Path) -> None:
    site = make_venv(tmp_path / "a", ())
    (tmp_path / "own.py").write_text("Y = 1\n")
    (site / "own.py").write_text("Y = 1\n")
    wanted = lock_of(tmp_path / "a")
    (site / "own.py").unlink()
    environments = Environments(tmp_path / "made", declared=(tmp_path / "a",))
    files = {one.sha256: tmp_path / "own.py" for one in wanted.own}
    with environments.ready(wanted_of(wanted, files), Cancel()):
        assert not environments.drop(wanted.digest)
    assert environments.drop(wanted.digest)
    assert not (tmp_path / "made" / wanted.digest).exists()


@pytest.fixture
def index(tmp_path: Path) -> dict[str, str]:
    """A worker's own index: a folder with one wheel, and nothing of any network."""
    folder = tmp_path / "index"
    folder.mkdir()
    make_wheel(folder, "acme", {"acme/__init__.py": "X = 1\n"})
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "UV_OFFLINE": "1",
        "UV_FIND_LINKS": str(folder),
        "UV_NO_INDEX": "1",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
    }


def make_wheel(folder: Path, name: str, files: Mapping[str, str]) -> None:
    info = f"{name}-1.dist-info"
    inside = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{path},{hashed(text)},{len(text)}" for path, text in inside.items()]
    inside[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as wheel:
        for path, text in inside.items():
            wheel.writestr(path, text)


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_an_environment_is_built_from_its_lock_and_the_workers_own_index(
    tmp_path: Path, index: dict[str, str], tool: str
) -> None:
    if UV is None if tool == "uv" else not has_pip():
        pytest.skip(f"no {tool} here")
    site = make_venv(tmp_path / "asker", ())
    with zipfile.ZipFile(next((tmp_path / "index").glob("*.whl"))) as wheel:
        wheel.extractall(site)
    wanted = lock_of(tmp_path / "asker")
    environments = Environments(
        tmp_path / "made", installer=Installer(environ=index, uv=UV if tool == "uv" else None)
    )
    python = ready(environments, wanted_of(wanted))
    assert lock_of(python.parent.parent) == wanted
    assert ready(environments, wanted_of(wanted)) == python


@pytest.mark.skipif(UV is None, reason="no uv here")
def test_what_cannot_be_built_or_comes_out_otherwise_is_never_judged_in(
    tmp_path: Path, index: dict[str, str]
) -> None:
    site = make_venv(tmp_path / "asker", ())
    with zipfile.ZipFile(next((tmp_path / "index").glob("*.whl"))) as wheel:
        wheel.extractall(site)
    wanted = lock_of(tmp_path / "asker")
    environments = Environments(tmp_path / "made", installer=Installer(environ=index, uv=UV))
    other = replace(wanted, distributions=(replace(wanted.distributions[0], version="2"),))
    with pytest.raises(EnvironmentDiffers, match=r"(?s)cannot be built here: .* ended with .*acme"):
        ready(environments, wanted_of(other))
    assert not is_whole(tmp_path / "made" / other.digest)

    false = replace(wanted, distributions=(replace(wanted.distributions[0], digest="f" * 64),))
    with pytest.raises(EnvironmentDiffers, match=r"built from the lock .* acme: 1 has other files") as told:
        ready(environments, wanted_of(false))
    assert "start the worker with --build-environments" not in told.value.hint
    assert not (tmp_path / "made" / false.digest).exists()


def has_pip() -> bool:
    base = Path(sys.base_prefix).resolve() / "bin" / f"python{VERSION[0]}.{VERSION[1]}"
    asked = [str(base), "-I", "-m", "pip", "--version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def ready(environments: Environments, wanted: Wanted) -> Path:
    with environments.ready(wanted, Cancel()) as python:
        return python
