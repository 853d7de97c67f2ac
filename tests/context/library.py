"""A tree in memory as a library, and a reader of fences: what a model has to do to read one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dev_agent.context.blocks import blocks_of
from dev_agent.context.entry import LARGEST
from dev_agent.context.outline import decode
from dev_agent.context.reading import Reader
from dev_agent.policy.secret_patterns import redact_lines

_OPENS = re.compile(r"<<<([0-9a-f]{8}) ([^\n]*)\n")


@dataclass(kw_only=True)
class MemoryLibrary:
    """Files by path, as (mode, bytes) or bytes; `opened` are the paths whose bytes were asked for."""

    files: Mapping[str, bytes | tuple[str, bytes]]
    covers: Callable[[str], bool] = lambda _path: True
    opened: list[str] = field(default_factory=list)

    def mode(self, path: str) -> str | None:
        if path in self.files:
            return self._at(path)[0]
        return "040000" if any(one.startswith(f"{path}/") for one in self.files) else None

    def read(self, path: str) -> bytes | None:
        self.opened.append(path)
        data = self._at(path)[1]
        return data if len(data) <= LARGEST else None

    def paths(self) -> Sequence[str]:
        return sorted(self.files)

    def defining(self, name: str) -> Sequence[str]:
        return [
            path
            for path in self.paths()
            if any(
                block.is_called(name) and block.name.rpartition(".")[2] == name
                for block in blocks_of(path, decode(self._at(path)[1]))
            )
        ]

    def holding(self, text: str) -> Sequence[str]:
        return [path for path in self.paths() if text.encode() in self._at(path)[1]]

    def _at(self, path: str) -> tuple[str, bytes]:
        content = self.files[path]
        return content if isinstance(content, tuple) else ("100644", content)


def reader_of(files: Mapping[str, bytes | tuple[str, bytes]]) -> Reader:
    return Reader(MemoryLibrary(files=files), redact_lines)


def blocks_in(text: str) -> list[tuple[str, str]]:
    """Title and body of each block, by the rule that `fence` states; anything outside of a block is an error."""
    found, at = [], 0
    while at < len(text):
        opened = _OPENS.match(text, at)
        assert opened, f"outside of any block: {text[at : at + 80]!r}"
        end = text.index(f"{opened[1]}>>>\n", opened.end())
        found.append((opened[2], text[opened.end() : end]))
        at = end + len(opened[1]) + 4
    return found
