"""What the laboratory found, and what it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dev_agent.cli.output.page import Line, Page, Style, count, prose, seconds, span, table
from dev_agent.lab.attack import Attack, Finding

_SHOWN = 12


def attacks_page(attacks: Sequence[Attack]) -> Page:
    """Every attack with the defence that has to stop it."""
    data = {
        "attacks": [{"name": one.name, "attempt": one.attempt, "defence": one.defence} for one in attacks]
    }
    lines = [line for one in attacks for line in _described(one)]
    return Page(data=data, lines=tuple(lines))


def findings_page(findings: Sequence[Finding]) -> Page:
    """Each attack made, what stopped it, the state before and after, and how many went as promised."""
    kept = sum(finding.as_promised for finding in findings)
    data = {"findings": [one.to_json() for one in findings], "as_promised": kept, "made": len(findings)}
    return Page(data=data, lines=(*(line for one in findings for line in _told(one)), *_sum(findings, kept)))


def _described(attack: Attack) -> Iterable[Line]:
    yield from prose(attack.name, style=Style.NAME)
    yield from prose(attack.attempt, indent=2)
    yield from prose(f"stopped by {attack.defence}", style=Style.DIM, indent=2)


def _told(finding: Finding) -> Iterable[Line]:
    style = Style.GOOD if finding.as_promised else Style.BAD
    armed = "" if finding.armed else "  (defence off)"
    head = (
        span(finding.attack.name, Style.NAME),
        span(finding.outcome + armed, style),
        span(seconds(finding.ms), Style.DIM),
    )
    yield from table([head])
    yield from prose(finding.attack.attempt, indent=2)
    if finding.strike is None:
        yield from prose(finding.trouble, style=Style.BAD, indent=2)
        return
    strike = finding.strike
    if strike.by:
        yield from prose(f"{'stopped by' if strike.stopped else 'said'}: {strike.by}", indent=2)
    yield from prose(strike.detail, indent=2, style=Style.DIM)
    same = "unchanged" if strike.before == strike.after else f"now {strike.after[:_SHOWN]}"
    counts = "".join(f"  {name} {number}" for name, number in strike.metrics.items())
    yield from prose(f"state {strike.before[:_SHOWN]}, {same}{counts}", indent=2, style=Style.DIM)


def _sum(findings: Sequence[Finding], kept: int) -> Iterable[Line]:
    armed = all(finding.armed for finding in findings)
    wanted = "stopped" if armed else "seen to succeed without its defence"
    good = kept == len(findings)
    lead = (span("As promised: " if good else "Not as promised: ", Style.GOOD if good else Style.BAD),)
    return prose(f"{kept} of {count(len(findings), 'attack')} {wanted}.", lead=lead)
