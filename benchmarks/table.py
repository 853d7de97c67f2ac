"""The table for people."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.row import Row

_TITLES = ("what", "ours", "the alternative", "ratio", "goal", "met", "how")
_MET = {True: "yes", False: "NO", None: "not measured"}


def table(rows: Sequence[Row]) -> str:
    """Markdown, with columns that line up in a terminal too."""
    cells = [_TITLES, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_TITLES))]
    lines = [_line(cells[0], widths), "| " + " | ".join("-" * width for width in widths) + " |"]
    return "\n".join([*lines, *(_line(row, widths) for row in cells[1:])]) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    return (row.what, row.ours, row.theirs, row.ratio, row.goal, _MET[row.met], row.note)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
