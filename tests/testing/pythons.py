"""Which Python a test needs, and which others this machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

OWN = sys.version_info[:2]


def since(major: int, minor: int) -> pytest.MarkDecorator:
    """For what only this Python and later ones can parse."""
    reason = f"syntax of Python {major}.{minor}; this is {OWN[0]}.{OWN[1]}"
    return pytest.mark.skipif((major, minor) > OWN, reason=reason)


@cache
def others() -> dict[tuple[int, int], Path]:
    """The plain interpreters of other versions than our own, on PATH and where version managers keep them."""
    found: dict[tuple[int, int], Path] = {}
    for path in _named():
        done = subprocess.run(
            [path, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2], sys.base_prefix)"],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": os.environ.get("PATH", "")},
        )
        words = done.stdout.split(maxsplit=2)
        if done.returncode == 0 and len(words) == 3:
            version = int(words[0]), int(words[1])
            real = Path(words[2].strip()).resolve() / "bin" / f"python{version[0]}.{version[1]}"
            if version >= (3, 8) and version != OWN and real.is_file():
                found.setdefault(version, real)
    return found


def older(than: tuple[int, int] = OWN) -> tuple[tuple[int, int], Path]:
    """The newest other Python that is older than a version; skips the test where there is none."""
    return _or_skip({version: path for version, path in others().items() if version < than}, "older", than)


def newer() -> tuple[tuple[int, int], Path]:
    """The newest Python that is newer than ours; skips the test where there is none."""
    return _or_skip({version: path for version, path in others().items() if version > OWN}, "newer", OWN)


def bare_venv(folder: Path, version: tuple[int, int], python: Path) -> None:
    """A virtual environment of a Python, with nothing in it."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(python)
    (folder / "lib" / f"python{version[0]}.{version[1]}" / "site-packages").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {python.parent}\nversion = {version[0]}.{version[1]}.0\n")


def _or_skip(
    found: dict[tuple[int, int], Path], what: str, than: tuple[int, int]
) -> tuple[tuple[int, int], Path]:
    if not found:
        pytest.skip(f"no Python {what} than {than[0]}.{than[1]} on this machine")
    return max(found.items())


def _named() -> Iterator[Path]:
    home = Path(os.environ.get("HOME") or "/nonexistent")
    # Version managers keep one folder for each Python, and leave names on PATH that only print an error.
    managed = (
        Path(sys.base_prefix).resolve().parent,
        Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
        home / ".local" / "share" / "uv" / "python",
        Path("/opt/hostedtoolcache/Python"),
    )
    for minor in range(8, 20):
        name = f"python3.{minor}"
        on_path = shutil.which(name)
        if on_path:
            yield Path(on_path)
        for folder in dict.fromkeys(managed):
            yield from sorted(folder.glob(f"*3.{minor}[.-]*/bin/{name}"))
            yield from sorted(folder.glob(f"3.{minor}.*/*/bin/{name}"))
