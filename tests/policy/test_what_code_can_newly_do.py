"""Threats in behaviour: processes, the network, code from data, swallowed errors, names taken away; with twins."""

from __future__ import annotations

import pytest

from dev_agent.python_text import READ_AS
from tests.policy.support import added, deleted, edited, facts_of, seen, texts
from tests.testing.pythons import since


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess\n",
        "from subprocess import run\n",
        "import socket as s\n",
        "import urllib.request\n",
        "from urllib import request\n",
        "import http.client\n",
        "def f():\n    import requests\n",
        "import os\nos.system('x')\n",
        "from os import system as s\ns('x')\n",
        "import os\nos.execvp('a', [])\n",
        "import asyncio\nasyncio.create_subprocess_exec('a')\n",
        "import os\nos.fork()\n",
    ],
)
def test_source_newly_starts_processes_or_uses_the_network(code: str) -> None:
    assert seen(added("src/a.py", code)) == {"process_or_network_imports"}
    assert "process_or_network_imports" not in seen(added("tests/test_a.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "import urllib.parse\n",
        "from http import HTTPStatus\n",
        "from .subprocess import x\n",
        "import os\nos.getcwd()\n",
        "import subprocessing\n",
        "# import subprocess\n",
        "x = 'import socket'\n",
    ],
)
def test_a_name_that_only_sounds_like_a_process_is_innocent(code: str) -> None:
    assert seen(added("src/a.py", code)) == set()


def test_a_file_that_started_processes_already_is_innocent() -> None:
    before = "import subprocess\n\ndef f():\n    subprocess.run(['a'])\n"
    assert seen(edited("src/a.py", before, before.replace("['a']", "['a', 'b']"))) == set()
    assert (
        seen(
            edited(
                "src/a.py",
                before,
                before.replace("import subprocess", "from subprocess import run\nimport subprocess"),
            )
        )
        == set()
    )


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')\n",
        "exec('1')\n",
        "import builtins\nbuiltins.exec('1')\n",
        "import pickle\n",
        "from ctypes import CDLL\n",
        "__import__('os')\n",
        "x = compile('1', '', 'eval')\n",
        "import marshal\n",
    ],
)
def test_source_newly_runs_code_from_data(code: str) -> None:
    assert seen(added("src/a.py", code)) == {"dynamic_code"}


@pytest.mark.parametrize(
    "code",
    [
        "import gc\nfor one in gc.get_objects(): pass\n",
        "from gc import get_referrers as who\nwho(1)\n",
        "import gc\nfind = gc.get_objects\n",
        "import gc\nfind = getattr(gc, 'get_objects')\n",
        "import sys\nsys._getframe(1)\n",
        "import inspect as i\ni.stack()\n",
        "def f(e: Exception):\n    return e.__traceback__.tb_frame\n",
        "import threading\nthreading.settrace(print)\n",
    ],
)
def test_source_newly_reaches_for_whoever_runs_it(code: str) -> None:
    assert seen(added("src/a.py", code)) == {"dynamic_code"}
    assert "dynamic_code" not in seen(added("tests/test_a.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "import gc\ngc.collect()\n",
        "import numpy as np\nnp.stack([1])\n",
        "import inspect\ninspect.signature(print)\n",
        "x = 'gc.get_objects'\n",
        "def currentframe(): pass\n",
    ],
)
def test_the_neighbours_of_the_heap_are_innocent(code: str) -> None:
    assert seen(added("src/a.py", code)) == set()


@pytest.mark.parametrize(
    "code",
    ["import re\nx = re.compile('a')\n", "model.eval()\n", "cursor.exec('x')\n", "def evaluate(): pass\n"],
)
def test_a_method_named_eval_or_compile_is_innocent(code: str) -> None:
    assert seen(added("src/a.py", code)) == set()


def test_code_quoted_before_and_live_now_is_seen() -> None:
    before = "x = 1\n'''\nimport subprocess\neval('1')\n'''\n"
    assert seen(edited("src/a.py", before, before.replace("'''\n", ""))) == {
        "process_or_network_imports",
        "dynamic_code",
    }


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    f()\nexcept Exception:\n    pass\n",
        "try:\n    f()\nexcept:\n    ...\n",
        "try:\n    f()\nexcept (OSError, BaseException):\n    pass\n",
        "import contextlib\nwith contextlib.suppress(Exception):\n    f()\n",
    ],
)
def test_exceptions_are_swallowed(code: str) -> None:
    assert seen(added("src/a.py", code)) == {"swallowed_exceptions"}


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    f()\nexcept OSError:\n    pass\n",
        "try:\n    f()\nexcept Exception:\n    log()\n",
        "import contextlib\nwith contextlib.suppress(KeyError):\n    f()\n",
    ],
)
def test_a_narrow_or_handled_exception_is_innocent(code: str) -> None:
    assert seen(added("src/a.py", code)) == set()


API = """
LIMIT = 1
rate: int = 2


def pay(): ...


class Cart:
    size = 1

    def total(self): ...

    def _hidden(self): ...


def _private(): ...


if LIMIT:
    def sometimes(): ...
"""


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("def pay", "def _pay", "pay"),
        ("class Cart", "class Basket", "Cart"),
        ("def total", "def sum", "Cart.total"),
        ("    size = 1\n", "", "Cart.size"),
        ("LIMIT = 1", "_LIMIT = LIMIT_ = 1", "LIMIT"),
        ("rate: int = 2", "", "rate"),
        ("def sometimes", "def never", "sometimes"),
    ],
)
def test_a_public_name_is_removed(old: str, new: str, gone: str) -> None:
    facts = facts_of(edited("src/shop/a.py", API, API.replace(old, new, 1)))
    assert gone in texts(facts, "public_api_removed")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def _private", "def _other"),
        ("def _hidden", "def _other"),
        ("def pay(): ...", "def pay(a): ..."),
        ("def pay(): ...", "from x import pay"),
        ("def pay(): ...", "pay = 1"),
        ("def pay(): ...", "from .paying import *"),
    ],
)
def test_private_names_and_names_that_stay_reachable_are_innocent(old: str, new: str) -> None:
    assert seen(edited("src/shop/a.py", API, API.replace(old, new))) == set()


@since(3, 12)
def test_a_public_type_statement_is_removed_and_one_that_takes_an_assignments_place_is_innocent() -> None:
    before = "type Price = int\nOld = int\ntype _Own = int\n"
    assert texts(facts_of(edited("src/a.py", before, "Old = int\n")), "public_api_removed") == ["Price"]
    assert seen(edited("src/a.py", before, before.replace("Old =", "type Old ="))) == set()


@since(3, 12)
@pytest.mark.parametrize(
    "head", ["class C[T: eval('1')]:", "class C[T](Base[eval('1')]):", "type C[T: eval('1')] = T #"]
)
def test_what_a_bound_calls_is_called_by_the_head_of_its_class(head: str) -> None:
    rest = "\n    def f(self): ...\n"
    changed = edited("src/a.py", f"class C:{rest}", f"{head}{rest if head.endswith(':') else ''}")
    assert "dynamic_code" in seen(changed)


def test_the_list_of_public_names_decides_if_there_is_one() -> None:
    before = "__all__ = ['pay']\ndef pay(): ...\ndef helper(): ...\n"
    assert seen(edited("src/a.py", before, before.replace("def helper(): ...\n", ""))) == set()
    assert seen(edited("src/a.py", before, "__all__ = []\ndef helper(): ...\n")) == {"public_api_removed"}


def test_a_package_stops_offering_what_is_its_own() -> None:
    before = "from .cart import Cart\nfrom shop.pay import pay\nfrom os import path\nimport sys\n"
    facts = facts_of(edited("src/shop/__init__.py", before, ""))
    assert texts(facts, "public_api_removed") == ["Cart", "pay"]


def test_a_public_module_is_removed_or_moves() -> None:
    assert "LIMIT" in texts(facts_of(deleted("src/shop/a.py", API)), "public_api_removed")
    facts = facts_of(deleted("src/shop/a.py", API), added("src/shop/b.py", API))
    assert texts(facts, "public_api_removed") == ["the module moved to src/shop/b.py"]


@pytest.mark.parametrize(
    "path",
    ["src/shop/_a.py", "src/_shop/a.py", "tests/test_a.py", "scripts/a.py", "docs/conf.py", "conftest.py"],
)
def test_names_of_private_modules_scripts_and_tests_are_nobodys_api(path: str) -> None:
    assert "public_api_removed" not in seen(edited(path, API, ""))


def test_python_that_cannot_be_read_is_a_fact() -> None:
    facts = facts_of(
        edited("src/a.py", "def f(): ...\n", "def f(:\n"),
        added("b.py", "x" * 2_000_001),
        added("c.py", "-" * 100_000 + "1"),
    )
    assert facts["unparsable_python"] == ("b.py", "c.py", "src/a.py")
    assert set(texts(facts, "unparsable_python")) == {f"not readable as {READ_AS}"}
    assert "public_api_removed" not in facts.places


def test_a_file_that_is_mended_is_innocent() -> None:
    assert seen(edited("src/a.py", "def f(:\n", "def f(): ...\n")) == set()


def test_a_comment_in_a_file_that_cannot_be_read_still_counts() -> None:
    assert "type_ignores_added" in seen(added("a.py", "x = '''\ny = 1  # type: ignore\n"))
    assert "mixed_script_identifiers" in seen(added("a.py", "x = '''\npаy = 1\n"))


def test_code_python_warns_about_is_read_like_any_other() -> None:
    assert seen(added("src/a.py", "x = '\\d'\n")) == set()
