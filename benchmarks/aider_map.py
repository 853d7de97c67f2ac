"""Aider's own ranking of files, for `benchmarks.retrieval`. Run by an interpreter that has aider-chat.

    PYTHON benchmarks/aider_map.py    {"root", "files", "task"} on stdin → the files on stdout, best first, JSON

The task's words are given as mentioned identifiers and the files named like one of them as mentioned files, as aider
does for a chat message. A file stands where its best tag stands.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any


class _Silent:
    """What the map asks of aider's terminal: nothing is said, files are read."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None

    def read_text(self, name: str, *_args: Any, **_kwargs: Any) -> str | None:
        """The text of a file."""
        try:
            return Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None


class _Model:
    """What the map asks of a model."""

    def token_count(self, text: str) -> int:
        """An estimate; ranking does not depend on it."""
        return len(text) // 4


def ranked(root: str, files: list[str], task: str) -> list[str]:
    """The files, best first."""
    from aider.repomap import RepoMap  # type: ignore[import-not-found]  # noqa: PLC0415 - of another environment

    words = set(re.split(r"\W+", task))
    named = {path for path in files if len(Path(path).stem) >= 5 and Path(path).stem in words}
    repo_map = RepoMap(map_tokens=8192, root=root, main_model=_Model(), io=_Silent())
    absolute = [str(Path(root) / path) for path in files]
    tags = repo_map.get_ranked_tags([], absolute, named, words)
    return list(dict.fromkeys(str(tag[0]) for tag in tags))


if __name__ == "__main__":
    asked = json.loads(sys.stdin.read())
    sys.stdout.write("\n" + json.dumps(ranked(asked["root"], asked["files"], asked["task"])))
