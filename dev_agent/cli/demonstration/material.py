"""Sets the stage of the demo: a copy of the example project as a git repository with its own environment.

Nothing is downloaded: the environment has no pip, and a `.pth` file makes the project importable as an
editable install would. mypy and pytest are lent by dev-agent, as to any project without them.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, GitFailed
from dev_agent.lab.state import clean_environment
from dev_agent.process import run
from dev_agent.values import dataclass

_PACKAGE = Path(__file__).resolve().parents[2]
_PLACES = (_PACKAGE / "_shipped" / "demo", _PACKAGE.parent / "examples" / "demo")
"""In an installed wheel, and in a source checkout."""

_CONFIG = {
    "user.name": "Demo User",
    "user.email": "demo@example.invalid",
    # The user's own settings must not decide how a demonstration goes.
    "commit.gpgSign": "false",
    "core.hooksPath": ".git/hooks",
    "core.autocrlf": "false",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where the demo happens: the repository `project`, and beside it the folder `patches`."""

    project: Path
    patches: Path
    git: str


def demo_material() -> Path:
    """The folder with `project` and `patches`. Raises EnvironmentFault if the installation lacks it."""
    for place in _PLACES:
        if (place / "project").is_dir():
            return place
    raise EnvironmentFault("this installation has no demo project", hint="install dev-agent again")


def set_up(material: Path, folder: Path, environ: Mapping[str, str], cancel: Cancel) -> Stage:
    """Copy the material into `folder` and make the project a repository with one commit and an environment.

    Writes into `folder` only; killed halfway, the folder is all there is to delete.
    """
    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        raise EnvironmentFault("git was not found on PATH", hint="install git 2.38 or newer")
    project = folder / "project"
    ignore = shutil.ignore_patterns("__pycache__", ".mypy_cache", ".pytest_cache", ".venv")
    shutil.copytree(material / "project", project, ignore=ignore)
    shutil.copytree(material / "patches", folder / "patches")
    stage = Stage(project=project, patches=folder / "patches", git=git)
    _make_environment(project, environ, cancel)
    _git(stage, environ, "init", "--quiet", "--template=", "--initial-branch=main")
    for key, value in _CONFIG.items():
        _git(stage, environ, "config", key, value)
    _git(stage, environ, "add", "--all")
    _git(stage, environ, "commit", "--quiet", "--no-verify", "--message", "Invoices with exact money")
    return stage


def _make_environment(project: Path, environ: Mapping[str, str], cancel: Cancel) -> None:
    target = project / ".venv"
    done = run(
        [sys.executable, "-m", "venv", "--without-pip", str(target)],
        cwd=project,
        env=clean_environment(environ),
        timeout_s=120,
        cancel=cancel,
    )
    if not done.ok:
        raise EnvironmentFault(
            f"no virtual environment could be made: {done.stderr.decode('utf-8', 'replace').strip()}",
            hint="Debian and Ubuntu: apt install python3-venv",
        )
    paths = {"base": str(target), "platbase": str(target)}
    libraries = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    (libraries / "invoices.pth").write_text(f"{project / 'src'}\n", encoding="utf-8")


def _git(stage: Stage, environ: Mapping[str, str], *args: str) -> None:
    done = run([stage.git, *args], cwd=stage.project, env=clean_environment(environ), timeout_s=60)
    if not done.ok:
        raise GitFailed(args, done.code, done.stderr.decode("utf-8", "replace"))
