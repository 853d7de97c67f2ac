"""Attacks whose aim is a commit: proposals as bytes, policies in which one defence stands alone, the judgement.

A control shows something only if nothing else stops the attack. So each ground's policy allows every fact but those
an attack is about, and asks only the gates it is about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from dev_agent.lab.attack import Strike
from dev_agent.lab.disarm import without
from dev_agent.lab.ground import FILES
from dev_agent.policy.catalogue import CATALOGUE, FACT_NAMES
from dev_agent.programs.story import told
from dev_agent.runtime.trace import read_trace

if TYPE_CHECKING:
    from dev_agent.lab.ground import Ground
    from dev_agent.programs.report import RunReport

TILL = FILES["till.py"].decode()
TILL_TESTS = FILES["tests/test_till.py"].decode()
BROKEN = TILL.replace("return sum(prices)", "return sum(prices, 1)")
"""A till that charges one too many: both tests are red on it."""


def written(files: Mapping[str, str | None]) -> bytes:
    """A proposal that writes these files whole; None deletes one."""
    edits: list[dict[str, str]] = []
    for path, text in files.items():
        if text is None:
            edits.append({"op": "delete", "path": path})
        elif path in FILES:
            edits.append({"op": "write", "path": path, "text": text})
        else:
            edits.append({"op": "create", "path": path, "text": text})
    return json.dumps({"edits": edits}).encode()


def policy_where(*, tests: str = "delta", changed_tests: str = "allow", **facts: str) -> str:
    """A policy that allows every fact, with the exceptions given; it does not look at types."""
    answers = {**dict.fromkeys(CATALOGUE, "allow"), **facts}
    listed = "".join(f'{name} = "{answer}"\n' for name, answer in answers.items())
    gates = f'types = "off"\ntests = "{tests}"\nchanged_tests = "{changed_tests}"\n'
    return f'name = "one-defence"\nversion = 1\n[on]\n{listed}[gates]\n{gates}[denied]\nthen = "reject"\n'


def without_rule(fact: str) -> Callable[[], AbstractContextManager[None]]:
    """The switch of one row of a policy: whatever it says about `fact` is not asked."""
    if fact not in CATALOGUE:
        raise AssertionError(f"BUG: no policy rules on {fact}")
    return without("dev_agent.policy.rules:FACT_NAMES", tuple(one for one in FACT_NAMES if one != fact))


def landing(files: Mapping[str, str | None], policy: str) -> Callable[[Ground], Strike]:
    """A strike that proposes these files; it has reached its aim if they are in the commit of the branch."""

    def strike(ground: Ground) -> Strike:
        before = ground.state()
        report = ground.apply(written(files), policy=policy)
        after = ground.state()
        inside = after.commit != before.commit and all(
            _committed(ground, path) == text for path, text in files.items()
        )
        return Strike(
            stopped=not inside,
            by="" if inside else stopper(report),
            detail=f"the run ended {report.outcome}; the branch holds {'the' if inside else 'nothing of the'} change",
            before=before.digest,
            after=after.digest,
            metrics={"commits": after.commits - before.commits, **counted(report)},
        )

    return strike


def stopper(report: RunReport) -> str:
    """What kept a run from landing, in its own words on one line."""
    said = [
        f"{gate['name']}: {gate['reason']}" for gate in report.gates if gate["verdict"] in {"failed", "error"}
    ]
    findings = [one["rule"] for one in report.policy.get("findings", ()) if one["verdict"] != "allow"]
    words = " ".join(report.explanation.split()) or report.reason
    return "; ".join([f"{report.outcome}: {words}", *said, *findings])[:400]


def counted(report: RunReport) -> dict[str, int]:
    """Numbers of a run that were computed by what judged it."""
    return {
        "new_failures": sum(len(gate["new_failures"]) for gate in report.gates),
        "objections": sum(one["verdict"] != "allow" for one in report.policy.get("findings", ())),
    }


def confinement(ground: Ground, report: RunReport, *, about: str = "namespaces") -> str:
    """What held the programs of a run, as its trace has it: the line of the sandbox that is `about` something."""
    sandbox = told(read_trace(ground.run_folder(report.run).path)).facts["begin"]["sandbox"]
    given = next((one for one in sandbox["gives"] if about in one), sandbox["gives"][0])
    return f"{sandbox['name']}, tier {sandbox['tier']}: {given}"


def _committed(ground: Ground, path: str) -> str | None:
    """The text of a file in the commit the branch is at, None if it is not there."""
    listed = ground.do("ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")
    return f"{ground.do('show', f'HEAD:{path}')}\n" if path in listed else None
