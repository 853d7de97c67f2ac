"""What only the type checker knows: real mypy tells ours from another's, and its silence is a refusal."""

from __future__ import annotations

from pathlib import Path

from dev_agent.recipes.model import Declined, Rewritten
from tests.recipes.renaming.support import answer, mypy, refused, renamed

CORE = """from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Engine:
    power: int = 0

    def start(self) -> Engine:
        return self


class Other:
    def start(self) -> Other:
        return self


def through[T](f: Callable[[], T]) -> T:
    return f()
""".replace("def through[T]", "from typing import TypeVar\n\nT = TypeVar('T')\n\n\ndef through")
USE = """from core import Engine, Other, through

pairs = list(zip([Engine()], [Other()]))
for ours, theirs in pairs:
    print(ours.start(), theirs.start(), ours.start().start().power, through(lambda: ours).start(), pairs[0][0].power)
make = {"a": Engine, "b": Engine}["a"]
make(power=2).start()
"""


def test_inferred_types_decide_both_ways(tmp_path: Path) -> None:
    changed = renamed({"core.py": CORE, "use.py": USE}, "rename Engine.start to launch", checked_in=tmp_path)
    expected = USE.replace("ours.start().start()", "ours.launch().launch()").replace(
        "ours.start()", "ours.launch()"
    )
    expected = expected.replace("ours).start()", "ours).launch()").replace("=2).start()", "=2).launch()")
    assert changed["use.py"] == expected


def test_field_keyword_of_a_class_only_the_checker_follows(tmp_path: Path) -> None:
    changed = renamed(
        {"core.py": CORE, "use.py": USE}, "rename Engine.power to strength", checked_in=tmp_path
    )
    assert changed["use.py"] == USE.replace("power", "strength")


def test_result_has_no_new_complaint(tmp_path: Path) -> None:
    files = {"core.py": CORE.encode(), "use.py": USE.encode()}
    ask = mypy(files, tmp_path / "again")
    assert ask(Rewritten(files={})) == ()
    for task in (
        "rename Engine.start to launch",
        "rename Engine.power to strength",
        "rename Other.start to begin",
    ):
        found = answer({"core.py": CORE, "use.py": USE}, task, checked_in=tmp_path / task.replace(" ", ""))
        assert isinstance(found, Rewritten), found
        assert ask(found) == ()


def test_untyped_code_is_refused_though_there_is_a_checker(tmp_path: Path) -> None:
    files = {"core.py": CORE, "loose.py": "def f(x):  # type: ignore[no-untyped-def]\n    return x.start()\n"}
    found = refused(files, "rename Engine.start to launch", checked_in=tmp_path)
    assert (found.code, [(one.path, one.line) for one in found.places]) == ("unseen_use", [("loose.py", 2)])


def test_base_of_another_package_is_asked_about(tmp_path: Path) -> None:
    # iniconfig stands for any typed dependency: it is installed beside mypy, and the project does not hold it.
    text = "import iniconfig\n\n\nclass Mine(iniconfig.IniConfig):\n    def {}(self) -> None: ...\n"
    files = {"m.py": text.format("own")}
    assert renamed(files, "rename Mine.own to mine", checked_in=tmp_path) == {"m.py": text.format("mine")}
    found = answer({"m.py": text.format("sections")}, "rename Mine.sections to parts", checked_in=tmp_path)
    assert isinstance(found, Declined)
    assert found.code == "outside_base"
