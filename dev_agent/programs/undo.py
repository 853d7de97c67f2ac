"""`undo`: take a landed run back by landing its inverse, as a run of its own with trace, receipt and anchors.

It goes through the same landing transaction as the change did, so everything that holds for a landing holds here:
uncommitted work is never overwritten, a kill leaves the state before or after, what cannot land yet is kept. The
inverse is taken out of the branch the change landed on, wherever that branch stands now.

Order: recover leftovers → read the run to be undone and refuse what cannot be (errors here leave nothing) → as
`apply` starts a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.programs.anchoring import require_anchored
from dev_agent.programs.builtin import UNDO, builtin_program
from dev_agent.programs.folders import find_run
from dev_agent.programs.launch import launch
from dev_agent.programs.proposers import Inverse
from dev_agent.programs.recovery import recover_first
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.setting import find_base, prepare
from dev_agent.programs.story import told
from dev_agent.programs.trailers import message_of
from dev_agent.programs.undoing import Undoing, landed_change, require_undoable
from dev_agent.repository.discovery import read_head
from dev_agent.repository.messages import revert_subject
from dev_agent.repository.refs import read_ref
from dev_agent.runtime.trace import read_trace
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.programs.report import RunReport
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_BRANCHES = "refs/heads/"


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoRequest:
    """The run to take back (an id, an unambiguous part of one, or `last`), and who asks for it.

    The other fields are those of `ApplyRequest`; they matter where the result has to be judged.
    """

    run: str
    actor: str
    dry_run: bool = False
    policy: str | None = None
    sandbox: str = "auto"


def undo(
    repository: Repository,
    request: UndoRequest,
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
) -> RunReport:
    """Take back what a run landed.

    Raises UsageFault for a run that never landed, was undone already, or whose commit is not on its branch any
    more, and what `apply` raises; after that, every end is a report.
    """
    recover_first(repository, reporter)
    folder = find_run(repository, request.run)
    require_anchored(repository, folder)
    undoing = landed_change(told(read_trace(folder.path)), request.actor)
    branch = _branch_of(repository, undoing)
    require_undoable(repository, undoing, find_base(repository, branch).commit)
    wanted = ApplyRequest(
        task=revert_subject(message_of(repository, undoing.commit)),
        patch=b"",
        dry_run=request.dry_run,
        branch=branch,
        policy=request.policy,
        sandbox=request.sandbox,
    )
    setting = prepare(repository, wanted, environ=environ, cancel=cancel)
    require_undoable(repository, undoing, setting.base.commit)  # the branch may have moved meanwhile
    with closing(setting.trees):
        return launch(
            repository,
            builtin_program(UNDO),
            wanted,
            Inverse(undoing=undoing),
            setting,
            reporter=reporter,
            cancel=cancel,
        )


def _branch_of(repository: Repository, undoing: Undoing) -> str | None:
    """The branch to name; None for where HEAD is, which is also where a change of a detached HEAD is looked for."""
    if not undoing.ref.startswith(_BRANCHES) or read_head(repository).ref == undoing.ref:
        return None
    name = undoing.ref.removeprefix(_BRANCHES)
    if read_ref(repository, undoing.ref) is None:
        raise UsageFault(
            f"the branch {name}, on which run {undoing.run} landed, is not there any more",
            hint=f"where its commit lives on, take it back with: git revert {undoing.commit}",
        )
    return name
