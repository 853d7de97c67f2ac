"""What a user owns in a repository, as one value: equal before and after means untouched, byte for byte.

Looked at from outside, with plain git and plain reads, so that whoever shows the tool does not believe it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from dev_agent.errors import GitFailed
from dev_agent.process import run
from dev_agent.values import dataclass

_OURS = frozenset({".git", ".venv"})


@dataclass(frozen=True, kw_only=True, slots=True)
class UserState:
    """HEAD, its commit and tree, the number of commits, all refs, index, stash, config, and every file."""

    head: str
    commit: str
    tree: str
    commits: int
    refs: str
    index: str
    config: str
    files: str
    status: str

    @property
    def digest(self) -> str:
        """All of it in one line, hex."""
        return hashlib.sha256(repr(self).encode("utf-8", "surrogateescape")).hexdigest()


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The user's environment without what would point git or dev-agent elsewhere."""
    return {
        key: value
        for key, value in environ.items()
        if not key.startswith(("GIT_", "DEV_AGENT_", "PYTHONPATH", "PYTHONHOME")) and key != "VIRTUAL_ENV"
    }


def user_state(project: Path, git: str, environ: Mapping[str, str]) -> UserState:
    """The state of the repository at `project` now; `git` is the program to ask. Raises GitFailed."""

    def asked(*args: str) -> str:
        env = {**clean_environment(environ), "GIT_OPTIONAL_LOCKS": "0"}
        done = run([git, *args], cwd=project, env=env, timeout_s=60)
        if not done.ok:
            raise GitFailed(args, done.code, done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "replace").strip()

    private = project / ".git"
    return UserState(
        head=(private / "HEAD").read_text(encoding="utf-8"),
        commit=asked("rev-parse", "HEAD"),
        tree=asked("rev-parse", "HEAD^{tree}"),
        commits=int(asked("rev-list", "--count", "HEAD")),
        refs=asked("for-each-ref", "refs/heads", "refs/tags", "refs/stash", "refs/remotes"),
        index=hashlib.sha256((private / "index").read_bytes()).hexdigest(),
        config=hashlib.sha256((private / "config").read_bytes()).hexdigest(),
        files=_files_digest(project),
        status=asked("status", "--porcelain"),
    )


def _files_digest(project: Path) -> str:
    """Names, modes and bytes of everything but git's folder and the environment."""
    digest = hashlib.sha256()
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project)
        if relative.parts[0] in _OURS:
            continue
        content = b"" if path.is_dir() else path.read_bytes()
        entry = f"{relative}\0{path.lstat().st_mode:o}\0{len(content)}\0".encode()
        digest.update(entry + content)
    return digest.hexdigest()
