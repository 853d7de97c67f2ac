"""Where a run of somebody's program gets its secrets from: `NAME=env:VARIABLE` or `NAME=file:PATH`.

What is said here says where a secret lies and never what it is, so it may stand in a command line, a script and a
shell's history. It is kept nowhere: a run that is taken up again is told again. A secret is read when an action first
asks for it; a variable or file that is not there is known at once, before there is a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path

from dev_agent.errors import UsageFault
from dev_agent.runtime.capabilities import SHORTEST
from dev_agent.runtime.errors import CapabilityDenied
from dev_agent.runtime.naming import is_name, nearest
from dev_agent.values import dataclass

_FORM = "write NAME=env:VARIABLE or NAME=file:PATH, for example: model_key=env:ACME_KEY"
_LARGEST = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Secrets:
    """The places of secrets by capability; `environ` is only looked into, and shown by no repr."""

    places: Mapping[str, str] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def resolve(self, name: str) -> str:
        """The secret behind a capability. Raises CapabilityDenied, with the way to give it."""
        place = self.places.get(name)
        if place is None:
            near = nearest(name, self.places)
            raise CapabilityDenied(
                name,
                f"the capability {name!r} was not given; {near or f'give it with --capability {name}=env:…'}",
            )
        kind, _, where = place.partition(":")
        secret = self.environ.get(where, "") if kind == "env" else _content(name, Path(where))
        if len(secret) < SHORTEST:
            raise CapabilityDenied(name, f"what {place} holds is shorter than {SHORTEST} characters")
        return secret


def secrets_at(words: Sequence[str], environ: Mapping[str, str]) -> Secrets:
    """Read `NAME=env:VARIABLE` and `NAME=file:PATH`. Raises UsageFault for anything else, and for what is not there."""
    places: dict[str, str] = {}
    for word in words:
        name, sign, place = word.partition("=")
        kind, colon, where = place.partition(":")
        if not sign or not is_name(name) or kind not in ("env", "file") or not colon or not where:
            # What was typed may be the secret itself: it is not repeated.
            raise UsageFault("--capability names no place of a secret", hint=_FORM)
        if name in places:
            raise UsageFault(f"the capability {name!r} is given twice", hint="leave one of them out")
        if kind == "env" and not environ.get(where):
            raise UsageFault(
                f"{name}=env:{where}: there is no such variable, or it is empty", hint="export it first"
            )
        if kind == "file" and not Path(where).is_file():
            raise UsageFault(
                f"{name}=file:{where}: there is no such file", hint="name a file that holds the secret"
            )
        places[name] = place
    return Secrets(places=places, environ=environ)


def _content(name: str, path: Path) -> str:
    """A file's text without the line break an editor leaves at its end."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        text = data.decode("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CapabilityDenied(
            name, f"the file of the capability {name!r} cannot be read: {reason}"
        ) from None
    if len(data) > _LARGEST:
        raise CapabilityDenied(name, f"the file of the capability {name!r} is larger than {_LARGEST} bytes")
    return text.rstrip("\r\n")
