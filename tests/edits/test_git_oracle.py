"""git is the judge: a diff that git applies must come to the same tree here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev_agent.edits.changes import ChangeSet
from dev_agent.edits.parse import parse
from dev_agent.edits.render import render
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from tests.edits.strategies import Entry, change_set, changed

pytestmark = pytest.mark.law
Tree = dict[str, Entry]
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "LC_ALL": "C",
}


class Git:
    """A bare repository that turns trees into tree ids, tree ids into diffs, and diffs into trees."""

    def __init__(self, folder: Path) -> None:
        self._index = folder / "index"
        self._folder = folder
        self.run("init", "--bare", "--quiet", ".")

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self._folder,
            env={**ENVIRONMENT, "GIT_DIR": str(self._folder), "GIT_INDEX_FILE": str(self._index)},
            input=data,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(done.stderr.decode(errors="replace"))
        return done.stdout

    def tree(self, files: Tree) -> str:
        self._index.unlink(missing_ok=True)
        entries = b""
        for path, (mode, content) in files.items():
            blob = self.run("hash-object", "-w", "--stdin", data=content).decode().strip()
            entries += f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0"
        self.run("update-index", "-z", "--index-info", data=entries)
        return self.run("write-tree").decode().strip()


def after(base: Tree, changes: ChangeSet) -> Tree:
    result = dict(base)
    for change in changes.changes:
        result.pop(change.path, None)
    for change in changes.changes:
        if change.after is not None:
            result[change.path] = (str(change.after_mode), change.after)
    return result


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    return Git(tmp_path_factory.mktemp("oracle"))


def is_tree(files: Tree) -> bool:
    return not any(one != other and other.startswith(one + "/") for one in files for other in files)


@given(
    trees=changed(),
    options=st.sampled_from([(), ("-M", "-C"), ("-U0",), ("-U1",), ("--no-prefix",), ("-M", "--full-index")]),
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_diff_that_git_makes_comes_to_gits_tree(
    git: Git, trees: tuple[Tree, Tree], options: tuple[str, ...]
) -> None:
    """resolve(parse(git diff A B)) on A is B, for every way git writes it."""
    before, result = trees
    if not is_tree(before) or not is_tree(result):
        return
    if "-U0" in options and any(content.startswith(b"\xef\xbb\xbf") for _, content in before.values()):
        # Without context git puts new lines before a byte order mark; here the mark stays at the top.
        return
    first, second = git.tree(before), git.tree(result)
    patch = git.run("diff", "--text", *options, first, second)
    if not patch:
        return
    changes = resolve(parse(patch).edits, DictTree(before))
    assert after(before, changes) == result
    assert git.tree(after(before, changes)) == second


@given(trees=changed())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_git_applies_the_rendered_change_set(git: Git, trees: tuple[Tree, Tree]) -> None:
    """git apply of render(x) on the base gives x's tree."""
    before, result = trees
    changes = change_set(before, result)
    if changes.empty or not is_tree({**before, **result}):
        return
    git.tree(before)
    git.run("apply", "--cached", "--whitespace=nowarn", data=render(changes))
    assert git.run("write-tree").decode().strip() == git.tree(result)
