"""Reading a task as a recipe's, and a recipe's reach as a set of paths.

A recipe takes a whole sentence or nothing, so a task is never understood half. What no recipe takes is refused here,
before a run exists, with the ways that are left.

`--path` speaks the language of policies (`policy.globs`), and a pattern that names a folder covers what is in it.
Patterns are relative to the repository's top; `./` before and `/` after one mean nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.policy.errors import GlobError
from dev_agent.policy.globs import matcher
from dev_agent.programs.proposers import RecipeTask
from dev_agent.recipes.model import Declined

if TYPE_CHECKING:
    from dev_agent.recipes.model import Recipe

_NEAR, _MOST_NEAR = 0.55, 2
_NOBODY = "no recipe understands this task, and no patch is given"
_WAYS = (
    "every recipe with examples: dev-agent recipes",
    "a change somebody made: --patch FILE",
    "a program that makes it: dev-agent run -- COMMAND",
)


class NotUnderstood(UsageFault):
    """No recipe takes the task: somebody else may."""


def shipped_recipes() -> Mapping[str, Recipe]:
    """The recipes of this version, by name."""
    from dev_agent.recipes.registry import RECIPES  # noqa: PLC0415 - they may import libcst, which is slow

    return RECIPES


def read_task(
    task: str, paths: Sequence[str] = (), *, recipes: Mapping[str, Recipe] | None = None
) -> RecipeTask:
    """The recipe that takes the task, and what it made of it.

    `recipes` are those there are, by default the shipped ones. Raises NotUnderstood if none takes it, UsageFault if the
    one that does says that it cannot be meant.
    """
    from dev_agent.recipes.registry import find  # noqa: PLC0415 - as above

    known = shipped_recipes() if recipes is None else recipes
    reach = tuple(_normal(path) for path in paths)
    covering(reach)
    found = find(task, known)
    if found is None:
        raise NotUnderstood(_NOBODY, hint=_ways(task, known))
    name, job = found
    if isinstance(job, Declined):
        places = "".join(f"\n  {place.path}:{place.line}: {place.text}" for place in job.places)
        raise UsageFault(f"{job.message}{places}", hint=job.hint)
    return RecipeTask(recipe=name, task=task, paths=reach, job=job)


def read_again(
    name: str, task: str, paths: Sequence[str], *, recipes: Mapping[str, Recipe] | None = None
) -> RecipeTask:
    """The recipe a run began with, for its resumption. Raises UsageFault if this version reads the task otherwise."""
    known = shipped_recipes() if recipes is None else recipes
    job = known[name].read(task) if name in known else None
    if job is None or isinstance(job, Declined):
        raise UsageFault(
            f"this version of dev-agent has no recipe {name!r} that takes the run's task",
            hint="start the task again",
        )
    return RecipeTask(recipe=name, task=task, paths=tuple(paths), job=job)


def covering(paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a path lies within these; no paths: everything does. Raises UsageFault for what is no pattern."""
    if not paths or "." in paths:
        return lambda _path: True
    try:
        pattern = matcher(tuple(one for path in paths for one in _whole(path)))
    except GlobError as error:
        raise UsageFault(f"--path: {error.message}", hint=error.hint) from error
    return lambda path: pattern.fullmatch(path) is not None


def require_matching(paths: Sequence[str], known: Iterable[str]) -> None:
    """Refuse a pattern that covers none of the `known` paths: silently doing nothing would look like success."""
    listed = tuple(known)
    idle = [path for path in paths if not any(map(covering((path,)), listed))]
    if idle:
        raise UsageFault(
            f"--path covers no file of the base commit: {', '.join(map(repr, idle))}",
            hint="name files, folders or patterns relative to the repository's top, for example: --path src",
        )


def _normal(path: str) -> str:
    stripped = path.strip().removeprefix("./").rstrip("/")
    return stripped or ("." if path.strip() in {"./", "."} else path)


def _whole(path: str) -> tuple[str, ...]:
    return (path,) if path.endswith("**") else (path, f"{path}/**")


def _ways(task: str, recipes: Mapping[str, Recipe]) -> str:
    examples = [example for recipe in recipes.values() for example in recipe.examples]
    near = get_close_matches(task, examples, n=_MOST_NEAR, cutoff=_NEAR)
    return "\n".join([*(f"a recipe would understand: {example}" for example in near), *_WAYS])
