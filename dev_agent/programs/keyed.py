"""A run under an idempotency key: the same request, made again by whomever, is the same run.

What makes two requests the same is everything the caller said: task, patch or proposer, target, policy, settings. The
base is not part of it: asked again after the branch went on, the answer is still the run that was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from hashlib import sha256
from typing import TYPE_CHECKING

from dev_agent.gates.judge import LOCAL
from dev_agent.programs.folders import runs_dir
from dev_agent.programs.keys import Execution, has_asked, once, request_digest
from dev_agent.programs.report import Outcome
from dev_agent.programs.resume import resume

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.report import RunReport
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.repository.discovery import Repository
    from dev_agent.runtime.engine import Reporter

_FAILED = frozenset({Outcome.REJECTED, Outcome.FAILED})


def keyed(
    repository: Repository,
    request: ApplyRequest,
    source: Sequence[str],
    execute: Callable[[Callable[[str], None]], RunReport],
    *,
    environ: Mapping[str, str],
    reporter: Reporter,
    cancel: Cancel,
    judge: Judge = LOCAL,
) -> RunReport:
    """What `execute` gives, once for all callers of `request.key`; without a key, plainly.

    `source` is what the proposer was told, `execute` is called with a function that hears the run's id before anything
    of the run exists. Raises as `keys.once` does, and what `execute` and `resume` raise.
    """
    if request.key is None:
        return execute(lambda _run: None)
    return once(
        repository.state_dir / "keys",
        request.key,
        _digest(request, source),
        Execution(
            fresh=execute,
            exists=lambda run: has_asked(runs_dir(repository) / run),
            again=lambda run: resume(
                repository, run, environ=environ, reporter=reporter, cancel=cancel, judge=judge
            ),
            failed=lambda report: report.outcome in _FAILED,
        ),
    )


def _digest(request: ApplyRequest, source: Sequence[str]) -> str:
    said = {**asdict(request), "patch": sha256(request.patch).hexdigest(), "source": list(source)}
    del said["key"]
    # Text a user typed may hold what canonical JSON does not take; its digest does not.
    return request_digest(
        {"request": sha256(repr(sorted(said.items())).encode("utf-8", "replace")).hexdigest()}
    )
