"""Render a change set as one canonical git-style diff: shown, kept in receipts, and read back by `parse`.

Rules kept here:
- Deterministic: the same change set gives the same bytes, on every platform and Python.
- `parse(render(x))`, resolved against the same base, gives the same tree as `x`, and `git apply` takes it
  too, unless a content is not UTF-8 text; for such a path it says `Binary files … differ`, and parsing
  refuses it.
- A change of kind, and of a symlink's target, is a deletion and a creation: no text is ever written through a
  link. Renames are not searched for.

Showing the text to a person needs another encoder: control characters in it are kept as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dev_agent.edits.alignment import Opcode, opcodes
from dev_agent.edits.changes import Change, ChangeSet
from dev_agent.edits.diffnames import DEV_NULL, quoted
from dev_agent.edits.text import join_lines, split_lines
from dev_agent.edits.trees import SYMLINK

_CONTEXT: Final = 3


def render(changes: ChangeSet) -> bytes:
    """Return the change set as a unified diff, UTF-8."""
    return "".join(_part(step) for change in changes.changes for step in _steps(change)).encode()


def _steps(change: Change) -> Iterator[Change]:
    """Divide a change that must not be one edit into a deletion and a creation."""
    before, after = change.before_mode, change.after_mode
    if before is None or after is None or (before[:3] == after[:3] and before != SYMLINK):
        yield change
        return
    yield Change(path=change.path, before_mode=before, before=change.before, after_mode=None, after=None)
    yield Change(path=change.path, before_mode=None, before=None, after_mode=after, after=change.after)


def _part(change: Change) -> str:
    old, new = quoted(f"a/{change.path}"), quoted(f"b/{change.path}")
    head = f"diff --git {old} {new}\n" + _modes(change)
    old, new = (DEV_NULL if change.before is None else old), (DEV_NULL if change.after is None else new)
    before, after = _text(change.before), _text(change.after)
    if before is None or after is None:
        return head if change.before == change.after else head + f"Binary files {old} and {new} differ\n"
    hunks = "".join(_hunks(before, after))
    return head + f"--- {_tabbed(old)}\n+++ {_tabbed(new)}\n{hunks}" if hunks else head


def _modes(change: Change) -> str:
    if change.before_mode is None:
        return f"new file mode {change.after_mode}\n"
    if change.after_mode is None:
        return f"deleted file mode {change.before_mode}\n"
    if change.before_mode != change.after_mode:
        return f"old mode {change.before_mode}\nnew mode {change.after_mode}\n"
    return ""


def _tabbed(name: str) -> str:
    # As git does: without the tab a reader would take what follows a space for a timestamp.
    return name + "\t" if " " in name and not name.startswith('"') else name


def _text(content: bytes | None) -> list[str] | None:
    """Return the lines of a text, None if the content is no UTF-8 text."""
    if content is None:
        return []
    if b"\0" in content:
        return None
    try:
        return [join_lines([line]) for line in split_lines(content.decode("utf-8"))]
    except UnicodeDecodeError:
        return None


def _hunks(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    for group in _groups(opcodes(before, after)):
        first, last = group[0], group[-1]
        yield f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@\n"
        for equal, old_start, old_end, new_start, new_end in group:
            if equal:
                yield from (_row(" ", line) for line in before[old_start:old_end])
            else:
                yield from (_row("-", line) for line in before[old_start:old_end])
                yield from (_row("+", line) for line in after[new_start:new_end])


def _groups(codes: Sequence[Opcode]) -> Iterator[list[Opcode]]:
    """Cut the alignment into hunks with at most three lines of context on either side."""
    group: list[Opcode] = []
    for at, (equal, old_start, old_end, new_start, new_end) in enumerate(codes):
        if not equal:
            group.append((equal, old_start, old_end, new_start, new_end))
            continue
        length = old_end - old_start
        head = min(length, _CONTEXT) if at else 0
        tail = min(length, _CONTEXT) if at < len(codes) - 1 else 0
        if head and tail and length <= 2 * _CONTEXT:
            group.append((True, old_start, old_end, new_start, new_end))
            continue
        if head:
            yield [*group, (True, old_start, old_start + head, new_start, new_start + head)]
            group = []
        if tail:
            group.append((True, old_end - tail, old_end, new_end - tail, new_end))
    if any(not code[0] for code in group):
        yield group


def _range(start: int, end: int) -> str:
    """Return a hunk header's range; an empty one names the line before it."""
    count = end - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _row(tag: str, line: str) -> str:
    return tag + line if line.endswith("\n") else f"{tag}{line}\n\\ No newline at end of file\n"
