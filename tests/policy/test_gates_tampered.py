"""Threats to the verdict itself: tests removed, silenced or emptied, types switched off; with innocent twins."""

from __future__ import annotations

import pytest

from dev_agent.policy.settings import FactSettings
from tests.policy.support import added, deleted, edited, facts_of, seen, texts
from tests.testing.pythons import since

SUITE = """
import pytest

from shop import cart


def test_total():
    assert cart.total([1, 2]) == 3
    assert cart.total([]) == 0


@pytest.mark.parametrize("price", [1, 2, 3])
def test_price(price):
    assert cart.price(price) == pytest.approx(price, rel=0.01)


class TestCart:
    def test_empty(self):
        with pytest.raises(ValueError, match="empty"):
            cart.pay([])
"""
PATH = "tests/test_cart.py"


def _suite(old: str, new: str) -> set[str]:
    assert old in SUITE
    return seen(edited(PATH, SUITE, SUITE.replace(old, new)))


# --- removed


def test_a_test_function_is_removed() -> None:
    facts = facts_of(edited(PATH, SUITE, SUITE.partition("class TestCart")[0]))
    assert texts(facts, "tests_removed") == ["TestCart.test_empty"]


def test_a_test_file_is_removed() -> None:
    facts = facts_of(deleted(PATH, SUITE))
    assert texts(facts, "tests_removed") == ["TestCart.test_empty", "test_price", "test_total"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def test_total", "def total_test"),
        ("class TestCart:", "class Cart:"),
        ("class TestCart:", "class TestOther:\n    pass\n\n\nclass Cart:"),
        ("class TestCart:", "del test_price\n\n\nclass TestCart:"),
        ("class TestCart:", "test_price = None\n\n\nclass TestCart:"),
        ("def test_total():", "def outer():\n  def test_total():"),
    ],
)
def test_a_test_is_hidden_from_the_runner(old: str, new: str) -> None:
    text = SUITE.replace(old, new)
    if "outer" in new:
        text = text.replace("    assert cart.total", "      assert cart.total")
    assert "tests_removed" in seen(edited(PATH, SUITE, text))


def test_a_suite_quoted_out_is_removed() -> None:
    assert "tests_removed" in seen(
        edited(PATH, SUITE, SUITE.replace("def test_total", "'''\ndef test_total") + "'''\n")
    )


def test_a_test_file_renamed_out_of_collection_is_removed() -> None:
    facts = facts_of(deleted(PATH, SUITE), added("tests/cart_cases.py", SUITE))
    assert facts["tests_removed"] == 3


def test_a_test_that_moved_is_not_removed() -> None:
    head, tail = SUITE.split("class TestCart")
    found = seen(
        edited(PATH, SUITE, head), added("tests/test_paying.py", "import pytest\n\n\nclass TestCart" + tail)
    )
    assert not found & {"tests_removed", "tests_weakened", "tests_skipped"}


def test_a_test_file_that_moved_is_not_removed() -> None:
    assert seen(deleted(PATH, SUITE), added("tests/unit/test_cart.py", SUITE)) == set()


def test_a_renamed_test_with_the_same_body_is_not_removed() -> None:
    assert "tests_removed" not in _suite("def test_total", "def test_total_of_a_cart")


def test_a_test_that_moved_and_lost_its_assertions_is_weakened() -> None:
    found = seen(
        edited(PATH, SUITE, SUITE.replace("def test_total", "def helper_total")),
        added("tests/test_other.py", "def test_total():\n    pass\n"),
    )
    assert "tests_weakened" in found


def test_new_tests_are_added() -> None:
    assert seen(added(PATH, SUITE)) == {"tests_added"}
    assert seen(edited(PATH, SUITE, SUITE + "\n\ndef test_more():\n    assert cart.more() == 1\n")) == {
        "tests_added"
    }


def test_a_function_named_test_in_source_is_no_test() -> None:
    assert "tests_removed" not in seen(edited("src/a.py", "def test_connection(): pass\n", "x = 1\n"))


def test_a_projects_own_test_names_count_when_its_policy_says_so() -> None:
    settings = FactSettings(collected=("checks/*.py",), tests=("checks/*.py",))
    assert "tests_removed" in seen(deleted("checks/cart.py", SUITE), settings=settings)


# --- skipped


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def test_total", "@pytest.mark.skip\ndef test_total"),
        ("def test_total", "@pytest.mark.xfail(strict=False)\ndef test_total"),
        ("def test_total", "@pytest.mark.skipif(True, reason='')\ndef test_total"),
        ("class TestCart", "@pytest.mark.skip\nclass TestCart"),
        ("    def test_empty", "    pytestmark = pytest.mark.skip\n\n    def test_empty"),
        ("    def test_empty", "    __test__ = False\n\n    def test_empty"),
        ("def test_total():", "def test_total():\n    pytest.skip('later')"),
        ("def test_total():", "@pytest.mark.parametrize('x', [])\ndef test_total(x):"),
        ("def test_total():", "def test_total():\n    pytest.importorskip('nothing')"),
        ("[1, 2, 3]", "[1, 2, pytest.param(3, marks=pytest.mark.skip)]"),
        ("from shop import cart", "from shop import cart\n\npytestmark = pytest.mark.skip"),
        ("from shop import cart", "from shop import cart\n\npytest.skip('x', allow_module_level=True)"),
        (
            "from shop import cart",
            "from shop import cart\n\n@pytest.fixture(autouse=True)\ndef f():\n    pytest.skip('x')",
        ),
        ("from shop import cart", "from shop import cart\n\n__test__ = False"),
        ("from shop import cart", "from shop import cart\n\nlater = pytest.mark.xfail"),
    ],
)
def test_an_existing_test_is_made_to_skip(old: str, new: str) -> None:
    assert "tests_skipped" in _suite(old, new)


def test_an_existing_unittest_is_made_to_skip() -> None:
    before = "class Cart(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(a(), 1)\n"
    assert "tests_skipped" in seen(
        edited(PATH, before, before.replace("    def", "    @unittest.expectedFailure\n    def"))
    )
    assert "tests_skipped" in seen(
        edited(PATH, before, before.replace("self.assert", "self.skipTest('x')\n        self.assert"))
    )
    assert "tests_removed" in seen(edited(PATH, before, before.replace("(unittest.TestCase)", "")))


def test_a_test_put_under_a_condition_is_skipped() -> None:
    before = "def test_a():\n    assert f() == 1\n"
    assert "tests_skipped" in seen(
        edited(PATH, before, "if False:\n    def test_a():\n        assert f() == 1\n")
    )


def test_a_new_test_that_skips_somewhere_is_innocent() -> None:
    new = (
        SUITE
        + "\n\n@pytest.mark.skipif(True, reason='windows')\ndef test_new():\n    assert cart.new() == 1\n"
    )
    assert seen(edited(PATH, SUITE, new)) == {"tests_added"}


def test_an_edit_in_a_test_that_skipped_already_is_innocent() -> None:
    before = SUITE.replace("def test_total", "@pytest.mark.skip\ndef test_total")
    assert seen(edited(PATH, before, before.replace("== 3", "== 4"))) == {"tests_changed"}


# --- weakened


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    assert cart.total([]) == 0\n", "", "2 effective assertions became 1"),
        ("assert cart.total([]) == 0", "assert True", "2 effective assertions became 1"),
        ("assert cart.total([]) == 0", "assert (cart.total([]), 0)", "2 effective"),
        ("assert cart.total([]) == 0", "assert cart.total([]) == 0 or True", "2 effective"),
        ("assert cart.total([]) == 0", "x = 1\n    assert x == x", "2 effective"),
        ("def test_total():", "def test_total():\n    return", "2 effective assertions became 0"),
        ("assert cart.total([]) == 0", "if False:\n        assert cart.total([]) == 0", "2 effective"),
        (
            "assert cart.total([]) == 0",
            "try:\n        assert cart.total([]) == 0\n    except Exception:\n        pass",
            "2 effective",
        ),
        (
            "assert cart.total([]) == 0",
            "with contextlib.suppress(AssertionError):\n        assert cart.total([]) == 0",
            "2 effective",
        ),
        ("assert cart.total([]) == 0", "assert cart.total([]) is not None", "2 exact comparisons became 1"),
        ("assert cart.total([]) == 0", "assert cart.total([]) >= 0", "2 exact comparisons became 1"),
        ("assert cart.total([1, 2]) == 3", "assert cart.total([1, 2])", "2 exact comparisons became 1"),
        ("assert cart.total([]) == 0", "assert cart.total([]) == 0 or cart", "2 exact comparisons became 1"),
        ("assert cart.total([]) == 0", "assert not cart.total([]) == 9", "2 exact comparisons became 1"),
        ("assert cart.total([]) == 0", "assert cart.total([]) == mock.ANY", "2 exact comparisons became 1"),
        (
            "assert cart.total([]) == 0",
            "assert cart.total([]) == cart.total([])",
            "2 exact comparisons became 1",
        ),
        ("assert cart.total([]) == 0", "for _ in []:\n        assert cart.total([]) == 0", "2 effective"),
        ("assert cart.total([]) == 0", "def inner():\n        assert cart.total([]) == 0", "2 effective"),
        (
            "assert cart.total([]) == 0",
            "with pytest.raises(AssertionError):\n        assert cart.total([]) == 0",
            "2 exact comparisons became 1",
        ),
        ("ValueError, match", "Exception, match", "broadened"),
        (', match="empty"', "", "message"),
        ("[1, 2, 3]", "[1]", "3 parametrised cases became 1"),
        ("rel=0.01", "rel=0.5", "tolerance"),
    ],
)
def test_an_existing_test_demands_less(old: str, new: str, says: str) -> None:
    assert old in SUITE
    facts = facts_of(edited(PATH, SUITE, SUITE.replace(old, new)))
    assert any(says in text for text in texts(facts, "tests_weakened"))


def test_a_later_definition_that_replaces_a_test_weakens_it() -> None:
    assert "tests_weakened" in seen(edited(PATH, SUITE, SUITE + "\n\ndef test_total():\n    pass\n"))


def test_a_unittest_that_demands_less() -> None:
    before = "class TestA(TestCase):\n    def test_a(self):\n        self.assertEqual(a(), 1)\n"
    for weaker in ("self.assertTrue(True)", "self.assertIsNotNone(a())", "pass"):
        assert "tests_weakened" in seen(
            edited(PATH, before, before.replace("self.assertEqual(a(), 1)", weaker))
        )
    assert "tests_weakened" not in seen(edited(PATH, before, before.replace("1)", "2)")))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("== 3", "== 4"),
        ("def test_total():", 'def test_total():\n    """A docstring."""\n    x = 1'),
        (
            "    assert cart.total([]) == 0",
            "    def empty():\n        assert cart.total([]) == 0\n\n    empty()",
        ),
        ("assert cart.total([]) == 0", "assert cart.total([]) == 0 and cart"),
        ("    assert cart.total([]) == 0", "    assert cart.total([]) == 0\n    assert cart.total([5]) == 5"),
        ("    assert cart.total([]) == 0", "    check_total([], 0)\n    assert 0 == cart.total([])"),
        ("[1, 2, 3]", "[1, 2, 3, 4]"),
        ("rel=0.01", "rel=0.001"),
        ("ValueError, match", "KeyError, match"),
        (
            "    assert cart.total([]) == 0",
            "    for basket in ([], ()):\n        assert cart.total(basket) == 0",
        ),
        (
            "    assert cart.total([]) == 0",
            "    if cart:\n        assert cart.total([]) == 0\n    else:\n        pytest.fail('x')",
        ),
        (
            "    assert cart.total([]) == 0",
            "    try:\n        assert cart.total([]) == 0\n    finally:\n        cart.close()",
        ),
        (
            "    assert cart.total([]) == 0",
            "    match cart:\n        case _:\n            assert cart.total([]) == 0",
        ),
    ],
)
def test_an_edited_test_that_demands_as_much_is_only_changed(old: str, new: str) -> None:
    assert _suite(old, new) == {"tests_changed"}


def test_reformatting_a_test_file_is_innocent() -> None:
    after = SUITE.replace(
        "assert cart.total([1, 2]) == 3", "assert (\n        cart.total([1,2])==3\n    )  # checked by hand"
    )
    assert seen(edited(PATH, SUITE, after)) == set()


def test_the_data_and_helpers_of_tests_count_as_tests() -> None:
    assert seen(edited("tests/data/cart.json", "{}", "[]")) == {"tests_changed"}
    assert seen(edited("tests/helpers.py", "x = 1\n", "x = 2\n")) == {"tests_changed"}
    assert seen(
        edited(PATH, SUITE, SUITE.replace("from shop import cart", "from shop import cart\n\nX = 1"))
    ) == {"tests_changed"}
    assert seen(deleted("tests/data/cart.json", "{}")) == {"tests_changed"}
    assert seen(added("tests/data/cart.json", "{}")) == set()


# --- the suite and the types switched off from elsewhere


@pytest.mark.parametrize(
    "call",
    ["os._exit(0)", "signal.signal(signal.SIGTERM, f)", "atexit.register(f)", "os.kill(1, 9)", "os.abort()"],
)
@pytest.mark.parametrize("path", ["src/shop/a.py", "tests/test_a.py"])
def test_code_ends_or_hooks_its_process(path: str, call: str) -> None:
    assert "process_control" in seen(added(path, f"import os, signal, atexit\n{call}\n"))


def test_an_alias_does_not_hide_what_is_called() -> None:
    assert "process_control" in seen(added("a.py", "from os import _exit as leave\nleave(0)\n"))
    assert "process_control" in seen(added("a.py", "import os as o\ndef f():\n    o._exit(0)\n"))


def test_a_method_of_the_same_name_is_innocent() -> None:
    assert "process_control" not in seen(
        added("a.py", "self.signal.signal(1)\nbus.register(f)\ncart.kill(1)\n")
    )


def test_source_reaches_into_the_test_framework() -> None:
    assert "test_framework_in_source" in seen(added("src/a.py", "import _pytest.runner\n"))
    assert "test_framework_in_source" in seen(added("src/a.py", "def f():\n    import pytest\n"))
    assert "test_framework_in_source" in seen(added("tests/test_a.py", "from _pytest import reports\n"))
    assert "test_framework_in_source" not in seen(added("tests/test_a.py", "import pytest\n"))


def test_loading_a_module_that_no_word_names_is_dynamic_code() -> None:
    start = "import importlib, runpy\n"
    for code in (
        "importlib.import_module(name)\n",
        "from importlib import import_module as load\nload('acme.' + 'tests')\n",
        "runpy.run_path('acme/tests/extra.py')\n",
    ):
        assert "dynamic_code" in seen(edited("src/a.py", start, start + code))
    assert "dynamic_code" not in seen(
        edited("src/a.py", start, start + "importlib.import_module('acme.b')\n")
    )


@pytest.mark.parametrize(
    "code",
    [
        "def pytest_pyfunc_call(pyfuncitem):\n    return True\n",
        "class Plugin:\n    def pytest_pyfunc_call(self, pyfuncitem):\n        return True\n",
        "pytest_pyfunc_call = lambda pyfuncitem: True\n",
        "from acme.other import anything as pytest_pyfunc_call\n",
    ],
)
def test_a_new_hook_of_pytest_in_a_source_may_stand_in_for_every_test(code: str) -> None:
    already = "import pytest\n"
    assert "test_framework_in_source" in seen(edited("src/a.py", already, already + code))
    assert "test_framework_in_source" not in seen(added("tests/conftest.py", code))
    assert "test_framework_in_source" not in seen(edited("src/a.py", code, code + "X = 1\n"))


@pytest.mark.parametrize(
    "code",
    [
        "import os\nif 'PYTEST_CURRENT_TEST' in os.environ: pass\n",
        "import os\nos.getenv('PYTEST_VERSION')\n",
        "import sys\nif 'pytest' in sys.modules: pass\n",
        "from sys import modules\nx = 'unittest' not in modules\n",
        "import sys as s\nx = '_pytest' in s.modules.keys()\n",
        "import sys\nx = sys.modules.get('pytest')\n",
        "import sys\nx = sys.modules['pytest']\n",
        "import sys\nx = 'pytest' in sys.argv\n",
        "import sys\nx = '_pytest.runner' in sys.modules\n",
        "import sys\nx = 'pluggy' in list(sys.modules)\n",
        "import sys\nx = 'py' + 'test' in sys.modules\n",
        "import sys\nx = 'pytest' in repr(sys.modules)\n",
        "import sys\nx = {'pytest'} & set(sys.modules)\n",
        "import sys\nx = any(one.startswith('pytest') for one in sys.modules)\n",
        "import sys\nx = '_dev_agent_runner_session' in sys.modules\n",
    ],
)
def test_code_can_tell_that_it_is_being_tested(code: str) -> None:
    assert "behaves_differently_under_test" in seen(added("src/a.py", code))
    assert "behaves_differently_under_test" not in seen(added("tests/helpers.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "x = 'pytest'\n",
        "TOOLS = ['pytest', 'mypy']\n",
        "import sys\nx = 'json' in sys.modules\n",
        "x = 'pytest' in tools\n",
        "# PYTEST_CURRENT_TEST\n",
        "import sys\nsys.modules[__name__]\n",
        "import sys\nstart(['pytest'] + sys.argv[1:])\n",
        "import sys\nx = [one for one in sys.modules if one.startswith('shop')]\n",
    ],
)
def test_speaking_of_the_test_framework_is_innocent(code: str) -> None:
    assert seen(added("src/a.py", code)) == set()


@pytest.mark.parametrize("name", ["__eq__", "__ne__", "__contains__"])
def test_an_object_equal_to_everything(name: str) -> None:
    code = f'class A:\n    def {name}(self, other):\n        """Yes."""\n        return True\n'
    assert "always_equal_objects" in seen(added("src/a.py", code))


@pytest.mark.parametrize(
    "body",
    [
        "__eq__ = lambda self, other: True",
        "def __eq__(self, other): return 1",
        "def __eq__(self, other): return not False",
        "def __eq__(self, other): return self is self",
        "def __eq__(self, other): return self.x == other.x or True",
        "def __eq__(self, other):\n        log(other)\n        return True",
    ],
)
def test_an_object_equal_to_everything_in_other_words(body: str) -> None:
    assert "always_equal_objects" in seen(added("src/a.py", f"class A:\n    {body}\n"))


@pytest.mark.parametrize(
    "body",
    [
        "def __eq__(self, other): return NotImplemented",
        "def __eq__(self, o):\n        if o is None:\n            return False\n        return self.x == o.x",
        "__eq__ = lambda self, other: self.x == other.x",
        "def __eq__(self, other): raise TypeError",
    ],
)
def test_a_comparison_that_looks_is_innocent(body: str) -> None:
    assert "always_equal_objects" not in seen(added("src/a.py", f"class A:\n    {body}\n"))


def test_an_honest_comparison_is_innocent() -> None:
    equal = "class A:\n    def __eq__(self, other):\n        return self.x == other.x\n"
    true = "class A:\n    def __bool__(self):\n        return True\n"
    assert seen(added("src/a.py", equal), added("src/b.py", true)) == set()


@pytest.mark.parametrize(
    "code",
    [
        "# mypy: ignore-errors\nx = 1\n",
        "x = 1\n# mypy: disable-error-code=arg-type\n",
        "# type: ignore\nx = 1\n",
        "#!/usr/bin/python\n\n# type: ignore[assignment]\nx = 1\n",
        "import typing\n@typing.no_type_check\ndef f(): pass\n",
        "from typing import no_type_check\n@no_type_check\nclass A: pass\n",
        "from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    x = 1\n",
        "# pyright: basic\nx = 1\n",
    ],
)
def test_type_checking_is_turned_off_for_a_file_or_function(code: str) -> None:
    assert "type_checking_disabled" in seen(added("src/a.py", code))


@pytest.mark.parametrize(
    "code",
    [
        "x = '# mypy: ignore-errors'\n",
        '"""\n# type: ignore\n"""\n',
        "# mypy is a type checker\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n",
    ],
)
def test_speaking_of_the_type_checker_is_innocent(code: str) -> None:
    assert seen(added("src/a.py", code)) == set()


@pytest.mark.parametrize(
    "comment",
    [
        "# type: ignore",
        "# type:ignore[arg-type]",
        "# pyright: ignore",
        "#type: ignore  # because",
        "# x # type: ignore",
    ],
)
def test_a_type_error_is_silenced(comment: str) -> None:
    assert seen(edited("src/a.py", "x = 1\n", f"x = 1\ny = f(x)  {comment}\n")) == {"type_ignores_added"}


def test_an_edit_beside_an_old_silence_is_innocent() -> None:
    assert (
        seen(edited("src/a.py", "f(1)  # type: ignore[arg-type]\n", "f(2)  # type: ignore[arg-type]\n"))
        == set()
    )
    assert "type_ignores_added" in seen(
        edited("src/a.py", "x = f(1)  # type: ignore[arg-type]\n", "x = f(1)  # type: ignore\n")
    )


def test_a_silenced_line_that_moved_to_another_module_is_innocent() -> None:
    line = "y = f(x)  # type: ignore[arg-type]\n"
    found = seen(
        edited("src/a.py", f"x = 1\n{line}", "x = 1\n"), added("src/b.py", f"from a import f, x\n{line}")
    )
    assert "type_ignores_added" not in found


@pytest.mark.parametrize(
    "code",
    [
        "from typing import Any\nx: Any = 1\n",
        "import typing as t\ndef f(a: t.Any) -> None: ...\n",
        "from typing import Any as Whatever\nx: Whatever\n",
        "from typing import Any\ndef f() -> 'list[Any]': ...\n",
        "import typing\nx: dict[str, typing.Any] = {}\n",
        "from typing import Any\nx: 'Any'\n",
        pytest.param("from typing import Any\ntype X = 'Any'\n", marks=since(3, 12)),
        pytest.param("from typing import Any\ntype X = list[Any]\n", marks=since(3, 12)),
        pytest.param("from typing import Any\ndef f[T: 'Any'](x: T) -> T: ...\n", marks=since(3, 12)),
        pytest.param("from typing import Any\nclass C[T = 'Any']: ...\n", marks=since(3, 13)),
    ],
)
def test_any_is_added(code: str) -> None:
    assert "any_added" in seen(added("src/a.py", code))


def test_another_any_and_another_cast_are_innocent() -> None:
    assert seen(added("src/a.py", "from mine import Any, cast\nx: Any = cast(1, 2)\ny = any([1])\n")) == set()
    assert seen(added("src/a.py", "from sqlalchemy import cast\nx = cast(1, 2)\n")) == set()


def test_a_cast_is_added() -> None:
    assert seen(added("src/a.py", "from typing import cast\nx = cast(int, f())\n")) == {"casts_added"}
    assert seen(added("src/a.py", "import typing\nx = typing.cast('int', f())\n")) == {"casts_added"}


def test_an_edit_beside_an_old_any_is_innocent() -> None:
    before = "from typing import Any\nx: Any = 1\ndef f(a: Any) -> None:\n    a()\n"
    assert seen(edited("src/a.py", before, before.replace("a()", "a(1)").replace("= 1", "= 2"))) == set()


@pytest.mark.parametrize(
    "comment", ["# noqa", "# noqa: E501", "# pragma: no cover", "# NOQA", "# nosec", "# pylint: disable=x"]
)
def test_a_linter_is_silenced_or_a_line_hidden_from_coverage(comment: str) -> None:
    assert seen(added("src/a.py", f"x = 1  {comment}\n")) == {"suppressions_added"}


def test_a_string_that_speaks_of_silencing_is_innocent() -> None:
    assert seen(added("src/a.py", "x = '# noqa # type: ignore # pragma: no cover'\n")) == set()
