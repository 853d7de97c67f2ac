"""A small real project in a real repository, and a driver that runs `apply` on it as the command line does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.programs.apply import apply
from dev_agent.programs.report import RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.resume import decide_approval, resume
from dev_agent.programs.undo import UndoRequest, undo
from dev_agent.repository.discovery import Repository, discover
from dev_agent.runtime.engine import Reporter
from tests.testing.repos import Project, make_repository

FILES: dict[str, bytes | tuple[str, bytes]] = {
    "pyproject.toml": b'[project]\nname = "shop"\nversion = "1"\n[tool.pytest.ini_options]\npythonpath = ["src"]\n',
    "src/shop/__init__.py": b"",
    "src/shop/cart.py": (
        b"def total(prices: list[int]) -> int:\n"
        b"    return sum(prices)\n"
        b"\n"
        b"\n"
        b"def count(prices: list[int]) -> int:\n"
        b"    return len(prices)\n"
    ),
    "src/shop/names.py": b'GREETING: str = "hello"\n',
    "tests/test_cart.py": (
        b"from shop.cart import count, total\n"
        b"\n"
        b"\n"
        b"def test_total() -> None:\n"
        b"    assert total([1, 2]) == 3\n"
        b"\n"
        b"\n"
        b"def test_count() -> None:\n"
        b"    assert count([1, 2]) == 2\n"
    ),
    "notes.txt": b"one\ntwo\nthree\n",
}

TESTS_ONLY = 'name = "tests-only"\nversion = 1\n[gates]\ntypes = "off"\n[on]\n'
"""A policy for scenarios that are not about types: cold type checking is most of a run's time here."""

NO_GATES = 'name = "no-gates"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[on]\n'
"""A policy for scenarios about transactions alone."""


def replacing(path: str, old: str, new: str) -> bytes:
    """A SEARCH/REPLACE proposal."""
    return f"{path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n".encode()


HARMLESS = replacing("notes.txt", "two\n", "2\n")
BETTER = replacing(
    "src/shop/cart.py", "    return sum(prices)\n", "    return sum(price for price in prices)\n"
)
BREAKS_A_TEST = replacing("src/shop/cart.py", "    return sum(prices)\n", "    return sum(prices) + 1\n")
BREAKS_TYPES = replacing("src/shop/names.py", 'GREETING: str = "hello"\n', "GREETING: str = 5\n")


@dataclass
class Shop:
    """The project with shortcuts for what a user does to it."""

    project: Project
    policies: Path
    cancel: Cancel = field(default_factory=Cancel)

    @property
    def root(self) -> Path:
        return self.project.root

    def repository(self) -> Repository:
        return discover(self.root, self.project.environ)

    def policy(self, text: str) -> str:
        path = self.policies / f"policy-{len(list(self.policies.iterdir()))}.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def apply(
        self, patch: bytes, *, policy: str | None = NO_GATES, reporter: Reporter | None = None, **more: object
    ) -> RunReport:
        request = ApplyRequest(
            task=str(more.pop("task", "Change something")),
            patch=patch,
            policy=self.policy(policy) if policy and "\n" in policy else policy,
            **more,  # type: ignore[arg-type]  # keywords of the request
        )
        return apply(
            self.repository(),
            request,
            environ=self.project.environ,
            reporter=reporter or Reporter(),
            cancel=self.cancel,
        )

    def resume(self, run: str) -> RunReport:
        return resume(
            self.repository(), run, environ=self.project.environ, reporter=Reporter(), cancel=Cancel()
        )

    def decide(self, run: str, *, approved: bool) -> RunReport:
        return decide_approval(
            self.repository(),
            run,
            approved=approved,
            reason="looked at it",
            actor="Rita Reviewer",
            environ=self.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
        )

    def undo(
        self,
        run: str,
        *,
        policy: str | None = NO_GATES,
        reporter: Reporter | None = None,
        dry_run: bool = False,
    ) -> RunReport:
        request = UndoRequest(
            run=run,
            actor="Rita Reviewer",
            dry_run=dry_run,
            policy=self.policy(policy) if policy and "\n" in policy else policy,
        )
        return undo(
            self.repository(),
            request,
            environ=self.project.environ,
            reporter=reporter or Reporter(),
            cancel=self.cancel,
        )

    def head(self) -> str:
        return self.project.git("rev-parse", "HEAD")

    def status(self) -> str:
        return self.project.git("status", "--porcelain", "--untracked-files=all")


class Watching(Reporter):
    """Calls a function when a state is entered."""

    def __init__(self, state: str, then: Callable[[], object], *, times: int = 1) -> None:
        self.state = state
        self.then = then
        self.left_to_do = times

    def entered(self, state: str, attempt: int) -> None:
        if state == self.state and self.left_to_do:
            self.left_to_do -= 1
            self.then()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    policies = tmp_path / "policies"
    policies.mkdir()
    return Shop(project=make_repository(tmp_path, FILES, name="shop"), policies=policies)
