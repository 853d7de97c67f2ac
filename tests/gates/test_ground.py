"""How often the gates look at what they stand on: after every program that ended, and not once more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dev_agent.gates.ground import Ground
from dev_agent.gates.neighbours import Vicinity


def _nothing() -> None:
    pass


class Looks:
    """Says what it is told to, counts, and lets something happen during a look."""

    def __init__(self) -> None:
        self.taken = 0
        self.answer = True
        self.meanwhile: Callable[[], None] = _nothing

    def __call__(self) -> bool:
        self.taken += 1
        self.meanwhile()
        return self.answer


def test_one_look_answers_for_everything_a_program_found_out() -> None:
    looks = Looks()
    ground = Ground(looks)

    assert [ground.holds(), ground.holds()] == [True, True]
    ground.program_ended()
    assert [ground.holds(), ground.holds()] == [True, True]
    assert looks.taken == 2


def test_what_changed_after_one_program_is_seen_after_the_next() -> None:
    looks = Looks()
    ground = Ground(looks)
    ground.program_ended()
    before = ground.holds()

    looks.answer = False
    ground.program_ended()

    assert (before, ground.holds()) == (True, False)


def test_a_program_that_ends_during_a_look_is_looked_after_anew() -> None:
    looks = Looks()
    ground = Ground(looks)
    looks.meanwhile = ground.program_ended
    first = ground.holds()

    looks.meanwhile, looks.answer = _nothing, False

    assert (first, ground.holds(), looks.taken) == (True, False, 2)


def test_a_file_written_beside_is_seen_and_what_python_compiles_there_is_not(tmp_path: Path) -> None:
    beside, site = tmp_path / "beside", tmp_path / "site"
    for folder in (beside / "__pycache__", site / "acme-1.dist-info", site / "acme"):
        folder.mkdir(parents=True)
    (beside / "acme.py").write_text("")
    vicinity = Vicinity.at([beside], [site], [tmp_path / "included"], [])

    (beside / "__pycache__" / "acme.pyc").write_text("")
    (site / "acme" / "compiled.pyc").write_text("")
    same = vicinity.is_as_it_was()
    told = []
    for path in (
        beside / "new.py",
        site / "acme-1.dist-info" / "RECORD",
        site / "x.pth",
        tmp_path / "included",
    ):
        path.write_text("")
        told.append(vicinity.is_as_it_was())
        path.unlink()

    assert (same, told) == (True, [False] * 4)
