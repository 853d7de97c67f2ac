"""What the actions of `apply` work with: values and services bound once, before the first state.

A context is rebuilt from a run's trace when the run is resumed; nothing in it is a second memory of the run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Protocol

from dev_agent.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.cancel import Cancel
    from dev_agent.gates.gates import Preflight
    from dev_agent.gates.hooks import HookRun
    from dev_agent.gates.in_sight import InSight
    from dev_agent.gates.judge import GateName, Judgement
    from dev_agent.gates.subject import Subject
    from dev_agent.gates.type_run import TypeRun
    from dev_agent.policy.policy import Policy
    from dev_agent.programs.merging import Merging
    from dev_agent.programs.proposers import Proposer
    from dev_agent.programs.solving.asking import Asking
    from dev_agent.programs.solving.briefs import Briefs
    from dev_agent.programs.undoing import Undoing
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.identity import Identity
    from dev_agent.repository.landing.target import Target
    from dev_agent.runtime.trace import Journal
    from dev_agent.sandbox.job import Ended


class Judges(Protocol):
    """The gates as the actions use them."""

    @property
    def confined(self) -> bool:
        """True if what is run here sees mounts instead of the machine."""
        ...

    @property
    def width(self) -> int | None:
        """How many questions are answered at a time; None: as many as this machine can."""
        ...

    def preflight(self, base_tree: str) -> Preflight:
        """What can be judged on a base."""
        ...

    def ask(self, gate: GateName, subject: Subject, cancel: Cancel) -> Judgement:
        """What a gate says about a tree; of checks one verdict each, maybe none."""
        ...

    def answers_on_types(self, base_tree: str) -> bool:
        """True if `ask_types` can be, on this base."""
        ...

    def ask_types(self, subject: Subject, cancel: Cancel) -> TypeRun:
        """What the type checker says about a tree, judged by nothing."""
        ...

    def run_hooks(
        self,
        names: Sequence[str],
        *,
        base_tree: str,
        clone: Path,
        objects: tuple[Path, Path],
        message: str,
        cancel: Cancel,
    ) -> tuple[HookRun, ...]:
        """Run the user's commit hooks in a clone; the first that fails is the last that runs."""
        ...

    def run_command(
        self,
        argv: Sequence[str],
        *,
        base_tree: str,
        clone: Path,
        objects: tuple[Path, Path],
        network: bool,
        cancel: Cancel,
    ) -> Ended:
        """Run a program that is to change a clone."""
        ...

    def in_sight(self, base_tree: str) -> InSight:
        """What such a program can find."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyContext:
    """Everything an action may use. `snapshot` is what `begin` records about it, `faults` what actions raised.

    `identity` and `sign` are those of the staged commit; None: as the user's own git would have them.
    `undoing` is what a run of `undo` takes back, `merging` what one of `premerge` merges; None in a run of another
    program.
    `asking` and `briefs` are there in a run of `solve`: how a model is asked, and what shows it the repository;
    `co_authored_by` is who else its commits name.
    `gates` is None for a drive that can judge nothing any more: recovery telling a run that it has landed.
    """

    repository: Repository
    journal: Journal
    run: str
    task: str
    base: str | None
    target: Target
    policy: Policy
    own_paths: tuple[str, ...] = ()
    proposer: Proposer
    gates: Judges | None
    cancel: Cancel
    identity: Identity | None = None
    sign: bool | None = None
    snapshot: Mapping[str, Any] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    undoing: Undoing | None = None
    merging: Merging | None = None
    asking: Asking | None = None
    briefs: Callable[[int], Briefs] | None = None
    co_authored_by: str = ""

    @property
    def briefing(self) -> Callable[[int], Briefs]:
        """What shows a model the repository, by how often it has to be made smaller. Without a model: our bug."""
        if self.briefs is None:
            raise AssertionError("BUG: a model was to be shown something in a run that has none")
        return self.briefs

    @property
    def judges(self) -> Judges:
        """The gates. A drive without them that comes to need them was wired wrongly: our bug."""
        if self.gates is None:
            raise AssertionError("BUG: something was to be judged by a drive that can judge nothing")
        return self.gates
