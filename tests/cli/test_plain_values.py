"""Options get the values typer's own conversion would give them. That it is mostly without it is told in `test_app`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from dev_agent.cli.app import command_app
from dev_agent.cli.plain_values import take_plain_values


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def _command(seen: list[Mapping[str, Any]]) -> Any:
    app = command_app()

    @app.command()
    def paint(  # one of each kind that the commands here have
        what: str,
        *,
        more: Annotated[list[str] | None, typer.Option(envvar="PAINT_MORE")] = None,
        where: Annotated[Path, typer.Option("-C")] = Path(),
        maybe: Path | None = None,
        colour: Colour = Colour.RED,
        coats: int = 1,
        thin: float | None = None,
        dry: Annotated[bool, typer.Option("--dry", envvar="PAINT_DRY")] = False,
        upper: Annotated[str, typer.Option(parser=str.upper)] = "x",
    ) -> int:
        seen.append(dict(locals()) | {"seen": None})
        return 0

    return typer.main.get_command(app)


def _outcome(command: Any, argv: Sequence[str], seen: list[Mapping[str, Any]]) -> object:
    try:
        with command.make_context("paint", list(argv)) as context:
            command.invoke(context)
    except typer.TyperException as error:
        return type(error), error.format_message()
    except typer.Exit as done:
        return done.exit_code
    return seen.pop()


@pytest.mark.parametrize(
    ("argv", "environ"),
    [
        (["wall"], {}),
        (["wall", "--more", "a", "--more", "ü"], {}),
        (["wall"], {"PAINT_MORE": "a b", "PAINT_DRY": "yes"}),
        (["wall"], {"PAINT_DRY": "perhaps"}),
        (["wall", "-C", "/tmp", "--maybe", "not/there"], {}),
        (["wall", "--maybe", "{unreadable}"], {}),
        (["wall", "--colour", "blue"], {}),
        (["wall", "--colour", "green"], {}),
        (["wall", "--coats", "2", "--thin", "0.5"], {}),
        (["wall", "--coats", "two"], {}),
        (["wall", "--upper", "y"], {}),
        ([""], {}),
        ([], {}),
        (["wall", "--nothing"], {}),
        (["w\udcff"], {}),
        (["wall", "--more", "\udcff"], {}),
        (["wall", "-C", "\udcff"], {}),
        (["--help"], {}),
    ],
    ids=str,
)  # fmt: skip
def test_every_value_comes_out_as_from_typer_itself(
    argv: list[str],
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    argv = [one.format(unreadable=tmp_path) if "{" in one else one for one in argv]
    monkeypatch.setattr("os.access", lambda path, mode: mode == os.F_OK or str(path) != str(tmp_path))
    seen: list[Mapping[str, Any]] = []
    theirs = _outcome(_command(seen), argv, seen), capsys.readouterr()
    ours = _outcome(take_plain_values(_command(seen)), argv, seen), capsys.readouterr()

    assert ours == theirs
    if isinstance(theirs[0], dict) and isinstance(ours[0], dict):
        assert list(map(type, ours[0].values())) == list(map(type, theirs[0].values()))
