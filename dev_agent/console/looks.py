"""How fragments of HTML look inside a page of the console, light or dark: every colour is the page's own, or a tint.

Fragments are made by `cli.pages`, which escapes what others wrote; Streamlit washes them once more and runs no script.
"""

from __future__ import annotations

from collections.abc import Iterable

_STYLE = """<style>
.told { font-size: .95rem; line-height: 1.5; --line: rgba(128, 128, 128, .35); --box: rgba(128, 128, 128, .09) }
.told table { border-collapse: collapse; margin: .6rem 0 1.2rem; width: auto }
.told th, .told td { padding: .2rem 1.2rem .2rem 0; border: 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; overflow-wrap: anywhere }
.told td.number { text-align: right; font-variant-numeric: tabular-nums }
.told pre { background: var(--box); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem;
  overflow-x: auto; font: 13px/1.45 monospace; color: inherit; margin: .4rem 0 1rem; white-space: pre }
.told pre span { display: block; min-height: 1.45em }
.told pre .added { background: rgba(46, 160, 67, .18) }
.told pre .removed { background: rgba(248, 81, 73, .17) }
.told pre .place, .told .dim { opacity: .7 }
.told .good { color: #2da44e }
.told .bad, .told .alarm { color: #e5534b }
.told .warn { color: #bf8700 }
.told blockquote { margin: .6rem 0; padding: .2rem 1rem; border-left: 3px solid var(--line); white-space: pre-wrap }
</style>"""


def fragment(parts: Iterable[str]) -> str:
    """Parts that are HTML already, with their looks."""
    return f'{_STYLE}<div class="told">{chr(10).join(parts)}</div>'
