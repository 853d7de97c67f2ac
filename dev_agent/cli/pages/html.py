"""Pages that are one file: no script, no font, no image, no address; and what they are made of.

A browser is told so by the page's content policy, and shows it light or dark as its user likes. Every text, whoever
wrote it, is escaped for the screen and then for HTML by `shown` and `block`; nothing else here takes foreign text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape as escape_html

from dev_agent.cli.output.escape import escape_lines
from dev_agent.cli.pages.drawing import shown

__all__ = ["block", "details", "document", "shown", "table"]

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TITLE</title>
<style>
:root { color-scheme: light dark; --ink: #1f2328; --paper: #ffffff; --line: #d0d7de; --bad: #cf222e;
  --good: #1a7f37; --warn: #9a6700; --dim: #59636e; --box: #f6f8fa; --added: #dafbe1; --removed: #ffebe9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --bad: #ff7b72;
    --good: #3fb950; --warn: #d29922; --dim: #9198a1; --box: #161b22; --added: #12261e; --removed: #2d1619 }
}
body { margin: 2rem; color: var(--ink); background: var(--paper); font: 15px/1.5 sans-serif }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .8rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.alarm, .bad { color: var(--bad) }
.good { color: var(--good) }
.warn { color: var(--warn) }
.dim { color: var(--dim) }
.wide { overflow-x: auto }
.wide svg { max-width: 100%; height: auto }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem;
  overflow-x: auto; font: 13px/1.45 monospace }
pre span { display: block }
pre .added { background: var(--added) }
pre .removed { background: var(--removed) }
pre .place { color: var(--dim) }
details { margin: .6rem 0 }
summary { cursor: pointer }
blockquote { margin: 1rem 0; padding: .2rem 1rem; border-left: 3px solid var(--line); white-space: pre-wrap }
</style>
</head>
<body>
"""


def document(title: str, parts: Iterable[str]) -> str:
    """A whole page of parts that are HTML already."""
    return "\n".join([_HEAD.replace("TITLE", shown(title)), *parts, "</body>", "</html>\n"])


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; whole numbers stand to the right, all else is text."""
    titles = "".join(f"<th>{shown(title)}</th>" for title in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in rows)
    opening = f"<thead><tr>{titles}</tr></thead>" if head else ""
    return f"<table>{opening}<tbody>\n{body}</tbody></table>"


def block(text: str, *, most: int, kind: str = "pre") -> str:
    """Text as it is, in a `pre` or another element, at most so many characters of it; says what it left out."""
    kept = text[:most]
    left = f'\n<p class="dim">… {len(text) - most} more characters</p>' if len(text) > most else ""
    return f"<{kind}>{escape_html(chr(10).join(escape_lines(kept)), quote=True)}</{kind}>{left}"


def details(summary: str, inside: str) -> str:
    """Something to open. `summary` is plain text, `inside` HTML."""
    return f"<details><summary>{shown(summary)}</summary>\n{inside}\n</details>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{shown(str(value))}</td>"
