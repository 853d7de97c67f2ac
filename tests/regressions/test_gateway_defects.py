"""What gateways to such kernels got wrong, where the same question comes up here: one policy on every way in, a
careful one if none is named, nothing personal in what is kept for ever, nobody else's runs.

The ids are those of the table in docs/capabilities.md, which also says where the other ones are tested.
"""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest

from dev_agent.cancel import Cancel
from dev_agent.programs.check import CheckRequest, Index, Patch, Range, WorkTree, check
from dev_agent.programs.folders import find_run
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.verify import verify_run
from dev_agent.runtime.engine import Reporter
from tests.programs.conftest import HARMLESS, NO_GATES, Shop, replacing
from tests.programs.test_run import ran

NO_NOTES = NO_GATES.replace("[on]", '[scope]\ndeny = ["notes.txt"]\n[on]')


def checked(shop: Shop, what: Patch | Range | Index | WorkTree) -> RunReport:
    return check(
        shop.repository(),
        CheckRequest(checked=what, policy=shop.policy(NO_NOTES)),
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=Cancel(),
    )


def checked_range(shop: Shop) -> RunReport:
    shop.project.commit("2", {"notes.txt": b"one\n2\nthree\n"})
    return checked(shop, Range(text="HEAD~1..HEAD"))


def checked_index(shop: Shop) -> RunReport:
    shop.project.write("notes.txt", b"one\n2\nthree\n")
    shop.project.git("add", "notes.txt")
    return checked(shop, Index())


def checked_tree(shop: Shop) -> RunReport:
    shop.project.write("notes.txt", b"one\n2\nthree\n")
    return checked(shop, WorkTree())


WAYS_IN: dict[str, Callable[[Shop], RunReport]] = {
    "apply": lambda shop: shop.apply(HARMLESS, policy=NO_NOTES),
    "apply to a branch": lambda shop: shop.apply(HARMLESS, policy=NO_NOTES, branch="side"),
    "apply, dry": lambda shop: shop.apply(HARMLESS, policy=NO_NOTES, dry_run=True),
    "run": lambda shop: ran(shop, "sed", "-i", "s/two/2/", "notes.txt", policy=NO_NOTES),
    "check a patch": lambda shop: checked(shop, Patch(content=HARMLESS)),
    "check a range": checked_range,
    "check the index": checked_index,
    "check the work tree": checked_tree,
}


# M4
@pytest.mark.parametrize("way", WAYS_IN)
def test_what_policy_denies_is_denied_on_every_way_in(shop: Shop, way: str) -> None:
    report = WAYS_IN[way](shop)
    assert (report.outcome, report.exit_code) == (Outcome.REJECTED, 1), report
    findings = report.policy["findings"]
    assert isinstance(findings, (list, tuple))
    assert [one["rule"] for one in findings if one["verdict"] == "deny"] == ["on.denied_paths"]
    # Also if it is taken up by another command later: the end is the end.
    assert shop.resume(report.run).outcome is Outcome.REJECTED


# M5
def test_without_a_policy_named_the_careful_default_is_in_force(shop: Shop) -> None:
    before = shop.project.snapshot()
    workflow = b"--- /dev/null\n+++ b/.github/workflows/ci.yml\n@@ -0,0 +1 @@\n+on: push\n"
    report = shop.apply(workflow, policy=None)
    assert (report.outcome, report.policy["name"]) == (Outcome.REJECTED, "default"), report
    assert shop.project.snapshot() == before


# M6, M13
def test_no_line_of_the_chain_holds_what_people_typed_or_code_said(shop: Shop) -> None:
    """The chain is kept for ever; payloads lie beside it, salted, and can be erased."""
    person, token = "078-05-1120", "hunter2-hunter2"
    patch = replacing("notes.txt", "two\n", f"{person} {token}\n")
    report = shop.apply(patch, task=f"Write down {person} {token}")
    assert report.outcome is Outcome.COMMITTED
    folder = find_run(shop.repository(), report.run)
    trace = (folder.path / "trace.jsonl").read_text()
    assert person not in trace
    assert token not in trace
    assert person not in folder.receipt.read_text()
    held = [one for one in (folder.path / "blobs").iterdir() if token.encode() in one.read_bytes()]
    assert held
    assert verify_run(shop.repository(), folder).ok


# M11, M12
def test_nobody_else_on_the_machine_can_read_a_run(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    folder = find_run(shop.repository(), report.run).path
    payloads = [one for one in folder.rglob("*") if one.is_file() and one.name != "receipt.json"]
    open_to_others = [
        str(one.relative_to(folder))
        for one in payloads
        if stat.S_IMODE(one.stat().st_mode) & 0o077 and stat.S_IMODE(folder.stat().st_mode) & 0o077
    ]
    assert payloads
    assert open_to_others == []
