"""A unified diff for the eye: coloured by line kind, every control character in it visible."""

from __future__ import annotations

from collections.abc import Iterator

from dev_agent.cli.output.escape import escape_line
from dev_agent.cli.output.page import Fit, Line, Span, Style

_KINDS = (
    (("diff ", "index ", "new ", "deleted ", "old ", "similarity ", "rename ", "--- ", "+++ "), Style.STRONG),
    (("@@",), Style.NAME),
    (("+",), Style.GOOD),
    (("-",), Style.BAD),
    (("\\",), Style.DIM),
)  # fmt: skip


def patch_lines(text: str) -> Iterator[Line]:
    """The lines of a diff, whole: the end of a long line may be what matters."""
    in_header = True
    for content in text.removesuffix("\n").split("\n"):
        if content.startswith("diff "):
            in_header = True
        elif content.startswith("@@"):
            in_header = False
        yield Line(spans=(Span(_visible(content), _style(content, in_header=in_header)),), fit=Fit.WHOLE)


def _visible(content: str) -> str:
    # A carriage return at the end is part of the change (the file's line ends), so it is shown, tabs are not.
    return "\t".join(map(escape_line, content.split("\t"))).expandtabs(8)


def _style(content: str, *, in_header: bool) -> Style:
    # Inside a hunk `--- x` is a removed line that begins with two dashes.
    kinds = _KINDS if in_header else _KINDS[1:]
    return next((style for starts, style in kinds if content.startswith(starts)), Style.PLAIN)
