"""Actions of somebody's program resolve the secrets they declare, here and in a process of their own, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.programs.hosting.given import given
from dev_agent.programs.hosting.host import Host
from dev_agent.programs.hosting.report import HostedReport
from dev_agent.programs.hosting.secrets import secrets_at
from dev_agent.runtime.errors import CapabilityDenied
from dev_agent.runtime.host import Reporter
from tests.programs.hosting.stage import ACTIONS, PROGRAM, Stage

SECRET = "correct-horse-battery"
LIMITED = PROGRAM.replace(
    '[states.work]\nkind = "action"', '[states.work]\nkind = "action"\ntimeout_ms = 60000'
)
DECLARING = ACTIONS.replace(
    '{"who": FactType.STR}, work)', '{"who": FactType.STR}, work, capabilities=frozenset({"key"}))'
)
LEAKING = (
    'secret = view.resolve({"$capability": "key"}); said(str(len(secret))); print(secret); '
    'view.record("seen", {"said": "it is " + secret}, {"raw": secret.encode()}); '
    'return Result("done", {"who": secret}, {"page": secret.encode().hex().encode()})'
)


def drive(stage: Stage, *words: str, environ: dict[str, str] | None = None) -> HostedReport:
    known = {**stage.environ(), "KEY": SECRET, **(environ or {})}
    host = Host(
        runs=stage.runs,
        default=stage.runs,
        environ=known,
        cancel=Cancel(),
        reporter=Reporter(),
        secrets=secrets_at(words, known),
    )
    text = (stage.folder / "errand.toml").read_text()
    module = str(stage.folder / "errands.py")
    return host.start(text, source="errand.toml", module=module, inputs=given(["amount=2"]))


def stored(report: HostedReport) -> bytes:
    return b"\n".join(one.read_bytes() for one in Path(report.folder).rglob("*") if one.is_file())


@pytest.mark.parametrize("program", [PROGRAM, LIMITED], ids=["here", "in a process of its own"])
def test_a_declared_secret_is_resolved_and_stands_nowhere_in_the_run(tmp_path: Path, program: str) -> None:
    stage = Stage(folder=tmp_path).write(program=program, work=LEAKING, actions=DECLARING)

    ended = drive(stage, "key=env:KEY")

    assert stage.log() == ["prepare", "work", str(len(SECRET))]
    assert ended.facts["work"]["who"] == "[redacted: capability key]"
    kept = stored(ended)
    assert SECRET.encode() not in kept
    assert SECRET.encode().hex().encode() not in kept


@pytest.mark.parametrize("program", [PROGRAM, LIMITED], ids=["here", "in a process of its own"])
@pytest.mark.parametrize(
    ("actions", "words"),
    [(ACTIONS, ["key=env:KEY"]), (DECLARING, []), (DECLARING, ["other=env:KEY"])],
    ids=["not declared", "not given", "given under another name"],
)
def test_a_secret_that_is_not_declared_or_not_given_is_denied(
    tmp_path: Path, program: str, actions: str, words: list[str]
) -> None:
    stage = Stage(folder=tmp_path).write(program=program, work=LEAKING, actions=actions)

    ended = drive(stage, *words)

    assert ended.exit_code == 1
    assert ended.explanation.startswith("CapabilityDenied in work: ")
    assert stage.log() == ["prepare", "work"]
    assert SECRET.encode() not in stored(ended)


def test_a_secret_in_a_file_is_read_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    assert secrets_at([f"key=file:{tmp_path / 'key'}"], {}).resolve("key") == SECRET


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"abc\n", "shorter than 6"), (b"\xff" * 20, "not UTF-8"), (b"x" * 70_000, "larger than")],
)
def test_a_file_that_holds_no_usable_secret_is_denied_with_the_reason(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(CapabilityDenied, match=said):
        secrets_at([f"key=file:{tmp_path / 'key'}"], {}).resolve("key")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (f"key={SECRET}", "names no place of a secret"),
        (SECRET, "names no place of a secret"),
        ("key=env:", "names no place of a secret"),
        ("key=vault:x", "names no place of a secret"),
        ("key=env:NOT_THERE", "there is no such variable"),
        ("key=file:/not/there", "there is no such file"),
    ],
)
def test_a_place_that_is_none_is_refused_before_there_is_a_run_and_never_repeats_a_secret(
    word: str, said: str
) -> None:
    with pytest.raises(UsageFault, match=said) as refused:
        secrets_at([word], {})
    assert SECRET not in f"{refused.value.message} {refused.value.hint}"


def test_a_capability_given_twice_is_refused() -> None:
    with pytest.raises(UsageFault, match="given twice"):
        secrets_at(["key=env:A", "key=env:B"], {"A": SECRET, "B": SECRET})


def test_the_command_line_takes_it_and_a_resumed_run_is_told_again(tmp_path: Path) -> None:
    asking = DECLARING.replace(
        'ActionSpec("finish", frozenset({"done"}), {}, finish)',
        'ActionSpec("finish", frozenset({"done"}), {}, finish, capabilities=frozenset({"key"}))',
    ).replace('said("finish " +', 'said(str(len(view.resolve({"$capability": "key"}))) + " finish " +')
    stage = Stage(folder=tmp_path).write(actions=asking)
    (tmp_path / "key").write_text(SECRET)
    assert stage.run("--capability", "key=file:key").code == 5

    denied = stage.program("resume", "last", "--signal", "yes", "--data", "who=Ada", "--data", "sure=true")
    assert (denied.code, denied.page["state"]) == (1, "dropped")

    stage.run("--capability", "key=file:key")
    words = ("--signal", "yes", "--data", "who=Ada", "--data", "sure=true", "--capability", "key=file:key")
    assert stage.program("resume", "last", *words).code == 0
    assert stage.log()[-1] == f"{len(SECRET)} finish Ada"
