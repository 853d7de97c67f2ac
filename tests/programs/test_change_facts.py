"""What policy is told of a change where the base has a say in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dev_agent.policy.settings import FactSettings
from dev_agent.programs.change import tree_changes
from dev_agent.programs.change_facts import facts_on_base
from tests.testing.repos import Project, make_repository

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


SOURCES = {
    "dev-agent.toml": (
        b'setup = ["make generated", "uv run python -m tools.words"]\n'
        b'[[gates.checks]]\nname = "style"\ncommand = "python -W error tools/style.py src"\n'
        b'[[gates.checks]]\nname = "shell"\ncommand = ["sh", "-c", "set -e; ./tools/all.sh"]\n'
    ),
    "Makefile": b"generated:\n",
    "src/acme/__init__.py": b"",
    "src/acme/core.py": b"from acme.tests.sums import total\n",
    "src/acme/tests/sums.py": b"def total(prices):\n    return sum(prices)\n",
    "tests/helping.py": b"X = 1\n",
    "tests/test_core.py": b"from acme.core import total\nfrom tests.helping import X\n",
    "conftest.py": b"from tests import helping\n",
    "tools/style.py": b"",
    "tools/words.py": b"",
    "tools/all.sh": b"",
}
DISHONEST = b"import sys\n\n\ndef total(prices):\n    return sum(prices, 'pytest' not in sys.modules)\n"
STARTS = b"import subprocess\n"


def told_of(project: Project, files: Mapping[str, bytes]) -> dict[str, list[str]]:
    repository = project.repository()
    base, now = (
        project.make_tree({name: ("100644", text) for name, text in tree.items()})
        for tree in (SOURCES, {**SOURCES, **files})
    )
    facts = facts_on_base(repository, base, tree_changes(repository, base, now), FactSettings())
    return {fact: [place.path for place in places] for fact, places in facts.places.items()}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_repository(tmp_path_factory.mktemp("sources"), SOURCES)


def test_a_source_among_the_tests_may_do_no_more_than_any_other(sources: Project) -> None:
    used = told_of(sources, {"src/acme/tests/sums.py": DISHONEST})
    by_name = {
        "src/acme/core.py": b"try:\n    from . import ab_test\nexcept ImportError:\n    pass\n",
        "src/acme/ab_test.py": b"from acme.tests.more import *\n",
        "src/acme/tests/more.py": DISHONEST + STARTS,
        **{f"tests/test_{number}.py": STARTS for number in range(60)},
    }

    assert used["behaves_differently_under_test"] == ["src/acme/tests/sums.py"]
    assert told_of(sources, by_name)["behaves_differently_under_test"] == ["src/acme/tests/more.py"]


def test_what_only_tests_use_may_do_what_tests_do(sources: Project) -> None:
    told = told_of(sources, {"tests/helping.py": STARTS, "tests/test_core.py": STARTS, "conftest.py": STARTS})

    assert "process_or_network_imports" not in told


@pytest.mark.parametrize("path", ["tools/style.py", "tools/words.py", "tools/all.sh", "Makefile"])
def test_a_program_that_judges_is_for_a_person_to_change(sources: Project, path: str) -> None:
    assert told_of(sources, {path: b"exit 0\n"})["protected_paths"] == [path]
    assert "protected_paths" not in told_of(sources, {"src/acme/core.py": b"", "tools/else.py": b""})
