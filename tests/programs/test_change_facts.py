"""What policy is told of a change where the base has a say in it."""

from __future__ import annotations

from pathlib import Path

from dev_agent.policy.settings import FactSettings
from dev_agent.programs.change import tree_changes
from dev_agent.programs.change_facts import facts_on_base
from tests.testing.repos import make_repository

PACKAGE = {"src/packaging/__init__.py": b"", "coverage/report.txt": b"90 %\n"}


def test_in_the_repository_of_a_testing_module_its_own_files_hide_nobody(tmp_path: Path) -> None:
    project = make_repository(tmp_path, PACKAGE)
    repository = project.repository()

    def told(path: str) -> list[str]:
        base, now = (
            project.make_tree({name: ("100644", text) for name, text in files.items()})
            for files in (PACKAGE, {**PACKAGE, path: b"x = 1\n"})
        )
        facts = facts_on_base(repository, base, tree_changes(repository, base, now), FactSettings())
        return [place.path for place in facts.places.get("shadowing_modules", ())]

    assert told("src/packaging/_new.py") == []
    # A folder of that name that is no package is not the project's module.
    for path in (
        "coverage/__init__.py",
        "packaging/__init__.py",
        "src/pluggy/__init__.py",
        "src/packaging.py",
    ):
        assert told(path) == [path]
