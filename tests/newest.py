"""Runs a short part of the suite under the newest supported Python of this machine, if that is newer than this one.

    python -m tests.newest UV [PYTEST ARGUMENT ...]

Supported is what the classifiers of pyproject.toml say. The environment for it is made by uv, from the lock, in
.venv/newest. Where there is no such Python this says so and ends with 0: nothing was shown, and nothing is claimed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.testing.pythons import OWN, others

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / ".venv" / "newest"


def supported() -> set[tuple[int, int]]:
    """The versions that the package's classifiers name."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    found = (re.fullmatch(r"Programming Language :: Python :: (\d+)\.(\d+)", one) for one in classifiers)
    return {(int(one[1]), int(one[2])) for one in found if one}


def main(uv: str, *arguments: str) -> int:
    """Make the environment and run pytest in it; the exit status is uv's or pytest's, 0 if there is no such Python."""
    known = {version: path for version, path in others().items() if version in supported() and version > OWN}
    if not known:
        newer = ", ".join(f"{major}.{minor}" for major, minor in sorted(supported()) if (major, minor) > OWN)
        sys.stdout.write(
            f"left out: this is Python {OWN[0]}.{OWN[1]}, and "
            + (
                f"no newer one ({newer}) was found on this machine\n"
                if newer
                else "no newer one is supported\n"
            )
        )
        return 0
    version, python = max(known.items())
    sys.stdout.write(f"Python {version[0]}.{version[1]}: {python}\n")
    sys.stdout.flush()
    settings = {
        "UV_PROJECT_ENVIRONMENT": str(PLACE),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
    }
    sync = [uv, "sync", "--frozen", "--quiet", "--no-default-groups", "--group", "test"]
    made = subprocess.run(
        [*sync, "--python", str(python)], cwd=ROOT, env={**os.environ, **settings}, check=False
    )
    if made.returncode != 0:
        return made.returncode  # uv has said why
    tests = [str(PLACE / "bin" / "python"), "-m", "pytest", *arguments]
    return subprocess.run(tests, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
