"""Attacks on the moment: a kill anywhere in a run, and the owner's editor in the middle of a landing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.children import in_child
from dev_agent.lab.disarm import all_of, without
from dev_agent.lab.ground import LANDS_ANYTHING, replacing
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.report import Outcome
from dev_agent.repository.recovery import RecoveryReport
from dev_agent.runtime.engine import Reporter

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground
    from dev_agent.lab.state import UserState

_STATES = ("begin", "patch", "stage", "hooks", "check_policy", "check", "consent", "land")
_LANDING = ("renamed 0", "begun", "installed", "committed", "published index")
"""Points within the landing, the one first that leaves a mixture of two trees to whoever has no recovery."""

_FILE = "notes.txt"


class _Dying(Reporter):
    """Kills its own process when a state is entered or left."""

    def __init__(self, moment: str) -> None:
        self._moment = moment

    def entered(self, state: str, attempt: int) -> None:  # noqa: ARG002 - the reporter's signature
        _die_at(self._moment, f"entering {state}")

    def left(self, state: str, outcome: str, ms: int) -> None:  # noqa: ARG002 - the reporter's signature
        _die_at(self._moment, f"leaving {state}")


def _die_at(moment: str, now: str) -> None:
    if moment == now:
        os.kill(os.getpid(), signal.SIGKILL)


def _at_points(act: Callable[[str], None]) -> Callable[[object, str], None]:
    """What stands in for `Progress.reached` while an attack listens to a landing."""
    return lambda _progress, point: act(point)


def _kill_at_every_state(ground: Ground) -> Strike:
    """A child is killed at each moment; the next command must find before or after, and the run go on to one commit."""
    before = after = ground.state()
    moments = [f"landing: {point}" for point in _LANDING]
    moments += [f"{way} {state}" for state in _STATES for way in ("entering", "leaving")]
    survived: list[str] = []
    recovered: list[str] = []
    trouble = ""
    for moment in moments:
        trouble = _killed(ground, moment, after, recovered)
        after = ground.state()
        if not trouble and after.commits != before.commits + len(survived) + 1:
            trouble = f"killed {moment}: {after.commits - before.commits} commits of {len(survived) + 1} runs"
        if trouble:
            break
        survived.append(moment)
    return Strike(
        stopped=not trouble,
        by=_told(recovered),
        detail=trouble or "one commit for each run, nothing left over, nothing stuck",
        before=before.digest,
        after=after.digest,
        metrics={
            "kills": len(survived) + bool(trouble),
            "survived": len(survived),
            "recovered": len(recovered),
            "commits": after.commits - before.commits,
        },
    )


def _told(recovered: list[str]) -> str:
    """What recovery said it did, without the names of commits and runs."""
    first = recovered[0].partition(" of ")[0] if recovered else "did nothing"
    return f"recovery, which {first}, and {max(len(recovered) - 1, 0)} things more"


def _killed(ground: Ground, moment: str, before: UserState, recovered: list[str]) -> str:
    """What is wrong after a kill at this moment, recovery and resuming; "" if nothing is. `recovered` is added to."""
    patch = replacing(_FILE, ground.root.joinpath(_FILE).read_text("utf-8"), f"killed {moment}\n")

    def doomed() -> None:
        listen = _at_points(lambda point: _die_at(moment, f"landing: {point}"))
        with without("dev_agent.repository.landing.progress:Progress.reached", listen)():
            ground.apply(patch, policy=LANDS_ANYTHING, reporter=_Dying(moment))

    status = in_child(doomed)
    if not os.WIFSIGNALED(status):
        raise AssertionError(f"BUG: nothing was killed at {moment!r}, the child ended with {status}")
    recovered.extend(recover_everything(ground.repository()).actions)
    found = _mixture(ground, before)
    if not found:
        outcome = ground.resume("last").outcome
        found = "" if outcome is Outcome.COMMITTED else f"the run ended {outcome.value}"
    return f"killed {moment}: {found}" if found else ""


def _mixture(ground: Ground, before: UserState) -> str:
    """What is neither as before nor as after one landing."""
    now = ground.state()
    git = ground.root / ".git"
    left = [
        path.name for path in (*git.glob("dev-agent/tx-*"), *git.glob("*.lock"), *git.glob("refs/**/*.lock"))
    ]
    if left:
        return f"{', '.join(left)} left over"
    if now == before or (now.commits == before.commits + 1 and not now.status):
        return ""
    return f"a mixture: {now.status or 'an index or refs of neither'}"


_MOMENTS = ("begun", "prepared index", "renamed 0", "installed", "committed")


def _concurrent_edit(ground: Ground) -> Strike:
    """The owner saves the file that is landing, at each point of the landing; once through a file opened before."""
    before = ground.state()
    edits = [partial(_saved, ground, point) for point in _MOMENTS]
    edits.append(partial(_saved_late, ground, "prepared index", "renamed 0"))
    lost: list[str] = []
    landed = 0
    for edit in edits:
        word, outcome = edit()
        landed += outcome is Outcome.COMMITTED
        if not _holds(ground, word):
            lost.append(word)
        ground.do("checkout", "--quiet", "HEAD", "--", _FILE)
    after = ground.state()
    return Strike(
        stopped=not lost,
        by=""
        if lost
        else f"{len(edits) - landed} landings gave way; {landed} left the edit in the work tree",
        detail=f"lost: {', '.join(lost)}" if lost else "every edit is still there, byte for byte",
        before=before.digest,
        after=after.digest,
        metrics={"edits": len(edits), "lost": len(lost), "landed": landed},
    )


def _saved(ground: Ground, when: str) -> tuple[str, Outcome]:
    """What the owner typed and saved at that point, and how the run ended."""
    word = f"typed when {when}"

    def listen(point: str) -> None:
        if point == when:
            ground.write(_FILE, f"{word}\n".encode())

    return word, _landing(ground, word, listen)


def _saved_late(ground: Ground, opened: str, written: str) -> tuple[str, Outcome]:
    """The same through a file that was open already when the landing took it."""
    word = f"opened when {opened}"
    with ground.root.joinpath(_FILE).open("r+b", buffering=0) as file:

        def listen(point: str) -> None:
            if point == written:
                file.write(f"{word}\n".encode())

        return word, _landing(ground, word, listen)


def _landing(ground: Ground, word: str, listen: Callable[[str], None]) -> Outcome:
    patch = replacing(_FILE, ground.root.joinpath(_FILE).read_text("utf-8"), f"landed, not {word}\n")
    with without("dev_agent.repository.landing.progress:Progress.reached", _at_points(listen))():
        return ground.apply(patch, policy=LANDS_ANYTHING).outcome


def _holds(ground: Ground, word: str) -> bool:
    """Whether the owner's line is the beginning of any file: of theirs, or of those kept for them."""
    places = (ground.root / _FILE, *ground.root.glob(".git/dev-agent/kept-*/*"))
    return any(place.read_bytes().startswith(f"{word}\n".encode()) for place in places)


CRASH_ATTACKS = (
    Attack(
        name="kill_at_every_state",
        attempt="kill -9 on entering and leaving every state of `apply`, and in the middle of its landing",
        defence="every command begins with recovery (repository/recovery.py)",
        strike=_kill_at_every_state,
        disarm=all_of(
            without("dev_agent.programs.recovery:recover", lambda *_, **__: RecoveryReport()),
            without("dev_agent.repository.landing.land:recover_held", lambda *_: RecoveryReport()),
        ),
        word="RECOVERED",
    ),
    Attack(
        name="concurrent_edit",
        attempt="save the file that is landing at every point of its landing, once through a file opened before",
        defence="what was taken is looked at before it is let go (landing/install.py, close.py)",
        strike=_concurrent_edit,
        disarm=all_of(
            without("dev_agent.repository.landing.install:_require_untouched", lambda *_: None),
            without("dev_agent.repository.landing.close:_remove_slots", lambda *_, **__: False),
        ),
    ),
)
