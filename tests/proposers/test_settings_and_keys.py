"""Where questions are sent, with which key, and who may say so."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Mapping
from pathlib import Path

import pytest

from dev_agent.errors import DevAgentError, EnvironmentFault, UsageFault
from dev_agent.proposers.keys import Secret, Secrets
from dev_agent.proposers.registry import key_for, open_model
from dev_agent.proposers.settings import ModelSettings, read_settings
from dev_agent.proposers.user_config import UserConfig, config_path, parse_user_config, read_user_config
from tests.testing.asks import KEY

NOTHING = UserConfig()


def read(
    flags: Mapping[str, str | int | None] | None = None,
    environ: Mapping[str, str] | None = None,
    config: UserConfig = NOTHING,
    repository_model: str = "",
) -> ModelSettings:
    found = read_settings(
        flags or {}, environ=environ or {}, config=config, repository_model=repository_model
    )
    assert found is not None
    return found


def test_nothing_said_is_no_model() -> None:
    assert read_settings({"model": None}, environ={"HOME": "/x"}, config=NOTHING) is None


def test_a_key_in_the_environment_is_enough() -> None:
    found = read(environ={"ANTHROPIC_API_KEY": KEY})
    assert (found.proposer, found.host) == ("anthropic", "api.anthropic.com")
    assert found.model.startswith("claude-")
    assert found.sources["proposer"] == "the variable ANTHROPIC_API_KEY"
    assert found.window == 1_000_000


@pytest.mark.parametrize("word", ["auto", "recipes", "patch", "recorded"])
def test_a_word_for_who_proposes_is_none_for_a_service(word: str) -> None:
    environ = {"DEV_AGENT_PROPOSER": word}
    assert read_settings({}, environ=environ, config=NOTHING) is None
    assert read({}, {**environ, "ANTHROPIC_API_KEY": KEY}).proposer == "anthropic"


def test_flags_win_over_the_environment_which_wins_over_the_configuration() -> None:
    config = UserConfig(source="config.toml", model={"proposer": "openai", "model": "c", "timeout_s": 5})
    environ = {
        "DEV_AGENT_MODEL": "b",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "DEV_AGENT_MAX_OUTPUT": "99",
    }
    found = read({"model": "a"}, environ, config)
    assert (found.model, found.proposer, found.timeout_s, found.max_output) == ("a", "openai", 5, 99)
    assert found.base_url == "http://127.0.0.1:1/v1"
    assert (found.sources["model"], found.sources["proposer"]) == ("--model", "config.toml")
    assert read({}, environ, config).model == "b"
    assert read({}, {}, config).model == "c"


def test_a_repository_may_name_a_model_and_is_asked_last() -> None:
    environ = {"ANTHROPIC_API_KEY": KEY}
    assert read({}, environ, repository_model="claude-haiku-4-5").model == "claude-haiku-4-5"
    assert (
        read({"model": "claude-opus-5"}, environ, repository_model="claude-haiku-4-5").model
        == "claude-opus-5"
    )
    assert read_settings({}, environ={}, config=NOTHING, repository_model="claude-opus-5") is None


def test_a_listed_model_says_whose_it_is() -> None:
    environ = {"ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": KEY}
    assert read({"model": "gpt-6-sol"}, environ).proposer == "openai"
    assert read(
        {"model": "us.anthropic.claude-haiku-4-5-20251001-v1:0", "proposer": "anthropic-bedrock"}
    ).window


@pytest.mark.parametrize(
    ("flags", "environ", "said"),
    [
        ({"proposer": "gemini"}, {}, "no model service is called 'gemini'"),
        ({"proposer": "openai"}, {}, "no model is named for openai"),
        ({"base_url": "ftp://x/v1", "model": "m"}, {}, "is not one"),
        ({"base_url": "https://u:p@x/v1", "model": "m"}, {}, "holds a password"),
        ({"base_url": "https://x:99999/v1", "model": "m"}, {}, "is not one"),
        ({"model": "claude-haiku-4-5", "effort": "high"}, {}, "claude-haiku-4-5 has no effort high"),
        ({"model": "claude-opus-5-5", "effort": "huge"}, {}, "no effort is called 'huge'"),
        ({"model": "claude-opus-5-5", "thinking": "off"}, {}, "cannot be turned off"),
        ({"model": "claude-opus-5-5", "thinking": "maybe"}, {}, "on or off"),
        ({"model": "a\nb", "proposer": "openai"}, {}, "one line of text"),
        ({}, {"ANTHROPIC_API_KEY": KEY, "DEV_AGENT_TIMEOUT_S": "0"}, "from 1 to 86400"),
        ({}, {"ANTHROPIC_API_KEY": KEY, "DEV_AGENT_TIMEOUT_S": "²"}, "from 1 to 86400"),
    ],
)
def test_wrong_settings_are_said_before_anything_is_sent(
    flags: Mapping[str, str], environ: Mapping[str, str], said: str
) -> None:
    with pytest.raises(UsageFault) as caught:
        read(flags, environ)
    assert said in caught.value.message
    assert caught.value.hint


def test_effort_is_not_sent_to_a_model_nobody_listed() -> None:
    assert read({"model": "qwen3", "proposer": "openai", "effort": "high"}).effort == ""
    assert read({"model": "claude-opus-5-5", "effort": "max"}).effort == "max"


def test_a_small_window_leaves_room_for_the_question() -> None:
    local: dict[str, str | int | None] = {"model": "qwen3", "proposer": "openai", "window": 8192}
    assert read(local).max_output == 2048
    assert read({**local, "max_output": 4000}).max_output == 4000
    assert read({**local, "window": None}).max_output == 32_000
    assert read({"model": "claude-haiku-4-5", "max_output": 100_000}).max_output == 64_000


def test_a_profile_is_used_if_it_is_named_and_no_key_is_there() -> None:
    named = {"ANTHROPIC_PROFILE": "work"}
    assert read({"proposer": "anthropic"}, named).profile == "work"
    assert read({"proposer": "anthropic"}, {**named, "ANTHROPIC_API_KEY": KEY}).profile == ""


def test_a_profile_on_the_disk_that_nobody_named_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "default.json").write_text('{"authentication": {"type": "api_key"}}')
    settings = read({"proposer": "anthropic"})
    with pytest.raises(UsageFault, match=r"there is no key for api\.anthropic\.com"):
        open_model(settings, secrets=Secrets({}, lambda _: None))


def test_keys_come_from_the_named_variable_then_the_services_own_then_the_keyring() -> None:
    environ = {"LAB_KEY": "lab", "ANTHROPIC_AUTH_TOKEN": "token", "OPENAI_API_KEY": " padded\n"}
    secrets = Secrets(environ, {"anthropic": "ring", "none": None}.get)

    def text(service: str, variable: str = "") -> str:
        found = secrets.key(service, variable)
        return found.reveal() if found else ""

    assert text("anthropic", "LAB_KEY") == "lab"
    assert text("anthropic", "MISSING") == ""
    assert text("anthropic") == "token"
    assert text("openai") == "padded"
    assert Secrets({}, {"anthropic": "ring"}.get).key("anthropic")
    assert Secrets({}, {"anthropic": "ring"}.get).key("openai") is None


@pytest.mark.parametrize(
    ("base_url", "proposer", "refused"),
    [
        ("http://example.org/v1", "openai", "is not encrypted"),
        ("http://127.0.0.1:8080/v1", "openai", ""),
        ("http://[::1]:8080", "anthropic", ""),
        ("http://localhost:1", "anthropic", ""),
        ("http://localhost.example.org", "anthropic", "is not encrypted"),
        ("https://example.org/v1", "openai", ""),
    ],
)
def test_a_key_goes_nowhere_in_the_clear_but_to_this_machine(
    base_url: str, proposer: str, refused: str
) -> None:
    settings = ModelSettings(proposer=proposer, model="m", base_url=base_url)
    secrets = Secrets({"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}, lambda _: None)
    if not refused:
        assert key_for(settings, secrets) is not None
        return
    with pytest.raises(UsageFault) as caught:
        key_for(settings, secrets)
    assert refused in caught.value.message
    assert KEY not in caught.value.message


CODE = "everybody on the way could read your code"


@pytest.mark.parametrize("host", ["10.0.0.5", "model.test", "[fe80::5]", "127.0.0.1.nip.test", "2130706433"])
def test_code_goes_nowhere_in_the_clear_without_a_key_either(host: str) -> None:
    settings = ModelSettings(proposer="openai", model="m", base_url=f"http://{host}:8080/v1")
    with pytest.raises(UsageFault) as caught:
        open_model(settings, secrets=Secrets({}, lambda _: None))
    assert caught.value.message == f"http://{host}:8080/v1 is not encrypted: {CODE}"
    assert f"DEV_AGENT_PLAIN_HTTP={settings.host}" in caught.value.hint


@pytest.mark.parametrize(
    ("named", "allowed"),
    [
        ("model.test", True),
        ("model.test:8080", True),
        ("MODEL.test", True),
        ("", False),
        ("model.test:80", False),
        ("test", False),
        ("*", False),
        ("http://model.test:8080/v1", False),
    ],
)
def test_a_consent_is_for_the_very_host_it_names(named: str, allowed: bool) -> None:
    environ = {"DEV_AGENT_PLAIN_HTTP": named, "OPENAI_BASE_URL": "http://Model.test:8080/v1"}
    settings = read({"model": "m"}, environ)
    if allowed:
        assert key_for(settings, Secrets({}, lambda _: None)) is None
        return
    with pytest.raises(UsageFault, match="is not encrypted"):
        key_for(settings, Secrets({}, lambda _: None))


@pytest.mark.parametrize(
    ("settings", "secret"),
    [
        ({"proposer": "openai"}, "the key from the variable OPENAI_API_KEY"),
        ({"proposer": "anthropic"}, "the key from the variable ANTHROPIC_API_KEY"),
        ({"proposer": "anthropic", "profile": "work"}, "the credentials"),
        ({"proposer": "anthropic-bedrock"}, "the credentials"),
        ({"proposer": "anthropic-vertex"}, "the credentials"),
    ],
)
def test_no_consent_is_for_a_key(settings: Mapping[str, str], secret: str) -> None:
    made = ModelSettings(model="m", base_url="http://10.0.0.5/v1", plain_http="10.0.0.5", **settings)  # type: ignore[arg-type]  # fields of the settings
    secrets = Secrets({"OPENAI_API_KEY": KEY, "ANTHROPIC_API_KEY": KEY}, lambda _: None)
    with pytest.raises(UsageFault) as caught:
        key_for(made, secrets)
    assert caught.value.message.endswith(f"could read your code and {secret}")
    assert KEY not in caught.value.message + caught.value.hint


def test_an_address_that_a_platform_s_own_client_reads_is_under_the_rule_too() -> None:
    for name in ("bedrock", "vertex"):
        environ = {f"ANTHROPIC_{name.upper()}_BASE_URL": "http://10.0.0.5"}
        settings = read({"proposer": f"anthropic-{name}", "model": "m"}, environ)
        with pytest.raises(UsageFault, match="is not encrypted"):
            key_for(settings, Secrets({}))


def test_a_local_server_needs_no_key() -> None:
    settings = ModelSettings(proposer="openai", model="m", base_url="http://127.0.0.1:8080/v1")
    assert key_for(settings, Secrets({}, lambda _: None)) is None


@pytest.mark.parametrize("proposer", ["anthropic-bedrock", "anthropic-vertex"])
def test_a_platform_without_its_package_says_what_to_install(proposer: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        open_model(ModelSettings(proposer=proposer, model="m"), secrets=Secrets({}))
    assert caught.value.hint.startswith("pip install 'anthropic[")


def test_a_secret_is_shown_by_nothing() -> None:
    secret = Secret(KEY, "the variable X")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>80}",
        str([secret]),
        str(vars(Holder(secret))),
    ]
    try:
        raise DevAgentError("no", hint=str(secret))
    except DevAgentError:
        shown.append(traceback.format_exc())
    assert not [text for text in shown if KEY[:12] in text]
    for write in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            write(secret)
    assert secret.reveal() == KEY


class Holder:
    def __init__(self, secret: Secret) -> None:
        self.secret = secret


@pytest.mark.parametrize("text", ["two words", "ключ", "a\nb"])
def test_what_can_be_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(UsageFault) as caught:
        Secrets({"OPENAI_API_KEY": text}).key("openai")
    assert text not in caught.value.message
    assert "OPENAI_API_KEY" in caught.value.message


def test_the_users_file_is_found_by_the_xdg_rules_and_read(tmp_path: Path) -> None:
    assert config_path({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == Path("/c/dev-agent/config.toml")
    assert config_path({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path(
        "/h/.config/dev-agent/config.toml"
    )
    assert config_path({}) is None
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert read_user_config(environ) == NOTHING
    file = tmp_path / "dev-agent" / "config.toml"
    file.parent.mkdir()
    file.write_text('[model]\nmodel = "m"\n[[prices]]\nmodel = "m"\ninput = "0"\noutput = "0"\n')
    file.chmod(0o600)
    found = read_user_config(environ)
    assert (found.source, found.model, len(found.prices)) == (str(file), {"model": "m"}, 1)
    file.chmod(0o666)
    with pytest.raises(UsageFault, match="may be written by others"):
        read_user_config(environ)
    file.chmod(0o600)
    file.write_text("[model")
    with pytest.raises(UsageFault, match="is not TOML"):
        read_user_config(environ)


def test_all_faults_of_the_users_file_are_told_at_once() -> None:
    table = {
        "model": {"modle": "x", "api_key": KEY, "timeout_s": 0, "effort": 3},
        "prices": [{"model": "m", "input": 1.5, "colour": "red"}],
        "gates": {},
    }
    with pytest.raises(UsageFault) as caught:
        parse_user_config(table, source="config.toml")
    for said in (
        "gates: is not known",
        "model.modle: is not known; did you mean model?",
        "model.api_key: a key does not belong into a file",
        "model.timeout_s: must be a whole number from 1 to 86400, not 0",
        "model.effort: must be text",
        "prices[0].colour: is not known",
        "prices[0].output: is missing",
        "prices[0].input: must be dollars",
    ):
        assert said in caught.value.message
    assert KEY not in caught.value.message
