"""Which names may never be written: what git or a file system would take for something else. Pure.

Checked before anything is staged, and independently of whoever resolved the edits: a component that is `.git`
in any spelling (case, NTFS short name, trailing dots and spaces, streams, HFS+ ignorable characters), `.`,
`..`, empty, or NUL; and two names that differ by case or Unicode composition only, which is one file on half of
the world's machines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_IGNORED_BY_HFS = dict.fromkeys(
    [*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF]
)


def forbidden(path: str) -> str:
    """Why `path` may not be written; empty if it may."""
    if "\0" in path:
        return "it contains NUL"
    for component in path.split("/"):
        if component in ("", ".", ".."):
            return "it is not a plain relative path"
        if _is_git_folder(component):
            return "a component stands for git's own folder"
    return ""


def is_modules_file(path: str) -> bool:
    """True if the last component is `.gitmodules` to some file system: git follows no symlink of that name."""
    name = path.rpartition("/")[2].translate(_IGNORED_BY_HFS).partition(":")[0].rstrip(". ").casefold()
    return name == ".gitmodules" or name.startswith(("gitmod~", "gi7eb"))


def _is_git_folder(component: str) -> bool:
    # NTFS and old scripts take a backslash for a separator.
    return any(_is_dot_git(part) for part in component.split("\\"))


def _is_dot_git(name: str) -> bool:
    plain = name.translate(_IGNORED_BY_HFS).partition(":")[0].rstrip(". ").casefold()
    return plain in (".git", "git~1")


def folded(path: str) -> str:
    """Equal for names that a case-insensitive, composing file system takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def clashes(added: Iterable[str], everything: Iterable[str]) -> tuple[str, ...]:
    """The paths of `added` that share a file with another of `everything` (all paths, folders included).

    A folder that an added path brings along counts as added.
    """
    names = set(added) | {folder for path in added for folder in _folders(path)}
    wanted = {folded(name) for name in names}
    spellings: dict[str, set[str]] = {}
    for path in everything:
        key = folded(path)
        if key in wanted:
            spellings.setdefault(key, set()).add(path)
    bad = {name for name in names if len(spellings.get(folded(name), ())) > 1}
    return tuple(sorted(path for path in added if path in bad or bad & set(_folders(path))))


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
