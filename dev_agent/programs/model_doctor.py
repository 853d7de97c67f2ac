"""What the doctor says of models: which one a run would ask, where, with whose key, and what its answers cost.

No model is needed for anything but asking one, so that none is set up is nothing to warn of; that one is set up in a
way that cannot work is. Nothing leaves this machine unless the look is to be `online`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from dev_agent.cancel import Cancel
from dev_agent.errors import DevAgentError
from dev_agent.programs.finding import OK, WARN, Finding
from dev_agent.proposers.keys import Secrets
from dev_agent.proposers.model import Usage
from dev_agent.proposers.prices import cost_of
from dev_agent.proposers.registry import key_for, open_model
from dev_agent.proposers.settings import ModelSettings, read_settings
from dev_agent.proposers.user_config import UserConfig, read_user_config

_TOPIC = "model"
_MILLION = 1_000_000


def model_findings(environ: Mapping[str, str], *, online: bool) -> list[Finding]:
    """The lines about the model."""
    try:
        config = read_user_config(environ)
        settings = read_settings({}, environ=environ, config=config)
        if settings is None:
            said = (
                "none set up, and none needed: set ANTHROPIC_API_KEY or OPENAI_BASE_URL to have one propose"
            )
            return [Finding(topic=_TOPIC, status=OK, detail=said)]
        secrets = Secrets(environ)
        model = open_model(settings, secrets=secrets)
        found = [
            Finding(topic=_TOPIC, status=OK, detail=_described(settings, secrets)),
            _price(settings, config),
        ]
        if online:
            told = model.look(Cancel())
            if isinstance(told, str):
                found.append(Finding(topic="model service", status=OK, detail=told))
            else:
                found.append(
                    Finding(topic="model service", status=WARN, detail=told.detail, remedy=told.hint)
                )
    except DevAgentError as error:
        # Not a lack: everything that asks no model works.
        return [Finding(topic=_TOPIC, status=WARN, detail=error.message, remedy=error.hint)]
    return found


def _described(settings: ModelSettings, secrets: Secrets) -> str:
    key = key_for(settings, secrets)
    profile = f"profile {settings.profile}" if settings.profile else ""
    with_what = f"key from {key.source}" if key else profile or "no key"
    why = {
        name: where for name, where in settings.sources.items() if name in ("proposer", "model", "base_url")
    }
    chosen = "; ".join(f"{name} by {where}" for name, where in why.items())
    return f"{settings.proposer}: {settings.model} at {settings.host}, {with_what}{f' ({chosen})' if chosen else ''}"


def _price(settings: ModelSettings, config: UserConfig) -> Finding:
    """What a million tokens cost in and out, so that a person sees it before the first question."""
    today = datetime.now(UTC).date()
    prices = [
        cost_of(settings.model, usage, today, config.prices)
        for usage in (Usage(input=1000), Usage(output=1000))
    ]
    if None in prices:
        said = f"what {settings.model} costs is not known here, so a limit on money cannot hold"
        hint = "add [[prices]] to your config.toml, or limit calls and tokens"
        return Finding(topic="model price", status=WARN, detail=said, remedy=hint)
    into, out = (f"${(cost or 0) / 1000:.2f}" for cost in prices)
    return Finding(topic="model price", status=OK, detail=f"{into} for a million tokens in, {out} out")
