"""From settings to a model one can ask: one dict from the proposer's name to how it is made.

Nothing is contacted here. A missing key, extra or package is said before anything is sent, with what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType

from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.extras import install_command
from dev_agent.proposers.anthropic import BEDROCK, VERTEX, AnthropicApi
from dev_agent.proposers.keys import KEYRING, VARIABLES, Secret, Secrets
from dev_agent.proposers.openai import OpenAIApi
from dev_agent.proposers.service import ServiceModel
from dev_agent.proposers.settings import ModelSettings

OFFICIAL = "https://api.openai.com/v1"


def open_model(settings: ModelSettings, *, secrets: Secrets) -> ServiceModel:
    """The model the settings name. Raises UsageFault (no key, an unsafe address), EnvironmentFault (no client)."""
    return _MADE[settings.proposer](settings, secrets)


def key_for(settings: ModelSettings, secrets: Secrets) -> Secret | None:
    """The key these settings need, None where none is needed. Raises UsageFault if there is none.

    Also raises UsageFault where the question, or what proves who asks, could be read on its way (`_require_unread`).
    """
    by_platform = settings.proposer in (BEDROCK, VERTEX)
    by_profile = bool(settings.profile) and settings.proposer == "anthropic"
    _require_unread(settings, "credentials" if by_platform or by_profile else "")
    if by_platform or by_profile:
        return None
    found = secrets.key(settings.service, settings.key_variable)
    needed = settings.service == "anthropic" or settings.base_url == OFFICIAL
    if found is None and settings.key_variable:
        raise UsageFault(f"the variable {settings.key_variable} holds no key", hint="set it")
    if found is None and needed:
        raise UsageFault(
            f"there is no key for {settings.host}",
            hint=f"set {VARIABLES[settings.service][0]}, or store one: keyring set {KEYRING} {settings.service}",
        )
    if found is not None:
        _require_unread(settings, f"key from {found.source}")
    return found


def _require_unread(settings: ModelSettings, secret: str) -> None:
    """Raise UsageFault if others could read on the way what is sent: the user's code, and `secret` ("" if none is).

    A question holds source code, so it goes unencrypted to this machine only, or to the one host the user named for
    it; what proves who asks goes unencrypted nowhere else than here, whatever was named.
    """
    if not settings.exposed or (settings.exposed_by_consent and not secret):
        return
    read = f"your code and the {secret}" if secret else "your code"
    hint = "use https"
    if settings.exposed_by_consent:
        hint += (
            "; the host named by plain_http is asked without a key only: take the key away, or name no host"
        )
    elif not secret:
        hint += (
            "; if the server needs no key and you trust the network, name its host: "
            f"DEV_AGENT_PLAIN_HTTP={settings.host}, or plain_http in your config.toml (docs/models.md)"
        )
    raise UsageFault(
        f"{settings.base_url} is not encrypted: everybody on the way could read {read}", hint=hint
    )


def _anthropic(settings: ModelSettings, secrets: Secrets) -> ServiceModel:
    secret = key_for(settings, secrets)
    return ServiceModel(settings, AnthropicApi(settings, secret), secret)


def _bedrock(settings: ModelSettings, secrets: Secrets) -> ServiceModel:
    _require("boto3", "pip install 'anthropic[bedrock]'", "Amazon Bedrock")
    return _anthropic(settings, secrets)


def _vertex(settings: ModelSettings, secrets: Secrets) -> ServiceModel:
    _require("google.auth", "pip install 'anthropic[vertex]'", "Google Cloud")
    return _anthropic(settings, secrets)


def _openai(settings: ModelSettings, secrets: Secrets) -> ServiceModel:
    _require("openai", install_command("openai"), "OpenAI's API")
    secret = key_for(settings, secrets)
    return ServiceModel(settings, OpenAIApi(settings, secret), secret)


_MADE: Mapping[str, Callable[[ModelSettings, Secrets], ServiceModel]] = MappingProxyType(
    {
        "anthropic": _anthropic,
        BEDROCK: _bedrock,
        VERTEX: _vertex,
        "openai": _openai,
    }
)


def _require(module: str, remedy: str, what: str) -> None:
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise EnvironmentFault(f"{what} needs a package that is not installed ({module})", hint=remedy)
