"""Bytes that are not the name stay as they are."""

from __future__ import annotations

import pytest

from dev_agent.edits.trees import DictTree
from dev_agent.recipes.model import Bench, Rewritten
from dev_agent.recipes.rename import Rename


def after_rename(content: bytes, old: str = "run", new: str = "launch") -> bytes:
    bench = Bench(tree=DictTree({"m.py": content}), covers=lambda _path: True)
    found = Rename(old=f"m.{old}", new=new).work(bench)
    assert isinstance(found, Rewritten), found
    assert found.moves == {}
    result = found.files["m.py"]
    assert result is not None
    return result


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfdef run(): ...\r\nrun()",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'; run = 1; run\n",
        b"# coding: cp1252\r\nrun = '\x80'; print(run)\r\n",
        b"run = 1\rprint(run)\r",
        "é = 1; run = é; 字 = run  # 字\n".encode(),
        b"x = '''\x0c\r\n'''; run = 1\n\x0c\nprint(run)",
        b"if 1:\n\trun = 1;  \\\n  \\\n\tprint( run )\t\n",
    ],
)
def test_encoding_line_ends_and_layout_stay(content: bytes) -> None:
    assert after_rename(content) == content.replace(b"run", b"launch")


def test_a_name_that_is_not_ascii() -> None:
    assert (
        after_rename("prix = 1; y = 'é'; prix\n".encode(), "prix", "coût")
        == "coût = 1; y = 'é'; coût\n".encode()
    )
    assert (
        after_rename("coût = 1; y = 'é'; coût\n".encode(), "coût", "prix")
        == "prix = 1; y = 'é'; prix\n".encode()
    )


def test_symbolic_links_and_other_files_are_not_read_as_python() -> None:
    tree = DictTree({"m.py": b"run = 1\n", "link.py": ("120000", b"run"), "x.bin": b"\0run"})
    found = Rename(old="m.run", new="go").work(Bench(tree=tree, covers=lambda _path: True))
    assert isinstance(found, Rewritten)
    assert dict(found.files) == {"m.py": b"go = 1\n"}
