"""The pieces of work of a trial, each with what has to come of it whoever judges: candidates, a queue, a campaign.

A piece can be begun, gone on with after its process was killed, put back to where it was, and asked what came of it.
What has to come of it is known from how it was made, and is found again by judging locally.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from benchmarks.trial.projects import PROJECTS, git
from tests.testing.scripted_model import edits, plan

Facts = Mapping[str, object]
Ask = Any
"""`dev-agent` with these words in this repository: its one JSON object."""


class Piece(Protocol):
    """See the module."""

    name: str
    repositories: Sequence[Path]
    expected: Facts
    exit_code: int

    def make_ready(self) -> None:
        """What has to be there before it begins, in repositories that were put back."""

    def begin(self) -> tuple[str, ...]:
        """The words after `dev-agent`."""

    def go_on(self) -> tuple[str, ...]:
        """The words that go on with it."""

    def facts(self, ended: Mapping[str, Any], ask: Ask, /) -> Facts:
        """What came of it, from what it printed and from what its runs say."""

    def runs(self, ended: Mapping[str, Any]) -> Sequence[tuple[Path, str]]:
        """The runs that it says its results rest on."""


def put_back(repository: Path) -> None:
    """To the commit it was made with; nothing is remembered of what was judged."""
    base = (repository / ".venv" / ".ready").read_text()
    git(repository, "checkout", "-q", "-f", "main")
    git(repository, "reset", "-q", "--hard", base)
    for name in git(repository, "for-each-ref", "--format=%(refname)", "refs/heads/").splitlines():
        if name != "refs/heads/main":
            git(repository, "update-ref", "-d", name)
    shutil.rmtree(repository / ".git" / "dev-agent" / "cache", ignore_errors=True)


@dataclass
class Candidates:
    """Four answers of a scripted model: two good, one with a failing test, one that does not fit the files."""

    repository: Path
    name: str = "candidates"
    exit_code: int = 0
    task: str = "Say what a trial is"

    def __post_init__(self) -> None:
        self.repositories: Sequence[Path] = (self.repository,)
        self.expected: Facts = {"outcome": "committed", "standings": ["green", "green", "red", "unresolved"]}

    def make_ready(self) -> None:
        """Nothing."""

    def script(self) -> list[dict[str, Any]]:
        """What the model answers, in the order of its being asked; enough for two runs that are begun anew."""
        question = f"q-{sha256(self.task.encode()).hexdigest()[:8]}"
        module, test = "src/cachetools/trial.py", "tests/test_trial.py"
        good = 'def trial() -> str:\n    """What it is."""\n    return "a trial"\n'
        says = (
            'from cachetools.trial import trial\n\n\ndef test_trial() -> None:\n    assert trial() == "{}"\n'
        )
        answers = [
            plan(module, tests_to_add=[test], summary="Say what a trial is"),
            edits(_creating(module, good), _creating(test, says.format("a trial"))),
            edits(_creating(module, good), _creating(test, says.format("an error"))),
            edits(
                _creating(module, good.replace('"a trial"', '" ".join(["a", "trial"])')),
                _creating(test, says.format("a trial")),
            ),
            edits({"op": "replace", "path": "src/cachetools/keys.py", "old": "nowhere\n", "new": "here\n"}),
        ]
        return [{"do": "answer", "content": {"question": question, **one}} for one in answers]

    def begin(self) -> tuple[str, ...]:
        """With a model that is set up by the environment."""
        return "apply", self.task, "--candidates", "4", "--json", "-C", str(self.repository)

    def go_on(self) -> tuple[str, ...]:
        """The run that was interrupted."""
        return "resume", "last", "--json", "-C", str(self.repository)

    def facts(self, ended: Mapping[str, Any], ask: Ask) -> Facts:
        """How it ended, and how each answer stood."""
        told = ask(self.repository, "show", str(ended["run"]), "--json")
        return {
            "outcome": ended["outcome"],
            "standings": sorted(one["standing"] for one in told["candidates"]),
        }

    def runs(self, ended: Mapping[str, Any]) -> Sequence[tuple[Path, str]]:
        """The one."""
        return [(self.repository, str(ended["run"]))]


@dataclass
class Queue:
    """Ten branches: most are good, some bring a failing test, two do not merge with one another."""

    repository: Path
    name: str = "queue"
    exit_code: int = 1
    failing: frozenset[int] = frozenset({3, 8})
    clash: tuple[int, int] = (5, 6)
    count: int = 10

    def __post_init__(self) -> None:
        self.repositories: Sequence[Path] = (self.repository,)
        out = self.failing | {self.clash[1]}
        self.expected: Facts = {
            f"head-{number}": "ejected" if number in out else "landed" for number in range(self.count)
        }

    def make_ready(self) -> None:
        """The branches, from main; HEAD is back on main."""
        for number in range(self.count):
            git(self.repository, "checkout", "-q", "-b", f"head-{number}", "main")
            told = "False" if number in self.failing else "True"
            test = self.repository / "testing" / f"test_trial_{number}.py"
            test.write_text(f"def test_trial_{number}() -> None:\n    assert {told}\n")
            if number in self.clash:
                (self.repository / "TRIAL").write_text(f"head {number}\n")
            git(self.repository, "add", "-A")
            git(self.repository, "commit", "-q", "-m", f"head {number}")
        git(self.repository, "checkout", "-q", "main")

    def begin(self) -> tuple[str, ...]:
        """Batches of two, so that halving is tried as well."""
        heads = [f"head-{number}" for number in range(self.count)]
        return "queue", *heads, "--max-batch", "2", "--json", "-C", str(self.repository)

    def go_on(self) -> tuple[str, ...]:
        """The queue that was left unfinished."""
        return "queue", "--resume", "--json", "-C", str(self.repository)

    def facts(self, ended: Mapping[str, Any], _ask: Ask) -> Facts:
        """Fates; and that what landed is on main once each, and nothing else is."""
        heads = ended["heads"]
        fates = {one["name"]: one["fate"] for one in heads}
        if len(fates) != len(heads):
            raise AssertionError("a head of the queue was decided twice")
        base = (self.repository / ".venv" / ".ready").read_text()
        own = git(self.repository, "rev-list", "--first-parent", f"{base}..main").split()
        landed = {one["commit"] for one in heads if one["fate"] == "landed"}
        if set(own) != landed:
            raise AssertionError(
                f"main has the commits {own}, and the queue says that {sorted(landed)} landed"
            )
        files = git(self.repository, "ls-tree", "-r", "--name-only", "main", "--", "testing").split()
        held = {name for name in fates if f"testing/test_trial_{name.removeprefix('head-')}.py" in files}
        if held != {name for name, fate in fates.items() if fate == "landed"}:
            raise AssertionError(f"main holds {sorted(held)}, and the queue says {fates}")
        return fates

    def runs(self, ended: Mapping[str, Any]) -> Sequence[tuple[Path, str]]:
        """Those that judged what landed, and those that judged what was put out last."""
        return [
            (self.repository, run)
            for run in sorted({str(one["run"]) for one in ended["heads"] if one["run"]})
        ]


CHANGE = """
import pathlib
word, module = pathlib.Path("TRIAL").read_text().split()
path = pathlib.Path(module)
more = "# seen by a fleet" if word == "good" else "raise RuntimeError('broken by the trial')"
path.write_text(path.read_text() + chr(10) + more + chr(10))
"""
"""What the campaign's command does in each project."""


@dataclass
class Campaign:
    """One command for every project; in some of them it breaks the package."""

    projects: Mapping[str, Path]
    listed: Path
    name: str = "campaign"
    exit_code: int = 1

    def __post_init__(self) -> None:
        self.repositories: Sequence[Path] = tuple(self.projects.values())
        self.expected: Facts = {one.name: ["landed"] if one.good else ["rejected"] for one in PROJECTS}
        self.listed.write_text("".join(f"{path}\n" for path in self.repositories))

    def make_ready(self) -> None:
        """Nothing."""

    def begin(self) -> tuple[str, ...]:
        """Two repositories at a time."""
        words = ("--repos", str(self.listed), "--jobs", "2", "--json")
        return "campaign", "Be seen by a fleet", *words, "--", "python3", "-c", CHANGE

    def go_on(self) -> tuple[str, ...]:
        """The last campaign."""
        return "campaign", "--resume", "--json"

    def facts(self, ended: Mapping[str, Any], _ask: Ask) -> Facts:
        """Fates, and that each branch has the one commit its row names."""
        found: dict[str, object] = {}
        names = {str(path): name for name, path in self.projects.items()}
        for row in ended["repositories"]:
            place = Path(row["folder"])
            name = names[str(place)]
            if name in found:
                raise AssertionError(f"{name} has two rows")
            found[name] = [row["fate"]]
            if row["fate"] == "landed":
                base = (place / ".venv" / ".ready").read_text()
                own = git(place, "rev-list", f"{base}..refs/heads/{row['branch']}").split()
                if own != [row["commit"]]:
                    raise AssertionError(f"{name}: the branch has {own}, the row says {row['commit']}")
        return found

    def runs(self, ended: Mapping[str, Any]) -> Sequence[tuple[Path, str]]:
        """One a repository."""
        return [(Path(row["folder"]), str(row["run"])) for row in ended["repositories"] if row["run"]]


def read_end(out: Path) -> Mapping[str, Any]:
    """The one object on stdout of the last command that wrote there. Raises AssertionError if it is none."""
    text = out.read_text("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except ValueError:
        raise AssertionError(f"stdout is not one JSON object: {text[-300:]!r}") from None
    if not isinstance(value, dict):
        raise AssertionError(f"stdout is no JSON object: {text[-300:]!r}")  # noqa: TRY004 - a claim, not a type
    return value


def _creating(path: str, text: str) -> dict[str, str]:
    return {"op": "create", "path": path, "new": text}
