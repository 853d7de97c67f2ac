"""A throw-away clone for hooks to run in: a staged tree with an index and a HEAD, and no way to the real repository.

It has what `git commit` would give a hook (work tree, index, HEAD, message file) and borrows the repository's
objects, read-only in a sandbox. It has no remotes, no refs but HEAD's, none of the user's
configuration but their identity.

What a hook did is read back by the repository's own git, never by opening the clone as a repository: its
configuration may name programs by now. Of the clone, only the index, the objects the index names and the message
file are read; each object must hash to its name.

Everything lies in a scratch folder; killed at any line, the next scratch folder's maker removes it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import EnvironmentFault
from dev_agent.repository.objects import GitTree
from dev_agent.repository.private_index import PrivateIndex
from dev_agent.repository.staging import compose
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.identity import Identity
    from dev_agent.repository.scratch import Scratch
    from dev_agent.repository.user_hooks import UserHooks

OBJECTS = Path("/dev-agent-objects")
"""Where a sandbox with mounts shows the repository's objects; without, they are where they are."""

MESSAGE = ".git/COMMIT_EDITMSG"
_LARGEST_MESSAGE = 256 * 1024
_FILE_MODES = frozenset({"100644", "100755", "120000"})


@dataclass(frozen=True, kw_only=True, slots=True)
class HookClone:
    """The clone in `path`; `tree` is what it was made from."""

    path: Path
    tree: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The commit that is to be made: `tree` staged on `base` (None: as the first commit) of `branch`."""

    tree: str
    base: str | None
    branch: str
    message: str
    identity: Identity


def make_clone(
    repository: Repository, place: Scratch, hooks: UserHooks, draft: Draft, *, objects: Path = OBJECTS
) -> HookClone:
    """Fill `place` with a clone in which `draft` is about to be committed, its objects borrowed from `objects`.

    Raises GitFailed or OSError.
    """
    root = place.path / "clone"
    git_dir = root / ".git"
    for folder in ("objects/info", "refs/heads", "hooks", "info"):
        (git_dir / folder).mkdir(parents=True)
    (git_dir / "objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
    (git_dir / "HEAD").write_text(f"ref: refs/heads/{draft.branch}\n", encoding="utf-8")
    if draft.base is not None:
        head = git_dir / "refs/heads" / draft.branch
        head.parent.mkdir(parents=True, exist_ok=True)
        head.write_text(f"{draft.base}\n", encoding="ascii")
    _configure(repository, git_dir, hooks, draft.identity)
    index = PrivateIndex(repository.git.holding(place.claim), git_dir / "index")
    index.load(draft.tree)
    index.check_out(root)
    (root / MESSAGE).write_text(draft.message, encoding="utf-8")
    _put_hooks(root, hooks)
    return HookClone(path=root, tree=draft.tree)


def tree_after(repository: Repository, clone: HookClone) -> str:
    """The tree the hooks left in the clone's index, its new blobs copied into the repository.

    Raises EnvironmentFault for an index that holds anything but files and symlinks at their names.
    """
    before = _entries(repository, clone.tree)
    index = PrivateIndex(repository.git, clone.path / ".git/index")
    after = index.entries()
    changed = {path: entry for path, entry in after.items() if before.get(path) != entry}
    for path, (mode, oid) in changed.items():
        if mode not in _FILE_MODES:
            raise EnvironmentFault(f"a hook staged {path!r} with mode {mode}", hint="mend the hook")
        _copy_blob(repository, clone, oid)
    gone = {path: None for path in before if path not in after}
    return compose(repository, clone.tree, {**gone, **changed})


def message_after(clone: HookClone) -> str:
    """The commit message the hooks left. Raises EnvironmentFault if it is no message any more."""
    try:
        descriptor = os.open(clone.path / MESSAGE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise EnvironmentFault(
            f"a hook took the commit message away: {error.strerror}", hint="mend the hook"
        ) from None
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(_LARGEST_MESSAGE + 1)
    if len(data) > _LARGEST_MESSAGE or b"\0" in data:
        raise EnvironmentFault("a hook left a commit message that is none", hint="mend the hook")
    return data.decode("utf-8", "replace")


def _configure(repository: Repository, git_dir: Path, hooks: UserHooks, identity: Identity) -> None:
    config = git_dir / "config"
    config.write_text("", encoding="utf-8")
    sha256 = repository.object_format == "sha256"
    settings = {
        "core.repositoryformatversion": "1" if sha256 else "0",
        "core.bare": "false",
        "user.name": identity.author.name,
        "user.email": identity.author.email,
        **({"extensions.objectFormat": "sha256"} if sha256 else {}),
        **({"core.hooksPath": hooks.folder} if hooks.folder is not None else {}),
    }
    for name, value in settings.items():
        repository.git.out("config", "--file", str(config), name, value)


def _put_hooks(root: Path, hooks: UserHooks) -> None:
    folder = root / (hooks.folder if hooks.folder is not None else ".git/hooks")
    for name, (executable, data) in hooks.files.items():
        target = folder / name
        if not target.resolve().is_relative_to(root.resolve()):
            raise EnvironmentFault(
                f"the hook {name} would lie outside of its clone", hint="mend core.hooksPath"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_bytes(data)
        target.chmod(0o755 if executable else 0o644)


def _entries(repository: Repository, tree: str) -> dict[str, tuple[str, str]]:
    opened = GitTree(repository, tree)
    return {path: entry for path in opened.paths() if (entry := opened.entry(path))}


def _copy_blob(repository: Repository, clone: HookClone, oid: str) -> None:
    """Copy one blob the clone has and the repository may lack; believed only if it hashes to its name."""
    if repository.git.run("cat-file", "-e", oid).ok:
        return
    objects = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(clone.path / ".git/objects")}
    data = repository.git.out("cat-file", "blob", oid, env=objects)
    (written,) = ObjectStore(repository).write([NewObject(kind="blob", data=data)])
    if written != oid:
        raise EnvironmentFault(f"a hook staged an object that is not {oid}", hint="mend the hook")
