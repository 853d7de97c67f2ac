"""Unified diffs: git's, GNU diff's, and those that models write from memory.

Rules kept here:
- Names come from `rename`/`copy` lines, then from `---`/`+++`, then from `diff --git`; two names for one file
  without a rename line are an error.
- The hunks of one file become `Replace` edits against the base, in any order; `resolve.py` finds their
  places.
- A new, deleted, renamed, copied or re-moded file becomes the edit of that name. A symlink whose target
  changes becomes a deletion and a creation, so that no text is ever written *through* it.
- A binary or merge diff is refused: it cannot be resolved as text. So is what other tools say of files
  without a unified diff (`leftout.py`).
- A file that has all its lines removed and the time of no file (`diff -N`) is deleted, not left empty.
- A machine-made diff (it has an `index` line) that stops inside a hunk was cut off, and is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final

from dev_agent.edits import diffnames
from dev_agent.edits.errors import ParseError
from dev_agent.edits.hunks import Hunk, Source, begins_file, read_hunk
from dev_agent.edits.leftout import left_out_at
from dev_agent.edits.model import Copy, Create, Delete, Edit, Move, Origin, Replace, SetMode
from dev_agent.edits.proposal import Fence, Here, Part
from dev_agent.edits.text import escaped
from dev_agent.edits.trees import REGULAR, SYMLINK
from dev_agent.values import dataclass

_FIELDS: Final = {
    "old mode ": "old_mode",
    "new mode ": "new_mode",
    "new file mode ": "created_mode",
    "deleted file mode ": "deleted_mode",
    "rename from ": "rename_from",
    "rename to ": "rename_to",
    "rename old ": "rename_from",
    "rename new ": "rename_to",
    "copy from ": "copy_from",
    "copy to ": "copy_to",
    "index ": "index",
    "similarity index ": "similarity",
    "dissimilarity index ": "similarity",
    "--- ": "old",
    "+++ ": "new",
}
_NAMES: Final = frozenset({"rename_from", "rename_to", "copy_from", "copy_to", "old", "new"})


class UnifiedDiff:
    """The format, for `parse.FORMATS`."""

    def begins(self, here: Here) -> bool:
        """See `Format.begins`."""
        return begins_file(here.page.lines, here.at)

    def read(self, here: Here) -> Part:
        """See `Format.read`: one file's part of a diff."""
        part, end = _read_file(here.page.lines, here.at, here.fence)
        return Part(end=end, edits=tuple(_edits(part)), notes=tuple(_notes(part)))

    def refuse_near_miss(self, here: Here) -> None:
        """See `Format.refuse_near_miss`."""
        if here.page.lines[here.at].startswith("@@ -"):
            raise ParseError(
                "a hunk without a file header above it", "repeat the --- and +++ lines", line=here.at + 1
            )
        found = left_out_at(here.page, here.at)
        if found is not None:
            raise ParseError(found.message, found.hint, line=here.at + 1)


@dataclass(slots=True, kw_only=True)
class _Part:
    """What one file's part of a diff says. `line` is 0-based; `git` the path on its `diff --git` line."""

    line: int
    fields: dict[str, str] = field(default_factory=dict)
    git: str | None = None
    is_git: bool = False
    new_is_no_file: bool = False
    hunks: list[Hunk] = field(default_factory=list)

    def mode(self, name: str) -> str | None:
        return self.fields.get(name)

    @property
    def has_old_blob(self) -> bool:
        """Whether the index line names a blob on the old side, as only a diff of existing files does."""
        return self.fields.get("index", "0").partition("..")[0].strip("0") != ""

    @property
    def origin(self) -> Origin:
        return Origin(line=self.line + 1)


def _read_file(lines: Sequence[str], start: int, fence: Fence | None) -> tuple[_Part, int]:
    source = Source(lines=lines, fence=fence, crlf=lines[start].endswith("\r"))
    part = _Part(line=start)
    at = _read_header(part, source, start)
    while at < len(lines) and lines[at].startswith("@@"):
        if lines[at].startswith("@@@"):
            raise ParseError(
                "a combined (merge) diff cannot be applied", "make a diff against one parent", line=at + 1
            )
        hunk, at = read_hunk(source, at)
        if not hunk.rows:
            raise ParseError("a hunk without lines", "", line=hunk.line)
        part.hunks.append(hunk)
    _refuse_cut_off(part, source, at)
    return part, at


def _read_header(part: _Part, source: Source, at: int) -> int:
    """Read the lines above the first hunk into `part`; return the line after them."""
    if source.lines[at].startswith("diff --git "):
        part.is_git = True
        part.git = diffnames.git_line_name(source.lines[at].rstrip("\r").removeprefix("diff --git "))
        at += 1
    while at < len(source.lines):
        line = source.lines[at].rstrip("\r")
        if line.startswith(("diff --cc ", "diff --combined ")):
            raise ParseError(
                "a combined (merge) diff cannot be applied", "make a diff against one parent", line=at + 1
            )
        if line.startswith("GIT binary patch") or (
            line.startswith("Binary files ") and line.endswith(" differ")
        ):
            raise ParseError(
                "a binary change cannot be applied",
                "send text edits only; leave binary files out",
                line=at + 1,
            )
        key = next((prefix for prefix in _FIELDS if line.startswith(prefix)), None)
        if key is None or (key == "--- " and "old" in part.fields):
            return at
        part.fields[_FIELDS[key]] = _value(_FIELDS[key], line.removeprefix(key), at)
        if key == "+++ ":
            part.new_is_no_file = diffnames.is_time_of_no_file(line)
        at += 1
    return at


def _value(name: str, text: str, at: int) -> str:
    if name not in _NAMES:
        return text.strip()
    try:
        return diffnames.name_in(text)
    except diffnames.BadName as error:
        raise ParseError(f"'{escaped(text)}' is {error}", "quote names as git does", line=at + 1) from None


def _refuse_cut_off(part: _Part, source: Source, end: int) -> None:
    if not part.hunks or part.hunks[-1].counted or end < len(source.lines):
        return
    if source.fence is not None or (part.is_git and "index" in part.fields):
        raise ParseError(
            f"the text ends inside the hunk that begins at line {part.hunks[-1].line}; was it cut off?",
            "send the whole diff" + (" and close its fence" if source.fence else ""),
            line=end,
        )


def _notes(part: _Part) -> list[str]:
    loose = [hunk for hunk in part.hunks if not hunk.counted]
    return [
        f"proposal line {hunk.line}: the hunk's line counts are missing or wrong; they were ignored"
        for hunk in loose
    ]


def _edits(part: _Part) -> list[Edit]:
    for made, kind in (("rename", Move), ("copy", Copy)):
        if f"{made}_from" in part.fields and f"{made}_to" in part.fields:
            path, to = part.fields[f"{made}_from"], part.fields[f"{made}_to"]
            return [kind(path=path, to=to, origin=part.origin), *_inside(part, path, to)]
    path = _path(part)
    if "created_mode" in part.fields or part.fields.get("old") == diffnames.DEV_NULL:
        return [_creation(part, path)]
    if "deleted_mode" in part.fields or part.fields.get("new") == diffnames.DEV_NULL or _is_emptied(part):
        return [_deletion(part, path)]
    if _is_replaced_whole(part):
        return [_deletion(part, path), _creation(part, path)]
    edits = _inside(part, path, None)
    if not edits:
        raise ParseError(
            f"the part for '{escaped(path)}' changes nothing",
            "add hunks, or leave the file out",
            line=part.line + 1,
        )
    return edits


def _path(part: _Part) -> str:
    """Return the one path a part is about. Raises ParseError if its lines name none or two."""
    names = [
        name for key in ("old", "new") if (name := part.fields.get(key)) not in {None, diffnames.DEV_NULL}
    ]
    if len(names) == 2:
        found = diffnames.common_name(str(names[0]), str(names[1]))
    elif names and part.git is None:
        found = _without_prefix(str(names[0]))
    else:
        found = part.git
    if found is None:
        raise ParseError(
            "it cannot be told which file this part is about"
            + "".join(f" '{escaped(str(name))}'" for name in names),
            "name the same file on both lines, or add 'rename from' and 'rename to'",
            line=part.line + 1,
        )
    return found


def _without_prefix(name: str) -> str:
    return name[2:] if name.startswith(("a/", "b/")) else name


def _inside(part: _Part, path: str, to: str | None) -> list[Edit]:
    edits: list[Edit] = []
    new_mode = part.mode("new_mode")
    if new_mode is not None and new_mode != part.mode("old_mode"):
        edits.append(SetMode(path=path, mode=new_mode, to=to, origin=part.origin))
    edits += (_replace(part, hunk, path, to) for hunk in part.hunks)
    return edits


def _replace(part: _Part, hunk: Hunk, path: str, to: str | None) -> Replace:
    # "-0,0" means the top of the file in a diff that git made without context, and "there is no file" in one that a
    # model made up. Only the old blob's id tells them apart.
    hint = None if hunk.start == 1 and not hunk.old and not part.has_old_blob else hunk.start
    return Replace(
        path=path,
        old=hunk.old,
        new=hunk.new,
        line_hint=hint,
        numbered=hunk.counted and part.is_git and hint is not None,
        to=to,
        origin=Origin(line=hunk.line, name_line=part.line + 1),
    )


def _is_replaced_whole(part: _Part) -> bool:
    """Return whether this part retargets a symlink or turns one kind of file into another."""
    old, new = part.mode("old_mode"), part.mode("new_mode")
    if old and new and old[:3] != new[:3]:
        return True
    return part.fields.get("index", "").endswith(" " + SYMLINK)


def _is_emptied(part: _Part) -> bool:
    """Return whether a plain diff says by its time that the file is gone, as `patch` and `git apply` see it."""
    return part.new_is_no_file and not part.is_git and not any(hunk.new for hunk in part.hunks)


def _creation(part: _Part, path: str) -> Create:
    mode = (
        part.mode("created_mode")
        or part.mode("new_mode")
        or part.fields.get("index", "").partition(" ")[2]
        or REGULAR
    )
    if len(part.hunks) > 1:
        raise ParseError(
            "a new file needs exactly one hunk", "put the whole content in one", line=part.hunks[1].line
        )
    # Models leave the '+' off empty lines, which then read as context.
    if part.hunks and part.hunks[0].old.strip() and not _is_replaced_whole(part):
        raise ParseError(
            "a new file cannot have removed or context lines",
            "begin every line with '+'",
            line=part.hunks[0].line,
        )
    text = part.hunks[0].new if part.hunks else ""
    return Create(
        path=path, text=text.removesuffix("\n") if mode == SYMLINK else text, mode=mode, origin=part.origin
    )


def _deletion(part: _Part, path: str) -> Delete:
    if not part.hunks:
        return Delete(path=path, origin=part.origin)
    if len(part.hunks) > 1 or (part.hunks[0].new and not _is_replaced_whole(part)):
        raise ParseError(
            "a deleted file cannot keep lines", "remove every line in one hunk", line=part.hunks[-1].line
        )
    return Delete(
        path=path, expected=part.hunks[0].old.encode("utf-8", "surrogateescape"), origin=part.origin
    )
