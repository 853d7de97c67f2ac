"""The gates of a job, prepared: for each base and each asker's settings once, the last few kept.

Two jobs share prepared gates only if everything that decides a verdict besides the judged tree is the same: the base,
the asker's place, environment, settings, policy, profile and files, and the sandbox here. What is remembered of
verdicts and of runs they share on all bases: each entry is named by the trees it is about, as where the asker is. So
the run that judged a tree here is the baseline of what is judged on top of it, and a cache of mypy's stays warm. All
that is remembered was run here; no asker can put anything into it.
"""

from __future__ import annotations

import hashlib
import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.cluster.mirror import with_settings
from dev_agent.cluster.standing import standing
from dev_agent.errors import EnvironmentFault
from dev_agent.gates.config import GateConfig, read_config
from dev_agent.gates.gates import Gates
from dev_agent.gates.interpreter import Surroundings
from dev_agent.gates.project import discover
from dev_agent.repository.distrust import DistrustedTrees
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.runtime.canonical import canonical

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.cluster.job import Job
    from dev_agent.cluster.mirror import Mirror
    from dev_agent.gates.subject import Trees
    from dev_agent.sandbox.sandbox import Sandbox

_KEPT = 8
# What a job says about one question, or about how its bytes travel; the rest is about the base.
_NOT_THE_BASE = frozenset(
    {"gate", "tree", "changed", "objects", "remote", "base_commit", "fresh", "deadline_s"}
)
_FILTER = b"filter="
_ATTRIBUTES = ".gitattributes"


class Bases:
    """Prepared gates. Safe for several threads."""

    def __init__(self, shown: Sequence[Path], surroundings: Surroundings) -> None:
        """`shown` are the host directories the operator lets judged programs read."""
        self._shown = tuple(shown)
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._prepared: OrderedDict[str, tuple[str, Gates]] = OrderedDict()

    def gates(
        self,
        job: Job,
        mirror: Mirror,
        python: Path,
        sandbox: Sandbox,
        files: Mapping[str, Path],
        cancel: Cancel,
        *,
        cache: Path | None = None,
    ) -> Gates:
        """The gates for a job, which judge with `python`. With a `cache` they remember there and are not kept.

        Raises EnvironmentFault or UsageFault for what cannot be judged here, GitFailed, OSError.
        """
        key = _key(job, python, sandbox)
        with self._lock:
            found = self._prepared.get(key)
            if found is not None and cache is None:
                self._prepared.move_to_end(key)
                return found[1]
        made = self._prepare(
            job,
            mirror,
            python,
            sandbox,
            files,
            cancel,
            cache or mirror.repository.state_dir / "cache" / _remembered_as(job, python, sandbox)[:32],
        )
        if cache is None:
            with self._lock:
                self._prepared[key] = (job.repository, made)
                while len(self._prepared) > _KEPT:
                    self._prepared.popitem(last=False)
        return made

    def forget(self, repository: str) -> None:
        """Let go of everything that was prepared in a mirror."""
        with self._lock:
            for key in [key for key, (owner, _) in self._prepared.items() if owner == repository]:
                del self._prepared[key]

    def _prepare(
        self,
        job: Job,
        mirror: Mirror,
        python: Path,
        sandbox: Sandbox,
        files: Mapping[str, Path],
        cancel: Cancel,
        cache: Path,
    ) -> Gates:
        plain = RepositoryTrees(with_settings(mirror.repository, job.checkout))
        trees: Trees = plain if sandbox.tier == 1 else DistrustedTrees(plain)
        for tree in (job.base_tree, job.tree):
            _require_no_filter(trees, tree)
        config = replace(read_config(trees, job.base_tree), python=str(python), include=())
        self._require_shown(config, job)
        project = discover(
            Path(job.root),
            trees,
            job.base_tree,
            config,
            surroundings=self._surroundings,
            sandbox=sandbox,
            cancel=cancel,
            is_folder=folders_of(trees.paths(job.base_tree), Path(job.root)),
        )
        return Gates.around(
            standing(project, job, files),
            trees,
            policy=job.rules,
            sandbox=sandbox,
            cache=cache,
            must_pass=job.must_pass,
            limits=job.profile.limits,
        )

    def _require_shown(self, config: GateConfig, job: Job) -> None:
        for path in (*map(Path, config.read_only), *job.profile.read_only):
            if not any(path.is_relative_to(one) for one in self._shown):
                raise EnvironmentFault(
                    f"the settings let judged programs read {path}, and this worker does not",
                    hint=f"start the worker with --show {path} if what lies there is the same everywhere",
                )


def folders_of(paths: Sequence[str], root: Path) -> Callable[[Path], bool]:
    """Whether a path is a directory: below `root` by the sorted `paths` of a tree, elsewhere on this machine."""

    def is_folder(path: Path) -> bool:
        if path == root:
            return True
        if not path.is_relative_to(root):
            return path.is_dir()
        below = f"{path.relative_to(root).as_posix()}/"
        place = bisect_left(paths, below)
        return place < len(paths) and paths[place].startswith(below)

    return is_folder


def _require_no_filter(trees: Trees, tree: str) -> None:
    for path in trees.paths(tree):
        if path.rpartition("/")[2] == _ATTRIBUTES and _FILTER in (trees.read(tree, path) or b""):
            raise EnvironmentFault(
                f"{path} puts files through a filter of git's (such as lfs), and a worker has none",
                hint="judge this repository without --cluster",
            )


def _key(job: Job, python: Path, sandbox: Sandbox) -> str:
    """What prepared gates are kept under."""
    return _digest(job, python, sandbox, without=_NOT_THE_BASE)


def _remembered_as(job: Job, python: Path, sandbox: Sandbox) -> str:
    """What verdicts and runs are kept under: the asker's word on everything but the trees."""
    return _digest(job, python, sandbox, without=_NOT_THE_BASE | {"base_tree"})


def _digest(job: Job, python: Path, sandbox: Sandbox, *, without: frozenset[str]) -> str:
    said = {name: value for name, value in job.to_json().items() if name not in without}
    return hashlib.sha256(
        canonical({"job": said, "python": str(python), "sandbox": dict(sandbox.describe())})
    ).hexdigest()
