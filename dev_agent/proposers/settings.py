"""Which model is asked, where, and how: flags before the environment before the user's configuration.

What a repository says comes last and counts for one thing: the name of a model. Where questions go, and with which key,
is the user's word alone; otherwise a repository could have its reader's code and key sent wherever it likes. Pure: the
environment and the configuration come in as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from urllib.parse import urlsplit

from dev_agent.errors import UsageFault
from dev_agent.proposers.abilities import Abilities, abilities_of, default_model
from dev_agent.proposers.addresses import is_loopback, require_address
from dev_agent.proposers.user_config import NUMBERS, TEXTS, UserConfig
from dev_agent.values import dataclass

SERVICES: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "anthropic",
        "anthropic-bedrock": "anthropic",
        "anthropic-vertex": "anthropic",
        "openai": "openai",
    }
)
"""By proposer, the service whose API it speaks."""
NO_SERVICES = frozenset({"auto", "recipes", "patch", "recorded"})
"""Proposers that are no model at a service; whoever chooses among all of them reads the same variable."""
_ADDRESSES = {
    "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    "openai": ("OPENAI_BASE_URL", "https://api.openai.com/v1"),
    # The clients of platforms would read these by themselves, and no rule about addresses would have seen them.
    "anthropic-bedrock": ("ANTHROPIC_BEDROCK_BASE_URL", ""),
    "anthropic-vertex": ("ANTHROPIC_VERTEX_BASE_URL", ""),
}
_MAX_OUTPUT = 32_000
_TIMEOUT_S = 600
_EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Everything a client is made of, but the key.

    base_url  where questions go; "" where the client of a platform or a profile knows it
    window    tokens a question and its answer may have together, None if nobody knows
    plain_http  the one host that questions without a key may go to unencrypted
    sources   by field, where its value is from, for `doctor` and the trace
    """

    proposer: str
    model: str
    base_url: str = ""
    key_variable: str = ""
    effort: str = ""
    thinking: str = ""
    max_output: int = _MAX_OUTPUT
    window: int | None = None
    timeout_s: int = _TIMEOUT_S
    profile: str = ""
    region: str = ""
    project: str = ""
    plain_http: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def service(self) -> str:
        """The service whose API is spoken."""
        return SERVICES[self.proposer]

    @property
    def host(self) -> str:
        """The host questions go to, for people and the trace."""
        parts = urlsplit(self.base_url)
        if not self.base_url:
            return {"anthropic-bedrock": "Amazon Bedrock", "anthropic-vertex": "Google Cloud"}.get(
                self.proposer, "api.anthropic.com"
            )
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    @property
    def local(self) -> bool:
        """Whether questions stay on this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def exposed(self) -> bool:
        """Whether questions leave this machine as everybody on the way can read them."""
        return urlsplit(self.base_url).scheme == "http" and not self.local

    @property
    def unproxied(self) -> Mapping[str, None]:
        """What no proxy of the environment is for, as the clients' HTTP library takes it.

        A proxy would be told, in the clear, what is to stay on this machine.
        """
        return {"http://": None} if self.local else {}

    @property
    def exposed_by_consent(self) -> bool:
        """Whether the user named this very host for that: a consent is no one for the next address."""
        named = self.plain_http.lower()
        return bool(named) and named in (self.host.lower(), urlsplit(self.base_url).hostname)


def read_settings(
    flags: Mapping[str, str | int | None],
    *,
    environ: Mapping[str, str],
    config: UserConfig,
    repository_model: str = "",
) -> ModelSettings | None:
    """The settings, None if nothing says that a model is wanted or could be had. Raises UsageFault.

    `flags` are fields of ModelSettings by name, None where a flag was not given.
    """
    values, sources = _layered(flags, environ, config)
    if values.get("proposer") in NO_SERVICES:
        # Said of who proposes, and nothing of which model would.
        del values["proposer"], sources["proposer"]
    proposer = str(values.get("proposer", "")) or _implied(values, environ, sources)
    if not proposer:
        return None
    if proposer not in SERVICES:
        raise UsageFault(
            f"no model service is called {proposer[:80]!r}", hint=f"it is one of {', '.join(SERVICES)}"
        )
    service = SERVICES[proposer]
    _take_profile(proposer, values, environ, sources)
    model = str(values.get("model", ""))
    if not model and repository_model:
        model, sources["model"] = repository_model, "the repository's settings"
    if not model and (proposer == "anthropic" and "base_url" not in values):
        model, sources["model"] = default_model(service), "the default"
    _require_model(model, proposer)
    base_url = _base_url(proposer, values, environ, sources)
    abilities = abilities_of(service, model)
    told = values.get("window", abilities.window)
    window = None if told is None else int(told)
    return ModelSettings(
        proposer=proposer,
        model=model,
        base_url=base_url,
        key_variable=str(values.get("key_variable", "")),
        effort=_effort(str(values.get("effort", "")), model, abilities),
        thinking=_thinking(str(values.get("thinking", "")), model, abilities),
        max_output=_max_output(values, window, abilities),
        window=window,
        timeout_s=int(values.get("timeout_s", _TIMEOUT_S)),
        profile=str(values.get("profile", "")),
        region=str(values.get("region", "")),
        project=str(values.get("project", "")),
        plain_http=str(values.get("plain_http", "")),
        sources=MappingProxyType(sources),
    )


def _layered(
    flags: Mapping[str, str | int | None], environ: Mapping[str, str], config: UserConfig
) -> tuple[dict[str, str | int], dict[str, str]]:
    values: dict[str, str | int] = {}
    sources: dict[str, str] = {}
    for name in (*TEXTS, *NUMBERS):
        variable = f"DEV_AGENT_{name.upper()}"
        flag = flags.get(name)
        if flag not in (None, ""):
            values[name], sources[name] = flag or "", f"--{name.replace('_', '-')}"
        elif environ.get(variable):
            values[name], sources[name] = _parsed(name, environ[variable], variable), variable
        elif name in config.model:
            values[name], sources[name] = config.model[name], config.source
    return values, sources


def _parsed(name: str, text: str, variable: str) -> str | int:
    if name not in NUMBERS:
        return text
    least, most = NUMBERS[name]
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not least <= int(text) <= most:
        raise UsageFault(
            f"{variable} must be a whole number from {least} to {most}", hint="set it right, or unset it"
        )
    return int(text)


def _implied(values: Mapping[str, str | int], environ: Mapping[str, str], sources: dict[str, str]) -> str:
    """The proposer for which something is set up, "" if there is none or nobody could tell which of two is meant."""
    model = str(values.get("model", ""))
    if model:
        listed = [service for service in ("anthropic", "openai") if abilities_of(service, model).known]
        if listed:
            sources["proposer"] = f"the model {model}"
            return listed[0]
    for proposer, variables in (
        ("anthropic", ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE")),
        ("openai", ("OPENAI_API_KEY", "OPENAI_BASE_URL")),
    ):
        found = next((name for name in variables if environ.get(name, "").strip()), "")
        if found:
            sources["proposer"] = f"the variable {found}"
            return proposer
    if "base_url" in values:
        sources["proposer"] = sources["base_url"]
        return "openai"
    return ""


def _take_profile(
    proposer: str, values: dict[str, str | int], environ: Mapping[str, str], sources: dict[str, str]
) -> None:
    """Anthropic's client would look for a profile by itself; here it is one only if it is named and no key is."""
    named = environ.get("ANTHROPIC_PROFILE", "").strip()
    keys = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
    if proposer != "anthropic" or "profile" in values or "key_variable" in values or not named:
        return
    if not any(environ.get(name, "").strip() for name in keys):
        values["profile"], sources["profile"] = named, "ANTHROPIC_PROFILE"


def _require_model(model: str, proposer: str) -> None:
    if not model:
        raise UsageFault(
            f"no model is named for {proposer}",
            hint="name one with --model, DEV_AGENT_MODEL, or `model` in your config.toml",
        )
    if len(model) > 200 or not model.isprintable() or model != model.strip():
        raise UsageFault("the name of the model is not one line of text", hint="check --model")


def _base_url(
    proposer: str, values: Mapping[str, str | int], environ: Mapping[str, str], sources: dict[str, str]
) -> str:
    given = str(values.get("base_url", ""))
    if not given and proposer in _ADDRESSES:
        variable, default = _ADDRESSES[proposer]
        given = environ.get(variable, "").strip()
        if given:
            sources["base_url"] = variable
        elif not values.get("profile"):
            return default
    if given:
        require_address(given)
    return given


def _max_output(values: Mapping[str, str | int], window: int | None, abilities: Abilities) -> int:
    """What was said, else the usual, but never so much that a small window has no room for a question."""
    if "max_output" in values:
        wanted = int(values["max_output"])
    else:
        wanted = _MAX_OUTPUT if window is None else min(_MAX_OUTPUT, window // 4)
    return min(wanted, abilities.max_output or wanted)


def _effort(effort: str, model: str, abilities: Abilities) -> str:
    if effort and effort not in _EFFORTS:
        raise UsageFault(f"no effort is called {effort[:40]!r}", hint=f"it is one of {', '.join(_EFFORTS)}")
    if effort and abilities.known and effort not in abilities.effort:
        levels = ", ".join(abilities.effort)
        raise UsageFault(
            f"{model} has no effort {effort}",
            hint=f"take one of {levels}" if levels else "leave --effort out",
        )
    # To a model nobody listed no effort is sent: where it is not known, it is an error.
    return effort if abilities.known else ""


def _thinking(thinking: str, model: str, abilities: Abilities) -> str:
    if thinking not in ("", "on", "off"):
        raise UsageFault(f"thinking is on or off, not {thinking[:40]!r}", hint="or leave it out")
    if thinking and abilities.known and thinking not in abilities.thinking:
        raise UsageFault(f"thinking of {model} cannot be turned {thinking}", hint="leave `thinking` out")
    return thinking if abilities.known else ""
