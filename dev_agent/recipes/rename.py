"""Rename a function, class, method, attribute, module-level name or module across the project.

What happens to each place spelled like the old name:
- Known to be the symbol: renamed. That is its definitions (all branches, overloads, stubs), bare names by Python's
  scoping, imports and re-exports, attributes of modules, classes and objects whose class the source tells, the whole
  hierarchy of an overridden member, keyword arguments that set a renamed field, class patterns, `__all__`, `__slots__`,
  `__match_args__`, quoted annotations, exact dotted paths in strings ("pkg.core.run_all", "pkg.core:run_all") and
  entry points.
- Known to be another's: left alone. Docstrings, comments and other strings are left alone too, and noted.
- On an object whose class cannot be told: the type checker is asked, with the use renamed and with it left alone.
  If it is silent both times, or there is none, the rename is declined ("unseen_use") and names each such place.
- Reached by a string (getattr, globals()[...], attrgetter, a name put together): declined ("dynamic_use") unless the
  object is known to be another's. The list is in `renaming/strings.py`.

Declined as well, always before anything is written: an ambiguous or unknown symbol, a new name that is taken, shadowed
or captured anywhere it would be read, a base class from outside that defines it, Python that cannot be parsed and
mentions the name, private names (`__x`) and dunders, a file out of the user's reach. A rename never moves a symbol to
another module. Files of the tree are replaced identifier by identifier: every other byte stays as it is.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import TYPE_CHECKING

from dev_agent.recipes.model import Declined
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.recipes.model import Bench, Job, Rewritten

_KINDS = "function|class|method|attribute|property|field|module|package|constant|variable|symbol"
_NAME = r"[`'\"“‘]?([^\s`'\"“”‘’]+?)(?:\(\))?[`'\"”’]?"
_TASK = re.compile(
    rf"\s*rename\s+(?:the\s+)?(?:({_KINDS})\s+)?{_NAME}(?:\s+(?:to|into|as)\s+|\s*(?:->|=>|→)\s*){_NAME}\s*\.?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rename:
    """The job: an old name, as much of it as is needed, and a new one."""

    old: str
    new: str
    kind: str = ""

    @property
    def title(self) -> str:
        """The task in the recipe's own words."""
        return " ".join(part for part in ("rename", self.kind, self.old, "to", self.new) if part)

    def work(self, bench: Bench) -> Rewritten | Declined:
        """Compute the change. Raises what `bench.pause` raises, and CheckerFailed."""
        from dev_agent.recipes.renaming.flow import rename  # noqa: PLC0415 - reading a task must stay cheap

        return rename(bench, old=self.old, new=self.new, kind=self.kind)


class RenameRecipe:
    """The recipe."""

    name = "rename"
    summary = "Rename a function, class, method, attribute, module or module-level name everywhere"
    examples = (
        "rename Invoice.total to Invoice.amount_due",
        "rename function run_all to run_every",
        "rename class pkg.core.Engine to Motor",
        "rename module pkg.core to pkg.kernel",
        "rename pkg.core.LIMIT -> CEILING",
    )

    def read(self, task: str) -> Job | Declined | None:
        """Return the job of a task, Declined for names that cannot be meant, None for a task of another kind."""
        found = _TASK.fullmatch(task)
        if found is None:
            return None
        kind, old, new = (found[1] or "").lower(), found[2], found[3]
        return _fault(old, new) or Rename(old=old, new=new, kind=kind)


def _fault(old: str, new: str) -> Declined | None:
    for name in (old, new):
        if "/" in name or name.endswith((".py", ".pyi")):
            plain = re.sub(r"\.pyi?$", "", name).replace("/", ".")
            return Declined(
                code="not_a_name",
                message=f"{name} is a path.",
                hint=f"A module is named with dots: {plain}, without the folder it is imported from.",
            )
        fault = next((each for each in map(_name_fault, name.split(".")) if each), "")
        if fault:
            return Declined(
                code="not_a_name",
                message=f"{name} cannot be a name here: {fault}.",
                hint="Give a plain Python identifier.",
            )
    if old.rpartition(".")[2] == new.rpartition(".")[2]:
        return Declined(
            code="same_name", message=f"{old} is called so already.", hint="A rename does not move symbols."
        )
    last = next((name for name in (old, new) if name.rpartition(".")[2].startswith("__")), "")
    if last:
        return Declined(
            code="reserved_name",
            message=f"{last} is a name that Python treats in its own way.",
            hint="Names that begin with two underscores are renamed by hand.",
        )
    return None


def _name_fault(part: str) -> str:
    if not part.isidentifier():
        return f"{part!r} is not an identifier" if part else "a part of it is empty"
    if keyword.iskeyword(part):
        return f"{part} is a keyword"
    if part == "_":
        return "_ means any pattern"
    return (
        ""
        if unicodedata.normalize("NFKC", part) == part
        else f"{part} is not in the form Python compares names in"
    )


RECIPE = RenameRecipe()
