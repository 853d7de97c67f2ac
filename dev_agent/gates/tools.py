"""Which mypy and which pytest serve: the project's own, else dev-agent's.

Own mypy checks any project (it never imports it). Own pytest has to run inside the project's interpreter, so
it is lent only to a Python that can run it, and only its pure-Python packages are shown.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

from dev_agent.gates.environment import Installed
from dev_agent.gates.interpreter import Interpreter
from dev_agent.values import dataclass

TRUSTED = Path("/opt/dev-agent")
"""Where a job sees what is dev-agent's own: outside of the repository and of every environment."""

# pytest needs `exceptiongroup` and `tomli` below this, which dev-agent's own environment does not have.
_LENT_PYTEST_NEEDS = (3, 11)
_LENT_PACKAGES = ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")
_OLDEST_MYPY = (1, 0)
_OLDEST_PYTEST = (6, 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool, where it imports from, and who runs it.

    `python` is the interpreter to run it with (the project's, unless the tool is lent and needs ours);
    `shown` are the (target, source) host paths it needs besides the project's, `site_dirs` as a job sees them.
    """

    name: str
    version: str
    lent: bool
    python: Path
    site_dirs: tuple[Path, ...]
    shown: tuple[tuple[Path, Path], ...] = ()

    @property
    def version_numbers(self) -> tuple[int, ...]:
        """The leading numbers of the version."""
        return _numbers(self.version)

    def describe(self) -> dict[str, Any]:
        """For people and for digests."""
        return {"version": self.version, "lent": self.lent}


def choose_mypy(interpreter: Interpreter, installed: Installed, notes: list[str]) -> Tool | None:
    """The project's mypy; dev-agent's own where it has none, or one that cannot be used.

    Such are one too old to understand, and one that is built on the project itself (pathspec, typing_extensions), which
    is installed there as an editable checkout: mypy runs on no module of a change, which could answer for it.
    """
    own = installed.find("mypy")
    built_on_it = own is not None and installed.needs_editable(own)
    if own is not None and own.editable is None and not built_on_it and _numbers(own.version) >= _OLDEST_MYPY:
        return Tool(
            name="mypy",
            version=own.version,
            lent=False,
            python=interpreter.path,
            site_dirs=interpreter.site_dirs,
        )
    why = "has no mypy" if own is None else f"has mypy {own.version}, which the gate cannot use"
    why = f"{why}: it needs a package that is an editable checkout" if built_on_it else why
    site = _home_of("mypy")
    if site is None:
        notes.append(f"the environment {why}, and dev-agent's own mypy was not found: install mypy in either")
        return None
    notes.append(f"the environment {why}; dev-agent's own checks it")
    base = Path(sys.base_prefix).resolve()
    return Tool(
        name="mypy",
        version=_version_of("mypy", site),
        lent=True,
        python=base / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}",
        site_dirs=(TRUSTED / "mypy",),
        shown=((TRUSTED / "mypy", site), *(() if base.is_relative_to("/usr") else ((base, base),))),
    )


def choose_pytest(interpreter: Interpreter, installed: Installed, notes: list[str]) -> Tool | None:
    """The project's pytest; dev-agent's own where it has none and its Python can run ours."""
    own = installed.find("pytest")
    if own is not None and own.editable is None and _numbers(own.version) >= _OLDEST_PYTEST:
        return Tool(
            name="pytest",
            version=own.version,
            lent=False,
            python=interpreter.path,
            site_dirs=interpreter.site_dirs,
        )
    why = "has no pytest" if own is None else f"has pytest {own.version}, which the gate cannot use"
    site = _home_of("pytest")
    if site is None or interpreter.version[:2] < _LENT_PYTEST_NEEDS or own is not None:
        notes.append(
            f"the environment {why}, and dev-agent's own needs Python "
            f"{'.'.join(map(str, _LENT_PYTEST_NEEDS))} (it has {interpreter.version_text}): install pytest there"
        )
        return None
    notes.append(f"the environment {why}; dev-agent lends its own, without plugins")
    return Tool(
        name="pytest",
        version=_version_of("pytest", site),
        lent=True,
        python=interpreter.path,
        site_dirs=(TRUSTED / "pytest",),
        shown=tuple((TRUSTED / "pytest" / one.name, one) for one in _lent_paths(site)),
    )


def _lent_paths(site: Path) -> list[Path]:
    """Our pytest and what it imports, with their metadata, which they ask for by name."""
    packages = [site / name for name in _LENT_PACKAGES if (site / name).exists()]
    return packages + [one for name in _LENT_PACKAGES for one in sorted(site.glob(f"{name}-*.dist-info"))]


def _home_of(name: str) -> Path | None:
    """The site directory our own copy of a package lies in. Finds it without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).resolve().parent.parent


def _version_of(name: str, site: Path) -> str:
    """The version of our own copy of a package, by the name of its metadata's folder."""
    found = [one.name for one in site.glob(f"{name}-*.dist-info")]
    if len(found) == 1:
        return found[0].removesuffix(".dist-info").removeprefix(f"{name}-")
    import importlib.metadata  # noqa: PLC0415 - slow, and of use only where it is installed in another way

    return importlib.metadata.version(name)


def _numbers(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
