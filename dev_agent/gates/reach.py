"""How far a change of the test side reaches: the files whose tests have to pass in the change's own form.

The base's tests run on the change's sources and on the base's test side, so what counts as tests is not judged there.
Its own form has to be, by every test that sees it: those beside it, those that import it, directly or not, and all
there are as soon as it is more than tests: where a source imports it (`acme/test/client.py`, beside which the base has
a test), or where it is called like a test file and holds no test (`acme/ab_test.py`).

More files than needed cost time; one too few lets a change through that nothing has judged. An import at run time is
seen where it names its module in so many words; where it does not, policy asks about it (`dynamic_code`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.gates.affected_first import imports_in
from dev_agent.gates.import_graph import ImportGraph
from dev_agent.gates.weighing import file_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from dev_agent.gates.case import Case
    from dev_agent.gates.context import GateContext
    from dev_agent.gates.test_run import TestRun


def reached_tests(context: GateContext, case: Case, base: TestRun) -> tuple[str, ...]:
    """The files to run in the change's own form: `case.affected`, and those of the base's that see what was changed.

    In the order the base ran them in, for tests that lean on others; what the base did not run comes last.
    """
    sides = [one for one in case.subject.changed if one.endswith(".py") and case.layout.is_test_side(one)]
    collected = tuple(dict.fromkeys(map(file_of, base.outcomes)))
    present = set(context.trees.paths(case.own_tree))
    known = [one for one in collected if one in present]
    if not sides or set(known) <= set(case.affected):
        return case.affected
    if any(_is_no_test(context, case, one, collected) for one in sides):
        seen = set(known)
    else:
        seen = _importers(context, case, sides, set(known))
    seen.update(case.affected)
    return (*(one for one in known if one in seen), *sorted(seen.difference(known)))


def _is_no_test(context: GateContext, case: Case, path: str, collected: Collection[str]) -> bool:
    """True for what is called like a test file, lies where sources lie, and held no test on the base."""
    if path in collected or not case.layout.is_test_by_name(path):
        return False
    return context.trees.entry(case.subject.base_tree, path) is not None


def _importers(context: GateContext, case: Case, sides: list[str], known: set[str]) -> set[str]:
    """Those of `known` that import any of `sides`; all of them where a source does."""
    # A file that the change removes is looked for by those who import it still.
    imports = {**dict.fromkeys(sides, ()), **imports_in(context, case.own_tree)}
    reached = ImportGraph(imports, case.command.roots).nearest(sides, imports.keys())
    if all(map(case.layout.is_test_side, reached)):
        return known.intersection(reached)
    return known
