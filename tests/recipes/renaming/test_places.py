"""Every kind of place a name can stand in. Identifiers to rename are written <old>; everything else must stay."""

# ruff: noqa: E501 - programs in a table, a line each

from __future__ import annotations

import re

import pytest

from tests.recipes.renaming.support import refused, renamed

ENGINE = "class Engine:\n    def <start>(self) -> int:\n        return 1\n"

MODULE_LEVEL = {
    "global statement": "def f():\n    global <run>\n    <run> = 2\n<run> = 1\n",
    "shadowed by a parameter": "def <run>(): ...\ndef g(run):\n    return run\n<run>()\n",
    "shadowed by a local": "def <run>(): ...\ndef g():\n    run = 1\n    return run\n",
    "nonlocal of another": "def <run>(): ...\ndef g():\n    run = 1\n    def h():\n        nonlocal run\n        run = 2\n",
    "comprehension variable": "<run> = [1]\nx = [run for run in <run>]\ny = [<run> for _ in x]\n",
    "class body is no scope of methods": (
        "<run> = 1\nclass A:\n    run = 2\n    x = run\n    def f(self):\n        return <run>, self.run\n"
    ),
    "decorator and default": "def <run>(f): return f\n@<run>\ndef g(x=<run>): ...\n",
    "del and walrus": "def <run>(): ...\nif (<run> := 1):\n    del <run>\n",
    "walrus in a comprehension binds outside": "x = [<run> := i for i in range(3)]\nprint(<run>)\n",
    "defined twice": "try:\n    import fast\n    def <run>(): ...\nexcept ImportError:\n    def <run>(): ...\n",
    "imported or defined": "try:\n    from fast import run as <run>\nexcept ImportError:\n    def <run>(): ...\n<run>()\n",
    "augmented and annotated": "<run>: int = 1\n<run> += 1\n",
    "match capture": "<run> = None\nmatch 1:\n    case [<run>, *_]: ...\n    case {'a': 1, **<run>}: ...\n    case int() as <run>: ...\n",
    "except name": "try: ...\nexcept ValueError as <run>: ...\n<run> = 1\n",
    "keyword arguments stay": "def <run>(run): ...\n<run>(run=<run>)\n",
    "type comment": "class <run>: ...\nx = []  # type: list[<run>]\n",
    "what is ignored has a name of its own": "def <run>(): ...\n<run>()  # type: ignore[run-arg]\n",
    "quoted in cast, bound and alias": (
        'from typing import Optional, TypeVar, cast\nclass <run>: ...\nT = TypeVar("T", bound="<run>")\n'
        'A = Optional["<run>"]\nx = cast("list[<run>]", 1)\ny: "run_ | <run>"\n'
    ),
    "literal is no annotation": 'from typing import Literal\nclass <run>: ...\nx: Literal["run"]\n',
    "own dotted path": '<run> = 1\nx = "m.<run>", "m:<run>", "other.run", "cli = m:<run>"\n',
    "all added to": '__all__ = ["a"]\n__all__ += ["<run>"]\n__all__.append("<run>")\ndef <run>(): ...\n',
    "f-strings": (
        "def <run>(x=1): ...\nprint(f\"run {<run>(x=<run>)!r:>{<run>}} run\", f'''run\n  {<run>}\n {1 if <run> else 2}''' \"run\" f\"{<run>}\")\n"
    ),
    "f-string of wide characters": 'def <run>(): ...\nx = "é" + f"ü{<run>()}"; <run>()\n',
    "split over lines": "def \\\n  <run>(): ...\n(<run>\n   ())\n",
    "lambda": "<run> = 1\nf = lambda run: run\ng = lambda x: <run>\n",
    "carriage returns": "def <run>(): ...\r\n<run>()\r\n",
    "form feed": "def <run>(): ...\n\x0c\n<run>()\n",
    "what is told its own name": (
        "from collections import namedtuple\nfrom typing import TypeVar\n<run> = TypeVar('<run>', bound='run_')\n"
        "def f(x: <run>): ...\nif f:\n    <run> = namedtuple('<run>', 'run x')\nother = namedtuple('run', 'x')\n"
    ),
    "overloads": (
        "from typing import overload\n@overload\ndef <run>(x: int) -> int: ...\n@overload\ndef <run>(x: str) -> str: ...\n"
        "def <run>(x): return x\n"
    ),
}

MEMBERS = {
    "inherited and overridden": (
        "class Base:\n    def <run>(self): ...\nclass Engine(Base):\n    def <run>(self):\n        return super().<run>()\n"
        "class Other:\n    def run(self): ...\nclass Leaf(Engine): ...\nLeaf().<run>()\nOther().run()\nBase.<run>\n"
    ),
    "property and setter": (
        "class Engine:\n    @property\n    def <run>(self): ...\n    @<run>.setter\n    def <run>(self, v): ...\nEngine().<run> = 1\n"
    ),
    "classmethod and cls": "class Engine:\n    @classmethod\n    def <run>(cls): ...\n    @classmethod\n    def g(cls):\n        cls.<run>()\n",
    "instance attribute": "class Engine:\n    def __init__(self, run):\n        self.<run> = run\nEngine(run=1).<run>\n",
    "slots and match args": (
        'class Engine:\n    __slots__ = ("<run>", "b")\n    __match_args__ = ("<run>",)\n    def f(self):\n        self.<run> = 1\n'
    ),
    "dataclass field": (
        "import dataclasses\n@dataclasses.dataclass\nclass Engine:\n    <run>: int = 1\n    b: int = <run>\nclass Sub(Engine): ...\n"
        "e = Engine(<run>=1)\nf = dataclasses.replace(e, <run>=2)\nSub(<run>=2)\nprint(run=1)\n"
    ),
    "class pattern": (
        "class Engine:\n    <run>: int\nclass Other:\n    run: int\nmatch x:\n    case Engine(<run>=Other(run=1) as y): ...\n"
        "    case Other(run=Engine(<run>=2)): ...\n"
    ),
    "attribute of a known attribute": (
        "class Engine:\n    def <run>(self): ...\nclass Car:\n    spare: Engine\n    def __init__(self):\n        self.engine = Engine()\n"
        "    def go(self):\n        self.engine.<run>()\n        self.spare.<run>()\ndef f(c: Car):\n    c.engine.<run>()\n"
    ),
    "optional, unions and containers": (
        "class Engine:\n    def <run>(self): ...\nclass A: ...\n"
        "def f(a: 'Engine | None', b: list[Engine], c: dict[str, Engine], d: type[Engine]):\n"
        "    a.<run>(); b[0].<run>(); c['x'].<run>(); d.<run>; d().<run>()\n"
        "    for x in b: x.<run>()\n    for y in c.values(): y.<run>()\n    with open('f') as run: run.read()\n"
    ),
    "factories and self": (
        "from typing import Self\nclass Engine:\n    def <run>(self): return self\n    def me(self) -> Self: return self\n    def __enter__(self) -> 'Engine': ...\n"
        "    def __exit__(self, *a): ...\ndef make(): return Engine()\nmake().<run>().<run>()\nEngine().me().<run>()\n"
        "with Engine() as e: e.<run>()\nx = Engine() or Engine()\nx.<run>()\n"
    ),
    "protocol and those that fit it": (
        "from typing import Protocol\nclass Startable(Protocol):\n    def <run>(self) -> int: ...\nclass Engine:\n    def <run>(self) -> int: ...\n"
        "def f(s: Startable):\n    s.<run>()\n"
    ),
    "enum member": "from enum import Enum\nclass Engine(Enum):\n    <run> = 1\n    other = 2\nprint(Engine.<run>.value)\n",
    "name of a class from the outside stays": (
        "import logging\nclass Engine:\n    def <run>(self): ...\nclass T(logging.Handler):\n    def run(self): ...\n"
        "'x'.run\n[].run\nlogging.Logger('x').run\nT().run\n"
    ),
    "known receivers of getattr": "class Engine:\n    <run> = 1\ngetattr('x', 'run')\n",
    "patched on the class": (
        "from unittest import mock\nclass Engine:\n    def <run>(self): ...\ndef test(monkeypatch):\n"
        "    monkeypatch.setattr(Engine, '<run>', 1)\n    mock.patch.object(Engine, '<run>')\n    mock.patch('m.Engine.<run>')\n"
    ),
    "fixtures": (
        "import pytest\nclass Engine:\n    def <run>(self): ...\n@pytest.fixture\ndef engine():\n    yield Engine()\n"
        "@pytest.fixture\ndef warm(engine):\n    engine.<run>()\n    return engine\ndef test_it(engine, warm):\n    engine.<run>()\n    warm.<run>()\n"
    ),
    "f-string attribute": 'class Engine:\n    <run> = 1\n    def f(self):\n        return f"run: {self.<run>} {self.<run>!r:>{self.<run>}}"\n',
    "two on a line": "class Engine:\n    def <run>(self): return self\nEngine().<run>().<run>  # run\n",
    "class variable read in the body": "class Engine:\n    <run> = 1\n    twice = <run> * 2\nEngine.<run> = 3\n",
    "module-level name of the same spelling": "run = 1\nclass Engine:\n    <run> = 2\n    def f(self):\n        return run\nprint(run)\n",
}


def _old(marked: str) -> str:
    return marked.replace("<", "\0").replace("\0run>", "run").replace("\0", "<")


def _new(marked: str) -> str:
    return re.sub("<run>", "launch", marked)


@pytest.mark.parametrize("marked", MODULE_LEVEL.values(), ids=MODULE_LEVEL)
def test_module_level_name(marked: str) -> None:
    assert renamed({"m.py": _old(marked)}, "rename m.run to launch") == {"m.py": _new(marked)}


@pytest.mark.parametrize("marked", MEMBERS.values(), ids=MEMBERS)
def test_member(marked: str) -> None:
    assert renamed({"m.py": _old(marked)}, "rename Engine.run to launch") == {"m.py": _new(marked)}


PROJECTS = {
    "star import and what comes through it": {
        "p/__init__.py": "from .core import *\n",
        "p/core.py": "def <run>(): ...\n",
        "use.py": "from p import <run>\nimport p\np.<run>()\n",
        "more.py": "from p import *\n<run>()\n",
    },
    "explicit re-export": {
        "p/__init__.py": "from p.core import <run> as <run>, x as run_\n",
        "p/core.py": "def <run>(): ...\nx = 1\n",
        "use.py": "import p\np.<run>()\n",
    },
    "import in a function": {
        "p/__init__.py": "",
        "p/core.py": "def <run>(): ...\n",
        "use.py": "def f():\n    from p.core import <run>\n    return <run>()\ndef run(): ...\nrun()\n",
    },
    "import in a class body keeps the class's name": {
        "p/__init__.py": "",
        "p/core.py": "def <run>(): ...\n",
        "use.py": "class A:\n    from p.core import <as> \n    x = run\n",
    },
    "another package's function": {
        "p/__init__.py": "",
        "p/core.py": "def <run>(): ...\n",
        "q/__init__.py": "from .core import run\n",
        "q/core.py": "def run(): ...\n",
        "use.py": "from q import run\nfrom p import core\ncore.<run>()\nrun()\n",
    },
    "same name from two places": {
        "p/__init__.py": "",
        "p/core.py": "def <run>(): ...\n",
        "use.py": "try:\n    from ext import run as <run>\nexcept ImportError:\n    from p.core import <run>\n<run>()\n",
    },
    "source layout, stub and tests": {
        "src/p/__init__.py": "",
        "src/p/core.py": "def <run>(): ...\n",
        "src/p/core.pyi": "def <run>() -> None: ...\n",
        "tests/test_p.py": "from p.core import <run>\nimport p.core as c\nc.<run>()\n",
        "tests/helpers.py": "from p import core as run\nrun.<run>()\n",
    },
    "namespace package": {
        "ns/p/core.py": "def <run>(): ...\n",
        "use.py": "from ns.p.core import <run>\nimport ns.p.core\nns.p.core.<run>()\n",
    },
    "type checking import": {
        "p/__init__.py": "",
        "p/core.py": "class <run>: ...\n",
        "use.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.core import <run>\ndef f(x: '<run>') -> 'p.core.run': ...\n",
    },
    "relative imports": {
        "p/__init__.py": "",
        "p/core.py": "def <run>(): ...\n",
        "p/q/__init__.py": "from ..core import <run>\nfrom .. import core\ncore.<run>()\n",
    },
    "entry points": {
        "p/__init__.py": "",
        "p/core.py": "def <run>(): ...\n",
        "pyproject.toml": '[project.scripts]\nrun = "p.core:<run>"  # run\nother = "q.core:run"\n',
        "setup.cfg": "[options.entry_points]\nconsole_scripts =\n    run = p.core:<run>\n",
    },
}


@pytest.mark.parametrize("project", PROJECTS.values(), ids=PROJECTS)
def test_across_files(project: dict[str, str]) -> None:
    before = {path: _old(text).replace("<as> ", "run ") for path, text in project.items()}
    expected = {path: _new(text).replace("<as> ", "launch as run ") for path, text in project.items()}
    core = next(path for path in ("p/core.py", "src/p/core.py", "ns/p/core.py") if path in project)
    result = renamed(before, "rename p.core.run to launch")
    assert result == {path: text for path, text in expected.items() if text != before[path]}
    assert core in result


def test_methods_across_files_through_imports_and_annotations() -> None:
    files = {
        "p/__init__.py": "from .core import Engine\n",
        "p/core.py": "class Engine:\n    def <run>(self) -> int: ...\n",
        "p/sub.py": "from . import Engine\nclass Turbo(Engine):\n    def <run>(self) -> int:\n        return super().<run>()\n",
        "use.py": "import p\nfrom p.sub import Turbo\ndef f(e: p.Engine, t: 'Turbo'):\n    e.<run>(); t.<run>(); p.Engine().<run>()\n",
        "other.py": "class Other:\n    def run(self): ...\nOther().run()\n",
    }
    before = {path: _old(text) for path, text in files.items()}
    assert renamed(before, "rename Turbo.run to launch") == {
        path: _new(text) for path, text in files.items() if "<run>" in text
    }


def test_modules_of_one_name_in_two_folders_are_told_apart_by_who_imports_them() -> None:
    files = {
        "a/helpers.py": "def run(): ...\n",
        "a/use.py": "import helpers\nhelpers.run()\n",
        "b/helpers.py": "walk = 1\n",
        "b/use.py": "import helpers\nhelpers.run()\n",
    }
    assert set(renamed(files, "rename helpers.run to go")) == {"a/helpers.py", "a/use.py"}


DYNAMIC = {
    "getattr": "class Engine:\n    run = 1\ndef f(x):\n    getattr(x, 'run')\n",
    "hasattr": "class Engine:\n    run = 1\n#\nhasattr(Engine(), 'run')\n",
    "setattr": "class Engine:\n    run = 1\n#\nsetattr(Engine, 'run', 2)\n",
    "attrgetter": "import operator\nclass Engine:\n    run = 1\noperator.attrgetter('run')\n",
    "built by an f-string": "class Engine:\n    run = 1\n    def f(self, x):\n        getattr(self, f'ru{x}')()\n",
    "built by %": "class Engine:\n    run = 1\n    def f(self, x):\n        getattr(self, 'r%s' % x)()\n",
    "built by % at the end": "class Engine:\n    run = 1\n    def f(self, x):\n        getattr(self, '%(a)sun' % x)()\n",
    "built by format": "class Engine:\n    run = 1\n    def f(self, x):\n        getattr(self, 'r{}'.format(x))()\n",
    "built by a sum": "class Engine:\n    run = 1\n    def f(self, x):\n        getattr(self, 'r' + x)()\n",
    "vars": "class Engine:\n    run = 1\n#\nvars(Engine())['run']\n",
    "instance dictionary": "class Engine:\n    run = 1\n    def f(self):\n        self.__dict__['run'] = 1\n",
    "enum by name": "import enum\nclass Engine(enum.Enum):\n    run = 1\nEngine['run']\n",
    "fields unpacked": "class Engine:\n    run: int\nrow = {'run': 1}\nEngine(**row)\n",
    "patched on something": "class Engine:\n    run: int\ndef f(monkeypatch, x):\n    monkeypatch.setattr(x, 'run', 1)\n",
}


@pytest.mark.parametrize("text", DYNAMIC.values(), ids=DYNAMIC)
def test_dynamic_use_is_refused_at_its_line(text: str) -> None:
    found = refused({"m.py": text}, "rename Engine.run to launch")
    assert (found.code, [(one.path, one.line) for one in found.places]) == ("dynamic_use", [("m.py", 4)])


def test_globals_by_name_is_refused() -> None:
    found = refused({"m.py": "def run(): ...\nglobals()['run']()\n"}, "rename run to launch")
    assert (found.code, found.places[0].line) == ("dynamic_use", 2)


def test_dispatch_in_a_file_that_does_not_mention_the_name() -> None:
    files = {
        "base.py": "class Base:\n    def go(self, x):\n        return getattr(self, 'do_' + x)()\n",
        "m.py": "from base import Base\nclass Engine(Base):\n    def do_run(self): ...\n",
    }
    found = refused(files, "rename Engine.do_run to do_launch")
    assert (found.code, found.places[0].path, found.places[0].line) == ("dynamic_use", "base.py", 3)
