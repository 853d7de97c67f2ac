"""A small real repository with a user's unfinished work in it, and a commit that wants to land.

Plain builders; whatever a test does not name has a default. `snapshot` is everything a user could lose.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.repository.discovery import Repository, discover, resolve_commit, tree_of
from dev_agent.repository.landing.land import Request, land_request
from dev_agent.repository.landing.outcome import Outcome
from dev_agent.repository.landing.progress import Progress
from dev_agent.repository.landing.target import Target, find_target
from dev_agent.repository.rename import Moves
from tests.testing.children import in_child

File = bytes | tuple[str, bytes] | None
"""Bytes of a plain file, (mode, bytes) of any, None for a deletion."""


def environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "User",
        "GIT_AUTHOR_EMAIL": "user@example.org",
        "GIT_COMMITTER_NAME": "User",
        "GIT_COMMITTER_EMAIL": "user@example.org",
        "LC_ALL": "C",
        "GIT_LITERAL_PATHSPECS": "1",
    }


@dataclass
class Scene:
    root: Path
    home: Path
    environ: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environ = environment(self.home)

    # the user's hands

    def git(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=self.root,
            env={**self.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            check=True,
        )
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, path: str, data: File) -> None:
        place = self.root / path
        mode, content = ("100644", data) if isinstance(data, bytes) or data is None else data
        if place.is_symlink() or place.is_file():
            place.unlink()
        if content is None:
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        if mode == "120000":
            place.symlink_to(os.fsdecode(content))
            return
        place.write_bytes(content)
        place.chmod(0o755 if mode == "100755" else 0o644)

    def commit(self, files: Mapping[str, File], message: str = "work") -> str:
        """The user's own commit of exactly `files`."""
        for path, data in files.items():
            self.write(path, data)
            self.git("add", "-A", "--", path)
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def hook(self, name: str, script: str) -> Path:
        path = self.repository.common_dir / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    # ours

    @property
    def repository(self) -> Repository:
        return discover(self.root, self.environ)

    def head(self) -> str | None:
        return resolve_commit(self.repository, "HEAD")

    def propose(self, files: Mapping[str, File], *, base: str | None = "HEAD", config: str = "") -> str:
        """A commit of `files` on `base`, made without touching anything of the user's."""
        index = self.home / "propose-index"
        index.unlink(missing_ok=True)
        env = {"GIT_INDEX_FILE": str(index)}
        parents: list[str] = []
        if base is not None:
            self.git("read-tree", base, env=env)
            parents = ["-p", self.git("rev-parse", base)]
        rows = []
        for path, data in sorted(files.items(), key=lambda row: row[1] is not None):
            if data is None:
                rows.append(f"0 {'0' * 40}\t{path}\0")
                continue
            mode, content = ("100644", data) if isinstance(data, bytes) else data
            blob = self.git("hash-object", "-w", "--no-filters", "--stdin", stdin=content)
            rows.append(f"{mode} {blob}\t{path}\0")
        self.git("update-index", "-z", "--index-info", stdin=os.fsencode("".join(rows)), env=env)
        tree = self.git("write-tree", env=env)
        return self.git("commit-tree", tree, *parents, "-m", "proposed")

    def request(
        self,
        commit: str,
        *,
        base: str | None = "",
        branch: str | None = None,
        target: Target | None = None,
        durable: bool = False,
        moves: Moves | None = None,
        index_wait_s: float = 0.0,
        land_wait_s: float = 60.0,
    ) -> Request:
        repository = self.repository
        return Request(
            base=self.head() if base == "" else base,
            commit=commit,
            tree=tree_of(repository, commit),
            target=target or find_target(repository, branch),
            run="run-1",
            durable=durable,
            moves=moves,
            index_wait_s=index_wait_s,
            land_wait_s=land_wait_s,
        )

    def land(
        self,
        request: Request,
        *,
        on_begin: Callable[[], None] = lambda: None,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        hooks: bool = True,
    ) -> Outcome:
        return land_request(
            self.repository,
            request,
            cancel or Cancel(),
            on_begin=on_begin,
            progress=progress,
            hooks=hooks,
        )


def make_scene(
    tmp_path: Path, files: Mapping[str, File] | None = None, *init: str, root: Path | None = None
) -> Scene:
    """A repository on branch `main` with one commit of `files` (a few by default)."""
    home = tmp_path / "home"
    root = root or tmp_path / "repo"
    home.mkdir(parents=True)
    root.mkdir()
    scene = Scene(root=root, home=home)
    scene.git("init", "-q", "-b", "main", *init)
    default: Mapping[str, File] = {
        "a.txt": b"one\n",
        "b.txt": b"two\n",
        "src/c.py": b"three\n",
        "src/deep/d.py": b"four\n",
        "run.sh": ("100755", b"#!/bin/sh\n"),
        "link": ("120000", b"a.txt"),
        "mine/dirty": b"d0\n",
        "mine/staged": b"s0\n",
        "mine/both": b"x0\n",
        "mine/uncached": b"u0\n",
        ".gitignore": b"*.ignored\n",
    }
    scene.commit(default if files is None else files, "first")
    return scene


def unfinished_work(scene: Scene) -> None:
    """Dirty, staged, staged and dirty, removed from the index, intended to add, untracked, ignored, empty folder."""
    scene.write("mine/dirty", b"d1\n")
    scene.write("mine/staged", b"s1\n")
    scene.git("add", "mine/staged")
    scene.write("mine/both", b"x1\n")
    scene.git("add", "mine/both")
    scene.write("mine/both", b"x2\n")
    scene.git("rm", "-q", "--cached", "mine/uncached")
    scene.write("mine/intended", b"i\n")
    scene.git("add", "-N", "mine/intended")
    scene.write("mine/untracked", b"n\n")
    scene.write("some.ignored", b"g\n")
    (scene.root / "mine" / "empty").mkdir()


FULL_CHANGE: Mapping[str, File] = {
    "a.txt": b"ONE\n",
    "src/c.py": None,
    "src/deep/d.py": None,
    "new/deep/e.py": b"five\n",
    "run.sh": ("100644", b"#!/bin/sh\n"),
    "link": ("120000", b"b.txt"),
    "tool": ("100755", b"tool\n"),
}
"""Modify, delete with its folders, add with folders, take x away, retarget a link, add with x."""


def files_of(root: Path, *, ignoring: str = ".git") -> dict[str, object]:
    """Every file, link and folder below `root` with its bytes and mode."""
    found: dict[str, object] = {}
    for folder, names, files in os.walk(root):
        if Path(folder) == root and ignoring in names:
            names.remove(ignoring)
        for name in [*names, *files]:
            path = Path(folder, name)
            info = path.lstat()
            key = str(path.relative_to(root))
            if stat.S_ISLNK(info.st_mode):
                found[key] = ("link", path.readlink())
            elif stat.S_ISDIR(info.st_mode):
                found[key] = "folder"
            elif stat.S_ISREG(info.st_mode):
                found[key] = (stat.S_IMODE(info.st_mode), path.read_bytes())
            else:
                found[key] = "special"
    found.pop(ignoring, None)
    return found


def snapshot(scene: Scene) -> dict[str, object]:
    """Work tree, index (entries and bytes), refs, HEAD, and every lock and leftover in the git dir."""
    repository = scene.repository
    index = repository.git_dir / "index"
    return {
        "files": files_of(scene.root),
        "index": scene.git("ls-files", "--stage", "-v", "--debug") if index.exists() else "",
        "index bytes": index.read_bytes() if index.exists() else b"",
        "refs": scene.git("for-each-ref"),
        "head": (repository.git_dir / "HEAD").read_bytes(),
        "leftovers": leftovers(scene),
    }


def leftovers(scene: Scene) -> list[str]:
    """Locks anywhere in the git dirs, and transactions."""
    repository = scene.repository
    found: list[str] = []
    for home in {repository.git_dir, repository.common_dir}:
        for path in home.rglob("*"):
            name = path.relative_to(home)
            mine = name.parts[0] == "dev-agent" and name.name.startswith(("tx-", "kept-"))
            if mine or (path.suffix == ".lock" and name.name != "land.lock"):
                found.append(str(name))
    return sorted(found)


def status(scene: Scene) -> str:
    return scene.git("status", "--porcelain", "-uall", env={"GIT_OPTIONAL_LOCKS": "0"})


class _Dying(Progress):
    def __init__(self, point: str) -> None:
        self._point = point

    def reached(self, point: str) -> None:
        if point == self._point:
            os._exit(77)


def died_at(scene: Scene, point: str, change: Mapping[str, File], *, moves: Moves | None = None) -> None:
    """A landing that ends at `point` as if killed: no way back of its own runs."""
    request = scene.request(scene.propose(change), moves=moves)
    status = in_child(lambda: scene.land(request, progress=_Dying(point)))
    assert os.waitstatus_to_exitcode(status) == 77, "the point was never reached"
