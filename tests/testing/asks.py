"""Questions for models, and models at a served address, as tests need them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dev_agent.proposers.keys import Secrets
from dev_agent.proposers.model import Ask, Form, Model, Reply
from dev_agent.proposers.registry import open_model
from dev_agent.proposers.service import ServiceModel
from dev_agent.proposers.settings import ModelSettings
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.host import Cancel, NeverCancelled
from dev_agent.runtime.projection import Prompt, model_view

KEY = "sk-ant-api03-AAAABBBBCCCCDDDDEEEEFFFF"
"""The key the tests use; nothing may ever show it."""

PLAN = Form(
    name="plan",
    description="the files to edit, in order",
    schema={
        "type": "object",
        "properties": {
            "for": {"const": "task-1"},
            "steps": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 4},
        },
        "required": ["for", "steps"],
        "additionalProperties": False,
    },
)
GOOD: Mapping[str, Json] = {"for": "task-1", "steps": ["read src/a.py", "write src/ä.py", "test"]}


def prompt(text: str) -> Prompt:
    """A prompt of this text, made the only way there is."""
    view = model_view(
        {},
        names=(),
        prompts={"only": text},
        cancel=NeverCancelled(),
        timeout_ms=None,
        resolve=lambda _: "",
        spend=lambda _: None,
    )
    return view.prompt("only")


def question(
    stable: str = "You plan a change.",
    changing: str = "The task.",
    *,
    form: Form = PLAN,
    max_output: int = 500,
    timeout_ms: int | None = 600_000,
    sample: int = 0,
) -> Ask:
    """A question."""
    return Ask(
        stable=prompt(stable),
        changing=prompt(changing),
        form=form,
        max_output=max_output,
        timeout_ms=timeout_ms,
        sample=sample,
    )


def settings_for(service: str, url: str, **more: Any) -> ModelSettings:
    """Settings for a served address, without its path."""
    base = url if service == "anthropic" else f"{url}/v1"
    return ModelSettings(**{"proposer": service, "model": "served-1", "base_url": base, **more})


def model_at(service: str, url: str, **more: Any) -> ServiceModel:
    """A model at a served address."""
    environ = {"ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    return open_model(settings_for(service, url, **more), secrets=Secrets(environ, lambda _: None))


def asked(model: Model, ask: Ask | None = None, *, cancel: Cancel | None = None) -> Reply:
    """What comes of a question."""
    return model.ask(ask or question(), cancel=cancel or NeverCancelled(), told=lambda _: None)
