"""Answers that are paid for, on the disk the moment they arrive, so that a run that is killed never pays twice.

Between a service's answer and the event that records it a run may die. So every answer is first written, durable, to
`<folder>/<digest of the question>.json`; a run that is taken up asks the same question and finds it there. What may
come out differently at no cost, a service that was busy or could not be reached, is not kept.

Order: service answers → file, durable → the caller records it in its trace → the caller forgets it here. Killed before
the file: the answer is lost, and was perhaps charged; nobody can know. Between file and trace: the file answers, and
nothing is asked. Between trace and forgetting: the same question, should it be asked again, is answered the same once
more, and is forgotten after that. A file that cannot be read is as none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from dev_agent.proposers.model import Ask, Model, Reply
from dev_agent.proposers.records import reply_from_json, reply_to_json
from dev_agent.runtime.canonical import Json, canonical, read_json
from dev_agent.runtime.errors import NotCanonical
from dev_agent.runtime.files import open_regular, write_atomically
from dev_agent.runtime.host import Cancel

_LARGEST = 64 << 20


class RememberingModel:
    """A model whose answers are kept in `folder`, which belongs to one run, until they are forgotten."""

    def __init__(self, inner: Model, folder: Path) -> None:
        self._inner = inner
        self._folder = folder

    @property
    def name(self) -> str:
        """The name of the proposer behind it."""
        return self._inner.name

    @property
    def model(self) -> str:
        """The model behind it."""
        return self._inner.model

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        """The remembered answer to this question, else the model's. Raises JournalFailed if it cannot be kept."""
        digest = ask.digest
        kept = self._kept(digest)
        if kept is not None:
            return kept
        reply = self._inner.ask(ask, cancel=cancel, told=told)
        if reply.content is not None or reply.usage is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._file(digest), canonical({"reply": reply_to_json(reply)}), durable=True)
        return reply

    def count(self, ask: Ask) -> int | None:
        """The model's own count."""
        return self._inner.count(ask)

    def describe(self) -> Mapping[str, Json]:
        """What the trace says of the model behind it."""
        return self._inner.describe()

    def remembered(self) -> tuple[str, ...]:
        """The digests of the questions whose answers are kept."""
        with suppress(OSError):
            return tuple(sorted(file.stem for file in self._folder.iterdir() if file.suffix == ".json"))
        return ()

    def forget(self, digests: Iterable[str] | None = None) -> None:
        """Remove the answers to these questions, all by default: their content is in the trace by now."""
        for digest in self.remembered() if digests is None else digests:
            with suppress(OSError):
                self._file(digest).unlink()

    def _file(self, digest: str) -> Path:
        return self._folder / f"{digest}.json"

    def _kept(self, digest: str) -> Reply | None:
        try:
            with open_regular(self._file(digest)) as file:
                told = read_json(file.read(_LARGEST))
            return reply_from_json(told["reply"]) if isinstance(told, Mapping) else None
        except (OSError, ValueError, KeyError, NotCanonical):
            return None
