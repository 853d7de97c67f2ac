"""What the rows work with: a private folder, an environment of its own, projects made for measuring."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev_agent.repository.discovery import Repository, discover

SOURCE = Path(__file__).resolve().parent.parent
_PER_FOLDER = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """`folder` is private and removed afterwards; `rounds` is how many pairs a row measures."""

    folder: Path
    rounds: int
    quick: bool
    large: bool
    project: Path | None
    environ: Mapping[str, str]

    def run(
        self, *argv: str, cwd: Path, allowed: tuple[int, ...] = (0,), **environ: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end. Raises RuntimeError with what it said if it fails: no row is made of that."""
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**self.environ, **environ},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode not in allowed:
            said = (done.stderr or done.stdout).decode("utf-8", "replace")[-2000:]
            raise RuntimeError(f"{' '.join(argv)} ended with status {done.returncode}: {said}")
        return done

    def agent(
        self, *argv: str, cwd: Path, allowed: tuple[int, ...] = (0,)
    ) -> subprocess.CompletedProcess[bytes]:
        """Run this program, from this source tree."""
        return self.run(
            sys.executable, "-m", "dev_agent", *argv, cwd=cwd, allowed=allowed, PYTHONPATH=str(SOURCE)
        )

    def git(self, cwd: Path, *argv: str) -> str:
        """Run git."""
        return self.run("git", *argv, cwd=cwd).stdout.decode().strip()

    def repository(self, root: Path) -> Repository:
        """A repository as this program sees it."""
        return discover(root, self.environ)

    def committed(self, root: Path) -> Path:
        """Make `root`, which holds files, a repository with one commit of them."""
        self.git(root, "init", "-q", "-b", "main")
        self.git(root, "add", "-A")
        self.git(root, "commit", "-q", "-m", "base")
        return root

    def of_files(self, count: int) -> Path:
        """A repository of `count` small files; made once."""
        root = self.folder / f"files-{count}"
        if root.exists():
            return root
        for number in range(count):
            path = root / file_name(number)
            if number % _PER_FOLDER == 0:
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {number}\n" + f"value_{number} = {number}\n" * 12)
        return self.committed(root)


def file_name(number: int) -> str:
    """The path of a file of `of_files`: twenty folders of folders, fifty files in each."""
    folder = number // _PER_FOLDER
    return f"pkg_{folder % 20}/sub_{folder // 20}/module_{number}.py"


def environment(folder: Path) -> dict[str, str]:
    """A private home, the caller's PATH, and the environment of the Python that measures."""
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = B\n\temail = b@example.org\n[gc]\n\tauto = 0\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
        "VIRTUAL_ENV": sys.prefix,
    }
