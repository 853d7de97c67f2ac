"""The facts policy rules on, of a change and of what its base has: every decision of a run is made from these.

A change says by itself nearly all that policy asks. Only a new file below the name of a testing module needs a look at
the base: in the repository of `packaging` itself `src/packaging/` is the project, and a file in it hides nobody's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dev_agent.policy.facts import compute_facts
from dev_agent.policy.path_facts import top_level_folders
from dev_agent.repository.objects import GitTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.edits.model import Change
    from dev_agent.policy.facts import Facts
    from dev_agent.policy.settings import FactSettings
    from dev_agent.repository.discovery import Repository

_SHADOWING = "shadowing_modules"


def facts_on_base(
    repository: Repository, base_tree: str, changes: Sequence[Change], settings: FactSettings
) -> Facts:
    """The facts of `changes`, made to the tree `base_tree`. Reads the base only where a change calls for it."""
    facts = compute_facts(changes, settings=settings)
    places = facts.places.get(_SHADOWING, ())
    if not places:
        return facts
    base = GitTree(repository, base_tree)
    folders = {one for place in places for one in top_level_folders(place.path, settings.import_roots)}
    packages = frozenset(one for one in folders if base.entry(f"{one}/__init__.py") is not None)
    return compute_facts(changes, settings=replace(settings, packages=packages)) if packages else facts
