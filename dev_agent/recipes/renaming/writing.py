"""The files of a renamed project: bytes with identifiers replaced, at the paths they move to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.recipes.model import Rewritten
from dev_agent.recipes.renaming.uses import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from dev_agent.recipes.renaming.uses import FileUses, Use


def edits_of(file: FileUses, new: str, length: int, also: Set[Use]) -> list[tuple[int, int, str]]:
    """Return the replacements in a file: all uses that are ours, `also`, and those in strings."""
    ours = [one for one in file.uses if one.verdict is Verdict.OURS or one in also]
    return sorted({*((one.start, one.start + length, new) for one in ours), *file.edits})


def rewritten(
    files: Iterable[FileUses],
    new: str,
    length: int,
    also: Iterable[tuple[str, Use]],
    *,
    texts: Mapping[str, bytes],
    moves: Mapping[str, str],
) -> Rewritten:
    """Return the tree with everything renamed. Raises UnreadableError if a file's encoding lacks a character."""
    extra: dict[str, set[Use]] = {}
    for path, use in also:
        extra.setdefault(path, set()).add(use)
    contents: dict[str, bytes | None] = {moves.get(path, path): content for path, content in texts.items()}
    for file in files:
        path = file.source.path
        edits = edits_of(file, new, length, extra.get(path, set()))
        if edits:
            contents[moves.get(path, path)] = file.source.replaced(edits)
    return Rewritten(files=contents, moves=moves)
