"""Real git repositories in a temporary folder, the same every time.

Fixed identity and dates, no configuration but their own, and a snapshot of everything a user could call
theirs, to compare before and after.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dev_agent.repository.discovery import Repository, discover

File = bytes | tuple[str, bytes]
"""Bytes of an ordinary file, or a mode ("100755", "120000") and bytes."""

_DATE = "2026-01-02T03:04:05+00:00"


def isolated_environ(home: Path) -> dict[str, str]:
    """An environment whose git sees no configuration but the one below `home`."""
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / ".gitconfig"
    if not configuration.exists():
        # Nothing may go on in the background of a test.
        configuration.write_text("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_AUTHOR_NAME": "Ann Author",
        "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_AUTHOR_DATE": _DATE,
        "GIT_COMMITTER_NAME": "Cam Committer",
        "GIT_COMMITTER_EMAIL": "cam@example.com",
        "GIT_COMMITTER_DATE": _DATE,
        "LC_ALL": "C",
    }


@dataclass(frozen=True, kw_only=True)
class Project:
    """A repository under test: its work tree `root` (the git dir itself if bare) and its environment."""

    root: Path
    environ: Mapping[str, str] = field(repr=False)

    @property
    def git_dir(self) -> Path:
        """The absolute git dir."""
        return Path(self.git("rev-parse", "--absolute-git-dir"))

    def repository(self) -> Repository:
        """What the code under test gets."""
        return discover(self.root, self.environ)

    def with_environ(self, **variables: str) -> Project:
        """The same repository under an environment with `variables` added."""
        return replace(self, environ={**self.environ, **variables})

    def without_environ(self, *names: str) -> Project:
        """The same repository under an environment that lacks `names`."""
        return replace(self, environ={k: v for k, v in self.environ.items() if k not in names})

    def git_bytes(self, *args: str, stdin: bytes = b"") -> bytes:
        """The output of `git args…`; a failure fails the test with what git said."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.root,
            env=dict(self.environ),
            input=stdin,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stderr.decode()}"
        return done.stdout

    def git(self, *args: str, stdin: bytes = b"") -> str:
        """The output of `git args…`, decoded as file names are, without the last newline."""
        return os.fsdecode(self.git_bytes(*args, stdin=stdin)).rstrip("\n")

    def write(self, path: str, content: File = b"") -> Path:
        """Write one file of the work tree, replacing what is there."""
        target = self.root / path
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        mode, data = content if isinstance(content, tuple) else ("100644", content)
        if mode == "120000":
            target.symlink_to(os.fsdecode(data))
        else:
            target.write_bytes(data)
            target.chmod(0o755 if mode == "100755" else 0o644)
        return target

    def commit(self, message: str = "change", files: Mapping[str, File | None] | None = None) -> str:
        """Write (or, for None, delete) `files`, commit everything, and return the commit's id."""
        for path, content in (files or {}).items():
            if content is None:
                (self.root / path).unlink()
            else:
                self.write(path, content)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def tree(self, name: str = "HEAD") -> str:
        """The id of the tree of `name`."""
        return self.git("rev-parse", f"{name}^{{tree}}")

    def blob(self, data: bytes) -> str:
        """Store `data`; its id."""
        return self.git("hash-object", "-w", "--stdin", "--no-filters", stdin=data)

    def make_tree(self, files: Mapping[str, tuple[str, bytes]]) -> str:
        """The id of a tree with `files` (path → mode and bytes; a submodule's bytes are its commit id)."""
        index = {"GIT_INDEX_FILE": str(self.git_dir / "testing-index")}
        maker = self.with_environ(**index)
        lines = b"".join(
            b"%s %s\t%s\0"
            % (mode.encode(), data if mode == "160000" else self.blob(data).encode(), os.fsencode(path))
            for path, (mode, data) in files.items()
        )
        maker.git("update-index", "-z", "--index-info", stdin=lines)
        tree = maker.git("write-tree")
        (self.git_dir / "testing-index").unlink(missing_ok=True)
        return tree

    def snapshot(self) -> dict[str, tuple[str, str, int]]:
        """Everything the user could call theirs, byte for byte.

        The work tree and the git dir, but no objects (they are only added), nothing of ours (`dev-agent/`,
        `refs/dev-agent/`), and no folders git makes for those. Path → (kind and mode, content digest, mtime).
        """
        found = {}
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root).as_posix()
            if not _is_ours(name) and not (path.is_dir() and not path.is_symlink()):
                status = path.lstat()
                content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
                mode = stat.filemode(status.st_mode)
                found[name] = (mode, hashlib.sha256(content).hexdigest(), status.st_mtime_ns)
        return found


def _is_ours(name: str) -> bool:
    private = ("objects/", "dev-agent/", "refs/dev-agent/", "logs/refs/dev-agent/")
    return name.removeprefix(".git/").startswith(private)


def make_repository(
    folder: Path,
    files: Mapping[str, File] | None = None,
    *,
    object_format: str = "sha1",
    bare: bool = False,
    name: str = "project",
) -> Project:
    """A repository at `folder/name` on branch `main`, with one commit of `files` if there are any."""
    project = Project(root=folder / name, environ=isolated_environ(folder / "home"))
    project.root.mkdir(parents=True)
    options = ("--bare",) if bare else ()
    project.git("init", "--quiet", "-b", "main", f"--object-format={object_format}", *options)
    if files:
        project.commit("first", files)
    return project


def clone(project: Project, folder: Path, *options: str) -> Project:
    """A clone of `project` at `folder`, made with `git clone options…`."""
    copy = replace(project, root=folder)
    project.git("clone", "--quiet", *options, f"file://{project.root}", str(folder))
    return copy
