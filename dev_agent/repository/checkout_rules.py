"""A digest of everything outside a tree that decides what its checked-out files look like.

Two checkouts of one tree under the same rules are equal; a slot made under other rules is stale although its
tree is the right one. Attributes inside the tree are not rules: they are part of the tree.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.repository.path_settings import path_setting

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_SETTINGS = r"^(core\.(autocrlf|eol|symlinks|attributesfile|bigfilethreshold|ignorecase)|filter\..*)$"


def checkout_rules(repository: Repository) -> str:
    """The digest, in hexadecimal, of the settings and attribute files in force now. Raises GitFailed."""
    git = repository.git
    digest = hashlib.sha256(git.run("config", "-z", "--get-regexp", _SETTINGS).stdout)
    for attributes in (repository.common_dir / "info" / "attributes", _user_attributes(repository)):
        digest.update(b"\0file\0" + _content(attributes))
    return digest.hexdigest()


def _user_attributes(repository: Repository) -> Path | None:
    """The attributes file of the user: the one they name, else the one git looks for."""
    named = path_setting(repository.git, "core.attributesFile")
    if named:
        return named
    environ = repository.git.environment()
    home = environ.get("XDG_CONFIG_HOME") or (environ["HOME"] + "/.config" if environ.get("HOME") else "")
    return Path(home, "git", "attributes") if home else None


def _content(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError:
        return b""
