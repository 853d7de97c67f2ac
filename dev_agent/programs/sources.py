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
    ModelTask,
    PatchFile,
    RecipeTask,
    Source,
)
from dev_agent.programs.recipe_task import read_again
from dev_agent.programs.spending import Spending
from dev_agent.programs.undoing import recorded_undoing

if TYPE_CHECKING:
    from dev_agent.programs.proposers import Models
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
    elif isinstance(source, ModelTask):
        known = {
            "kind": "model",
            "name": source.name,
            "paths": [to_recorded(path) for path in source.paths],
            "spending": source.spending.to_json(),
        }
    else:
        return {}
    return {"proposer": known}


def payloads(source: Source) -> dict[str, bytes]:
    """What of the source is kept beside the trace, by role."""
    if isinstance(source, ModelTask):
        return {"model": source.settings.encode("utf-8")}
    return {"command": json.dumps(source.argv).encode("ascii")} if isinstance(source, Command) else {}


def stand_in_for(
    known: Mapping[str, Any],
    request: ApplyRequest,
    payload: Callable[[str], bytes],
    models: Models,
) -> Source:
    """The source of a run whose proposals are taken from its trace: as `source_of`, but no recipe has to be here.

    `models` makes what stands in for the recorded model.
    """
    recipe = (known.get("proposer") or {}).get("kind") == "recipe"
    if recipe:
        return ExistingTree(tree="", name="recipe")
    return source_of(known, request, payload, models=models)


def source_of(
    known: Mapping[str, Any],
    request: ApplyRequest,
    payload: Callable[[str], bytes],
    recipes: Mapping[str, Recipe] | None = None,
    *,
    models: Models,
) -> Source:
    """The source a recorded request names; `payload` reads one of its payloads, `models` makes a model by settings.

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
        return Command(argv=tuple(json.loads(payload("command"))), network=bool(source["network"]))
    if source.get("kind") == "model":
        settings = payload("model").decode("utf-8")
        return ModelTask(
            opened=models(settings),
            settings=settings,
            spending=Spending.from_json(source["spending"]),
            paths=tuple(map(from_recorded, source["paths"])),
        )
    if source.get("kind") == "recipe":
        paths = tuple(map(from_recorded, source["paths"]))
        return read_again(str(source["recipe"]), request.task, paths, recipes=recipes)
    raise UsageFault(
        "the run's proposal is of a kind this version of dev-agent does not know", hint="start the task again"
    )
