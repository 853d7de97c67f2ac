"""Where attacks happen: a folder of their own with a small typed project as a real git repository, and its owner.

Nothing outside the folder is written. The owner's git sees no configuration but the one in the folder.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, GitFailed
from dev_agent.lab.state import UserState, user_state
from dev_agent.process import run
from dev_agent.programs.apply import apply
from dev_agent.programs.folders import RunFolder, find_run
from dev_agent.programs.report import RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.resume import decide_approval, resume
from dev_agent.repository.discovery import Repository, discover
from dev_agent.runtime.engine import Reporter
from dev_agent.values import dataclass

FILES: Mapping[str, bytes] = {
    "pyproject.toml": (
        b'[project]\nname = "till"\nversion = "1"\n[tool.mypy]\nstrict = true\nfiles = ["till.py"]\n'
        b'[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n'
    ),
    "till.py": (
        b'"""A till."""\n\n\ndef total(prices: list[int]) -> int:\n    """The sum."""\n    return sum(prices)\n'
    ),
    "tests/test_till.py": (
        b"from till import total\n\n\ndef test_the_sum_of_two() -> None:\n    assert total([1, 2]) == 3\n"
        b"\n\ndef test_nothing_costs_nothing() -> None:\n    assert total([]) == 0\n"
    ),
    "notes.txt": b"one\ntwo\nthree\n",
    ".gitignore": b"ignored/\n",
}
TESTS_JUDGE = 'name = "tests-judge"\nversion = 1\n[gates]\ntypes = "off"\n'
"""The default policy without the type checker, whose start is most of a small run's time."""

LANDS_ANYTHING = 'name = "lands-anything"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n'
"""For attacks on the transaction alone."""


def replacing(path: str, old: str, new: str) -> bytes:
    """A SEARCH/REPLACE proposal."""
    return f"{path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n".encode()


HARMLESS = replacing("notes.txt", "two\n", "2\n")


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A scratch folder and what the owner of the project in it does."""

    folder: Path
    git: str
    environ: Mapping[str, str] = field(repr=False)
    cancel: Cancel = field(default_factory=Cancel)

    @property
    def root(self) -> Path:
        """The project's work tree."""
        return self.folder / "till"

    def build(self) -> Ground:
        """Make the project, with one commit. Called once."""
        for path, content in FILES.items():
            self.write(path, content)
        self.do("init", "--quiet", "--template=", "--initial-branch=main")
        self.do("add", "--all")
        self.do("commit", "--quiet", "--message", "A till")
        return self

    def write(self, path: str, content: bytes) -> Path:
        """Put a file into the work tree."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return place

    def do(self, *args: str) -> str:
        """What git says to `args`. Raises GitFailed."""
        done = run([self.git, *args], cwd=self.root, env=self.environ, timeout_s=60)
        if not done.ok:
            raise GitFailed(args, done.code, done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "surrogateescape").rstrip("\n")

    def state(self) -> UserState:
        """What the owner has now, seen from outside."""
        return user_state(self.root, self.git, self.environ)

    def repository(self) -> Repository:
        """The repository, as every command finds it."""
        return discover(self.root, self.environ)

    def apply(
        self,
        patch: bytes,
        *,
        policy: str = TESTS_JUDGE,
        task: str = "Improve the till",
        reporter: Reporter | None = None,
    ) -> RunReport:
        """One `dev-agent apply`, in this process. `policy` is a text."""
        request = ApplyRequest(task=task, patch=patch, policy=str(self.policy(policy)))
        return apply(
            self.repository(),
            request,
            environ=self.environ,
            reporter=reporter or Reporter(),
            cancel=self.cancel,
        )

    def policy(self, text: str) -> Path:
        """The text as a file outside of the project."""
        place = self.folder / f"policy-{hashlib.sha256(text.encode()).hexdigest()[:8]}.toml"
        place.write_text(text, encoding="utf-8")
        return place

    def resume(self, run_id: str) -> RunReport:
        """One `dev-agent resume`."""
        return resume(
            self.repository(), run_id, environ=self.environ, reporter=Reporter(), cancel=self.cancel
        )

    def decide(self, run_id: str, *, approved: bool) -> RunReport:
        """One `dev-agent approve` or `reject`."""
        return decide_approval(
            self.repository(),
            run_id,
            approved=approved,
            reason="looked at it",
            actor="Rita Reviewer",
            environ=self.environ,
            reporter=Reporter(),
            cancel=self.cancel,
        )

    def run_folder(self, run_id: str) -> RunFolder:
        """The folder of a run."""
        return find_run(self.repository(), run_id)


def prepared(folder: Path, environ: Mapping[str, str]) -> Ground:
    """A ground in an empty folder. Raises EnvironmentFault without git, GitFailed."""
    git = shutil.which("git", path=environ.get("PATH"))
    if git is None:
        raise EnvironmentFault("git was not found on PATH", hint="install git 2.38 or newer")
    home = folder / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Otto Owner\n\temail = otto@example.invalid\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )
    own = {
        "PATH": environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "LC_ALL": "C",
    }
    return Ground(folder=folder, git=git, environ=own).build()
