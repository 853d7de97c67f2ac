"""Finding the repository a command is about, and the facts about it that do not change during a run.

Discovery lets git itself decide (ownership rules such as `safe.directory` are the user's decision, so the
first question is asked without naming a git dir); from then on every child is bound to what was found.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from dev_agent.errors import EnvironmentFault, GitFailed, RepositoryFault
from dev_agent.repository.git import Git, find_git
from dev_agent.repository.loose import read_loose
from dev_agent.repository.loose_refs import UNKNOWN, branch_of_head, loose_ref
from dev_agent.repository.store import ObjectStore
from dev_agent.runtime.durability import reaches_the_disk
from dev_agent.values import dataclass

MINIMUM_GIT = (2, 38)
"""`merge-tree --write-tree` came with 2.38."""

_VERSION = re.compile(r"git version (\d+)\.(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository and the work tree the command was started in.

    `root` is the top of the work tree, None if bare. `git_dir` is this work tree's own, `common_dir` the one
    it shares with linked work trees. `zero` is the all-zeros id of the object format.
    """

    root: Path | None
    git_dir: Path
    common_dir: Path
    object_format: str
    git_version: str
    git: Git

    @property
    def zero(self) -> str:
        """The id that stands for "no object"."""
        return "0" * (64 if self.object_format == "sha256" else 40)

    @property
    def state_dir(self) -> Path:
        """Where everything of ours lies that all work trees share."""
        return self.common_dir / "dev-agent"

    @property
    def work_tree(self) -> Path:
        """The top of the work tree. Raises RepositoryFault `bare-repo` if there is none."""
        if self.root is None:
            raise RepositoryFault(
                "bare-repo",
                f"{self.git_dir} is a bare repository: there is no work tree to land in",
                hint="run the command in a clone or a linked work tree",
            )
        return self.root


def discover(start: Path, environ: Mapping[str, str]) -> Repository:
    """The repository around `start`.

    Raises RepositoryFault (`not-a-repository`, `unsafe-repository`) or EnvironmentFault (no git, too old, names of
    files are not read as UTF-8).
    """
    _require_names_as_git_has_them(sys.getfilesystemencoding())
    try:
        start = start.absolute()
    except FileNotFoundError:
        raise RepositoryFault(
            "not-a-directory",
            "the current directory does not exist any more",
            hint="change into one that exists, or name the repository with -C and its whole path",
        ) from None
    if not start.is_dir():
        raise RepositoryFault(
            "not-a-directory", f"{start} is not a directory", hint="name a folder with -C DIR"
        )
    git = Git(program=find_git(environ), environ=environ, cwd=start)
    version = _require_version(git)
    git_dir, common, object_format, root = _places(git)
    git_dir_path = Path(git_dir)
    common_dir = (git.cwd / common).resolve()
    return Repository(
        root=root,
        git_dir=git_dir_path,
        common_dir=common_dir,
        object_format=object_format,
        git_version=version,
        git=Git(
            program=git.program,
            environ=environ,
            cwd=root or git_dir_path,
            git_dir=git_dir_path,
            work_tree=root,
            settings=_flushing(common_dir),
        ),
    )


def _require_names_as_git_has_them(encoding: str) -> None:
    """Refuse where Python would write another name to the disk than the one git told, `é` as one byte for two."""
    if encoding != "utf-8":
        raise EnvironmentFault(
            f"names of files are read as {encoding} here, and git's are taken for UTF-8: a change could land under "
            "another name than its own",
            hint="set PYTHONUTF8=1 (any file name can be read then, in UTF-8 or not), or a locale with UTF-8",
        )


def _flushing(common_dir: Path) -> tuple[str, ...]:
    """What git must flush itself: nothing where one call of ours at a landing's flush points covers all it wrote."""
    folder = os.open(common_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return () if reaches_the_disk(folder) else ("core.fsync=all",)
    finally:
        os.close(folder)


def _places(git: Git) -> tuple[str, str, str, Path | None]:
    """Git's folder, the shared one, the object format, and the top of the work tree (None: bare)."""
    asked = ("--absolute-git-dir", "--git-common-dir", "--is-bare-repository", "--show-object-format")
    done = git.run("rev-parse", *asked, "--show-toplevel")
    said = _text(done.stdout).split("\n")
    if done.ok and len(said) == len(asked) + 1 and said[2] == "false":
        return said[0], said[1], said[3], Path(said[4])
    # Bare, in git's own folder, or a path with a line end in it: each answer by itself.
    git_dir, common, bare, object_format = (_answer(git, one) for one in asked)
    return git_dir, common, object_format, None if bare == "true" else _top_level(git)


def _answer(git: Git, question: str) -> str:
    done = git.run("rev-parse", question)
    if not done.ok:
        raise _not_found(git.cwd, done.stderr.decode("utf-8", "replace"))
    return _text(done.stdout)


def _text(said: bytes) -> str:
    """What git said as the text of a path, which may have any line end but the last one that git put behind it."""
    return said.removesuffix(b"\n").decode("utf-8", "surrogateescape")


def _top_level(git: Git) -> Path:
    done = git.run("rev-parse", "--show-toplevel")
    if not done.ok:
        raise RepositoryFault(
            "inside-git-dir",
            f"{git.cwd} lies inside a git directory, not in a work tree",
            hint="start in the work tree, or name it with -C DIR",
        )
    return Path(_text(done.stdout))


def _require_version(git: Git) -> str:
    said = git.line("version")
    found = _VERSION.match(said)
    if not found:
        raise EnvironmentFault(f"git gives no version: {said!r}")
    if (int(found[1]), int(found[2])) < MINIMUM_GIT:
        raise EnvironmentFault(
            f"{said} is too old", hint=f"install git {MINIMUM_GIT[0]}.{MINIMUM_GIT[1]} or newer"
        )
    return said.removeprefix("git version ")


def _not_found(start: Path, stderr: str) -> RepositoryFault:
    if "dubious ownership" in stderr:
        return RepositoryFault(
            "unsafe-repository",
            f"git refuses the repository at {start}: it belongs to another user",
            hint=f"if you trust it: git config --global --add safe.directory {start}",
        )
    if "not a git repository" in stderr:
        return RepositoryFault(
            "not-a-repository",
            f"{start} is not inside a git repository",
            hint="change into one, name one with -C DIR, or make one with: git init",
        )
    return RepositoryFault(
        "unreadable-repository", f"git cannot read the repository at {start}: {stderr.strip()}"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """Where HEAD points: `ref` is None when detached, `commit` is None when the branch is unborn."""

    ref: str | None
    commit: str | None

    @property
    def branch(self) -> str | None:
        """The short branch name, None when detached."""
        return self.ref.removeprefix("refs/heads/") if self.ref else None


def read_head(repository: Repository) -> Head:
    """HEAD as it is now. Raises GitFailed if it cannot be read."""
    branch = branch_of_head(repository)
    tip = UNKNOWN if branch is UNKNOWN else loose_ref(repository, branch)
    if branch is not UNKNOWN and tip is not UNKNOWN and (tip is None or _is_commit(repository, tip)):
        return Head(ref=branch, commit=tip)
    symbolic = repository.git.run("symbolic-ref", "-q", "HEAD")
    if symbolic.code not in (0, 1):
        raise GitFailed(("symbolic-ref", "HEAD"), symbolic.code, symbolic.stderr.decode("utf-8", "replace"))
    ref = symbolic.stdout.decode("utf-8", "surrogateescape").strip() or None
    return Head(ref=ref, commit=resolve_commit(repository, "HEAD"))


def _is_commit(repository: Repository, object_id: str) -> bool:
    """True if that is sure without a child."""
    found = read_loose(repository.common_dir / "objects", object_id)
    return (
        found is not None
        and found[0] == "commit"
        and ObjectStore(repository).id_of(found[1], "commit") == object_id
    )


def resolve_commit(repository: Repository, name: str) -> str | None:
    """The full id of the commit `name` means, or None if there is none."""
    done = repository.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return done.stdout.decode("ascii").strip() if done.ok else None


def tree_of(repository: Repository, commit: str | None) -> str:
    """The tree id of `commit`; of nothing (an unborn branch) it is the empty tree's. Raises GitFailed."""
    if commit is None:
        return repository.git.line("hash-object", "-t", "tree", "-w", "--stdin", stdin=b"")
    known = ObjectStore(repository).tree_of(commit)
    if known is not None:
        return known
    return repository.git.line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
