"""Finding bytes in the objects of a repository, reachable or not. Reads only, and only what is here locally."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository

_AT_ONCE = 32 << 20
_MOST = 1 << 30


class TooMuch(Exception):
    """The repository holds more than can be searched in reasonable time; `bytes` is how much."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size >> 20} MiB of objects are more than are searched ({_MOST >> 20} MiB)")


def objects_holding(repository: Repository, needles: Sequence[bytes]) -> tuple[str, ...]:
    """Every object that holds one of the needles, as `kind id`. Raises TooMuch, GitFailed."""
    listed = repository.git.out(
        "cat-file",
        "--batch-all-objects",
        "--unordered",
        "--batch-check=%(objectname) %(objecttype) %(objectsize)",
    )
    sizes = [(line.split()[0].decode(), int(line.split()[2])) for line in listed.splitlines()]
    total = sum(size for _, size in sizes)
    if total > _MOST:
        raise TooMuch(total)
    return tuple(found for batch in _batches(sizes) for found in _holding(repository, batch, needles))


def _batches(sizes: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    batch: list[str] = []
    room = _AT_ONCE
    for name, size in sizes:
        if batch and size > room:
            yield batch
            batch, room = [], _AT_ONCE
        batch.append(name)
        room -= size
    if batch:
        yield batch


def _holding(repository: Repository, batch: Sequence[str], needles: Sequence[bytes]) -> Iterator[str]:
    content = repository.git.out("cat-file", "--batch", stdin="".join(f"{one}\n" for one in batch).encode())
    if not any(needle in content for needle in needles):
        return
    at = 0
    while at < len(content):
        end = content.index(b"\n", at)
        name, kind, size = content[at:end].split()
        body = content[end + 1 : end + 1 + int(size)]
        if any(needle in body for needle in needles):
            yield f"{kind.decode()} {name.decode()}"
        at = end + 2 + int(size)
