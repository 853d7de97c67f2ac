"""Small real projects in real repositories, judged by real tools in a real sandbox."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import mypy
import pytest

from dev_agent.cancel import Cancel
from dev_agent.gates.config import read_config
from dev_agent.gates.gates import Gates
from dev_agent.gates.interpreter import Surroundings
from dev_agent.gates.subject import Subject
from dev_agent.gates.verdict import Verdict
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.profile import load_profile, shipped
from dev_agent.sandbox.sandbox import Sandbox
from tests.testing.repos import Project, make_repository

OWN_SITE = Path(pytest.__file__).parent.parent
PYTEST = ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")
MYPY = ("mypy", "mypyc", "mypy_extensions.py", "typing_extensions.py", "pathspec", "librt", "ast_serialize")

CALC = """\
def add(left: int, right: int) -> int:
    return left + right


def halve(number: int) -> int:
    return number // 2
"""
BROKEN = CALC.replace("left + right", "left - right")
TEST_CALC = """\
from acme.calc import add, halve


def test_add() -> None:
    assert add(2, 3) == 5


def test_halve() -> None:
    assert halve(8) == 4
"""
SRC_LAYOUT = {
    "pyproject.toml": '[project]\nname = "acme"\nversion = "1"\ndependencies = []\n',
    "src/acme/__init__.py": "",
    "src/acme/calc.py": CALC,
    "tests/test_calc.py": TEST_CALC,
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a policy says about gates."""

    types: str = "delta"
    tests: str = "delta"
    flaky: str = "allow"
    no_tests: str = "deny"
    no_types: str = "allow"
    changed_tests: str = "allow"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A project with a base, and everything to judge changes of it."""

    project: Project
    base: Mapping[str, str]
    base_tree: str
    sandbox: Sandbox
    cache: Path
    home: Path
    virtual_env: str = ""
    rules: Rules = field(default_factory=Rules)
    must_pass: tuple[str, ...] = ()
    in_ci: bool = False

    def gates(self) -> Gates:
        """The gates as a run would bind them."""
        trees = RepositoryTrees(self.project.repository())
        own = Path(sys.base_prefix).resolve() / "bin" / f"python3.{sys.version_info.minor}"
        return Gates.prepare(
            self.project.root,
            trees,
            self.base_tree,
            read_config(trees, self.base_tree),
            policy=self.rules,
            sandbox=self.sandbox,
            cache=self.cache,
            surroundings=Surroundings(
                home=self.home, own_python=own, virtual_env=self.virtual_env, in_ci=self.in_ci
            ),
            cancel=Cancel(),
            must_pass=self.must_pass,
        )

    def change(self, files: Mapping[str, str | None]) -> Subject:
        """A staged tree: the base with some files written, or removed for None."""
        now = {path: text for path, text in {**self.base, **files}.items() if text is not None}
        return Subject(
            base_tree=self.base_tree, tree=tree_of(self.project, now), changed=tuple(sorted(files))
        )

    def tests(self, files: Mapping[str, str | None], **rules: str) -> Verdict:
        """The tests gate's verdict on a change."""
        return self.ruled(**rules).gates().judge_tests(self.change(files), Cancel())

    def types(self, files: Mapping[str, str | None], **rules: str) -> Verdict:
        """The types gate's verdict on a change."""
        return self.ruled(**rules).gates().judge_types(self.change(files), Cancel())

    def ruled(self, **rules: str) -> Sample:
        """The same under other rules."""
        return replace(self, rules=replace(self.rules, **rules))


def tree_of(project: Project, files: Mapping[str, str]) -> str:
    """Store a tree without touching the work tree."""
    return project.make_tree({path: ("100644", text.encode()) for path, text in files.items()})


def make_sandbox(folder: Path) -> Sandbox:
    """The best confinement of this machine."""
    scratch = folder / "scratch"
    scratch.mkdir(mode=0o700, exist_ok=True)
    return choose("auto", load_profile(shipped("default")), scratch_root=scratch)


def make_sample(
    folder: Path, files: Mapping[str, str], sandbox: Sandbox, *, venv: Sequence[str] | None = PYTEST
) -> Sample:
    """A repository with `files` committed and checked out, and a `.venv` holding copies of some packages."""
    folder.mkdir(exist_ok=True)
    ignored = {".gitignore": ".venv\n", **files}
    project = make_repository(folder / "work", {path: text.encode() for path, text in ignored.items()})
    if venv is not None:
        make_venv(project.root / ".venv", venv)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return Sample(
        project=project,
        base=ignored,
        base_tree=tree_of(project, ignored),
        sandbox=sandbox,
        cache=project.git_dir / "dev-agent" / "cache",
        home=home,
    )


def make_venv(folder: Path, packages: Sequence[str]) -> Path:
    """A virtual environment with copies of packages of our own; returns its site-packages."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    real = Path(sys.base_prefix).resolve() / "bin" / f"python{version}"
    site = folder / "lib" / f"python{version}" / "site-packages"
    site.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(real)
    (folder / "pyvenv.cfg").write_text(f"home = {real.parent}\nversion = {version}.0\n")
    for name in packages:
        add_package(site, name)
    return site


def add_package(site: Path, name: str) -> None:
    """Copy one of our own packages, its compiled parts and its metadata, by hard links where possible."""
    source = OWN_SITE / name
    plain = name.removesuffix(".py")
    if source.is_dir():
        # With what is compiled: no run of any test has to do that again.
        shutil.copytree(source, site / name, copy_function=_link)
    else:
        _link(str(source), str(site / name))
    for info in OWN_SITE.glob(f"{plain}-*.dist-info"):
        shutil.copytree(info, site / info.name, copy_function=_link, dirs_exist_ok=True)
    if name == "mypy":
        for compiled in Path(mypy.__file__).parent.parent.glob("*__mypyc*.so"):
            _link(str(compiled), str(site / compiled.name))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def write_editable(sample: Sample, folder: str = "src") -> None:
    """An editable install as pip makes it: a path file, and metadata that points at the checkout."""
    site = next((sample.project.root / ".venv" / "lib").glob("python*/site-packages"))
    (site / "_acme.pth").write_text(f"{sample.project.root / folder}\n")
    info = site / "acme-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (info / "direct_url.json").write_text(
        f'{{"url": "file://{sample.project.root}", "dir_info": {{"editable": true}}}}'
    )
