"""Traces that are not what was written, as a user meets them: named by every command, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cli.app import run
from dev_agent.programs.report import Outcome
from dev_agent.runtime.chain import TRACE_NAME
from dev_agent.runtime.trace import Journal
from tests.programs.conftest import FILES, HARMLESS, NO_GATES, Shop
from tests.programs.hosting.stage import Stage
from tests.runtime.worlds import FixedClock
from tests.testing.repos import make_repository

Damage = Callable[[Path], object]
NAMED_BY_ALL = ("show", "verify", "replay", "stats", "resume", "diff", "undo", "approve")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A repository with a landed run, a hosted run that waits, and both folders as they were."""

    shop: Shop
    stage: Stage
    landed: Path
    waiting: Path
    kept: Path

    def restore(self) -> None:
        for folder in (self.landed, self.waiting):
            shutil.rmtree(folder)
            shutil.copytree(self.kept / folder.name, folder, symlinks=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    tmp = tmp_path_factory.mktemp("damaged")
    (tmp / "policies").mkdir()
    shop = Shop(project=make_repository(tmp, FILES, name="shop"), policies=tmp / "policies")
    report = shop.apply(HARMLESS, policy=NO_GATES)
    assert report.outcome is Outcome.COMMITTED
    (tmp / "stage").mkdir()
    stage = Stage(folder=tmp / "stage").write()
    waits = stage.run()
    assert waits.code == 5
    landed = shop.project.git_dir / "dev-agent/runs" / report.run
    waiting = stage.runs / str(waits.page["run"])
    for folder in (landed, waiting):
        shutil.copytree(folder, tmp / "kept" / folder.name)
    return Scene(shop=shop, stage=stage, landed=landed, waiting=waiting, kept=tmp / "kept")


@pytest.fixture
def scene(made: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name, value in made.shop.project.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.shop.root)
    yield made
    made.restore()


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """Exit code and everything that was said."""
    code = run(list(argv))
    out, err = capsys.readouterr()
    return code, out + err


def flipped(trace: Path) -> None:
    data = bytearray(trace.read_bytes())
    data[len(data) // 2] ^= 1
    trace.write_bytes(data)


def without_a_line(trace: Path) -> None:
    lines = trace.read_bytes().splitlines(keepends=True)
    trace.write_bytes(b"".join(lines[:2] + lines[3:]))


def replaced(old: bytes, new: bytes) -> Damage:
    return lambda trace: trace.write_bytes(trace.read_bytes().replace(old, new))


def content(data: bytes) -> Damage:
    return lambda trace: trace.write_bytes(data)


def instead(make: Callable[[Path], object]) -> Damage:
    def put(trace: Path) -> None:
        trace.unlink()
        make(trace)

    return put


def linked(trace: Path) -> None:
    aside = trace.with_name("aside")
    trace.rename(aside)
    trace.symlink_to(aside)


def endless(trace: Path) -> None:
    with trace.open("wb") as file:
        file.truncate(2**30)


def whole_but_foreign(*events: tuple[str, Mapping[str, object]]) -> Damage:
    """A chain with nothing wrong, of events that are not of their form."""

    def write(trace: Path) -> None:
        aside = trace.parent / "other"
        with Journal.create(aside, trace.parent.name, {"program": "f" * 64}, FixedClock()) as journal:
            for kind, data in events:
                journal.append(kind, data)
        shutil.copy(aside / TRACE_NAME, trace)

    return write


LEFT: Mapping[str, object] = {
    "state": "begin",
    "attempt": 1,
    "outcome": "refused",
    "data": {},
    "ms": 1,
    "cost": {},
    "next": "rejected",
}
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a flipped bit": (flipped, "line "),
    "a removed line": (without_a_line, "an event was removed, added or moved"),
    "a version of the future": (replaced(b'"v":1', b'"v":2'), "format version 2; this reader knows 1"),
    "another tool's lines": (
        content(b'{"level":"info"}\n{"level":"warn"}\n'),
        "this is no trace of dev-agent",
    ),
    "empty": (content(b""), "no complete event"),
    "only a torn line": (content(b'{"actor":"ag'), "no complete event"),
    "blank lines": (content(b"\n\n"), "not JSON"),
    "bytes": (content(bytes(range(256)) * 9), "not JSON"),
    "a folder": (instead(Path.mkdir), "regular file"),
    "a link": (linked, "regular file"),
    "a link to nowhere": (instead(lambda trace: trace.symlink_to("/nonexistent")), "regular file"),
    "a pipe": (instead(os.mkfifo), "regular file"),
    "a line of a gigabyte": (endless, "the line is longer than"),
    "a transition without its fields": (whole_but_foreign(("left", {"state": 3})), "left is malformed"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_wrong_with_a_trace_is_named_by_every_command(
    scene: Scene, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    damage, reason = DAMAGES[name]
    damage(scene.landed / TRACE_NAME)
    before = scene.shop.project.snapshot()
    for command in NAMED_BY_ALL:
        code, text = said(capsys, command, scene.landed.name)
        assert code in {"verify": (1,), "replay": (2, 3)}.get(command, (3,)), (command, text)
        flat = " ".join(text.split())
        anchored = "rewritten" in flat or "truncated" in flat
        assert reason in flat or (anchored and "foreign" not in name), (command, text)
    code, text = said(capsys, "runs")
    assert (code, "damaged" in text) == (0, True)
    assert scene.shop.project.snapshot() == before


@pytest.mark.parametrize("name", DAMAGES)
def test_a_hosted_run_that_cannot_be_read_is_named(
    scene: Scene, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    damage, reason = DAMAGES[name]
    damage(scene.waiting / TRACE_NAME)
    runs = ("--runs", str(scene.stage.runs))
    for words in (("show",), ("resume",), ("resume", "--signal", "yes")):
        code, text = said(capsys, "program", words[0], scene.waiting.name, *words[1:], *runs)
        assert (code, reason in " ".join(text.split())) == (3, True), (words, text)
    code, text = said(capsys, "program", "runs", *runs)
    assert (code, reason in " ".join(text.split())) == (0, True), text
    code, text = said(capsys, "verify", str(scene.waiting))
    assert (code, reason in " ".join(text.split())) == (1, True), text
    assert scene.stage.log() == ["prepare", "work"]


def test_a_version_of_the_future_is_no_damage_and_says_what_helps(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced(b'"v":1', b'"v":2')(scene.landed / TRACE_NAME)
    assert "hint: use a newer dev-agent" in said(capsys, "diff", scene.landed.name)[1]


@pytest.mark.parametrize("left", [1, 2, 4, 9])
def test_a_trace_that_was_cut_is_not_gone_on_with(
    scene: Scene, capsys: pytest.CaptureFixture[str], left: int
) -> None:
    """It is whole by itself, and going on from there would do things twice; the repository's anchors tell."""
    trace = scene.landed / TRACE_NAME
    trace.write_bytes(b"".join(trace.read_bytes().splitlines(keepends=True)[:left]))
    cut, before = trace.read_bytes(), scene.shop.project.snapshot()
    for command in ("show", "resume", "approve", "undo"):
        code, text = said(capsys, command, scene.landed.name)
        assert (code, "events, " in text and "truncated: anchored with" in text) == (3, True), text
    assert (trace.read_bytes(), scene.shop.project.snapshot()) == (cut, before)


@pytest.mark.parametrize(
    "events",
    [
        [("request", {"program": "apply"}), ("begun", {"inputs": {}}), ("left", LEFT)],
        [("request", {"program": "apply"}), ("left", LEFT), ("finished", {"state": "rejected"})],
        [("request", {"program": "apply", "target": 3, "policy": []}), ("finished", {"state": "committed"})],
        [("request", {"program": 3, "hosted": True}), ("entered", {"state": [], "attempt": 1})],
        [("request", {"program": "nothing", "hosted": True, "module": "m", "source": "s"})],
        [("note", {})],
    ],
    ids=["unfinished", "finished", "odd request", "odd names", "no program", "nothing of ours"],
)
def test_a_whole_chain_that_no_version_of_ours_wrote_is_never_a_bug(
    scene: Scene, capsys: pytest.CaptureFixture[str], events: list[tuple[str, Mapping[str, Any]]]
) -> None:
    for folder in (scene.landed, scene.waiting):
        shutil.rmtree(folder)
        with Journal.create(folder, folder.name, {"program": "f" * 64}, FixedClock()) as journal:
            for kind, data in events:
                journal.append(kind, data)
    for command in (*NAMED_BY_ALL, "policy explain"):
        code, text = said(capsys, *command.split(), scene.landed.name)
        assert (code in (0, 1, 2, 3), "bug report" in text) == (True, False), (command, text)
    for words in (("show",), ("resume",), ("resume", "--signal", "yes")):
        code, text = said(
            capsys, "program", words[0], scene.waiting.name, *words[1:], "--runs", str(scene.stage.runs)
        )
        assert (code in (2, 3), "bug report" in text) == (True, False), (words, text)
    assert said(capsys, "runs")[0] == said(capsys, "program", "runs", "--runs", str(scene.stage.runs))[0] == 0


def test_in_json_a_damaged_trace_is_an_error_object(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    flipped(scene.landed / TRACE_NAME)
    assert run(["show", scene.landed.name, "--json"]) == 3
    page = json.loads(capsys.readouterr().out)
    assert page["error"]["message"].startswith("event ")
