"""The path law: which names an edit may touch and make, and what must be true of the tree afterwards.

Rules kept here:
- For every path: relative, no empty, `.` or `..` component, no backslash, no control or invisible character,
  and no component that any file system git guards against would take for `.git` (case, HFS+ ignorable code
  points, NTFS aliases).
- For a new path also: it can be checked out everywhere (no reserved device name, trailing dot or space, `:`;
  components of at most 255 bytes), and no other path differs from it only in case or Unicode normalisation.
- Nothing is written below a file, symlink or submodule of the base, unless the same proposal removes it.
- A new symlink points inside the tree, not into `.git`, and through no other symlink.

Sources: git's `is_hfs_dotgit`, `is_ntfs_dotgit`, `verify_path`; Microsoft's "Naming Files, Paths, and
Namespaces". Opening files without following links is the landing's part; this law is about names only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable
from typing import Final

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.text import escaped
from dev_agent.edits.trees import DIRECTORY, GITLINK, SYMLINK, BaseTree, parents

Fault = tuple[ProblemCode, str, str]
"""(code, what is wrong, what to do)."""

_LONGEST: Final = 4000
"""Linux opens no path of more than 4095 bytes."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
_RESERVED: Final = re.compile(r"^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])$", re.IGNORECASE)
_NTFS_DOTGIT: Final = re.compile(r"^(?:\.git|git~1)[. ]*$")
_LINKS_GIT_READS: Final = frozenset({".gitmodules", ".gitattributes", ".gitignore", ".mailmap"})
_RELATIVE: Final = "name files relative to the repository's top, with '/' between folders"


def is_dot_git(component: str) -> bool:
    """Return whether some file system takes this name for `.git`."""
    # HFS+ ignores these when it compares names, so ".g\\u200cit" opens .git there.
    visible = "".join(character for character in component if unicodedata.category(character) != "Cf")
    # NTFS: a stream name after ':', dots and spaces at the end, and the short name git~1.
    return _NTFS_DOTGIT.match(visible.casefold().partition(":")[0]) is not None


def path_fault(path: str, *, in_base: bool) -> Fault | None:
    """Return what forbids touching `path` in any way, None if nothing does.

    A file that the base has may be edited whatever its name looks like, unless the name leads out of the tree.
    """
    shown = f"'{escaped(path)}'"
    if not path:
        return ProblemCode.FORBIDDEN_PATH, "the file name is empty", _RELATIVE
    if path.startswith("/") or re.match(r"^[A-Za-z]:[\\/]", path):
        return ProblemCode.FORBIDDEN_PATH, f"{shown} is an absolute path", _RELATIVE
    if not in_base and len(path.encode("utf-8", "surrogateescape")) > _LONGEST:
        return ProblemCode.NOT_PORTABLE, f"{shown} is longer than {_LONGEST} bytes", "choose another name"
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return ProblemCode.FORBIDDEN_PATH, f"{shown} has an empty, '.' or '..' component", _RELATIVE
    if any(is_dot_git(part) for part in parts):
        return ProblemCode.FORBIDDEN_PATH, f"{shown} leads into .git", "git's own files cannot be edited"
    if not in_base and "\\" in path:
        return ProblemCode.FORBIDDEN_PATH, f"{shown} has a backslash", _RELATIVE
    if not in_base and any(unicodedata.category(character) in _HIDDEN for character in path):
        return (
            ProblemCode.FORBIDDEN_PATH,
            f"{shown} has a control or invisible character",
            "use a name that can be read",
        )
    return None


def portability_fault(path: str) -> Fault | None:
    """Return why `path` could not be checked out on every system, None if it can."""
    for part in path.split("/"):
        why = _part_fault(part)
        if why:
            return (
                ProblemCode.NOT_PORTABLE,
                f"'{escaped(path)}': '{escaped(part)}' {why}",
                "choose another name",
            )
    return None


def _part_fault(part: str) -> str | None:
    if len(part.encode("utf-8", "surrogateescape")) > 255:
        return "is longer than 255 bytes"
    if part.endswith((".", " ")):
        return "ends in a dot or space, which Windows drops"
    if ":" in part:
        return "has a ':', which Windows takes for a stream"
    if _RESERVED.match(part.partition(".")[0].rstrip()):
        return "is a device name on Windows"
    return None


def blocking_parent(path: str, tree: BaseTree, removed: Container[str]) -> Fault | None:
    """Return why nothing may be written at `path` because of what stands above it in the base."""
    for parent in parents(path):
        mode = tree.mode(parent)
        if mode is None:
            return None
        if mode == DIRECTORY:
            continue
        if mode == GITLINK:
            return (
                ProblemCode.SUBMODULE,
                f"'{escaped(path)}' is inside the submodule '{escaped(parent)}'",
                "edit it in its own repository",
            )
        if parent not in removed:
            code = ProblemCode.SYMLINK if mode == SYMLINK else ProblemCode.BELOW_A_FILE
            kind = "symlink" if mode == SYMLINK else "file"
            return (
                code,
                f"'{escaped(path)}' is below '{escaped(parent)}', which is a {kind}",
                "delete it in the same proposal, or choose another path",
            )
    return None


def folded(path: str) -> str:
    """Return what a file system blind to case and normalisation compares."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


class Names:
    """All paths the tree will have, and their directories, to find two that are one on some file system."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._spellings: dict[str, set[str]] = {}
        self._files: set[str] = set()
        self._directories: set[str] = set()
        known: set[str] = set()
        for path in paths:
            self._files.add(path)
            for name in self._chain(path):
                if name != path:
                    self._directories.add(name)
                if name not in known:
                    known.add(name)
                    self._spellings.setdefault(folded(name), set()).add(name)

    @staticmethod
    def _chain(path: str) -> list[str]:
        return [*parents(path), path]

    def fault(self, path: str) -> Fault | None:
        """Return the clash that `path`, one of these paths, has with another."""
        if path in self._directories:
            return (
                ProblemCode.IS_A_DIRECTORY,
                f"'{escaped(path)}' is a directory that keeps files",
                "choose another path",
            )
        for name in self._chain(path):
            others = self._spellings[folded(name)] - {name}
            if others:
                other = escaped(min(others))
                return (
                    ProblemCode.CASE_CLASH,
                    f"'{escaped(path)}' differs from '{other}' only in case or Unicode form",
                    "use the existing spelling",
                )
            if name != path and name in self._files:
                return (
                    ProblemCode.BELOW_A_FILE,
                    f"'{escaped(path)}' is below '{escaped(name)}', which is a file",
                    "choose another path",
                )
        return None


def symlink_fault(path: str, target: str, is_link: Callable[[str], bool]) -> Fault | None:
    """Return why a symlink may not point to `target`; `is_link` tells of the resulting tree's paths."""
    shown = f"the symlink '{escaped(path)}' -> '{escaped(target)}'"
    how = "point it at a file inside the repository"
    if path.rpartition("/")[2].casefold() in _LINKS_GIT_READS:
        return ProblemCode.SYMLINK, f"'{escaped(path)}' must not be a symlink", "make it a regular file"
    if (
        not target
        or target.startswith("/")
        or "\\" in target
        or any(unicodedata.category(c) in _HIDDEN for c in target)
    ):
        return ProblemCode.SYMLINK, f"{shown} is not a plain relative path", how
    at = path.split("/")[:-1]
    for part in target.split("/"):
        if part == ".." and not at:
            return ProblemCode.SYMLINK, f"{shown} points outside the repository", how
        if is_dot_git(part):
            return ProblemCode.SYMLINK, f"{shown} points into .git", how
        if part == "..":
            at.pop()
        elif part not in {"", "."}:
            at.append(part)
            if is_link("/".join(at)):
                return ProblemCode.SYMLINK, f"{shown} leads through another symlink", how
    return None
