"""The patch is read once, from a file or standard input, and never without bound."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dev_agent.cli.patch_source import read_patch
from dev_agent.edits.model import Limits
from dev_agent.errors import UsageFault


def test_a_file_is_read_as_bytes(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"\xff\r\n")
    assert read_patch(str(tmp_path / "p")) == b"\xff\r\n"


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from stdin")))
    assert read_patch("-") == b"from stdin"


@pytest.mark.parametrize("name", ["missing", ".", "a\0b"])
def test_what_is_no_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageFault, match="patch") as refused:
        read_patch(name)
    assert refused.value.hint


def test_an_endless_stream_ends_one_byte_after_what_a_patch_may_have() -> None:
    assert len(read_patch("/dev/zero")) == Limits().patch_bytes + 1
