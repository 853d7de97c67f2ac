"""Answers on file, to be played again without a service: for tests, for demos, for looking at a run once more.

A cassette is UTF-8 text, one JSON object a line. The first says what it is and which model answered, each other line is
one answer by the digest of its question:

    {"cassette":1,"model":{"host":"api.anthropic.com","model":"claude-opus-5-5","name":"anthropic",...}}
    {"ask":"9f2c...","reply":{"content":{...},"model":"claude-opus-5-5","usage":{...},...}}

Questions are not in it: they hold code, and their digest is enough to know them again. Secrets are taken out of answers
by format and name before they are written, and so is the key. An answer to a question that was asked several times is
played as often as it was recorded, in that order. A question nobody recorded is not answered by guessing.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.proposers.keys import Secret
from dev_agent.proposers.model import Ask, Model, Reply, Trouble
from dev_agent.proposers.records import reply_from_json, reply_to_json
from dev_agent.runtime.canonical import Json, canonical, read_json, thaw
from dev_agent.runtime.errors import NotCanonical
from dev_agent.runtime.files import open_regular
from dev_agent.runtime.host import Cancel
from dev_agent.runtime.redaction import Redactor

VERSION = 1
_LARGEST = 256 << 20


class RecordingModel:
    """A model whose answers are appended to a cassette as they come.

    Each answer is one line. Killed before it: the answer is not on the cassette. Within: a last line
    without an end, which readers pass over and the next recording removes. A cassette that is there is continued.
    """

    def __init__(self, inner: Model, path: Path, secret: Secret | None = None) -> None:
        self._inner = inner
        self._path = path
        self._secret = secret
        _continue(path, self.describe())

    @property
    def name(self) -> str:
        """The name of the proposer behind it."""
        return self._inner.name

    @property
    def model(self) -> str:
        """The model behind it."""
        return self._inner.model

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        """The model's answer, recorded before it is returned. Raises EnvironmentFault if that is not possible."""
        reply = self._inner.ask(ask, cancel=cancel, told=told)
        _append(self._path, {"ask": ask.digest, "reply": self._clean(reply)})
        return reply

    def count(self, ask: Ask) -> int | None:
        """The model's own count."""
        return self._inner.count(ask)

    def describe(self) -> Mapping[str, Json]:
        """What the trace says of the model behind it."""
        return self._inner.describe()

    def _clean(self, reply: Reply) -> Json:
        text = canonical(reply_to_json(reply)).decode()
        told = thaw(read_json((self._secret.scrubbed(text) if self._secret else text).encode()))
        # Names of fields are ours but for the content's, and a field of ours is called "usage", not "token".
        return Redactor().value(told)


class PlayingModel:
    """A model that answers from a cassette. Its answers tell the tokens they took when they were recorded."""

    def __init__(self, path: Path) -> None:
        self._path = path
        data = _read(path)
        self._header, self._answers = _parsed(data, path)
        self._digest = hashlib.sha256(data).hexdigest()

    @property
    def name(self) -> str:
        """`recorded`."""
        return "recorded"

    @property
    def model(self) -> str:
        """The model that answered when the cassette was made."""
        return str(self._header.get("model", "unknown"))

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        """The next recorded answer to this question."""
        if cancel.requested:
            raise KeyboardInterrupt
        recorded = self._answers.get(ask.digest)
        if not recorded:
            known = "it has no more answers to" if recorded is not None else "it knows nothing of"
            return Reply(
                trouble=Trouble.BAD_REQUEST,
                detail=f"the cassette cannot answer: {known} question {ask.digest[:12]}",
                hint="record it again: the task, the repository or dev-agent is another one than then",
                model=self.model,
            )
        reply = recorded.popleft()
        told(reply.usage.output if reply.usage else 0)
        return reply

    def count(self, ask: Ask) -> int | None:  # noqa: ARG002 - nobody counts
        """None: nobody is asked."""
        return None

    def describe(self) -> Mapping[str, Json]:
        """What the trace says: which cassette, and who answered then."""
        return {"name": self.name, "model": self.model, "cassette": f"sha256:{self._digest}"}


def _continue(path: Path, model: Mapping[str, Json]) -> None:
    """Begin a cassette, or make sure that what is there is one and ends with a whole line."""
    if not path.exists():
        _append(path, {"cassette": VERSION, "model": model}, new=True)
        return
    data = _read(path)
    _parsed(data, path)
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def _append(path: Path, value: Mapping[str, Json], *, new: bool = False) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags | (os.O_CREAT | os.O_EXCL if new else 0), 0o600)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(canonical(value) + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise EnvironmentFault(
            f"the cassette {path} cannot be written: {error.strerror}", hint="name another file for --record"
        ) from error


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UsageFault(
            f"the cassette {path} cannot be read: {error.strerror or error}",
            hint="name a file made by --record",
        ) from error
    if len(data) > _LARGEST:
        raise UsageFault(f"the cassette {path} is larger than {_LARGEST >> 20} MB", hint="record a new one")
    return data


def _parsed(data: bytes, path: Path) -> tuple[Mapping[str, Json], dict[str, deque[Reply]]]:
    """The model and the answers of a cassette. Raises UsageFault, naming the line."""
    # What follows the last end of a line is what a killed recording left.
    lines = data.split(b"\n")[:-1]
    answers: dict[str, deque[Reply]] = {}
    header: Mapping[str, Json] = {}
    for number, line in enumerate(lines or [b""], start=1):
        try:
            told = read_json(line)
            if not isinstance(told, Mapping):
                raise TypeError("not an object")
            if number > 1:
                answers.setdefault(str(told["ask"]), deque()).append(reply_from_json(told["reply"]))
                continue
            if told["cassette"] != VERSION:
                raise UsageFault(
                    f"the cassette {path} is of version {told['cassette']!r}, and this dev-agent reads {VERSION}",
                    hint="record it again",
                )
            model = told.get("model", {})
            header = model if isinstance(model, Mapping) else {}
        except (ValueError, TypeError, KeyError, NotCanonical) as error:
            raise UsageFault(
                f"{path} is no cassette: line {number} is damaged ({error})", hint="record it again"
            ) from error
    return header, answers
