"""How much a repository's private work trees and caches may take: the caller's word, else the settings'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.gates.config import read_config
from dev_agent.repository.discovery import read_head, tree_of
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.sizes import parse_size

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository


def size_limit(repository: Repository, said: str | None) -> int:
    """Bytes. Raises UsageFault for a size nobody understands, or for wrong settings of the commit at HEAD."""
    if said is not None:
        try:
            return parse_size(said)
        except ValueError as error:
            raise UsageFault(str(error), hint="for example: --limit 2GB") from None
    trees = RepositoryTrees(repository)
    try:
        return read_config(trees, tree_of(repository, read_head(repository).commit)).cache_size
    finally:
        trees.close()
