"""Whole files: a file's name alone on the line above a fence, or in its info string, and all its text inside.

    src/app.py
    ```python
    print("whole")
    ```

Nothing marks such a block as an edit but its name, so more is refused than elsewhere:
- A fence that is not closed, or closed by what may be an inner fence: a line directly below it that names no
  next file, another fence opened inside, or a Markdown file in a fence of three.
- Text in which an edit of another format begins, unless it begins with that edit: then the edit is meant.
- Placeholders, and much less text than the base has, are refused when the base is known, in `making.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dev_agent.edits.errors import ParseError
from dev_agent.edits.filenames import is_path_like, name_in_info, undecorated
from dev_agent.edits.model import Origin, Write
from dev_agent.edits.proposal import Fence, Format, Here, Page, Part, closes, fence_at
from dev_agent.edits.text import escaped

_SHOWN: Final = frozenset({"diff", "patch", "console", "shell-session", "output", "traceback"})
"""Languages of fences that show something and are no file."""

_MARKDOWN: Final = (".md", ".markdown", ".mdx", ".qmd", ".rmd")
_WRITE: Final = 'or send {"edits": [{"op": "write", "path": …, "text": …}]}'


class WholeFile:
    """The format, for `parse.FORMATS`. `marked` are the formats that have markers of their own."""

    def __init__(self, marked: Sequence[Format]) -> None:
        self._marked = marked

    def begins(self, here: Here) -> bool:
        """See `Format.begins`."""
        fence = fence_at(here.page.lines[here.at]) if here.fence is None else None
        if fence is None or fence.info.partition(" ")[0].lower() in _SHOWN or _name(here, fence) is None:
            return False
        end = _end(here.page, here.at, fence)
        filled = [at for at in range(here.at + 1, end) if here.page.lines[at].strip()][:2]
        return not any(self._marked_at(here.page, at, fence) for at in filled)

    def read(self, here: Here) -> Part:
        """See `Format.read`: one file."""
        lines, fence = here.page.lines, fence_at(here.page.lines[here.at])
        named = None if fence is None else _name(here, fence)
        if fence is None or named is None:
            raise AssertionError("BUG: read where nothing begins")
        path, name_line = named
        end = _end(here.page, here.at, fence)
        if end == len(lines):
            raise ParseError(
                f"the fence around '{escaped(path)}' is not closed; was the text cut off?",
                "send the whole file and close its fence",
                line=here.at + 1,
            )
        self._refuse_doubtful(here.page, here.at, end, path, fence)
        crlf = lines[here.at].endswith("\r")
        content = (line.removesuffix("\r") if crlf else line for line in lines[here.at + 1 : end])
        write = Write(
            path=path,
            text="".join(f"{line}\n" for line in content),
            declared=False,
            origin=Origin(line=here.at + 1, name_line=name_line),
        )
        return Part(end=end + 1, edits=(write,))

    def refuse_near_miss(self, here: Here) -> None:
        """See `Format.refuse_near_miss`: a fence without a name is an example, never an attempt."""
        del here

    def _marked_at(self, page: Page, at: int, fence: Fence) -> bool:
        inside = Here(page=page, at=at, fence=fence)
        return bool(page.lines[at]) and any(form.begins(inside) for form in self._marked)

    def _refuse_doubtful(self, page: Page, start: int, end: int, path: str, fence: Fence) -> None:
        shown = f"'{escaped(path)}'"
        longer = f"put {shown} in a fence longer than any inside it, {_WRITE}"
        if path.lower().endswith(_MARKDOWN) and fence.length == 3 and fence.character == "`":
            raise ParseError(
                f"where {shown} ends cannot be told: it may hold fences of three backticks itself",
                longer,
                line=start + 1,
            )
        for at in range(start + 1, end):
            inner = fence_at(page.lines[at])
            if inner is not None and inner.character == fence.character and inner.length >= fence.length:
                raise ParseError(f"another fence opens inside {shown}", longer, line=at + 1)
            if self._marked_at(page, at, fence):
                raise ParseError(
                    f"an edit begins inside {shown}; it could be meant as an edit or as text",
                    f"send them apart, {_WRITE}",
                    line=at + 1,
                )
        if end + 1 < len(page.lines) and page.lines[end + 1].strip() and not _names_next(page, end + 1):
            raise ParseError(
                f"text follows directly on the fence that closes {shown}; it could be an inner one",
                f"leave a line empty after it, {longer}",
                line=end + 2,
            )


def _end(page: Page, at: int, fence: Fence) -> int:
    """Return the line that closes the fence opened at `at`; the number of lines if none does."""
    return next(
        (below for below in range(at + 1, len(page.lines)) if closes(page.lines[below], fence)),
        len(page.lines),
    )


def _name(here: Here, fence: Fence) -> tuple[str, int] | None:
    """Return the path a fence is named with and its 1-based line, None if it has no name."""
    inner = name_in_info(fence.info)
    # "application/json" and "node.js" are languages.
    if inner is not None and "." in inner and ("/" in inner or " " in fence.info or ":" in fence.info):
        return inner.removeprefix("./"), here.at + 1
    floor = 0 if here.before is None else here.before.end
    at = here.at - 1
    if at > floor and not here.page.lines[at].strip():
        at -= 1
    if at < floor:
        return None
    name = undecorated(here.page.lines[at])
    return (name.removeprefix("./"), at + 1) if _is_name(name) else None


def _names_next(page: Page, at: int) -> bool:
    below = at + 1 < len(page.lines) and fence_at(page.lines[at + 1]) is not None
    return below and _is_name(undecorated(page.lines[at]))


def _is_name(name: str) -> bool:
    return is_path_like(name) and "://" not in name and len(name) <= 250
