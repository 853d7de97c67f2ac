"""The user's own settings for models: `$XDG_CONFIG_HOME/dev-agent/config.toml`, else `~/.config/dev-agent/config.toml`.

    [model]
    proposer = "openai"                    # anthropic, anthropic-bedrock, anthropic-vertex, openai
    model = "qwen3-coder"
    base_url = "http://127.0.0.1:8080/v1"
    key_variable = "LAB_KEY"               # where the key is, if not in the service's own variable
    effort = "high"
    thinking = "on"
    max_output = 16000
    window = 32768                         # of a model that is not listed: lets too large a question be refused here
    timeout_s = 600
    profile = "work"                       # a profile of Anthropic's
    region = "eu-central-1"                # Bedrock, Vertex
    project = "acme-123"                   # Vertex
    plain_http = "10.0.0.5"                # the one host that may be asked unencrypted, without a key

    [[prices]]                             # see prices.toml
    model = "qwen3-coder"
    input = "0"
    output = "0"

This file decides where code and keys are sent, so it is the user's and nobody else's: a repository may only name a
model. All faults are reported at once. A file that others may write is refused, for the same reason.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dev_agent.errors import UsageFault
from dev_agent.proposers.prices import Price, read_prices
from dev_agent.values import dataclass

TEXTS = (
    "proposer",
    "model",
    "base_url",
    "key_variable",
    "effort",
    "thinking",
    "profile",
    "region",
    "project",
    "plain_http",
)
NUMBERS: Mapping[str, tuple[int, int]] = {
    "max_output": (1, 1_000_000),
    "window": (1_000, 100_000_000),
    "timeout_s": (1, 86_400),
}
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UserConfig:
    """What the file says; `source` is its path, "" if there is none."""

    source: str = ""
    model: Mapping[str, str | int] = field(default_factory=dict)
    prices: tuple[Price, ...] = ()


def config_path(environ: Mapping[str, str]) -> Path | None:
    """Where the file would be, None for a user without a home."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not base.startswith("/"):
        home = environ.get("HOME", "")
        base = f"{home}/.config" if home.startswith("/") else ""
    return Path(base) / "dev-agent" / "config.toml" if base else None


def read_user_config(environ: Mapping[str, str]) -> UserConfig:
    """The user's file, or nothing if there is none. Raises UsageFault with every fault of it."""
    path = config_path(environ)
    if path is None:
        return UserConfig()
    try:
        with path.open("rb") as file:
            _require_own(path, os.fstat(file.fileno()))
            text = file.read(_LARGEST).decode()
        return parse_user_config(tomllib.loads(text), source=str(path))
    except FileNotFoundError:
        return UserConfig()
    except OSError as error:
        raise UsageFault(f"{path} cannot be read: {error.strerror}", hint="check its rights") from error
    except ValueError as error:
        raise UsageFault(f"{path} is not TOML: {error}", hint="mend it, or move it away") from error


def parse_user_config(table: Mapping[str, Any], *, source: str) -> UserConfig:
    """The settings in a TOML table. Raises UsageFault listing every fault."""
    faults: list[str] = [
        _unknown(key, ("model", "prices"), "") for key in table if key not in ("model", "prices")
    ]
    model = table.get("model", {})
    if not isinstance(model, dict):
        faults.append("model: must be a table, written as [model]")
        model = {}
    made = {key: value for key, value in model.items() if _fits(key, value, faults)}
    prices = read_prices(table["prices"], "prices", faults) if "prices" in table else ()
    if faults:
        listed = "\n".join(f"  {one}" for one in faults)
        raise UsageFault(f"{source} has {len(faults)} fault(s):\n{listed}", hint=f"mend {source}")
    return UserConfig(source=source, model=made, prices=prices)


def _fits(key: str, value: object, faults: list[str]) -> bool:
    before = len(faults)
    if key in NUMBERS:
        least, most = NUMBERS[key]
        if type(value) is not int or not least <= value <= most:
            faults.append(f"model.{key}: must be a whole number from {least} to {most}, not {value!r}")
    elif key not in TEXTS:
        faults.append(_unknown(key, (*TEXTS, *NUMBERS), "model."))
    elif not isinstance(value, str):
        faults.append(f"model.{key}: must be text")
    return len(faults) == before


def _unknown(key: str, known: tuple[str, ...], prefix: str) -> str:
    if key in ("key", "api_key", "token"):
        return f"{prefix}{key}: a key does not belong into a file; use a variable or the keyring"
    close = get_close_matches(key, known, n=1)
    told = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"{prefix}{key}: is not known; {told}"


def _require_own(path: Path, told: os.stat_result) -> None:
    if told.st_uid not in (0, os.getuid()) or told.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UsageFault(
            f"{path} may be written by others, and it decides where your code is sent",
            hint=f"chmod 600 {path}",
        )
