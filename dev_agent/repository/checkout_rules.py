"""What outside of a tree decides what its checked-out files look like: settings, and attribute files of the machine.

Two checkouts of one tree under the same rules are equal; a slot made under other rules is stale although its
tree is the right one. Attributes inside the tree are not rules: they are part of the tree.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.attribute_lines import EVERYTHING, Reach, reach_of
from dev_agent.repository.path_settings import path_setting
from dev_agent.repository.settings import read_settings, system_places
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.settings import Settings

_SETTINGS = re.compile(
    r"(core\.(autocrlf|eol|symlinks|attributesfile|bigfilethreshold|ignorecase)|attr\..*|filter\..*)",
    re.DOTALL,
)
_AS_THEY_ARE = {"core.autocrlf": ("false", "input"), "core.eol": ("lf", "native"), "core.symlinks": ("true",)}
"""What these settings may say where git converts nothing that no attribute asks for. `native` is LF on every system
with slots."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckoutRules:
    """`digest` tells one set of rules from another.

    `reach` says which files they may have written otherwise than as their bytes are, attributes in the tree apart;
    None stands for every entry, symlinks too.
    """

    digest: str
    reach: Reach | None


def checkout_rules(repository: Repository) -> CheckoutRules:
    """The settings and attribute files in force now. Raises GitFailed."""
    settings = read_settings(repository)
    rows = [row for row in settings.rows if _SETTINGS.fullmatch(row.name)]
    said = "".join(f"{row.name}\0" if row.value is None else f"{row.name}\n{row.value}\0" for row in rows)
    digest = hashlib.sha256(said.encode("utf-8", "surrogateescape"))
    contents = [
        _content(repository.common_dir / "info" / "attributes"),
        _content(_of_the_user(repository, settings)),
    ]
    # A place where git does not look only makes a slot anew, or lets git write what we could have written.
    contents += [
        one for place in system_places(repository.git.program, "gitattributes") if (one := _content(place))
    ]
    for content in contents:
        digest.update(b"\0file\0" + content)
    reach = (
        tuple(end for content in contents for end in reach_of(content))
        if _convert_nothing(settings)
        else None
    )
    return CheckoutRules(digest=digest.hexdigest(), reach=EVERYTHING if reach and b"" in reach else reach)


def _convert_nothing(settings: Settings) -> bool:
    """True if the settings alone give no entry another form. `attr.*` can name attributes that are not read here."""
    plain = all((settings.value(name) or said[0]).lower() in said for name, said in _AS_THEY_ARE.items())
    return plain and not any(row.name.startswith("attr.") for row in settings.rows)


def _of_the_user(repository: Repository, settings: Settings) -> Path | None:
    """The attributes file the user names, or the one git looks for where they name none."""
    git = repository.git
    named = settings.value("core.attributesfile")
    if named is None:
        return _default_attributes(git.environment())
    home = git.environment().get("HOME")
    if named.startswith("~/") and home:
        return Path(home + named[1:])
    return Path(named) if named.startswith("/") else path_setting(git, "core.attributesFile")


def _default_attributes(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("XDG_CONFIG_HOME") or (environ["HOME"] + "/.config" if environ.get("HOME") else "")
    return Path(home, "git", "attributes") if home else None


def _content(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError:
        return b""
