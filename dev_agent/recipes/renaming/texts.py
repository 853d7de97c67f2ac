"""Files that are not Python: entry points are renamed in place, other mentions are noted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev_agent.recipes.model import Place
from dev_agent.recipes.renaming.dotted import dotted_spans
from dev_agent.recipes.renaming.likely import as_a_module, starts
from dev_agent.recipes.renaming.project import word

if TYPE_CHECKING:
    from dev_agent.recipes.model import Bench
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.seeker import Seeker

_ENTRY_POINTS = {
    "pyproject.toml": re.compile(rb"(?<=[\"'])[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?=[\"']|[ \t]*\[)"),
    "setup.cfg": re.compile(rb"(?<=[=\s])[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?=\s|[ \t]*\[|$)"),
    "entry_points.txt": re.compile(rb"(?<=[=\s])[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(?=\s|[ \t]*\[|$)"),
}
_SUFFIXES = (
    ".toml",
    ".cfg",
    ".ini",
    ".md",
    ".rst",
    ".txt",
    ".yml",
    ".yaml",
    ".json",
    ".html",
    ".jinja",
    ".j2",
    ".pyx",
    ".ipynb",
    ".pyw",
)
_MOST_BYTES = 1_000_000
_MOST_PLACES = 20


def rename_in_texts(
    bench: Bench, inference: Inference, seeker: Seeker, new: str
) -> tuple[dict[str, bytes], list[Place]]:
    """Return the files with renamed entry points, and other lines that mention the old name (twenty at most)."""
    old, changed, noted = seeker.target.name, dict[str, bytes](), list[Place]()
    mention = re.compile(word(old))
    likely = as_a_module(old) if seeker.target.modules else None
    for path in bench.tree.paths():
        if not path.endswith(_SUFFIXES) or not (bench.tree.mode(path) or "").startswith("100"):
            continue
        content = bench.tree.read(path)
        if len(content) > _MOST_BYTES or not mention.search(content):
            continue
        pattern = _ENTRY_POINTS.get(path.rpartition("/")[2])
        spans: list[int] = []
        for found in pattern.finditer(content) if pattern else ():
            value = found.group().decode("ascii", "replace")
            spans += [found.start() + start for start in dotted_spans(inference, seeker, value)]
        if spans:
            changed[path] = _replaced(content, spans, len(old), new.encode())
        found_at = starts(likely, content) if likely else [one.start() for one in mention.finditer(content)]
        left = [start for start in found_at if start not in spans]
        noted += [_place(path, content, start) for start in left[: _MOST_PLACES - len(noted)]]
    return changed, noted


def _replaced(content: bytes, spans: list[int], length: int, new: bytes) -> bytes:
    for start in sorted(spans, reverse=True):
        content = content[:start] + new + content[start + length :]
    return content


def _place(path: str, content: bytes, start: int) -> Place:
    before = content.rfind(b"\n", 0, start) + 1
    line = content[before:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
    return Place(path=path, line=content.count(b"\n", 0, start) + 1, text=line[:120])
