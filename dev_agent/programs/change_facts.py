"""The facts policy rules on, of a change and of what its base has: every decision of a run is made from these.

A change says by itself nearly all that policy asks. The base has a say in three things:

- a new file below the name of a testing module: in the repository of `packaging` itself `src/packaging/` is the
  project, and a file in it hides nobody's;
- a file that counts as tests by its name or place may do what no source may, such as start processes or ask who tests
  it; one that sources import is a source, whatever it is called (`acme/tests/sums.py`, `acme/ab_test.py`);
- a file that a command of the base's settings runs judges the change it is part of.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.gates.config import ConfigFault, read_config
from dev_agent.gates.import_graph import ImportGraph, imports_of
from dev_agent.gates.judging_programs import judging_programs
from dev_agent.policy import globs
from dev_agent.policy.facts import compute_facts
from dev_agent.policy.path_facts import top_level_folders
from dev_agent.repository.objects import GitTree
from dev_agent.repository.trees import RepositoryTrees

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dev_agent.edits.changes import Change
    from dev_agent.policy.facts import Facts
    from dev_agent.policy.settings import FactSettings
    from dev_agent.repository.discovery import Repository

_SHADOWING = "shadowing_modules"
# What is said of sources alone. That tests import their framework is no reason to look.
_OF_SOURCES = ("behaves_differently_under_test", "dynamic_code", "process_or_network_imports")
_PYTHON, _CONFTEST = ".py", "conftest.py"
_FILES = frozenset({"100644", "100755"})
_AT_A_TIME = 2000


def facts_on_base(
    repository: Repository, base_tree: str, changes: Sequence[Change], settings: FactSettings
) -> Facts:
    """The facts of `changes`, made to the tree `base_tree`. Reads sources of the base only where a change calls for it.

    Raises GitFailed or RepositoryFault where the base cannot be read.
    """
    base = GitTree(repository, base_tree)
    settings = replace(settings, judging=_judging(repository, base_tree, base))
    used = _used_by_sources(base, changes, settings)
    settings = replace(settings, used=used) if used else settings
    facts = compute_facts(changes, settings=settings)
    places = facts.places.get(_SHADOWING, ())
    if not places:
        return facts
    folders = {one for place in places for one in top_level_folders(place.path, settings.import_roots)}
    packages = frozenset(one for one in folders if base.entry(f"{one}/__init__.py") is not None)
    return compute_facts(changes, settings=replace(settings, packages=packages)) if packages else facts


def _judging(repository: Repository, base_tree: str, base: GitTree) -> frozenset[str]:
    try:
        config = read_config(RepositoryTrees(repository), base_tree)
    except ConfigFault:
        # Nothing is judged under such settings: a run ends before it comes here.
        return frozenset()
    return judging_programs(config, lambda path: base.entry(path) is not None)


def _used_by_sources(base: GitTree, changes: Sequence[Change], settings: FactSettings) -> frozenset[str]:
    """Changed files that count as tests, do what sources may not, and are imported by a source, directly or not."""
    suspects = [
        one
        for one in changes
        if one.after is not None and _is_module(one.path) and _counts_as_test(one.path, settings)
    ]
    strict = replace(settings, used=frozenset(one.path for one in suspects))
    # One after the other: facts keep some places only, and a crowd could hide one.
    told = [one.path for one in suspects if _does_what_sources_may_not(compute_facts([one], settings=strict))]
    return _imported_by_sources(base, changes, told, settings) if told else frozenset()


def _does_what_sources_may_not(facts: Facts) -> bool:
    return any(facts.values.get(one) for one in _OF_SOURCES)


def _counts_as_test(path: str, settings: FactSettings) -> bool:
    return path.endswith(_PYTHON) and globs.matches(settings.tests, path, casefold=True)


def _is_module(path: str) -> bool:
    return path.endswith(_PYTHON) and path.rpartition("/")[2] != _CONFTEST


def _imported_by_sources(
    base: GitTree, changes: Sequence[Change], paths: Sequence[str], settings: FactSettings
) -> frozenset[str]:
    """Those of `paths` that a source imports, or a test that is imported by one.

    Only files that say the name of one they would import are kept and parsed, and files are read some at a time.
    """
    changed = {one.path: one.after or b"" for one in changes}
    roots = tuple(one or "." for one in settings.import_roots)
    imports = {one: imports_of(changed[one]) for one in paths}
    graph, seen, new = ImportGraph(imports, roots), set(paths), set(paths)
    while new:
        texts = _saying({_spoken(one) for one in new}, base, changed)
        imports.update((one, imports_of(text)) for one, text in texts.items() if one not in imports)
        graph = ImportGraph(imports, roots)
        new = {one for one in graph.nearest(paths, imports) if _counts_as_test(one, settings)} - seen
        seen |= new
    return frozenset(
        path
        for path in paths
        if not all(_counts_as_test(one, settings) for one in graph.nearest([path], imports))
    )


def _saying(names: Collection[bytes], base: GitTree, changed: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Python files of the tree the change makes in whose text one of `names` stands.

    No conftest: no source imports one.
    """
    found = {path: text for path, text in changed.items() if _is_module(path) and _says(text, names)}
    kept = [
        one for one in base.paths() if one not in changed and _is_module(one) and base.mode(one) in _FILES
    ]
    for start in range(0, len(kept), _AT_A_TIME):
        texts = base.read_many(kept[start : start + _AT_A_TIME])
        found.update((path, text) for path, text in texts.items() if _says(text, names))
    return found


def _says(text: bytes, names: Collection[bytes]) -> bool:
    return any(name in text for name in names)


def _spoken(path: str) -> bytes:
    """The word without which nobody imports the file."""
    folder, _, name = path.removesuffix(_PYTHON).rpartition("/")
    return os.fsencode(folder.rpartition("/")[2] if name == "__init__" else name)
