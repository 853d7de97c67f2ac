"""Which symbol a task names: exactly one, or a Declined that lists what it might have meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from dev_agent.recipes.model import Declined, Place
from dev_agent.recipes.renaming.candidates import Candidate, candidates, fits, through
from dev_agent.recipes.renaming.source import UnreadableError

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.target import Growing, Target

_KINDS = {
    "module": {"module"},
    "package": {"module"},
    "class": {"class"},
    "function": {"function", "method"},
    "method": {"method"},
    "attribute": {"attribute", "method"},
    "property": {"method", "attribute"},
    "field": {"attribute"},
    "constant": {"name", "attribute"},
    "variable": {"name", "attribute"},
    "symbol": {"module", "class", "function", "method", "attribute", "name"},
}


def chosen(
    inference: Inference, growing: Growing, old: str, kind: str, files: list[str]
) -> tuple[Target, Candidate] | Declined:
    """Return the target of a task and where it is defined."""
    name = old.rpartition(".")[2]
    every = candidates(inference, name, files)
    found = [one for one in every if fits(one.qualified, old)] or (
        through(inference, old) if "." in old else []
    )
    if kind:
        found = (
            [one for one in found if one.kind in _KINDS[kind] or one.kind == "name"]
            if kind != "module"
            else found
        )
        found = (
            [one for one in found if (one.kind == "module") is (kind in {"module", "package"})]
            if kind != "symbol"
            else found
        )
    exact = [one for one in found if one.qualified == old]
    if exact and len({one.qualified for one in found}) > 1:
        found = exact
    if not found:
        return _unknown(inference, old, every)
    first = found[0]
    target = _grown(growing, first, found)
    strangers = [one for one in found if not _covered(target, one, first)]
    return _ambiguous(old, found) if strangers else (target, first)


def _grown(growing: Growing, first: Candidate, found: list[Candidate]) -> Target:
    name = first.qualified.rpartition(".")[2]
    if first.scope is None:
        return growing.module(first.key, name)
    same = {
        one.scope
        for one in found
        if one.qualified == first.qualified and one.key == first.key and one.scope is not None
    }
    return growing.member(same, name) if first.scope.parent is not None else growing.name(same, name)


def _covered(target: Target, one: Candidate, first: Candidate) -> bool:
    if one.scope is None:
        return one.key in target.modules
    return one.scope in target.scopes | target.classes or (
        one.key == first.key and one.qualified == first.qualified
    )


def _ambiguous(old: str, found: list[Candidate]) -> Declined:
    return Declined(
        code="ambiguous",
        message=f"{old} may mean {len(found)} symbols: {', '.join(sorted({one.qualified for one in found}))}.",
        hint=f'Write more of the name, for example "rename {min(one.qualified for one in found)} to ...", '
        "or its kind before it (class, function, method, module).",
        places=_places(found),
    )


def _unknown(inference: Inference, old: str, every: list[Candidate]) -> Declined:
    near = every or _near(inference, old)
    names = ", ".join(sorted({one.qualified for one in near})[:5])
    return Declined(
        code="not_found",
        message=f"No symbol of this project is called {old}.",
        hint=f"Did you mean {names}?"
        if names
        else "Only what a module or class of this project defines can be renamed.",
        places=_places(near)[:10],
    )


def _near(inference: Inference, old: str) -> list[Candidate]:
    """The nearest names there are, of all modules: this is the one case in which every file is read."""
    project, name = inference.project, old.rpartition(".")[2]
    names: dict[str, set[str]] = {}
    for path in project.paths:
        try:
            file = project.file(path)
        except UnreadableError:
            continue
        for scope in [file.scope, *file.classes]:
            for one in [*scope.bindings, *scope.members]:
                names.setdefault(one, set()).add(path)
    for key, dotted in project.modules():
        names.setdefault(dotted.rpartition(".")[2], set()).update(project.paths_of(key))
    found: list[Candidate] = []
    for near in difflib.get_close_matches(name, names, n=4, cutoff=0.7):
        found += candidates(inference, near, sorted(names[near]))[:3]
    return found


def _places(found: list[Candidate]) -> tuple[Place, ...]:
    return tuple(
        sorted({Place(path=one.path, line=one.line, text=f"{one.kind} {one.qualified}") for one in found})
    )


def same_home(old_outer: str, new_outer: str) -> bool:
    """Return whether the qualifier of a new name says the place where the symbol is already."""
    return not new_outer or fits(old_outer, new_outer)
