"""The environment a project's gates judge in: interpreter, tools, what is shown, and its digest.

Made once per base tree. The tools are the project's own where it has them; what it lacks is lent by dev-agent,
and the notes say so. Nothing of the repository is run here.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dev_agent
from dev_agent.cancel import Cancel
from dev_agent.gates.cache import Cache, digest_of
from dev_agent.gates.config import GateConfig
from dev_agent.gates.environment import Installed, normalised, read_installed
from dev_agent.gates.included import Included, find_included
from dev_agent.gates.interpreter import Interpreter, Surroundings, find_interpreter, inspect
from dev_agent.gates.mypy_seed import users_cache
from dev_agent.gates.neighbours import Vicinity
from dev_agent.gates.subject import Trees
from dev_agent.gates.tool_config import read_mypy_config
from dev_agent.gates.tools import Tool, choose_mypy, choose_pytest
from dev_agent.python_text import READ_AS
from dev_agent.sandbox.sandbox import Sandbox
from dev_agent.values import dataclass

_DEPENDENCY_FILES = ("setup.py", "Pipfile", "poetry.lock", "environment.yml", "conda.yaml")
_RUNNER = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """Everything the gates need to know besides the trees.

    `shown` are (target, source) host paths every job sees read-only; `env` the settings' variables, PYTHONPATH
    made absolute; `digest` stands for all of it in cache keys. `mypy` or `pytest` is None where neither the
    project has the tool nor dev-agent can lend it; the notes on that tool say why. `own_mypy_cache` is where the
    user's own mypy keeps its cache, None if it is not to be copied from; `included` are the files of the work tree that
    the settings add to every tree. `vicinity` is the part of all that which can change while gates run, None where
    somebody else sees to it.
    """

    root: Path
    base_tree: str
    config: GateConfig
    interpreter: Interpreter
    installed: Installed
    mypy: Tool | None
    pytest: Tool | None
    shown: tuple[tuple[Path, Path], ...]
    env: Mapping[str, str]
    notes: tuple[str, ...]
    mypy_notes: tuple[str, ...]
    pytest_notes: tuple[str, ...]
    digest: str
    own_mypy_cache: Path | None = None
    included: tuple[Path, ...] = ()
    vicinity: Vicinity | None = None

    def is_as_it_was(self) -> bool:
        """False if what the digest stands for is not there any more: something was installed or written meanwhile."""
        return self.vicinity is None or self.vicinity.is_as_it_was()

    @property
    def pth_roots(self) -> tuple[str, ...]:
        """Directories inside the repository that the environment's `.pth` files add, relative to the root."""
        inside = [one for one in self.installed.added_folders if one.is_relative_to(self.root)]
        return tuple(one.relative_to(self.root).as_posix() for one in inside)

    def describe(self) -> dict[str, Any]:
        """For people: what was chosen and why, what is missing and what to do about it."""
        return {
            "interpreter": str(self.interpreter.path),
            "because": self.interpreter.because,
            "python": self.interpreter.version_text,
            "implementation": self.interpreter.implementation,
            "virtual_environment": self.interpreter.is_venv,
            "mypy": self.mypy.describe() if self.mypy else None,
            "pytest": self.pytest.describe() if self.pytest else None,
            "installed": len(self.installed.distributions),
            "editable": [one.name for one in self.installed.distributions if one.editable],
            "settings": self.config.source or None,
            "notes": [*self.notes, *self.mypy_notes, *self.pytest_notes],
            "digest": self.digest,
        }


def discover(  # noqa: PLR0913 - everything a project is made of comes together here
    root: Path,
    trees: Trees,
    base_tree: str,
    config: GateConfig,
    *,
    surroundings: Surroundings,
    sandbox: Sandbox,
    cancel: Cancel,
    cache: Cache | None = None,
    is_folder: Callable[[Path], bool] = Path.is_dir,
) -> Project:
    """The project in `root` as its base tree and its environment make it; `cache` spares asking Python again.

    `is_folder` is for `read_installed`.
    Raises UsageFault for wrong settings and EnvironmentFault if there is no usable interpreter.
    """
    root = root.resolve()
    metadata = _metadata(trees.read(base_tree, "pyproject.toml"))
    candidate = find_interpreter(
        root,
        configured=config.python,
        project_name=_project_name(metadata),
        has_dependencies=_has_dependencies(trees, base_tree, metadata),
        surroundings=surroundings,
    )
    interpreter = inspect(
        candidate, root=root, home=surroundings.home, sandbox=sandbox, cancel=cancel, cache=cache
    )
    installed = read_installed(interpreter.site_dirs, is_folder=is_folder)
    notes: list[str] = []
    mypy_notes: list[str] = []
    pytest_notes: list[str] = []
    mypy = choose_mypy(interpreter, installed, mypy_notes)
    pytest = choose_pytest(interpreter, installed, pytest_notes)
    tracked = frozenset(trees.paths(base_tree) if config.include else ())
    included = find_included(root, config.include, tracked=tracked, notes=notes)
    shown = dict(interpreter.shown)
    if interpreter.is_venv and interpreter.prefix.is_relative_to(root):
        shown[interpreter.prefix] = interpreter.prefix
    for folder in installed.added_folders:
        _show_added(folder, root, surroundings.home, interpreter, shown, notes)
    for name in config.read_only:
        _show_configured(Path(name), root, shown, notes)
    beside = [one for one in shown if one in {*installed.added_folders, *map(Path, config.read_only)}]
    vicinity = Vicinity.at(beside, interpreter.site_dirs, (one.path for one in included), notes)
    shown.update((one.path, one.path) for one in included)
    return Project(
        root=root,
        base_tree=base_tree,
        config=config,
        interpreter=interpreter,
        installed=installed,
        mypy=mypy,
        pytest=pytest,
        shown=tuple(sorted(shown.items())),
        env=_variables(config.env, root),
        notes=tuple(notes),
        mypy_notes=tuple(mypy_notes),
        pytest_notes=tuple(pytest_notes),
        digest=_digest(interpreter, installed, config, included, sandbox, mypy, pytest, vicinity.digest),
        own_mypy_cache=_own_mypy_cache(root, trees, base_tree, config, surroundings),
        included=tuple(one.path for one in included),
        vicinity=vicinity,
    )


def _own_mypy_cache(
    root: Path, trees: Trees, base_tree: str, config: GateConfig, surroundings: Surroundings
) -> Path | None:
    """Not in CI: what lies in a checkout there may have been restored from a run of the judged code itself."""
    if not config.types.seed or surroundings.in_ci:
        return None
    settings = read_mypy_config(lambda path: trees.read(base_tree, path))
    return users_cache(root, settings.cache_dir, surroundings.mypy_cache)


def _metadata(data: bytes | None) -> dict[str, Any]:
    try:
        return tomllib.loads((data or b"").decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}


def _project_name(metadata: Mapping[str, Any]) -> str:
    project = metadata.get("project", {})
    tool = metadata.get("tool", {})
    poetry = tool.get("poetry", {}) if isinstance(tool, dict) else {}
    for table in (project, poetry):
        if isinstance(table, dict) and isinstance(table.get("name"), str):
            return normalised(table["name"])
    return ""


def _has_dependencies(trees: Trees, base_tree: str, metadata: Mapping[str, Any]) -> bool:
    """True unless it is plain that the standard library is all the project uses."""
    project = metadata.get("project", {})
    tool = metadata.get("tool", {})
    if isinstance(project, dict) and (
        project.get("dependencies") or "dependencies" in project.get("dynamic", [])
    ):
        return True
    if isinstance(tool, dict) and "poetry" in tool:
        return True
    if any(trees.entry(base_tree, name) for name in _DEPENDENCY_FILES):
        return True
    return any(
        path.startswith("requirements") and path.endswith((".txt", ".in")) for path in trees.paths(base_tree)
    )


def _show_added(
    folder: Path,
    root: Path,
    home: Path,
    interpreter: Interpreter,
    shown: dict[Path, Path],
    notes: list[str],
) -> None:
    if folder.is_relative_to(root) or folder.is_relative_to(interpreter.prefix) or folder == Path("/"):
        return
    if root.is_relative_to(folder) or home.is_relative_to(folder):
        notes.append(f"a .pth file adds {folder}, which holds more than code: it is not shown to the gates")
    else:
        shown[folder] = folder


def _show_configured(path: Path, root: Path, shown: dict[Path, Path], notes: list[str]) -> None:
    if path.is_relative_to(root) or root.is_relative_to(path):
        notes.append(f"read_only: {path} overlaps the repository and is left out")
    elif not path.exists():
        notes.append(f"read_only: {path} does not exist")
    else:
        shown[path] = path


def _variables(env: Mapping[str, str], root: Path) -> dict[str, str]:
    made = dict(env)
    for name in ("PYTHONPATH", "MYPYPATH"):
        if name in made:
            made[name] = ":".join(str(root / one) for one in made[name].split(":") if one)
    return made


def _digest(
    interpreter: Interpreter,
    installed: Installed,
    config: GateConfig,
    included: Sequence[Included],
    sandbox: Sandbox,
    mypy: Tool | None,
    pytest: Tool | None,
    beside: str,
) -> str:
    runner = hashlib.sha256()
    for path in sorted((*_RUNNER.glob("*.py"), *(_RUNNER / "runner").glob("*.py"))):
        runner.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest_of(
        {
            "python": [*interpreter.version, interpreter.implementation, str(interpreter.path)],
            "distributions": [[one.name, one.version, one.digest] for one in installed.distributions],
            "path_files": [[str(one.path), one.digest] for one in installed.path_files],
            "config": repr(replace(config, cache_size=0)),  # what is kept decides nothing
            "included": [[str(one.path), one.digest] for one in included],
            "beside": beside,
            "sandbox": dict(sandbox.describe()),
            "tools": [tool.describe() if tool else None for tool in (mypy, pytest)],
            "dev_agent": [dev_agent.__version__, runner.hexdigest(), READ_AS],
        }
    )
