"""Renaming modules and packages: files move, and everybody who reads them follows."""

# ruff: noqa: E501 - programs in a table, a line each

from __future__ import annotations

from dev_agent.recipes.model import Rewritten
from tests.recipes.renaming.support import after, answer, as_bytes

PACKAGE = {
    "src/shop/__init__.py": "from . import core\nfrom .core import price\nfrom .core.tax import rate\n\n__all__ = ['core', 'price', 'rate']\n",
    "src/shop/core/__init__.py": "from .base import price\nfrom shop.core import tax\nimport shop.core.base\n\ncore = 1\n",
    "src/shop/core/base.py": "import shop\n\nfrom ..other import core_of\nfrom . import tax\n\n\ndef price(core):\n    return shop.core + core_of(core=core)\n",
    "src/shop/core/tax.py": "rate = 1\n",
    "src/shop/core/data.txt": "core\n",
    "src/shop/other.py": "import shop.core\nimport shop.core.tax as core\n\n\ndef core_of(core):\n    return shop.core.price(core)\n",
    "tests/test_core.py": (
        "import importlib\nfrom unittest import mock\n\nimport shop\nfrom shop import core\nfrom shop.core.base import price\n\n"
        "mock.patch('shop.core.base.price')\nimportlib.import_module('shop.core')\nprint(core.price, shop.core.tax.rate, 'core')\n"
    ),
    "pyproject.toml": "[project.scripts]\nshop = \"shop.core.base:price\"\ncore = 'shop.core:price'\n",
}


def moved(files: dict[str, str], task: str) -> tuple[dict[str, str], Rewritten]:
    found = answer(files, task)
    assert isinstance(found, Rewritten), found
    return {path: content.decode() for path, content in after(as_bytes(files), found).items()}, found


def test_package_with_its_data_importers_and_entry_points() -> None:
    tree, found = moved(PACKAGE, "rename package shop.core to kernel")
    assert found.moves == {
        path: path.replace("/core/", "/kernel/") for path in PACKAGE if path.startswith("src/shop/core/")
    }
    assert tree["src/shop/__init__.py"] == (
        "from . import kernel\nfrom .kernel import price\nfrom .kernel.tax import rate\n\n__all__ = ['kernel', 'price', 'rate']\n"
    )
    assert tree["src/shop/kernel/__init__.py"] == (
        "from .base import price\nfrom shop.kernel import tax\nimport shop.kernel.base\n\ncore = 1\n"
    )
    assert tree["src/shop/kernel/base.py"] == PACKAGE["src/shop/core/base.py"].replace(
        "shop.core", "shop.kernel"
    )
    assert tree["src/shop/other.py"] == (
        "import shop.kernel\nimport shop.kernel.tax as core\n\n\ndef core_of(core):\n    return shop.kernel.price(core)\n"
    )
    assert tree["tests/test_core.py"] == (
        "import importlib\nfrom unittest import mock\n\nimport shop\nfrom shop import kernel\nfrom shop.kernel.base import price\n\n"
        "mock.patch('shop.kernel.base.price')\nimportlib.import_module('shop.kernel')\n"
        "print(kernel.price, shop.kernel.tax.rate, 'core')\n"
    )
    assert (
        tree["pyproject.toml"]
        == "[project.scripts]\nshop = \"shop.kernel.base:price\"\ncore = 'shop.kernel:price'\n"
    )
    assert tree["src/shop/kernel/data.txt"] == "core\n"


def test_module_with_its_stub() -> None:
    files = {
        "p/__init__.py": "",
        "p/a.py": "x = 1\n",
        "p/a.pyi": "x: int\n",
        "p/b.py": "from p.a import x\nfrom . import a as a\na.x\n",
    }
    tree, found = moved(files, "rename p.a to letter")
    assert found.moves == {"p/a.py": "p/letter.py", "p/a.pyi": "p/letter.pyi"}
    assert tree["p/b.py"] == "from p.letter import x\nfrom . import letter as letter\nletter.x\n"


def test_top_level_module_and_its_bare_name() -> None:
    files = {
        "tool.py": "def go(): ...\n",
        "use.py": "import tool\nimport tool as t\ntool.go()\nt.go()\nx = 'tool'\n",
    }
    tree, found = moved(files, "rename module tool to gadget")
    assert found.moves == {"tool.py": "gadget.py"}
    assert tree["use.py"] == "import gadget\nimport gadget as t\ngadget.go()\nt.go()\nx = 'tool'\n"
    assert ("use.py", 5) in {(one.path, one.line) for one in found.places}


def test_back_again_is_byte_identical() -> None:
    tree, _ = moved(PACKAGE, "rename package shop.core to kernel")
    assert moved(tree, "rename package shop.kernel to core")[0] == PACKAGE


MEANT = [
    "see `pkg.more` for it",
    "``more``",
    "more.first(x)",
    "src/pkg/more.py",
    "docs/more/index",
    'modules = ["more"]',
    "py_modules = base, more",
    "python -m more",
    "from pkg import base, more",
    "from more import first",
    ".. automodule:: more",
    "- more",
    "   more",
]
PROSE = [
    "There is more to it.",
    "and more, too",
    "Read on for more: a lot",
    "one more time... more",
    "Now with more routines (and more)",
    "import some more of it",
]


def test_words_of_a_sentence_are_no_mention_of_a_module() -> None:
    lines = [one for pair in zip(MEANT, PROSE * 3, strict=False) for one in pair]
    files = {
        "pkg/__init__.py": "",
        "pkg/more.py": "def first(x): ...\n",
        "pkg/use.py": "from pkg import more\n\n# no more of it\n# see more.first\nmore.first(1)\n",
        "guide.rst": "".join(f"{one}\n" for one in lines),
    }
    _, found = moved(files, "rename module pkg.more to extra")
    told = [(one.path, one.text) for one in found.places]
    assert sorted(told) == sorted(
        [*(("guide.rst", one.strip()) for one in MEANT), ("pkg/use.py", "# see more.first")]
    )


def test_a_function_called_like_a_word_is_looked_for_in_sentences_too() -> None:
    files = {"m.py": "def more(): ...\n", "guide.rst": "There is more to it.\n"}
    _, found = moved(files, "rename function more to extra")
    assert [(one.path, one.line) for one in found.places] == [("guide.rst", 1)]
