"""Finding the interpreter, and reading what is installed for it."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.environment import importable_names, read_installed
from dev_agent.gates.included import find_included
from dev_agent.gates.interpreter import Candidate, Interpreter, Surroundings, find_interpreter, inspect
from dev_agent.gates.layout import TestLayout, import_roots, own_names, type_targets
from dev_agent.gates.test_command import plugins
from dev_agent.gates.tools import choose_mypy
from dev_agent.sandbox.sandbox import Sandbox
from tests.gates.samples import make_venv

OWN = Path(sys.base_prefix).resolve() / "bin" / f"python3.{sys.version_info.minor}"


def candidate(
    root: Path, home: Path, *, name: str = "acme", virtual_env: str = "", dependencies: bool = True
) -> Candidate:
    return find_interpreter(
        root,
        configured="",
        project_name=name,
        has_dependencies=dependencies,
        surroundings=Surroundings(home=home, own_python=OWN, virtual_env=virtual_env),
    )


def fake_python(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(OWN)
    return folder


def test_the_places_in_their_order(tmp_path: Path) -> None:
    root, home = tmp_path / "root", tmp_path / "home"
    root.mkdir()
    mark = base64.urlsafe_b64encode(hashlib.sha256(os.fsencode(root)).digest()).decode()[:8]
    hatch = home / ".local/share/hatch/env/virtual/acme" / mark
    found = []
    for folder in (
        hatch / "test",
        hatch / "acme",
        home / f".cache/pypoetry/virtualenvs/acme-{mark}-py3.11",
        tmp_path / "active",
        root / "venv",
        root / ".venv",
    ):
        fake_python(folder)
        found.append(candidate(root, home, virtual_env=str(tmp_path / "active")).because)

    assert found == [
        "hatch's environment test",
        "hatch's environment acme",
        f"poetry's environment acme-{mark}-py3.11",
        "the active environment (VIRTUAL_ENV)",
        "venv in the repository",
        ".venv in the repository",
    ]


def test_another_checkouts_environment_is_not_taken(tmp_path: Path) -> None:
    fake_python(tmp_path / "home/.cache/pypoetry/virtualenvs/acme-AAAAAAAA-py3.11")

    with pytest.raises(EnvironmentFault, match="no Python environment"):
        candidate(tmp_path, tmp_path / "home", virtual_env="relative/venv")


def test_what_the_environment_says_about_us() -> None:
    told = Surroundings.of({"HOME": "/home/u", "VIRTUAL_ENV": "/v"})

    assert (told.home, told.virtual_env, told.own_python.name) == (Path("/home/u"), "/v", OWN.name)
    assert Surroundings.of({}).home == Path("/nonexistent")


def ask(path: Path, root: Path, sandbox: Sandbox, home: Path = Path("/nonexistent")):  # type: ignore[no-untyped-def]
    return inspect(
        Candidate(path=path, because="asked"), root=root, home=home, sandbox=sandbox, cancel=Cancel()
    )


def test_a_venv_is_read_without_running_its_path_files(tmp_path: Path, sandbox: Sandbox) -> None:
    site = make_venv(tmp_path / ".venv", ())
    (site / "evil.pth").write_text("import os; os._exit(9)\n")
    (site / "sitecustomize.py").write_text("import os; os._exit(9)\n")

    found = ask(tmp_path / ".venv/bin/python", tmp_path, sandbox)

    assert found.version == sys.version_info[:3]
    assert (found.is_venv, found.prefix, found.site_dirs) == (True, tmp_path / ".venv", (site,))


def test_system_packages_of_a_venv_that_asks_for_them(tmp_path: Path, sandbox: Sandbox) -> None:
    site = make_venv(tmp_path / ".venv", ())
    config = tmp_path / ".venv/pyvenv.cfg"
    config.write_text(config.read_text() + "include-system-site-packages = true\n")

    found = ask(tmp_path / ".venv/bin/python", tmp_path, sandbox)

    assert found.site_dirs[0] == site
    assert found.site_dirs[1].is_relative_to(found.base_prefix)


def test_a_chain_of_links_is_shown_as_far_as_it_goes(tmp_path: Path, sandbox: Sandbox) -> None:
    """As uv lays it out: the environment points to a directory that is itself a link to the installation."""
    (tmp_path / "minor").symlink_to(Path(sys.base_prefix).resolve())
    (tmp_path / "single").mkdir()
    (tmp_path / "single/py").symlink_to(tmp_path / "minor/bin" / OWN.name)
    root = tmp_path / "root"
    make_venv(root / ".venv", ())
    (root / ".venv/bin/python").unlink()
    (root / ".venv/bin/python").symlink_to(tmp_path / "single/py")
    (root / ".venv/pyvenv.cfg").write_text(f"home = {tmp_path / 'minor/bin'}\n")

    found = ask(root / ".venv/bin/python", root, sandbox)

    assert found.version == sys.version_info[:3]
    assert {target for target, _ in found.shown} >= {tmp_path / "minor", tmp_path / "single/py"}


def test_an_installation_that_holds_the_home_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    (home / "bin/python").write_bytes(b"")

    with pytest.raises(EnvironmentFault, match="holds more than Python"):
        ask(home / "bin/python", tmp_path / "root", sandbox, home=home)


def test_what_is_no_python_says_so(tmp_path: Path, sandbox: Sandbox) -> None:
    root = tmp_path / "root"
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/pyvenv.cfg").write_text("home = /usr/bin\n")
    for program in ("false", "true"):
        link = root / ".venv/bin/python"
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/bin/{program}")
        with pytest.raises(EnvironmentFault, match="does not run in the sandbox"):
            ask(link, root, sandbox)


def test_what_is_installed(tmp_path: Path) -> None:
    site, source = tmp_path / "site", tmp_path / "repo/src"
    for folder in (
        site / "Plug_In-2.0.dist-info",
        site / "acme-1.dist-info",
        site / "pkg",
        source,
        site / "pkg2",
    ):
        folder.mkdir(parents=True)
    (site / "pkg/__init__.py").touch()
    (site / "mod.py").touch()
    (site / "fast.cpython-311-x86_64-linux-gnu.so").touch()
    (site / "Plug_In-2.0.dist-info/entry_points.txt").write_text(
        "[console_scripts]\nx = y\n[pytest11]\nCamel = pkg.plugin:x\n"
    )
    (site / "Plug_In-2.0.dist-info/RECORD").write_text("pkg/__init__.py,,\n")
    (site / "acme-1.dist-info/entry_points.txt").write_text("[pytest11]\nacme = acme.plugin\nCamel = again\n")
    (site / "acme-1.dist-info/direct_url.json").write_text(
        f'{{"url": "file://{tmp_path}/re%20po", "dir_info": {{"editable": true}}}}'
    )
    (site / "a.pth").write_text(f"# c\nimport evil\n\n{source}\nmissing\n")
    (site / "__editable___acme_1_finder.py").write_text(
        f"MAPPING: dict[str, str] = {{'acme': '{source}/acme'}}\nX = 1\n"
    )
    (site / "__editable___odd_1_finder.py").write_text("MAPPING = {f()}\n")

    found = read_installed((site, tmp_path / "nowhere"))

    assert [(one.name, one.version) for one in found.distributions] == [("plug-in", "2.0"), ("acme", "1")]
    assert found.find("acme").editable == tmp_path / "re po"  # type: ignore[union-attr]
    assert found.find("nothing") is None
    assert found.added_folders == (source,)
    assert found.top_level_names() >= {"pkg", "mod", "fast"}
    assert plugins(found) == (("Camel",), ("acme",))
    assert "pkg2" not in set(importable_names(site))


def test_a_plugin_that_needs_the_repository_waits_for_it(tmp_path: Path) -> None:
    """As pytest-mypy-plugins does in the repository of attrs: it needs jsonschema, and that needs attrs."""
    for name, required in {
        "attrs": "",
        "JSON_Schema": "Requires-Dist: attrs>=22\n",
        "plug": "Requires-Dist: json.schema[x] (>=1); python_version > '3'\nRequires-Dist: pytest\n",
        "other": "Requires-Dist: attrs; extra == 'tests'\nRequires-Dist: pytest\n\nRequires-Dist: attrs\n",
        "pytest": "Requires-Dist: attrs\n",
    }.items():
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\n{required}")
        (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = {name}_plugin\n")
        (tmp_path / f"{name}_plugin.py").touch()
    (tmp_path / "attrs-1.dist-info/direct_url.json").write_text(
        '{"url": "file:///attrs", "dir_info": {"editable": true}}'
    )

    found = read_installed((tmp_path,))

    assert plugins(found) == (("other", "pytest"), ("JSON_Schema", "attrs", "plug"))
    assert plugins(found, founded=True) == (("JSON_Schema", "other", "plug", "pytest"), ("attrs",))


@pytest.mark.parametrize(("editable", "lent"), [("pathspec", True), ("other", False)])
def test_a_project_that_mypy_is_built_on_is_checked_by_another_mypy(
    tmp_path: Path, editable: str, *, lent: bool
) -> None:
    """Its own would import the checkout it is to judge."""
    for name, required in {"mypy": "Requires-Dist: pathspec>=1\n", "pathspec": "", "other": ""}.items():
        info = tmp_path / f"{name}-9.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {name}\n{required}")
    (tmp_path / f"{editable}-9.0.dist-info/direct_url.json").write_text(
        '{"url": "file:///checkout", "dir_info": {"editable": true}}'
    )
    python = Interpreter(
        path=Path(sys.executable),
        because="",
        version=(3, 11, 0),
        implementation="cpython",
        prefix=tmp_path,
        base_prefix=tmp_path,
        is_venv=True,
        site_dirs=(tmp_path,),
        shown=(),
    )
    notes: list[str] = []

    tool = choose_mypy(python, read_installed((tmp_path,)), notes)

    assert tool is not None
    assert tool.lent == lent
    assert (
        "needs a package that is an editable checkout; dev-agent's own checks it" in "".join(notes)
    ) == lent


@pytest.mark.parametrize("text", ["[pytest11\n", "[other_pytest11]\n"])
def test_broken_entry_points_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "a-1.dist-info").mkdir()
    (tmp_path / "a-1.dist-info/entry_points.txt").write_text(text)
    (tmp_path / "a-1.dist-info/direct_url.json").write_text('{"url": "file:///x", "dir_info": {}}')

    found = read_installed((tmp_path,)).distributions[0]

    assert (found.plugins, found.editable) == ((), None)


def test_included_files_stay_inside_and_are_no_links(tmp_path: Path) -> None:
    (tmp_path / "root/data/deep").mkdir(parents=True)
    (tmp_path / "root/.git").mkdir()
    for name in (
        "root/data/a.txt",
        "root/data/deep/b.txt",
        "root/data/tracked.txt",
        "secret.txt",
        "root/.git/config",
    ):
        (tmp_path / name).write_text(name)
    (tmp_path / "root/data/link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "root/linked").symlink_to(tmp_path)
    notes: list[str] = []

    found = find_included(
        tmp_path / "root",
        ("data", "linked/*", "*/config", "**/b.txt"),
        tracked=frozenset({"data/tracked.txt"}),
        notes=notes,
    )

    assert [one.path.name for one in found] == ["a.txt", "b.txt"]
    assert notes == [
        f"include: {glob!r} names no untracked file" for glob in ("linked/*", "*/config", "**/b.txt")
    ]


def test_too_many_included_files_are_cut_and_said(tmp_path: Path) -> None:
    for number in range(502):
        (tmp_path / f"{number}.txt").touch()
    notes: list[str] = []

    assert len(find_included(tmp_path, ("*.txt",), tracked=frozenset(), notes=notes)) == 500
    assert "more than 500" in notes[0]


PATHS = (
    "acme/__init__.py",
    "acme/test/client.py",
    "tests/test_a.py",
    "tests/data/x.json",
    "tests/conftest.py",
    "a_test.py",
)
DEFAULT = ("test_*.py", "*_test.py")


def test_a_source_package_named_test_is_source() -> None:
    layout = TestLayout.of(PATHS, DEFAULT)

    assert not layout.is_test_side("acme/test/client.py")
    assert layout.is_test_file("a_test.py")
    assert layout.is_support("tests/data/x.json")
    assert layout.is_support("tests/conftest.py")
    assert not layout.is_test_file("tests/test_a.txt")


def test_a_broad_glob_makes_no_source_a_test() -> None:
    layout = TestLayout.of((*PATHS, "tests/check.py"), ("*.py", "test_*.py"))

    assert layout.is_test_file("tests/check.py")
    assert not layout.is_test_file("acme/__init__.py")


def test_a_changed_support_file_affects_the_tests_around_it() -> None:
    paths = (
        "tests/a/test_a.py",
        "tests/b/test_b.py",
        "tests/a/data/x.json",
        "conftest.py",
        "tests/test_c.py",
    )
    layout = TestLayout.of(paths, DEFAULT)

    assert layout.affected(["tests/a/data/x.json"], paths) == ("tests/a/test_a.py",)
    assert layout.affected(["conftest.py"], paths) == (
        "tests/a/test_a.py",
        "tests/b/test_b.py",
        "tests/test_c.py",
    )
    assert layout.affected(["tests/gone/test_x.py", "src/a.py"], paths) == ()
    assert TestLayout.of(["conftest.py"], DEFAULT).affected(["conftest.py"], ["conftest.py"]) == ()


def test_where_modules_come_from() -> None:
    paths = (
        "src/acme/__init__.py",
        "src/mod.py",
        "lib/__init__.py",
        "tools/x.py",
        "top.py",
        "no-name.py",
        "src/a/b/c.py",
    )

    assert import_roots(paths, ("./extra", ".")) == ("extra", "src", ".")
    assert own_names(paths, ["src"]) == {"acme", "mod"}
    assert own_names(paths, ["."]) == {"lib", "top"}


def test_what_mypy_checks_if_nobody_says() -> None:
    paths = (
        "src/acme/a.py",
        "pkg/__init__.py",
        "docs/__init__.py",
        "tests/test_a.py",
        "setup.py",
        "top.py",
        "scripts/x.py",
        "README.md",
        "-x.py",
    )

    assert type_targets(paths, TestLayout.of(paths, DEFAULT)) == ("pkg", "src", "top.py")
