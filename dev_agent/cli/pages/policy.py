"""Policies on the screen: remarks, in-file tests, and a decision as a table of facts and a table of rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dev_agent.cli.output.page import Line, Page, Style, count, line, prose, quotation, span, table
from dev_agent.cli.pages.report import shown

if TYPE_CHECKING:
    from dev_agent.policy.analysis import Remark
    from dev_agent.policy.examples import ExampleResult
    from dev_agent.policy.policy import Policy
    from dev_agent.programs.explain import Explanation, RuleRow
    from dev_agent.programs.policies import Evaluation, Examination

_STYLES = {"deny": Style.BAD, "ask": Style.WARN, "allow": Style.GOOD}
_MOST_PLACES = 3


def examination_page(found: Examination) -> Page:
    """That a policy is sound, and the remarks on its rules."""
    policy = found.policy
    data = {
        "policy": policy.name,
        "digest": policy.digest,
        "rules": len(policy.rules),
        "remarks": [
            {
                "rule": one.rule,
                "kind": one.kind.value,
                "other": one.other,
                "text": one.text,
                "remedy": one.remedy,
            }
            for one in found.remarks
        ],
    }
    said = f"policy {policy.name} has no faults ({count(len(policy.rules), 'rule')} of its own)"
    if found.remarks:
        closing = prose(
            f"{said}, but {count(len(found.remarks), 'remark')} above.", lead=(span("Sound, ", Style.WARN),)
        )
        return Page(data=data, lines=(*_remarks(found.remarks), line(""), *closing))
    return Page(
        data=data, lines=prose(f"{said}, and nothing to remark.", lead=(span("Sound: ", Style.GOOD),))
    )


def examples_page(policy: Policy, results: Sequence[ExampleResult]) -> Page:
    """The in-file tests, one a line."""
    wrong = [one for one in results if not one.holds]
    data = {
        "policy": policy.name,
        "digest": policy.digest,
        "tests": [
            {"rule": one.rule, "number": one.number, "holds": one.holds, "wrong": one.wrong}
            for one in results
        ],
    }
    untested = [rule.name for rule in policy.rules if not rule.examples]
    rows = table(
        [
            (
                span("holds" if one.holds else "wrong", Style.GOOD if one.holds else Style.BAD),
                span(f"{one.rule}[{one.number}]"),
                span(one.wrong),
            )
            for one in results
        ],
        indent=2,
    )
    notes = prose(f"not tested: {', '.join(untested)}", style=Style.DIM) if untested else ()
    if wrong:
        lead = span("Failed: ", Style.BAD)
        said = f"{len(wrong)} of {count(len(results), 'test')} of policy {policy.name} do not hold."
    else:
        lead = span("Passed: ", Style.GOOD)
        said = f"{count(len(results), 'test')} of policy {policy.name}."
    gap = (line(""),) if results else ()
    return Page(data=data, lines=(*rows, *gap, *notes, *prose(said, lead=(lead,))))


def evaluation_page(found: Evaluation) -> Page:
    """`true` or `false`."""
    word = "true" if found.holds else "false"
    return Page(data={"value": found.holds, "facts": dict(found.facts)}, lines=(line(word),))


def text_page(policy: Policy, text: str) -> Page:
    """The text as it is."""
    data = {"policy": policy.name, "digest": policy.digest, "text": text}
    return Page(data=data, lines=quotation(text.rstrip("\n")))


def explanation_page(found: Explanation) -> Page:
    """Facts that were seen or looked at, then rules with what they looked at, then the verdict."""
    data = {
        "subject": found.subject,
        "policy": {"name": found.policy, "digest": found.digest},
        "verdict": found.verdict,
        "facts": {"values": dict(found.values), "places": dict(found.places)},
        "rules": [_plain(row) for row in found.rules],
        "notes": list(found.notes),
    }
    fired = sum(row.fired for row in found.rules)
    verdict = (span("Verdict: ", Style.STRONG), span(found.verdict, _STYLES.get(found.verdict, Style.PLAIN)))
    closing = prose(
        f", policy {found.policy}, {count(fired, 'rule')} fired, on {found.subject}.", lead=verdict
    )
    lines = (
        line(span("Facts", Style.STRONG)),
        *_facts(found),
        line(""),
        line(span("Rules", Style.STRONG)),
        *_rules(found.rules),
        line(""),
        *(one for note in found.notes for one in prose(note, style=Style.DIM)),
        *closing,
    )
    return Page(data=data, lines=lines)


def _plain(row: RuleRow) -> Mapping[str, Any]:
    return {
        "rule": row.rule,
        "verdict": row.says,
        "fired": row.fired,
        "because": row.because,
        "when": row.when,
        "facts": dict(row.facts),
        "places": [dict(place) for place in row.places],
    }


def _remarks(remarks: Iterable[Remark]) -> Iterable[Line]:
    for one in remarks:
        lead = (span(one.kind.value, Style.WARN), span(f"  {one.rule} "))
        yield from prose(one.text, lead=lead)
        yield from prose(one.remedy, indent=4, style=Style.DIM)


def _facts(found: Explanation) -> Iterable[Line]:
    looked_at = {name for row in found.rules for name in row.facts}
    values = {
        **{name: value for name, value in found.values.items() if value or name in looked_at},
        **{
            name: value
            for row in found.rules
            for name, value in row.facts.items()
            if name not in found.values
        },
    }
    return table(
        [
            (span(name, Style.NAME), span(shown(value)), span(_where(found.places.get(name, ())), Style.DIM))
            for name, value in sorted(values.items(), key=lambda item: (not item[1], item[0]))
        ],
        indent=2,
    )


def _rules(rows: Sequence[RuleRow]) -> Iterable[Line]:
    if not rows:
        yield line(span("none fired", Style.DIM), indent=2)
    aligned = table(
        [
            (
                span(row.says if row.fired else "silent", _STYLES[row.says] if row.fired else Style.DIM),
                span(row.rule),
                span(_looked_at(row), Style.DIM),
            )
            for row in rows
        ],
        indent=2,
    )
    for head, row in zip(aligned, rows, strict=True):
        yield head
        if row.when:
            yield from prose(row.when, indent=6, lead=(span("when "),))
        if row.fired:
            yield from prose(row.because, indent=6)
        elif row.when:
            yield from prose(f"would say {row.says}: {row.because}", indent=6, style=Style.DIM)


def _looked_at(row: RuleRow) -> str:
    return ", ".join(f"{name} = {shown(value)}" for name, value in row.facts.items())


def _where(places: Sequence[Mapping[str, Any]]) -> str:
    named = [f"{one['path']}{':' + str(one['line']) if one.get('line') else ''}" for one in places]
    distinct = list(dict.fromkeys(named))
    more = f" … {len(distinct) - _MOST_PLACES} more" if len(distinct) > _MOST_PLACES else ""
    return ", ".join(distinct[:_MOST_PLACES]) + more
