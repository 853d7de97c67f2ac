"""Turning a change set into a commit without the user's index, work tree or HEAD noticing.

Everything is objects and one private ref. The order is the safety argument of `stage`:

    1. identity      a missing one is refused before anything is written
    2. blobs         raw bytes, no filters: what the tree names is what was judged
    3. tree          the folders on the way to the changes, written anew; everything else by its old id
    4. commit        signed if the user signs
    5. private ref   the only name; it keeps everything above alive

Killed after 2, 3 or 4 there are objects nothing names (git's gc drops them). Killed after 5 the staged commit stands
and its run can be resumed. Nothing here reads a work tree or an index, so nothing that ran in one can slip into a
commit; what it costs follows the change, not the repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from dev_agent.errors import EnvironmentFault, GitFailed, RepositoryFault
from dev_agent.repository.commit_bytes import plain_commit
from dev_agent.repository.discovery import tree_of
from dev_agent.repository.identity import Identity, parse_person, user_identity, wants_signed_commits
from dev_agent.repository.objects import SUBMODULE
from dev_agent.repository.refs import STAGED, set_ref
from dev_agent.repository.store import NewObject, ObjectStore
from dev_agent.repository.tree_edit import PathsRefused, TreeEdit
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.identity import Person
    from dev_agent.repository.private_index import Replacements

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class ChangeLike(Protocol):
    """One changed path; `after` is None for a deletion."""

    @property
    def path(self) -> str:
        """Where."""
        ...

    @property
    def after_mode(self) -> str | None:
        """The new mode, None for a deletion."""
        ...

    @property
    def after(self) -> bytes | None:
        """The new bytes (a symlink's target), None for a deletion."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """A staged commit: its id, its tree, and the private ref that keeps it."""

    commit: str
    tree: str
    ref: str


def stage(
    repository: Repository,
    *,
    base: str | None,
    changes: Sequence[ChangeLike],
    message: str | Callable[[str], str],
    run: str,
    identity: Identity | None = None,
    sign: bool | None = None,
    onto: str | None = None,
) -> Staged:
    """Commit `changes` on `base` (None: as a root commit) under the private ref of `run`.

    The changes are to the base's own tree, or to the tree `onto`, whose other differences from the base are kept.
    A `message` that tells what the whole difference is, is a function of the tree.
    `identity` and `sign` default to what the user's own git would do. Staging a run again moves its ref.
    Raises UsageFault (no identity), RepositoryFault (`refused-path`, `missing-objects`), EnvironmentFault
    (cannot sign) or GitFailed.
    """
    ref = staged_ref(run)
    identity = identity or user_identity(repository)
    tree = write_changes(repository, onto or tree_of(repository, base), changes)
    parents = () if base is None else (base,)
    words = message if isinstance(message, str) else message(tree)
    commit = commit_tree(repository, tree=tree, parents=parents, message=words, identity=identity, sign=sign)
    set_ref(repository, ref, commit, reason=f"dev-agent: stage {run}")
    return Staged(commit=commit, tree=tree, ref=ref)


def write_changes(repository: Repository, tree: str, changes: Sequence[ChangeLike]) -> str:
    """The id of `tree` with `changes`: objects and nothing that names them. Raises RepositoryFault, GitFailed."""
    replacements, blobs = _with_blobs(repository, changes)
    return _write_tree(repository, tree, replacements, blobs)


def recommit(
    repository: Repository,
    *,
    tree: str,
    parent: str,
    like: str,
    run: str,
    sign: bool | None = None,
) -> Staged:
    """Commit `tree` on `parent` with the message and author of `like`, under the private ref of `run`.

    This is how a staged commit follows a moved branch: a new commit, so the committer is the user of now and
    it is signed anew. The old one stays valid until nothing names it. Raises as `stage` does.
    """
    ref = staged_ref(run)
    author, message = _author_and_message(repository, like)
    identity = replace(user_identity(repository), author=author)
    commit = commit_tree(
        repository, tree=tree, parents=(parent,), message=message, identity=identity, sign=sign
    )
    set_ref(repository, ref, commit, reason=f"dev-agent: restage {run}")
    return Staged(commit=commit, tree=tree, ref=ref)


def compose(repository: Repository, tree: str, replacements: Replacements) -> str:
    """The id of `tree` with `replacements` (path → (mode, object id), None = remove).

    Removing an absent path is no change. Raises RepositoryFault `refused-path` for a path git would never
    check out and for a file where `tree` keeps a folder (or the reverse), GitFailed if an object is missing.
    """
    if not replacements:
        return tree
    _require_present(repository, [entry for entry in replacements.values() if entry])
    return _write_tree(repository, tree, replacements, ())


def edited_tree(repository: Repository, tree: str, replacements: Replacements) -> str:
    """The id that `tree` with `replacements` has; nothing is written. Raises PathsRefused, and what reading raises."""
    store = ObjectStore(repository)
    try:
        return _edit(store).edit(tree, replacements)
    finally:
        store.close()


def commit_tree(
    repository: Repository,
    *,
    tree: str,
    parents: Sequence[str],
    message: str,
    identity: Identity,
    sign: bool | None = None,
) -> str:
    """The id of a new commit object; no ref is touched.

    `sign` None means as `commit.gpgsign` says. Raises EnvironmentFault if a wanted signature cannot be made:
    an unsigned commit is never the answer to that.
    """
    signed = wants_signed_commits(repository) if sign is None else sign
    data = None if signed else plain_commit(tree, parents, message, identity)
    if data is not None:
        return ObjectStore(repository).write([NewObject(kind="commit", data=data)])[0]
    args = ["commit-tree", tree, *(part for parent in parents for part in ("-p", parent))]
    done = repository.git.run(
        *args,
        *(("-S",) if signed else ()),
        stdin=message.encode("utf-8"),
        # Whatever the user's setting, these bytes are UTF-8.
        config=("i18n.commitEncoding=utf-8",),
        env=identity.environment(),
    )
    if done.ok:
        return done.stdout.decode("ascii").strip()
    said = done.stderr.decode("utf-8", "replace")
    if signed:
        raise EnvironmentFault(
            f"the commit could not be signed: {said.strip()}",
            hint="make the signing key available, or set commit.gpgsign to false for this repository",
        )
    raise GitFailed(tuple(args), done.code, said)


def staged_ref(run: str) -> str:
    """The private ref of `run`. Raises ValueError unless that is a plain word."""
    return STAGED + plain_word(run)


def plain_word(run: str) -> str:
    """`run` itself, if it can be part of a ref name and of a path. Raises ValueError if not."""
    if not _RUN_ID.fullmatch(run):
        raise ValueError(f"not a run id: {run!r}")
    return run


def _write_tree(
    repository: Repository, tree: str, replacements: Replacements, blobs: Sequence[NewObject]
) -> str:
    """Store `blobs` and the tree with `replacements`, by one child; the tree's id."""
    store = ObjectStore(repository)
    edit = _edit(store)
    try:
        made = edit.edit(tree, replacements)
    except PathsRefused as refused:
        raise RepositoryFault(
            "refused-path",
            f"git will not keep these paths as asked: {', '.join(map(repr, refused.paths))}",
            hint="no `.git` in any spelling, no `..`, and no file where the tree has a folder",
        ) from None
    finally:
        store.close()
    store.write([*blobs, *(NewObject(kind="tree", data=data) for data in edit.written)])
    store.remember(edit.folders)
    return made


def _edit(store: ObjectStore) -> TreeEdit:
    """An edit of trees that lie in `store`."""
    return TreeEdit(folder=store.folder, id_of=lambda data: store.id_of(data, "tree"))


def _require_present(repository: Repository, entries: Sequence[tuple[str, str]]) -> None:
    """Raise GitFailed unless every object exists; a submodule's commit is somewhere else."""
    ids = sorted({object_id for mode, object_id in entries if mode != SUBMODULE})
    found = ObjectStore(repository).resolve(ids)
    missing = [object_id for object_id, name in zip(ids, found, strict=True) if name is None]
    if missing:
        raise GitFailed(("cat-file",), 1, f"missing objects: {', '.join(missing)}")


def _with_blobs(
    repository: Repository, changes: Sequence[ChangeLike]
) -> tuple[dict[str, tuple[str, str] | None], list[NewObject]]:
    """The replacements that put `changes` into a tree, and the blobs they name."""
    store = ObjectStore(repository)
    replacements: dict[str, tuple[str, str] | None] = {}
    blobs: list[NewObject] = []
    for each in changes:
        mode, data = each.after_mode, each.after
        if mode is None or data is None:
            replacements[each.path] = None
        else:
            replacements[each.path] = (mode, store.id_of(data))
            blobs.append(NewObject(kind="blob", data=data))
    return replacements, blobs


def _author_and_message(repository: Repository, commit: str) -> tuple[Person, str]:
    data = ObjectStore(repository).read(commit, "commit")
    header, _, message = data.partition(b"\n\n")
    lines = header.decode("utf-8", "surrogateescape").split("\n")
    author = next(line.removeprefix("author ") for line in lines if line.startswith("author "))
    return parse_person(author), message.decode("utf-8", "replace")
