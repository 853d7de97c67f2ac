"""Opening the model a caller named, and the one a run began with.

A run's trace holds how its model was opened, without any secret: the key is looked for again. A run that is taken
up again may have nothing left to ask (it waits for a person, or for a file to be put away), and whoever answers it
need not have a key; so its model is opened when it is asked, and a key that is not there is a trouble of that call.

Clients are imported here when a model is opened, and nowhere before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dev_agent.errors import DevAgentError, UsageFault
from dev_agent.programs.clock import SystemClock
from dev_agent.programs.proposers import ModelTask, Opened
from dev_agent.proposers.model import Reply, Trouble
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.solving.asking import Price
    from dev_agent.programs.spending import Spending
    from dev_agent.proposers.model import Ask, Model
    from dev_agent.proposers.prices import Price as KnownPrice
    from dev_agent.proposers.settings import ModelSettings
    from dev_agent.runtime.canonical import Json
    from dev_agent.runtime.host import Cancel

RECORDED = "recorded"
MOST_OUTPUT = 32_000
_UNSAID = frozenset({"sources"})
"""Fields of the settings that say where a value came from, which is nothing a run rests on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChoice:
    """What a caller says of the model: settings by field, None where nothing was said.

    `record` is a cassette to write answers to, `cassette` one to take them from (proposer `recorded`).
    """

    flags: Mapping[str, str | int | None]
    record: Path | None = None
    cassette: Path | None = None


def model_task(
    choice: ModelChoice, *, environ: Mapping[str, str], spending: Spending, paths: tuple[str, ...] = ()
) -> ModelTask | None:
    """The model the caller chose or has set up, None if there is none.

    Raises UsageFault or EnvironmentFault for one that cannot be asked as things are: no key, no package, no such
    service, a cassette that is none. Nothing is contacted.
    """
    if choice.flags.get("proposer") == RECORDED or choice.cassette is not None:
        opened, settings = _recorded(choice)
        return ModelTask(opened=opened, settings=settings, spending=spending, paths=paths)
    from dev_agent.proposers.settings import read_settings  # noqa: PLC0415 - only where a model is asked for
    from dev_agent.proposers.user_config import read_user_config  # noqa: PLC0415 - the same

    config = read_user_config(environ)
    found = read_settings(choice.flags, environ=environ, config=config)
    if found is None:
        return None
    model = _open(found, environ, record=choice.record)
    return ModelTask(
        opened=_priced(found, model, config.prices),
        settings=_text(found),
        spending=spending,
        paths=paths,
    )


def models_of(environ: Mapping[str, str]) -> Callable[[str], Opened]:
    """How the model of a run is made again on this machine. Raises UsageFault for settings that cannot be read."""
    return partial(_again, environ)


def _again(environ: Mapping[str, str], text: str) -> Opened:
    from dev_agent.proposers.settings import ModelSettings  # noqa: PLC0415 - only where a model was asked
    from dev_agent.proposers.user_config import read_user_config  # noqa: PLC0415 - the same

    try:
        known: dict[str, Any] = json.loads(text)
        if known.get("proposer") == RECORDED:
            return _played(Path(str(known["cassette"])))
        settings = ModelSettings(**known)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageFault(
            "the run's model was opened in a way this version of dev-agent does not know",
            hint="start the task again",
        ) from error
    described = {"name": settings.proposer, "model": settings.model, "host": settings.host}
    deferred = Deferred(
        name=settings.proposer,
        model=settings.model,
        described=described,
        opening=lambda: _open(settings, environ),
    )
    return _priced(settings, deferred, read_user_config(environ).prices)


def _open(settings: ModelSettings, environ: Mapping[str, str], *, record: Path | None = None) -> Model:
    from dev_agent.proposers.keys import Secrets  # noqa: PLC0415 - only where a model is opened
    from dev_agent.proposers.registry import key_for, open_model  # noqa: PLC0415 - imports the clients

    secrets = Secrets(environ)
    model = open_model(settings, secrets=secrets)
    if record is None:
        return model
    from dev_agent.proposers.cassette import RecordingModel  # noqa: PLC0415 - only for a cassette

    return RecordingModel(model, record, key_for(settings, secrets))


def _priced(settings: ModelSettings, model: Model, own: tuple[KnownPrice, ...]) -> Opened:
    from dev_agent.proposers.prices import cost_of  # noqa: PLC0415 - reads a table

    # One day for all of a run: what a call cost does not depend on which side of midnight it ended.
    today = date.fromisoformat(SystemClock().now()[:10])
    price: Price = lambda named, usage: cost_of(named, usage, today, own)  # noqa: E731 - typed by its name
    return Opened(
        model=model, price=price, max_output=settings.max_output, timeout_ms=settings.timeout_s * 1000
    )


def _recorded(choice: ModelChoice) -> tuple[Opened, str]:
    if choice.cassette is None:
        raise UsageFault(
            "no recording is named for --proposer recorded",
            hint="name one that --record made: --cassette FILE",
        )
    path = choice.cassette.absolute()
    return _played(path), json.dumps({"proposer": RECORDED, "cassette": str(path)})


def _played(path: Path) -> Opened:
    from dev_agent.proposers.cassette import PlayingModel  # noqa: PLC0415 - only for a cassette

    # Nobody is asked, so nothing is paid.
    return Opened(model=PlayingModel(path), price=lambda _model, _usage: 0, max_output=MOST_OUTPUT)


def _text(settings: ModelSettings) -> str:
    known = {one.name: getattr(settings, one.name) for one in fields(settings) if one.name not in _UNSAID}
    return json.dumps(known, sort_keys=True)


@dataclass(kw_only=True, slots=True)
class Deferred:
    """A model that is opened when it is asked for the first time; what stands in the way is a trouble of the call."""

    name: str
    model: str
    described: Mapping[str, Json]
    opening: Callable[[], Model]
    _opened: Model | None = None

    def ask(self, ask: Ask, *, cancel: Cancel, told: Callable[[int], None]) -> Reply:
        """As the model itself."""
        try:
            self._opened = self._opened or self.opening()
        except DevAgentError as error:
            return Reply(
                trouble=Trouble.UNAUTHORISED, detail=error.message, hint=error.hint, model=self.model
            )
        return self._opened.ask(ask, cancel=cancel, told=told)

    def count(self, ask: Ask) -> int | None:
        """As the model itself, once it is open."""
        return self._opened.count(ask) if self._opened else None

    def describe(self) -> Mapping[str, Json]:
        """As the model itself would."""
        return self.described
