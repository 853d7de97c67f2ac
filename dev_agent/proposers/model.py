"""What a model is to the rest of the program: one question in, one answer of a stated form out, or a named trouble.

Rules: asking never raises for anything the network, the service or the model can do; each of those is a `Trouble`, so
that the program that asked decides what comes of it. An answer is `content` only after it was complete (the service
said why it stopped) and after it was checked against its form, here, whatever the service promised. Nothing in this
file knows a service; nothing of ours retries (waiting is the program's, where it is counted and recorded).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

from dev_agent.runtime.canonical import Json, canonical
from dev_agent.runtime.host import Cancel
from dev_agent.runtime.projection import Prompt
from dev_agent.values import dataclass


class Trouble(StrEnum):
    """Why there is no answer. The values are stable: programs, traces and cassettes hold them.

    rate_limited   the service wants fewer requests: wait
    overloaded     the service has too many users: wait
    timed_out      no complete answer before the deadline
    unreachable    no connection: name, network, proxy, certificate, or nobody listens
    not_an_api     something answered that is no model service (a proxy's page, a wrong address)
    unauthorised   the key is missing, wrong or expired
    forbidden      the key is known and may not do this
    unpaid         the account has no credit or its quota is used up
    unknown_model  the service has no model of this name
    too_large      the question does not fit the model
    bad_request    the service refuses the request as it is
    server_error   the service failed
    truncated      the answer was longer than it was allowed to be
    cut_off        the connection ended before the answer did
    refused        the model or its service will not answer this
    empty          a complete answer without any content
    not_json       no JSON object in the answer
    wrong_form     a JSON object, and not of the form that was asked for
    wrong_answer   an answer to something else than what was asked
    """

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    NOT_AN_API = "not_an_api"
    UNAUTHORISED = "unauthorised"
    FORBIDDEN = "forbidden"
    UNPAID = "unpaid"
    UNKNOWN_MODEL = "unknown_model"
    TOO_LARGE = "too_large"
    BAD_REQUEST = "bad_request"
    SERVER_ERROR = "server_error"
    TRUNCATED = "truncated"
    CUT_OFF = "cut_off"
    REFUSED = "refused"
    EMPTY = "empty"
    NOT_JSON = "not_json"
    WRONG_FORM = "wrong_form"
    WRONG_ANSWER = "wrong_answer"

    @property
    def passing(self) -> bool:
        """True if the same question may be answered later: it is worth waiting and asking again."""
        return self in _PASSING

    @property
    def answerable(self) -> bool:
        """True if the model may do better once it is told what was wrong with its answer."""
        return self in _ANSWERABLE


_PASSING = frozenset(
    {
        Trouble.RATE_LIMITED,
        Trouble.OVERLOADED,
        Trouble.TIMED_OUT,
        Trouble.UNREACHABLE,
        Trouble.SERVER_ERROR,
        Trouble.CUT_OFF,
    }
)
_ANSWERABLE = frozenset(
    {Trouble.TRUNCATED, Trouble.EMPTY, Trouble.NOT_JSON, Trouble.WRONG_FORM, Trouble.WRONG_ANSWER}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens the service says it counted. `input` excludes what was read from or written to its prompt cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        """All tokens, whatever each costs."""
        return self.input + self.output + self.cache_read + self.cache_write

    def to_json(self) -> dict[str, Json]:
        """The four counts under their names."""
        return {
            "input": self.input,
            "output": self.output,
            "cache_read": self.cache_read,
            "cache_write": self.cache_write,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form of an answer: `schema` is of the subset of JSON Schema that `forms.py` checks."""

    name: str
    description: str
    schema: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One question.

    stable      the part that stays the same from question to question of a run: sent first, cached by the service
    changing    the rest
    form        what the answer must look like
    max_output  most tokens of an answer
    timeout_ms  for the whole answer, from the call to its last byte; None: the model's own setting
    sample      which of several answers to the same question this asks for
    """

    stable: Prompt
    changing: Prompt
    form: Form
    max_output: int
    timeout_ms: int | None = None
    sample: int = 0

    @property
    def digest(self) -> str:
        """The question's name, in hex: equal for equal texts, form, size and sample, whoever is asked and when."""
        content: Json = {
            "stable": _digest(self.stable.text),
            "changing": _digest(self.changing.text),
            "form": {
                "name": self.form.name,
                "description": self.form.description,
                "schema": self.form.schema,
            },
            "max_output": self.max_output,
            "sample": self.sample,
        }
        return hashlib.sha256(canonical(content)).hexdigest()


def _digest(text: str) -> str:
    # Prompts may quote files that are not UTF-8; canonical JSON cannot hold what stands for such bytes.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a question.

    content         the checked answer, frozen; None exactly if there is a trouble
    text            what the model wrote, as it wrote it; untrusted, and with a trouble perhaps a part only
    detail, hint    one sentence each for a person, what went wrong and what to do; never a secret, empty if all is well
    usage           None if the service did not say
    model           the model that answered by the service's own word, else the one asked for
    stop            why it stopped, in the service's own word, "" if it did not say
    retry_after_ms  how long the service asks to wait, None if it does not
    """

    content: Mapping[str, Json] | None = None
    text: str = ""
    trouble: Trouble | None = None
    detail: str = ""
    hint: str = ""
    usage: Usage | None = None
    model: str
    stop: str = ""
    request_id: str = ""
    ms: int = 0
    retry_after_ms: int | None = None

    def __post_init__(self) -> None:
        if (self.content is None) == (self.trouble is None):
            raise ValueError("BUG: a reply has either content or a trouble")


class Model(Protocol):
    """A model at its service."""

    @property
    def name(self) -> str:
        """The proposer's name, e.g. `anthropic`."""
        ...

    @property
    def model(self) -> str:
        """The model's name at its service."""
        ...

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        """Ask, and wait for the whole answer.

        `told` is called with the tokens of output so far (an estimate until the end), from this thread. Raises
        KeyboardInterrupt, with the connection closed, once `cancel` asks to stop; nothing else for anything outside.
        """
        ...

    def count(self, ask: Ask) -> int | None:
        """The tokens of input the question has by the service's own count; None if it cannot tell. Never raises."""
        ...

    def describe(self) -> Mapping[str, Json]:
        """What the trace says of it: name, model, host, options, version of the client; no secret."""
        ...
