"""The policies that come with dev-agent, by name.

Installed, they lie in the package's `_shipped/policies`; in a source checkout, in `policies/` beside the
package. The only module here that reads anything, and only its own installation.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from dev_agent.policy.errors import PolicyError

_SUFFIX = ".toml"


def shipped_names() -> tuple[str, ...]:
    """The names that `shipped` knows, sorted."""
    return tuple(sorted(name for name, _ in _policies()))


def shipped(name: str) -> str:
    """The text of a shipped policy. Raises PolicyError, naming the known ones, for another name."""
    for known, file in _policies():
        if known == name:
            return file.read_text(encoding="utf-8")
    names = shipped_names()
    raise PolicyError(
        f"no policy named {name[:80]!r} comes with dev-agent",
        f"take one of {', '.join(names)}, or a file's path",
    )


def _policies() -> Iterator[tuple[str, Traversable]]:
    for file in _folder().iterdir():
        if file.name.endswith(_SUFFIX):
            yield file.name.removesuffix(_SUFFIX), file


def _folder() -> Traversable:
    installed = files("dev_agent").joinpath("_shipped", "policies")
    return installed if installed.is_dir() else Path(__file__).parents[2] / "policies"
