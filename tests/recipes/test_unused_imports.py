"""Unused imports go; what may be used by somebody stays."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path

import pytest

from dev_agent.recipes.bindings import unused
from dev_agent.recipes.source import Source
from tests.recipes.support import rewritten, text_after
from tests.testing.pythons import since

TASK = "remove unused imports"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\nimport sys\nprint(sys)\n", "import sys\nprint(sys)\n"),
        ("import os, sys\nprint(sys)\n", "import sys\nprint(sys)\n"),
        ("import os, sys  # both\nprint(os)\n", "import os  # both\nprint(os)\n"),
        ("from a import b, c as d, e\nprint(b, e)\n", "from a import b, e\nprint(b, e)\n"),
        (
            "from a import (\n    b,  # one\n    c,  # two\n)\nprint(b)\n",
            "from a import (\n    b,  # one\n)\nprint(b)\n",
        ),
        ("from a import (\n    b,\n    c\n)\nprint(c)\n", "from a import (\n    c\n)\nprint(c)\n"),
        ("from a import (b,  # one\n    c, d)\nprint(b)\n", "from a import (b,  # one\n    )\nprint(b)\n"),
        ("from a import b, \\\n    c\nprint(b)\n", "from a import b\nprint(b)\n"),
        ("import os; import sys; print(sys)\n", "import sys; print(sys)\n"),
        ("import os; import sys\nx = 1\n", "x = 1\n"),
        ("x = 1; import os\n", "x = 1\n"),
        ("def f():\n    import os\n", "def f():\n    pass\n"),
        ("from a import override\nx = 1  # type: ignore[override]\n", "x = 1  # type: ignore[override]\n"),
        ("def f():\n    import os\n    return 1\n", "def f():\n    return 1\n"),
        ("if x:\n    import a\n    import b\nelse:\n    import c\n", "if x:\n    pass\nelse:\n    pass\n"),
        ("x = 1\n\nimport os\n\ny = 2\n", "x = 1\n\ny = 2\n"),
        ("import a.b.c\nimport os\nprint(os)\n", "import os\nprint(os)\n"),
        (
            "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import os\n\nx = 1\n",
            "x = 1\n",
        ),
    ],
)
def test_unused_names_go_and_the_rest_stays_as_written(before: str, after: str) -> None:
    assert text_after(TASK, before) == after


@pytest.mark.parametrize(
    "text",
    [
        "import os\n\nos.getcwd()\n",
        "from __future__ import annotations\n",
        "from a import *\n",
        "import os  # noqa\n",
        "import os  # noqa: F401\n",
        "from a import (  # noqa: E501, F401\n    b,\n)\n",
        "import os  # pylint: disable=unused-import\n",
        "# ruff: noqa: F401\nimport os\n",
        "# flake8: noqa\nimport os\n",
        "from a import b as b\n",
        "import readline\n",
        "from a import b\n__all__ = ['b']\n",
        "from a import b, c\n__all__ = []\n__all__ += ['b']\n__all__.append('c')\n",
        "try:\n    import json\nexcept ImportError:\n    json = None\n",
        "try:\n    import json\nexcept (ValueError, ModuleNotFoundError):\n    pass\n",
        "try:\n    import json\nexcept:\n    import other\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import json\n",
        "from a import B\ndef f(x: 'B') -> None: ...\n",
        "from a import B, C\nx: 'list[B]' = []\ny = cast('C', x)\n",
        "from a import B\nX = Optional['B']\n",
        "from a import B\nx = []  # type: list[B]\n",
        "from a import b\ndef f():\n    '''Doc.\n\n    >>> b(1)\n    2\n    '''\n",
        "import os\nprint(globals()['os'])\n",
        "import os\neval('os.getcwd()')\n",
        "class A:\n    from a import method\n",
        "import os\ndef f():\n    global os\n",
        "import os\ndel os\n",
        "import count\ncount += 1\n",
        "import os\nprint(f'{os.sep!r:>{os.name}}')\n",
    ],
)
def test_what_may_be_used_stays(text: str) -> None:
    assert text_after(TASK, text) == text


@pytest.mark.parametrize("text", ["x = Literal['B']\n", "x = f('B')\n", "'''About B.'''\n", "# B\n"])
def test_a_text_that_only_looks_like_the_name_is_no_use(text: str) -> None:
    assert text_after(TASK, f"from a import B\n{text}") == text


@pytest.mark.parametrize("path", ["pkg/__init__.py", "tests/conftest.py"])
def test_modules_that_import_for_others_stay(path: str) -> None:
    assert rewritten(TASK, {path: "from a import b\n"}).empty


@pytest.mark.parametrize(
    "other",
    [
        "from pkg.core import helper\nhelper()\n",
        "from .core import helper\nhelper()\n",
        "from pkg import core\ncore.helper()\n",
        "import pkg.core\npkg.core.helper()\n",
        "import pkg.core as c\nc.helper()\n",
        "from pkg.core import *\n",
        "from unittest import mock\nmock.patch('pkg.core.helper')\n",
        "from unittest import mock\nmock.patch('pkg.core.helper.attribute')\n",
        "from pkg import core\ngetattr(core, 'helper')\n",
    ],
)
def test_a_name_that_another_file_takes_from_a_module_stays_and_is_named(other: str) -> None:
    result = rewritten(TASK, {"pkg/core.py": "from lib import helper, unused\n", "pkg/user.py": other})
    taken_whole = "import *" in other
    assert result.files.get("pkg/core.py") == (None if taken_whole else b"from lib import helper\n")
    assert any("helper: another file takes it" in place.text for place in result.places)


def test_a_module_of_the_project_that_is_only_imported_stays_and_is_named() -> None:
    files = {
        "src/pkg/__init__.py": "",
        "src/pkg/signals.py": "x = 1\n",
        "src/pkg/app.py": "import pkg.signals\nimport os\n",
    }
    result = rewritten(TASK, files)
    assert result.files == {"src/pkg/app.py": b"import pkg.signals\n"}
    assert [place.line for place in result.places] == [1]


def test_fixtures_imported_by_name_stay_in_tests_only() -> None:
    text = "from fixtures import client\n\n\ndef test_it(client):\n    pass\n"
    assert rewritten(TASK, {"tests/test_a.py": text}).files == {}
    assert rewritten(TASK, {"app.py": text}).files == {"app.py": b"def test_it(client):\n    pass\n"}


@pytest.mark.parametrize("package", ["email", "unittest", "idlelib", "asyncio", "distutils", "http", "xml"])
def test_ruff_calls_unused_whatever_we_call_unused_in_the_standard_library(package: str) -> None:
    folder = Path(sysconfig.get_paths()["stdlib"]) / package
    if not folder.is_dir():
        pytest.skip(f"this Python has no {package}")
    theirs = _ruff(folder)
    for path in folder.rglob("*.py"):
        if path.name == "__init__.py":
            continue
        ours = {(bound.alias.lineno) for bound in unused(Source.read(path.read_bytes()))}
        assert ours <= theirs[path], path


@since(3, 12)
@pytest.mark.parametrize(
    "use",
    [
        "type A[T] = dict[T, Used]",
        "type A = 'Used'",
        "type A[T: 'Used'] = T",
        "class C[T: Used]: ...",
        "def f[T: (int, 'Used')](x: T) -> T: ...",
        'x = f"{f"{Used!r:{"<"}9}"}"',
        pytest.param("class C[T = 'Used']: ...", marks=since(3, 13)),
        pytest.param("class C[**P = [Used], *Ts = *tuple[Used]]: ...", marks=since(3, 13)),
    ],
)
def test_names_in_type_parameters_type_statements_and_nested_f_strings_are_used(use: str) -> None:
    assert rewritten(TASK, {"app.py": f"from a import Used\n\n\n{use}\n"}).empty


def _ruff(folder: Path) -> dict[Path, set[int]]:
    argv = ["check", "--isolated", "--no-cache", "--select", "F401", "--output-format", "json", str(folder)]
    done = subprocess.run(
        [Path(sys.executable).with_name("ruff"), *argv], capture_output=True, text=True, check=False
    )
    found: dict[Path, set[int]] = defaultdict(set)
    for each in json.loads(done.stdout):
        found[Path(each["filename"])].add(each["location"]["row"])
    return found
