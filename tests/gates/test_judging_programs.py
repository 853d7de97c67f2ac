"""Which files of the repository the settings' own commands run, however the command is written."""

from __future__ import annotations

import pytest

from dev_agent.gates.config import CheckConfig, GateConfig
from dev_agent.gates.judging_programs import judging_programs

THERE = frozenset(
    {"tools/check.py", "tools/check/__main__.py", "src/acme/style.py", "tools/all.sh", "Makefile"}
)


def told(*command: str) -> set[str]:
    config = GateConfig(checks=(CheckConfig(name="style", command=command),))
    return set(judging_programs(config, THERE.__contains__))


@pytest.mark.parametrize(
    ("command", "files"),
    [
        ("tools/all.sh --fast", {"tools/all.sh"}),
        ("./tools/all.sh", {"tools/all.sh"}),
        ("make lint", {"Makefile"}),
        ("python tools/check.py src/acme/style.py", {"tools/check.py"}),
        ("python3.12 -I -W error tools/check.py", {"tools/check.py"}),
        ("python -Werror tools/check.py", {"tools/check.py"}),
        ("python -m tools.check", {"tools/check.py", "tools/check/__main__.py"}),
        ("python -Im acme.style", {"src/acme/style.py"}),
        ("python -mtools.check", {"tools/check.py", "tools/check/__main__.py"}),
        ("python -Bc tools/check.py", {"tools/check.py"}),
        ("uv run python tools/check.py", {"tools/check.py"}),
        ("env LANG=C python tools/check.py", {"tools/check.py"}),
        ("sh -c tools/all.sh", {"tools/all.sh"}),
        ("bash -lc tools/all.sh", {"tools/all.sh"}),
        ("bash -euo pipefail -c tools/all.sh", {"tools/all.sh"}),
        ("bash -euo pipefail tools/all.sh tools/check.py", {"tools/all.sh"}),
        ("bash --norc -e tools/all.sh", {"tools/all.sh"}),
        ("bash -c", set()),
        ("node -r ./tools/check.py tools/all.sh", {"tools/all.sh"}),
        ("ruff check tools/check.py", set()),
    ],
)
def test_a_file_of_the_repository_that_a_command_runs_is_known(command: str, files: set[str]) -> None:
    assert told(*command.split()) == files


def test_the_words_of_a_shell_are_looked_at_one_by_one() -> None:
    assert told("bash", "-ec", "cd . && tools/all.sh || python tools/check.py") == {
        "tools/all.sh",
        "tools/check.py",
    }
    assert told("sh", "-c", "an open 'quotation") == set()
