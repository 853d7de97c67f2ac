"""The encoders: text that others wrote, made harmless for the one place it goes to. Pure.

    inline_code     a name, a path, a test id inside a sentence, a list or a table cell of Markdown
    fenced          several lines as a block of Markdown
    prose           a few words of others inside our own Markdown, where code would look wrong
    title           the title of a pull request or a check: one line, no Markdown
    commit_line     a line of a commit's message: a host reads mentions, references and "fixes #12" in it too
    is_ref_name     a branch name that may be handed to git
    command         a workflow command (`::error …`) on the standard output of a GitHub job
    output_entry    one output of a GitHub job's step, in the file `GITHUB_OUTPUT`

What has to be stopped is not only Markdown. A code host goes over the *rendered* text once more and turns `@name` into
a mention that sends mail, `#12` and `GH-12` into a reference that shows up elsewhere, an address into a link; neither a
backslash nor an entity stops that, because it is done after they are gone. Inside code it is not done. Outside, a zero
width space after the first character breaks the pattern, as dependabot does it. Images are fetched by the reader's
browser or the host's proxy, so text of others makes none. A quoted line cannot end its fence, because the fence is
longer than every run of backticks in it. Whatever does not show (control characters, bidirectional overrides, zero
widths) comes out as its visible escape first, so that none of it hides among what we add.
"""

from __future__ import annotations

import re

from dev_agent.visible import escape_line, escape_lines

_BREAK = "\u200b"
_PUNCTUATION = re.compile(r"[!-+.-/:-@\[-`{-~-]")
_MENTION = re.compile(r"[@#](?=[A-Za-z0-9])")
_GH_REFERENCE = re.compile(r"GH-(?=\d)", re.IGNORECASE)
_ADDRESS = re.compile(r":(?=//)|www(?=\.)", re.IGNORECASE)
"""Where an address begins to be one. Linear on purpose: a pattern of a whole scheme takes minutes on a long word."""

_OUTPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_COMMANDS = frozenset({"error", "warning", "notice", "stop-commands", "add-mask"})


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` characters; what is cut ends with an ellipsis."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"


def inline_code(text: str, *, limit: int = 300) -> str:
    """`text` on one line as code of Markdown; safe in table cells too. Nothing at all reads `(empty)`."""
    shown = cut(escape_line(text), limit)
    if not shown.strip():
        return "(empty)"
    if "|" in shown or "`" in shown or "\\" in shown:
        # No backtick code can hold all of these inside a table: a cell ends at a pipe even in code, and the
        # backslash that keeps it from doing so is taken for an escaped backslash after another one.
        return f"<code>{_entities(_unlinked(shown))}</code>"
    return f"`{shown}`"


def fenced(text: str, *, limit: int = 10_000, info: str = "text") -> str:
    """`text` as a block of code, cut in the middle of nothing: whole lines are left out, and it says how many."""
    if not re.fullmatch(r"[a-z]*", info):
        raise ValueError(f"not the name of a language: {info!r}")
    lines = escape_lines(text.removesuffix("\n"))
    kept = _whole_lines(lines, limit)
    if len(kept) < len(lines):
        kept.append(f"[... {len(lines) - len(kept)} more lines ...]")
    runs = re.findall(r"`+", "\n".join(kept))
    fence = "`" * max(3, max(map(len, runs), default=0) + 1)
    return "\n".join([f"{fence}{info}", *kept, fence])


def prose(text: str, *, limit: int = 300) -> str:
    """`text` on one line as words between ours: no Markdown, HTML, mention, reference, link or image comes of it."""
    return _entities(_unlinked(cut(escape_line(text), limit)))


def title(text: str, *, limit: int = 200) -> str:
    """`text` as a title: one visible line that mentions nobody and refers to nothing."""
    shown = " ".join(escape_line(" ".join(text[: 10 * limit].split())).split())
    return cut(_unlinked(cut(shown, limit)), limit) or "(empty)"


def commit_line(text: str, *, limit: int = 200) -> str:
    """`text` as a line of a commit's message, where git hosts look for people to tell and issues to close.

    What does not show is taken out of commit messages, so here the break is a space.
    """
    shown = " ".join(escape_line(" ".join(text[: 10 * limit].split())).split())
    return cut(_unlinked(cut(shown, limit), " "), limit)


def is_ref_name(name: str) -> bool:
    """True for a short branch name git accepts and that cannot be taken for an option, a refspec or a revision.

    The rules of git check-ref-format, and stricter: only what shows, no leading dash, at most 240 bytes.
    """
    parts = name.split("/")
    return (
        0 < len(name.encode("utf-8", "replace")) <= 240
        and name.isprintable()
        and not name.startswith("-")
        and not re.search(r"[ ~^:?*\[\\]|\.\.|@\{", name)
        and name not in {"@", "HEAD"}
        and not name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )


def command(name: str, message: str = "", **properties: str | int) -> str:
    """A workflow command of GitHub Actions, one line without its end. Empty properties are left out.

    Raises ValueError for a command we never give.
    """
    if name not in _COMMANDS:
        raise ValueError(f"not a workflow command of ours: {name!r}")
    said = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items() if value != "")
    return f"::{name}{' ' if said else ''}{said}::{_data(message)}"


def output_entry(name: str, value: str, *, delimiter: str) -> str:
    """An entry for `GITHUB_OUTPUT`. `delimiter` is random: a value that knew it could set every other output.

    Raises ValueError for a name that is none, and for a value that holds the delimiter.
    """
    if not _OUTPUT_NAME.match(name):
        raise ValueError(f"not the name of an output: {name!r}")
    if not re.fullmatch(r"[A-Za-z0-9_]{16,}", delimiter) or delimiter in value:
        raise ValueError("the delimiter of an output is random, and not in the value")
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _whole_lines(lines: list[str], limit: int) -> list[str]:
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line) + 1
        if size > limit and kept:
            break
        kept.append(cut(line, limit))
    return kept


def _unlinked(text: str, apart: str = _BREAK) -> str:
    """Visible text in which a code host finds nobody to mention, nothing to refer to and no address."""
    for pattern in (_ADDRESS, _GH_REFERENCE, _MENTION):
        text = pattern.sub(lambda found: found.group(0) + apart, text)
    return text


def _entities(text: str) -> str:
    """Every punctuation mark of ASCII as a number: no Markdown and no HTML has a meaning left."""
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found.group())};", text)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
