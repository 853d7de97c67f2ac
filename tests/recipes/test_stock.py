"""LibCST's own codemods run by name, and nobody else's code."""

from __future__ import annotations

import pytest

from dev_agent.recipes.model import Declined, Rewritten
from dev_agent.recipes.registry import find
from dev_agent.recipes.stock import commands
from tests.recipes.support import rewritten, work


def test_a_command_runs_by_its_name_and_by_its_class() -> None:
    text = "from typing import NamedTuple\n\n\nclass P(NamedTuple):\n    x: int\n"
    name = "convert_namedtuple_to_dataclass.ConvertNamedTupleToDataclassCommand"
    for said in (name, name.rpartition(".")[2], f"libcst.codemod.commands.{name}"):
        after = rewritten(f"codemod {said}", {"a.py": text}).files["a.py"]
        assert after is not None
        assert b"@dataclass(frozen=True)" in after


def test_options_reach_the_command() -> None:
    task = "codemod ensure_import_present.EnsureImportPresentCommand --module=typing --entity=Any --alias='A'"
    assert rewritten(task, {"a.py": "x = 1\r\n"}).files == {
        "a.py": b"from typing import Any as A\r\n\r\nx = 1\r\n"
    }


@pytest.mark.parametrize("options", ["", "--modul=typing", "--module=typing --help"])
def test_wrong_options_are_refused_with_the_right_ones(options: str) -> None:
    result = work(f"codemod EnsureImportPresentCommand {options}".strip(), {"a.py": "x = 1\n"})
    assert isinstance(result, Declined)
    assert result.code == "bad_codemod_options"
    assert "--module MODULE" in result.hint


@pytest.mark.parametrize(
    "name", ["nothing.Here", "os.system", "tests.recipes.support", "libcst.codemod.Codemod"]
)
def test_other_modules_are_never_imported_and_the_names_are_listed(name: str) -> None:
    result = work(f"codemod {name}", {"a.py": "x = 1\n"})
    assert isinstance(result, Declined)
    assert result.code == "no_such_codemod"
    assert "noop.NOOPCommand" in result.hint
    assert f"dev-agent run -- python -m libcst.tool codemod --no-format {name}" in result.hint


def test_the_stock_rename_is_not_run() -> None:
    found = find("codemod rename.RenameCommand --old_name=a.b --new_name=a.c")
    assert found is not None
    assert isinstance(found[1], Declined)
    assert found[1].code == "use_rename_recipe"


@pytest.mark.parametrize("name", sorted(commands()))
def test_whatever_a_command_makes_of_odd_files_parses(name: str) -> None:
    options = " --module=typing --entity=Any" if "EnsureImport" in name else ""
    files: dict[str, str | bytes | tuple[str, bytes]] = {
        "a.py": "from typing import List, Optional, Union\nimport os\nX = Union[int, 'Y']\n"
        "def f(a: Optional[List['Y']] = None):\n    return '%s {}'.format(a) + '%d %s' % (1, a) + f'a'\n",
        "b.py": "def broken(:\n",
        "c.py": b"# coding: latin-1\r\nx = '\xe4 %s' % (1,)\r\n",
        "d.py": "x = " + "-" * 3000 + "1\n",
    }
    result = work(f"codemod {name}{options}", files)
    assert isinstance(result, Rewritten)
    assert {place.path for place in result.places} >= {"b.py", "d.py"}
    for content in result.files.values():
        assert content is not None
        compile(content, name, "exec")


def test_a_file_a_codemod_fails_on_is_left_and_named() -> None:
    text = "x = '{a} {0}'.format(*y)\n" + "'{5}'.format(1)\n"
    result = rewritten(
        "codemod convert_format_to_fstring.ConvertFormatStringCommand",
        {"a.py": text, "b.py": "'{}'.format(y)\n"},
    )
    assert result.files == {"b.py": b"f'{y}'\n"}
    assert [place.path for place in result.places] == ["a.py"]
