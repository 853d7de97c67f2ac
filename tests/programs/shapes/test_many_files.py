"""A repository of 100,000 files: what is done is in proportion to the change.

The tree is made by `fast-import` and the work tree holds a corner of it, so that the test costs seconds; a whole
checkout differs in what git itself and the first private work tree need.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dev_agent.programs.report import Outcome
from tests.programs.conftest import Shop
from tests.programs.shapes.scene import leftovers
from tests.testing.repos import make_repository

FILES, FOLDERS = 100_000, 400


def stream() -> Iterator[bytes]:
    yield b"blob\nmark :1\ndata 4\none\n\n"
    yield b"commit refs/heads/main\ncommitter C <c@example.com> 1767323045 +0000\ndata 5\nfirst\n"
    for number in range(FILES):
        yield b"M 100644 :1 pkg%03d/mod%06d.txt\n" % (number % FOLDERS, number)
    yield b"\n"


def large(folder: Path) -> Shop:
    """The repository with only `pkg000` in its work tree."""
    (folder / "policies").mkdir()
    project = make_repository(folder)
    project.git("fast-import", "--quiet", stdin=b"".join(stream()))
    project.git("sparse-checkout", "set", "--cone", "--no-sparse-index", "pkg000")
    project.git("read-tree", "-mu", "HEAD")
    return Shop(project=project, policies=folder / "policies")


def test_in_a_repository_of_100_000_files_a_change_lands_and_is_undone(tmp_path: Path) -> None:
    shop = large(tmp_path)
    assert shop.project.git("ls-files", "pkg399").count("\n") == FILES // FOLDERS - 1
    patch = b"".join(
        b"--- a/pkg000/mod%06d.txt\n+++ b/pkg000/mod%06d.txt\n@@ -1 +1 @@\n-one\n+two\n" % (number, number)
        for number in range(0, 5 * FOLDERS, FOLDERS)
    )
    report = shop.apply(patch)
    assert (report.outcome, len(report.files)) == (Outcome.COMMITTED, 5), report
    assert (shop.root / "pkg000/mod000400.txt").read_bytes() == b"two\n"
    assert shop.undo(report.run).outcome is Outcome.COMMITTED
    assert (shop.root / "pkg000/mod000400.txt").read_bytes() == b"one\n"
    assert shop.status() == ""
    assert shop.project.git("rev-parse", "HEAD^{tree}") == shop.project.git("rev-parse", "HEAD~2^{tree}")
    assert leftovers(shop) == []
