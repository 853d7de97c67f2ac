"""One table of what credentials look like, and both of its readers use all of it."""

from __future__ import annotations

import re

import pytest

from dev_agent.policy.secret_patterns import find_secrets
from dev_agent.runtime.detectors import known_secrets
from dev_agent.secret_formats import FORMATS, HINTS, Format

_MIXED = "aZ3kQ9mX7bR2tV5wY8cD4fG6hJ1lN0pSuEiAoTqBxKzMvC" * 4

SAMPLES = {
    "AWS access key": "AKIAQ2W3E4R5T6Y7ZXCV",
    "GitHub token": "ghp_" + _MIXED[:36],
    "GitHub fine-grained token": "github_pat_" + _MIXED[:60],
    "GitLab token": "glpat-" + _MIXED[:20],
    "Slack token": "xoxb-" + _MIXED[:24],
    "Slack webhook": "hooks.slack.com/services/T0QWERTYU/B0ASDFGHJ/" + _MIXED[:24],
    "Anthropic key": "sk-ant-" + _MIXED[:40],
    "OpenAI key": "sk-proj-" + _MIXED[:40],
    "Google API key": "AIza" + _MIXED[:35],
    "Stripe key": "sk_live_" + _MIXED[:24],
    "PyPI token": "pypi-AgEIcHlwaS5vcmc" + _MIXED[:60],
    "npm token": "npm_" + _MIXED[:36],
    "SendGrid key": f"SG.{_MIXED[:22]}.{_MIXED[:43]}",
    "Square secret": "sq0csp-" + _MIXED[:43],
    "Mailchimp key": "0f1e2d3c4b5a69788796a5b4c3d2e1f0-us12",
    "Telegram bot token": "987654321:AA" + _MIXED[:33],
    "Azure storage key": "AccountKey=" + _MIXED[:86] + "==",
    "JSON web token": f"eyJ{_MIXED[:20]}.eyJ{_MIXED[:30]}.{_MIXED[:20]}",
}


def test_every_format_has_a_sample_here() -> None:
    assert set(SAMPLES) == {one.name for one in FORMATS}


@pytest.mark.parametrize("form", FORMATS, ids=lambda one: one.name)
def test_policy_sees_it_in_a_change_and_the_runtime_before_it_is_shown(form: Format) -> None:
    sample = SAMPLES[form.name]
    assert re.fullmatch(form.pattern, sample)
    assert re.search(HINTS, sample)
    line = f"use {sample} here"
    assert [line[one.start : one.end] for one in find_secrets(line)] == [sample]
    assert [(one.kind, line[one.start : one.end]) for one in known_secrets(line)] == [(form.kind, sample)]
