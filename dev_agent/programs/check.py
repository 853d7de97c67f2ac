"""Starting a run of `check`: a change that exists is judged, and nothing is landed.

What can be judged: a range of commits, a patch, what is staged, what the work tree holds. The base is the commit the
change is compared with, and policy, settings and gates come from it, whatever the change says. Nothing of the user's
is written; reading the index and the work tree adds objects to the repository, and the run its private ref.

Order: recover leftovers → turn the subject into a base and a proposal → resolve what it rests on (errors up to here
leave nothing but objects, and too many new files not even those) → `launch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from dev_agent.edits.parse import parse
from dev_agent.gates.judge import LOCAL
from dev_agent.programs.builtin import CHECK, builtin_program
from dev_agent.programs.change import MOST_FILES
from dev_agent.programs.launch import launch
from dev_agent.programs.proposers import ExistingTree, PatchFile
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.setting import Base, prepare_on
from dev_agent.repository.discovery import read_head, tree_of
from dev_agent.repository.landing.target import Target, TargetKind
from dev_agent.repository.present import Present, staged_tree, work_tree_tree
from dev_agent.repository.revisions import read_revisions
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.report import RunReport
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_NOWHERE = Target(kind=TargetKind.DETACHED, ref="")
"""What is only judged has no branch to go to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """The commits in `text`: `BASE..HEAD` or `BASE...HEAD`."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """A patch against HEAD."""

    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Index:
    """What `git commit` would commit now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkTree:
    """What `git commit -a` would commit now; with `untracked` also new files git does not ignore."""

    untracked: bool = False


Checked = Range | Patch | Index | WorkTree


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckRequest:
    """What is to be judged, and the caller's words about how; the fields mean what they mean to `apply`."""

    checked: Checked
    policy: str | None = None
    must_pass: tuple[str, ...] = ()
    sandbox: str = "auto"
    profile: str | None = None
    python: str | None = None


def check(
    repository: Repository,
    request: CheckRequest,
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    judge: Judge = LOCAL,
) -> RunReport:
    """Run `check` for one request to its end: verified, rejected, no_change or failed.

    Raises as `apply` does, before a run was made.
    """
    recover_first(repository, reporter)
    repository.work_tree  # noqa: B018 - a bare repository is refused by asking
    base, proposer = proposal_of(repository, request.checked)
    asked = ApplyRequest(
        task=_task(request.checked),
        patch=request.checked.content if isinstance(request.checked, Patch) else b"",
        dry_run=True,
        policy=request.policy,
        must_pass=request.must_pass,
        sandbox=request.sandbox,
        profile=request.profile,
        python=request.python,
    )
    setting = prepare_on(repository, asked, base, environ=environ, cancel=cancel).judged_by(judge)
    with closing(setting.trees):
        return launch(
            repository, builtin_program(CHECK), asked, proposer, setting, reporter=reporter, cancel=cancel
        )


def proposal_of(repository: Repository, checked: Checked) -> tuple[Base, PatchFile | ExistingTree]:
    """The base the change is judged against, and the change."""
    if isinstance(checked, Range):
        return _range(repository, checked.text)
    base = _base(repository, read_head(repository).commit)
    if isinstance(checked, Patch):
        parse(checked.content)
        return base, PatchFile(content=checked.content)
    if isinstance(checked, Index):
        return base, _present(staged_tree(repository), "staged")
    present = work_tree_tree(repository, untracked=checked.untracked, most_new=MOST_FILES)
    return base, _present(present, "worktree")


def _range(repository: Repository, text: str) -> tuple[Base, ExistingTree]:
    found = read_revisions(repository, text)
    notes = () if found.follows else (_APART.format(base=found.base[:12], text=text.replace("..", "...", 1)),)
    proposer = ExistingTree(
        tree=tree_of(repository, found.head), name="range", commit=found.head, notes=notes
    )
    return _base(repository, found.base), proposer


_APART = (
    "the base {base} has commits the head lacks, and they count as undone here; "
    "to judge only what the head adds: {text}"
)


def _present(present: Present, name: str) -> ExistingTree:
    said = (*present.notes, *_left_out(present.untracked))
    # A name need not be UTF-8, and a trace holds nothing else.
    notes = tuple(one.encode("utf-8", "backslashreplace").decode() for one in said)
    return ExistingTree(tree=present.tree, name=name, notes=notes)


def _left_out(names: tuple[str, ...]) -> Iterator[str]:
    """A new module or test that a verdict is not about looks, to who wrote it, like one that passed."""
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield (
            f"not judged, because git does not track it yet: {', '.join(names[:_NAMED])}{more}; "
            "to judge new files too: --worktree --untracked"
        )


_NAMED = 3


def _base(repository: Repository, commit: str | None) -> Base:
    return Base(target=_NOWHERE, commit=commit, tree=tree_of(repository, commit))


def _task(checked: Checked) -> str:
    """What the list of runs calls it."""
    if isinstance(checked, Range):
        return f"check {checked.text}"
    if isinstance(checked, Patch):
        return "check a patch"
    if isinstance(checked, Index):
        return "check what is staged"
    return f"check the work tree{' with untracked files' if checked.untracked else ''}"
