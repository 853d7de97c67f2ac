"""Secrets are found by name, format and randomness; ids, digests and ordinary text are not."""

from __future__ import annotations

import base64
import random
import string
import uuid
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.runtime.canonical import Json
from dev_agent.runtime.detectors import is_secret_name, known_secrets, random_runs
from dev_agent.runtime.redaction import Redactor, is_plainly_clean

AWS = "AKIA" + "Q3EXAMPLEK7TZ2WB"
PRIVATE = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc+/=\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "name",
    ["password", "db_password", "DB_PASSWORD", "dbPassword", "token", "auth_token", "apiKey", "API_KEY", "x-api-key",
     "secret", "client_secret", "ssn", "Authorization", "credentials", "aws_secret_access_key", "private_key"],
)  # fmt: skip
def test_names_that_hold_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["token_count", "tokens", "password_length", "secrets_added", "tokenizer", "secretary", "passwordless", "key",
     "keys", "monkey", "api", "access", "public_key", "class", "x" * 300, "", "authorization_url", "session"],
)  # fmt: skip
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        (AWS, "aws key"),
        ("ghp_" + "a1B2" * 9, "github token"),
        ("sk-ant-" + "api03-aB3_" * 3, "api key"),
        ("sk-proj-" + "aB3d" * 10, "api key"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "json web token"),
        (PRIVATE, "private key"),
        ("Authorization: Bearer abcdef123456", "authorization"),
        ("postgres://me:hunter22@db/x", "password in a URL"),
        ('db_password = "hunter2hunter2"', "value of a secret name"),
    ],
)
def test_known_formats_leave_a_mark_and_nothing_else(text: str, mark: str) -> None:
    redactor = Redactor()
    clean = redactor.text(f"before {text} after")
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    assert f"[redacted: {mark}]" in clean
    assert redactor.counts == {mark: 1}
    (found,) = known_secrets(text)
    assert text[found.start : found.end] not in clean


def test_keys_of_a_generator_are_found_nearly_always() -> None:
    chance = random.Random(7)  # noqa: S311 - the same keys every time
    missed = 0
    for _ in range(500):
        letters = string.ascii_letters + string.digits
        key = "".join(chance.choice(letters) for _ in range(chance.choice([24, 32, 40])))
        missed += not list(random_runs(f"x = {key};"))
    assert missed <= 25


@pytest.mark.parametrize(
    "text",
    [
        "3f786850e387550fdab836ed7e6dc881de23001b",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        str(uuid.UUID(int=2**127 + 12345)),
        str(uuid.UUID(int=2**127 + 12345)).upper(),
        "TestHTTP2ConnectionPoolManagerFactory",
        "dev_agent/runtime/projection_of_Things2.py",
        "sha512-" + base64.b64encode(bytes(range(64))).decode(),
        "refs/heads/feature/JIRA-1234-Make-It-Work",
        "https://example.com/a/b/c?page=2",
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        "2026-11-22T10:00:00.000Z",
    ],
)
def test_ids_digests_and_words_are_no_secrets(text: str) -> None:
    redactor = Redactor(randomness=True)
    assert redactor.text(text) == text
    assert redactor.total == 0


def test_every_depth_and_kind_of_value_is_looked_at() -> None:
    value: Json = MappingProxyType(
        {
            "password": ["hunter2", {"old": "hunter1"}],
            "credentials": {"user": "ada", "pin": 1234},
            "rows": (("a", AWS), {AWS: 1}),
            "token_count": 512,
            "token": 7,
            "secret": 1234,
            "api_key": "",
            "nothing": None,
        }
    )
    redactor = Redactor()
    clean = redactor.value(value)
    text = repr(clean)
    assert not any(secret in text for secret in ("hunter", "ada", "1234", AWS))
    assert isinstance(clean, MappingProxyType)
    assert (clean["token_count"], clean["token"], clean["api_key"]) == (512, 7, "")
    assert clean["rows"] == (("a", "[redacted: aws key]"), {"[redacted: aws key]": 1})
    assert Redactor().value({"secret": 1234}, frozenset({"secret"})) == {"secret": 1234}
    assert redactor.value(b"x " + AWS.encode()) == b"x [redacted: aws key]"


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(plain)
def test_redacting_twice_is_redacting_once(value: Json) -> None:
    once = Redactor(randomness=True).value(value)
    again = Redactor(randomness=True)
    assert again.value(once) == once
    assert again.total == 0


@given(plain)
def test_what_is_plainly_clean_has_nothing_to_redact(value: Json) -> None:
    redactor = Redactor()
    same = redactor.value(value) == value
    assert not is_plainly_clean(value) or (same and redactor.total == 0)


@pytest.mark.parametrize("secret", [AWS, PRIVATE, "postgres://me:hunter22@db/x", 'pwd="hunter"'])
def test_no_secret_is_plainly_clean(secret: str) -> None:
    assert not is_plainly_clean({"a": ({"b": [f"x {secret}"]},)})
    assert not is_plainly_clean({"a": {secret: 1}})
    assert not is_plainly_clean({"a": {"db_password": 1}})


def test_a_reference_to_a_capability_is_left_as_it_is() -> None:
    value: Json = {"api_key": {"$capability": "model_key"}}
    assert Redactor(randomness=True).value(value) is value
    assert Redactor().value({"api_key": {"$capability": "Not A Name"}}) == {
        "api_key": "[redacted: secret name]"
    }
