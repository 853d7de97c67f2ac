"""What every gate holds: the trees, the project, the bench, the cache, the severity."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dev_agent.gates.bench import Bench
from dev_agent.gates.cache import Cache
from dev_agent.gates.project import Project
from dev_agent.gates.settings import GateSettings
from dev_agent.gates.subject import Subject, Trees
from dev_agent.gates.verdict import GateResult, Verdict
from dev_agent.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class GateContext:
    """Shared by the gates of one run. `cache_dir` is where tools' own caches go."""

    trees: Trees
    project: Project
    bench: Bench
    cache: Cache
    cache_dir: Path
    settings: GateSettings

    def reader(self, tree: str) -> Callable[[str], bytes | None]:
        """A function that reads one tree's files."""
        return lambda path: self.trees.read(tree, path)

    def verdict(
        self,
        gate: str,
        subject: Subject,
        result: GateResult,
        reason: str,
        *,
        notes: tuple[str, ...] = (),
        hint: str = "",
    ) -> Verdict:
        """What a gate says of a subject in this environment; what its tool said is for the gate to add."""
        return Verdict(
            gate=gate,
            result=result,
            reason=reason,
            tree=subject.tree,
            base_tree=subject.base_tree,
            environment=self.project.digest,
            notes=notes,
            hint=hint,
        )

    def with_base_entries(self, base: str, tree: str, paths: set[str]) -> str:
        """`tree` with the base's own entries (or none) at `paths`."""
        replacements: dict[str, tuple[str, str] | None] = {}
        for path in sorted(paths):
            before = self.trees.entry(base, path)
            if before != self.trees.entry(tree, path):
                replacements[path] = before
        return self.trees.compose(tree, replacements) if replacements else tree
