"""Time limits that hold: an action of a state with `timeout_ms` runs in a process of its own, which can be killed.

Without a limit an action runs here, in this process. With one it costs the start of an interpreter, shares nothing
with other actions but the trace, and is killed with all its descendants when its time is over or the run is told to
stop. What it had recorded by then is gone with it: effects belong into states without a limit.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import dev_agent
from dev_agent.process import Stopped
from dev_agent.process import run as run_process
from dev_agent.programs.hosting.wire import packed_view, unpacked
from dev_agent.runtime.actions import ModelActionSpec, Result
from dev_agent.runtime.capabilities import CapabilityRef
from dev_agent.runtime.errors import CapabilityDenied
from dev_agent.runtime.states import ERROR
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.runtime.actions import AnySpec, View
    from dev_agent.runtime.projection import ModelView

_CHILD = "dev_agent.programs.hosting.child"
_OUTPUT = 1 << 20
_LARGEST_ANSWER = 256 << 20
_TOO_MUCH = "its answer is larger than 256 MiB"


@dataclass(frozen=True, kw_only=True, slots=True)
class Isolation:
    """Where and how the processes of actions run."""

    module: str
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    cancel: Cancel

    def of(self, spec: AnySpec) -> AnySpec:
        """The same action, isolated wherever it has a time limit; what feeds a model gets no more there than here."""
        if isinstance(spec, ModelActionSpec):
            return replace(spec, run=lambda view: self._run(spec, view, lambda: spec.run(view)))
        return replace(spec, run=lambda view: self._run(spec, view, lambda: spec.run(view)))

    def _run(self, spec: AnySpec, view: View | ModelView, here: Callable[[], Result]) -> Result:
        if view.timeout_ms is None:
            return here()
        answer = bytearray()
        reading, writing = os.pipe()
        try:
            done = run_process(
                [sys.executable, "-m", _CHILD, self.module, spec.name, str(writing)],
                cwd=Path.cwd(),
                env=self._environment(),
                timeout_s=view.timeout_ms / 1000,
                stdin=packed_view(view, _secrets(spec, view)),
                pass_fds=(writing,),
                output_limit=_OUTPUT,
                cancel=self.cancel,
                watch=lambda _pid: _TOO_MUCH if len(answer) > _LARGEST_ANSWER else "",
                extra=((reading, answer.extend),),
            )
        finally:
            os.close(reading)
            os.close(writing)
        output = done.stdout + done.stderr
        if done.stopped is Stopped.CANCELLED:
            raise KeyboardInterrupt
        if done.stopped is Stopped.TIMED_OUT:
            return _failed("Timeout", f"{spec.name} was killed after {view.timeout_ms} ms", output)
        if done.stopped is Stopped.VETOED:
            return _failed("TooMuch", f"{spec.name}: {done.veto}", output)
        if not done.ok:
            return _failed("Died", f"the process of {spec.name} ended with status {done.code}", output)
        result = unpacked(bytes(answer), view)
        return replace(result, blobs={**result.blobs, "output": output}) if output else result

    def _environment(self) -> dict[str, str]:
        """The user's, so that the child finds this very package."""
        own = str(Path(dev_agent.__file__).resolve().parents[1])
        paths = [own, *filter(None, [self.environ.get("PYTHONPATH")])]
        return {**self.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _secrets(spec: AnySpec, view: View | ModelView) -> dict[str, str]:
    """What the action may resolve, resolved now: from here on it is scrubbed from all that the child gives back.

    A capability that cannot be had is left out; the action that asks for it is refused there.
    """
    found: dict[str, str] = {}
    for name in sorted(spec.capabilities):
        with suppress(CapabilityDenied):
            found[name] = view.resolve(CapabilityRef(name))
    return found


def _failed(kind: str, message: str, output: bytes) -> Result:
    return Result(ERROR, {"type": kind, "message": message}, {"output": output} if output else {})
