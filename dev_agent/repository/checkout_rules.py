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
    from collections.abc import Mapping

    from dev_agent.repository.discovery import Repository

_SETTINGS = r"^(core\.(autocrlf|eol|symlinks|attributesfile|bigfilethreshold|ignorecase)|filter\..*)$"


def checkout_rules(repository: Repository) -> str:
    """The digest, in hexadecimal, of the settings and attribute files in force now. Raises GitFailed."""
    git = repository.git
    said = git.run("config", "-z", "--get-regexp", _SETTINGS).stdout
    digest = hashlib.sha256(said)
    named = path_setting(git, "core.attributesFile") if b"core.attributesfile" in said else None
    user = named or _default_attributes(git.environment())
    for attributes in (repository.common_dir / "info" / "attributes", user):
        digest.update(b"\0file\0" + _content(attributes))
    return digest.hexdigest()


def _default_attributes(environ: Mapping[str, str]) -> Path | None:
    """The attributes file that git looks for where the user names none."""
    home = environ.get("XDG_CONFIG_HOME") or (environ["HOME"] + "/.config" if environ.get("HOME") else "")
    return Path(home, "git", "attributes") if home else None


def _content(path: Path | None) -> bytes:
    try:
        return path.read_bytes() if path else b""
    except OSError:
        return b""
