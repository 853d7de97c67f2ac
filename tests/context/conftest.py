"""A repository in memory: what the package asks of one, and how often it asked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from dev_agent.context.clues import clues_in
from dev_agent.context.folder import IndexFolder
from dev_agent.context.model import Ranked, View
from dev_agent.context.past import Past
from dev_agent.context.rank import rank
from dev_agent.context.show import view_of
from dev_agent.policy.secret_patterns import redact


class MemorySource:
    """Files by path; `read` counts the blobs whose bytes were asked for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._ids = {
            path: hashlib.sha1(data, usedforsecurity=False).hexdigest() for path, data in files.items()
        }
        self._blobs = {self._ids[path]: data for path, data in files.items()}
        self.read: list[str] = []
        self.name = hashlib.sha1(repr(self._ids).encode(), usedforsecurity=False).hexdigest()

    def files(self) -> Mapping[str, tuple[str, str]]:
        return {path: ("100644", self._ids[path]) for path in self._ids}

    def sizes(self, ids: Iterable[str]) -> Mapping[str, int]:
        return {one: len(self._blobs[one]) for one in ids}

    def read_many(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        wanted = list(ids)
        self.read += wanted
        return {one: self._blobs[one] for one in wanted}


def ranked(
    source: MemorySource, task: str, folder: IndexFolder | None = None, past: Past | None = None
) -> list[Ranked]:
    """The files of `source`, best first."""
    asked = folder or IndexFolder(None)
    return asked.asked(source, lambda index: rank(index, past or Past(), clues_in(task)))


def viewed(source: MemorySource, task: str, *, budget: int = 2000) -> View:
    """What would be shown of `source`."""
    found = ranked(source, task)
    clues = clues_in(task)
    return IndexFolder(None).asked(
        source,
        lambda index: view_of(found, index, clues, budget=budget, redact=redact, within=lambda _path: True),
    )


def paths(found: Iterable[Ranked]) -> list[str]:
    """The paths, in order."""
    return [one.path for one in found]


SHOP: Mapping[str, bytes] = {
    "src/shop/__init__.py": b"",
    "src/shop/bill.py": b'"""What a customer pays."""\nfrom shop.money import round_half_even\n\nclass Bill:\n'
    b'    """The lines of one order."""\n\n    def total(self, net: int) -> int:\n'
    b'        """Net and tax together."""\n        return round_half_even(net)\n',
    "src/shop/money.py": b"def round_half_even(amount: int) -> int:\n    return amount\n",
    "src/shop/stock.py": b"class Shelf:\n    def count(self) -> int:\n        return 0\n",
    "src/shop/export.py": b"def write_csv(rows):\n    return rows\n",
    "tests/test_bill.py": b"from shop.bill import Bill\n\ndef test_total():\n    assert Bill().total(1) == 1\n",
    "README.md": b"# Shop\n\nA bill has a total. The total of a bill is what is paid.\n",
}
