"""Making attacks: each on a ground of its own, with its defence on, or, as a negative control, off.

Order: scratch folder → ground → attack → folder gone. Killed anywhere: a scratch folder in the system's temporary
directory; nothing of anybody's.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from dev_agent.errors import UsageFault
from dev_agent.lab.attack import Attack, Finding
from dev_agent.lab.ground import prepared
from dev_agent.lab.registry import ATTACKS
from dev_agent.runtime.naming import nearest


def chosen(names: Iterable[str]) -> tuple[Attack, ...]:
    """The attacks of these names, all of them for none. Raises UsageFault for an unknown one."""
    wanted = tuple(names) or tuple(ATTACKS)
    for name in wanted:
        if name not in ATTACKS:
            hint = nearest(name, ATTACKS) or "list them: dev-agent lab --list"
            raise UsageFault(f"the laboratory has no attack {name[:80]!r}", hint=hint)
    return tuple(ATTACKS[name] for name in wanted)


def attacks_made(
    attacks: Iterable[Attack],
    *,
    armed: bool,
    environ: Mapping[str, str],
    told: Callable[[str], None] = lambda _text: None,
) -> Iterator[Finding]:
    """Make each attack once, and yield what was found as it is found."""
    for attack in attacks:
        told(attack.name)
        yield _made(attack, armed=armed, environ=environ)


def _made(attack: Attack, *, armed: bool, environ: Mapping[str, str]) -> Finding:
    started = time.monotonic_ns()
    with tempfile.TemporaryDirectory(prefix="dev-agent-lab-", ignore_cleanup_errors=True) as folder:
        try:
            ground = prepared(Path(folder).resolve(), environ)
            with nullcontext() if armed else attack.disarm():
                strike = attack.strike(ground)
        except Exception as error:  # noqa: BLE001 - an attack that could not be made says nothing about the defence
            trouble = f"{type(error).__name__}: {error}"
            return Finding(attack=attack, armed=armed, strike=None, trouble=trouble, ms=_since(started))
    return Finding(attack=attack, armed=armed, strike=strike, ms=_since(started))


def _since(started: int) -> int:
    return (time.monotonic_ns() - started) // 1_000_000
