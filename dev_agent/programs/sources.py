"""What a trace keeps of where a proposal comes from, and the source again for a run that is resumed.

A patch is a payload of the request itself. Of a recipe the name is kept, the words it understood and where it may
write; the task is a payload as of every run, and read by the same recipe again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.errors import UsageFault
from dev_agent.programs.merging import Merging, is_merging
from dev_agent.programs.paths import from_recorded, to_recorded
from dev_agent.programs.proposers import (
    Command,
    ExistingTree,
    Inverse,
    Merge,
    PatchFile,
    RecipeTask,
    Source,
)
from dev_agent.programs.recipe_task import read_again
from dev_agent.programs.undoing import recorded_undoing

if TYPE_CHECKING:
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.recipes.model import Recipe


def recorded(source: Source) -> dict[str, Any]:
    """The fields of the request by which `source_of` knows the source again; none for a patch."""
    if isinstance(source, Inverse):
        return {"undo": source.undoing.to_json()}
    if isinstance(source, Merge):
        return {"proposer": source.merging.to_json()}
    if isinstance(source, ExistingTree):
        known: dict[str, Any] = {
            "kind": "tree",
            "name": source.name,
            "tree": source.tree,
            "commit": source.commit,
            "notes": list(source.notes),
        }
    elif isinstance(source, Command):
        known = {"kind": "command", "network": source.network}
    elif isinstance(source, RecipeTask):
        known = {
            "kind": "recipe",
            "recipe": source.recipe,
            "title": source.title,
            "paths": [to_recorded(path) for path in source.paths],
        }
    else:
        return {}
    return {"proposer": known}


def payloads(source: Source) -> dict[str, bytes]:
    """What of the source is kept beside the trace, by role."""
    return {"command": json.dumps(source.argv).encode("ascii")} if isinstance(source, Command) else {}


def stand_in_for(known: Mapping[str, Any], request: ApplyRequest, command: Callable[[], bytes]) -> Source:
    """The source of a run whose proposals are taken from its trace: as `source_of`, but no recipe has to be here."""
    recipe = (known.get("proposer") or {}).get("kind") == "recipe"
    return ExistingTree(tree="", name="recipe") if recipe else source_of(known, request, command)


def source_of(
    known: Mapping[str, Any],
    request: ApplyRequest,
    command: Callable[[], bytes],
    recipes: Mapping[str, Recipe] | None = None,
) -> Source:
    """The source a recorded request names; `command` reads the payload of its arguments.

    Raises UsageFault for one this version does not know.
    """
    undoing = recorded_undoing(known)
    if undoing is not None:
        return Inverse(undoing=undoing)
    source = known.get("proposer")
    if source is None:
        return PatchFile(content=request.patch)
    if is_merging(source):
        return Merge(merging=Merging.from_json(source))
    if source.get("kind") == "tree":
        return ExistingTree(
            tree=str(source["tree"]),
            name=str(source["name"]),
            commit=str(source["commit"]),
            notes=tuple(str(note) for note in source["notes"]),
        )
    if source.get("kind") == "command":
        return Command(argv=tuple(json.loads(command())), network=bool(source["network"]))
    if source.get("kind") == "recipe":
        paths = tuple(map(from_recorded, source["paths"]))
        return read_again(str(source["recipe"]), request.task, paths, recipes=recipes)
    raise UsageFault(
        "the run's proposal is of a kind this version of dev-agent does not know", hint="start the task again"
    )
