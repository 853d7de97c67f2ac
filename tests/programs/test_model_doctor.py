"""What the doctor says of models before anybody asks one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dev_agent.programs.finding import Finding
from dev_agent.programs.model_doctor import model_findings
from tests.testing.asks import KEY
from tests.testing.model_server import serving


def found(environ: Mapping[str, str], *, online: bool = False) -> dict[str, Finding]:
    findings = {one.topic: one for one in model_findings(environ, online=online)}
    assert KEY not in str(findings)
    return findings


def test_no_model_is_nothing_to_warn_of(tmp_path: Path) -> None:
    one = found({"HOME": str(tmp_path)})["model"]
    assert (one.status, one.remedy) == ("ok", "")
    assert "none needed" in one.detail


def test_which_model_where_with_whose_key_and_what_it_costs(tmp_path: Path) -> None:
    findings = found({"HOME": str(tmp_path), "ANTHROPIC_API_KEY": KEY})
    assert findings["model"].detail == (
        "anthropic: claude-opus-5-5 at api.anthropic.com, key from the variable ANTHROPIC_API_KEY"
        " (proposer by the variable ANTHROPIC_API_KEY; model by the default)"
    )
    assert findings["model price"].detail == "$4.00 for a million tokens in, $20.00 out"


@pytest.mark.parametrize(
    ("environ", "said", "remedy"),
    [
        (
            {"DEV_AGENT_PROPOSER": "anthropic", "DBUS_SESSION_BUS_ADDRESS": ""},
            "there is no key",
            "set ANTHROPIC_API_KEY",
        ),
        ({"OPENAI_BASE_URL": "http://10.0.0.1/v1"}, "no model is named", "--model"),
        (
            {"OPENAI_BASE_URL": "http://10.0.0.1/v1", "DEV_AGENT_MODEL": "m", "OPENAI_API_KEY": KEY},
            "is not encrypted",
            "use https",
        ),
        ({"ANTHROPIC_API_KEY": f"{KEY} {KEY}"}, "holds what can be no key", "copy the key again"),
    ],
)
def test_what_cannot_work_is_a_warning_with_its_remedy(
    environ: Mapping[str, str], said: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A keyring of the machine the tests run on has no say.
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    one = found({"HOME": str(tmp_path), **environ})["model"]
    assert one.status == "warn"
    assert said in one.detail
    assert remedy in one.remedy


def test_a_model_nobody_knows_the_price_of_is_a_warning(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "DEV_AGENT_MODEL": "local"}
    findings = found(environ)
    assert findings["model"].detail.startswith("openai: local at 127.0.0.1:1, no key")
    assert findings["model price"].status == "warn"


@pytest.mark.parametrize(("model", "status"), [("served-1", "ok"), ("absent", "warn")])
def test_the_service_is_looked_at_only_when_asked_for(model: str, status: str, tmp_path: Path) -> None:
    with serving() as server:
        environ = {
            "HOME": str(tmp_path),
            "DEV_AGENT_PROPOSER": "anthropic",
            "DEV_AGENT_MODEL": model,
            "ANTHROPIC_BASE_URL": server.url,
            "ANTHROPIC_API_KEY": KEY,
        }
        assert "model service" not in found(environ)
        assert server.looks == 0
        assert found(environ, online=True)["model service"].status == status
        assert server.looks == 1
        assert server.asked == []
