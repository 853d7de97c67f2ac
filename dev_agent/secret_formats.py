"""What issued credentials look like: prefixes and lengths, as their issuers document them.

One table for the two who look for them and may not know each other: policy, which denies a change that adds one, and
the runtime, which marks one before it is shown or recorded. What stands around a secret (a name, a URL, a header) is
each reader's own affair.
"""

from __future__ import annotations

from typing import NamedTuple

_WORD_BEFORE = r"(?<![A-Za-z0-9_-])"


class Format(NamedTuple):
    """One form: whose it is, what kind of thing, its pattern, and text without which it cannot be there."""

    name: str
    kind: str
    pattern: str
    hint: str


FORMATS = (
    Format(
        "AWS access key",
        "aws key",
        _WORD_BEFORE + r"(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}(?![A-Z0-9])",
        "AKIA|ASIA|AROA|AIDA",
    ),
    Format(
        "GitHub token",
        "github token",
        _WORD_BEFORE + r"gh[pousr]_[A-Za-z0-9]{36,251}",
        "gh[pousr]_",
    ),
    Format(
        "GitHub fine-grained token",
        "github token",
        _WORD_BEFORE + r"github_pat_[A-Za-z0-9_]{50,120}",
        "github_pat_",
    ),
    Format(
        "GitLab token",
        "gitlab token",
        _WORD_BEFORE + r"glpat-[A-Za-z0-9_-]{20,60}",
        "glpat-",
    ),
    Format(
        "Slack token",
        "slack token",
        _WORD_BEFORE + r"xox[abeoprs]-[A-Za-z0-9-]{10,250}",
        "xox[abeoprs]-",
    ),
    Format(
        "Slack webhook",
        "slack token",
        r"hooks\.slack\.com/services/T[A-Z0-9]{6,12}/B[A-Z0-9]{6,12}/[A-Za-z0-9]{20,30}",
        r"hooks\.slack",
    ),
    Format(
        "Anthropic key",
        "api key",
        _WORD_BEFORE + r"sk-ant-[A-Za-z0-9_-]{20,200}",
        "sk-",
    ),
    Format(
        "OpenAI key",
        "api key",
        _WORD_BEFORE + r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,250}",
        "sk-",
    ),
    Format(
        "Google API key",
        "api key",
        _WORD_BEFORE + r"AIza[A-Za-z0-9_-]{35}",
        "AIza",
    ),
    Format(
        "Stripe key",
        "api key",
        _WORD_BEFORE + r"[rs]k_live_[A-Za-z0-9]{20,120}",
        "k_live_",
    ),
    Format(
        "PyPI token",
        "package token",
        _WORD_BEFORE + r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,250}",
        "pypi-Ag",
    ),
    Format(
        "npm token",
        "package token",
        _WORD_BEFORE + r"npm_[A-Za-z0-9]{36}",
        "npm_",
    ),
    Format(
        "SendGrid key",
        "api key",
        _WORD_BEFORE + r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])",
        r"SG\.",
    ),
    Format(
        "Square secret",
        "api key",
        _WORD_BEFORE + r"sq0csp-[A-Za-z0-9_-]{43}",
        "sq0csp-",
    ),
    Format(
        "Mailchimp key",
        "api key",
        _WORD_BEFORE + r"[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])",
        "-us[0-9]",
    ),
    Format(
        "Telegram bot token",
        "api key",
        _WORD_BEFORE + r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])",
        ":AA",
    ),
    Format(
        "Azure storage key",
        "api key",
        r"AccountKey=[A-Za-z0-9+/]{86}==",
        "AccountKey=",
    ),
    Format(
        "JSON web token",
        "json web token",
        _WORD_BEFORE + r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}",
        "eyJ",
    ),
)
"""Several formats may fit one text (an Anthropic key is of OpenAI's form too): the first that does is meant."""

HINTS = "|".join(dict.fromkeys(one.hint for one in FORMATS))
"""A pattern for a fast no: where it finds nothing, no format is there."""

PRIVATE_KEY = r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
