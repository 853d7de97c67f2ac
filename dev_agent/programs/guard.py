"""The settings of a guarding hook: which refs are guarded, and what a push may do to them besides being good.

They are git configuration of the repository the hook runs in (`git config dev-agent.<key> …`), so on a server only
those who may write its configuration can change them; nothing that is pushed can. A key nobody knows, or a value that
is none, refuses the push: a typo in a guard must not open it.

    dev-agent.guarded   a ref or pattern, repeatable     default: the branch HEAD names
    dev-agent.delete    deny | allow                     deleting a guarded ref
    dev-agent.force     deny | judge                     moving it to a commit that is not built on the old one
    dev-agent.create    judge | allow | deny             making it: judged as a merge into HEAD's branch
    dev-agent.python    the interpreter of the gates     default: as everywhere
    dev-agent.policy    a shipped policy or a file       default: what the old tip of the ref names
    dev-agent.sandbox   auto | bubblewrap | landlock     how gates are confined
    dev-agent.cache     a folder                         verdicts are remembered there from push to push
"""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.repository.discovery import Repository

SECTION = "dev-agent"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "delete": ("deny", "allow"),
    "force": ("deny", "judge"),
    "create": ("judge", "allow", "deny"),
    "sandbox": ("auto", "bubblewrap", "landlock"),
}
"""The first of each is the default."""

KEYS = ("guarded", *CHOICES, "python", "policy", "cache")


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """The settings; `guarded` is empty where none were made."""

    guarded: tuple[str, ...] = ()
    delete: str = "deny"
    force: str = "deny"
    create: str = "judge"
    sandbox: str = "auto"
    python: str | None = None
    policy: str | None = None
    cache: str | None = None


def read_guard(repository: Repository) -> Guard:
    """The settings of the repository. Raises UsageFault for one that means nothing."""
    asked = repository.git.run("config", "--null", "--get-regexp", rf"^{SECTION}\.")
    if asked.code not in (0, 1):
        raise UsageFault(
            f"git cannot read the repository's configuration: {asked.stderr.decode('utf-8', 'replace').strip()}",
            hint="mend it, then push again",
        )
    found: dict[str, list[str]] = {}
    for entry in asked.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        name, _, value = entry.partition("\n")
        found.setdefault(name.removeprefix(f"{SECTION}."), []).append(value)
    return guard_of(found)


def guard_of(found: Mapping[str, list[str]]) -> Guard:
    """The settings in values by key; the last of several counts, as in git. Raises UsageFault."""
    for key, values in found.items():
        _require_known(key, values[-1])
    last = {key: values[-1] for key, values in found.items() if key != "guarded" and values[-1]}
    guarded = tuple(value for value in found.get("guarded", ()) if value)
    return Guard(guarded=guarded, **last)


def _require_known(key: str, value: str) -> None:
    if key not in KEYS:
        near = get_close_matches(key, KEYS, n=1)
        raise UsageFault(
            f"git config {SECTION}.{key} means nothing to the hook, so nothing is let through",
            hint=f"did you mean {SECTION}.{near[0]}?" if near else f"there are: {', '.join(KEYS)}",
        )
    if key == "cache" and value and not Path(value).is_absolute():
        raise UsageFault(
            f"git config {SECTION}.cache is {value!r}, so nothing is let through",
            hint="name a folder by its whole path",
        )
    if key in CHOICES and value not in CHOICES[key]:
        raise UsageFault(
            f"git config {SECTION}.{key} is {value!r}, so nothing is let through",
            hint=f"it can be: {', '.join(CHOICES[key])}",
        )
