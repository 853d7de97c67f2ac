"""Erasing payloads of a run: gone from every file of ours, the proof whole, and what stays is said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import cast

import pytest

from dev_agent.cancel import Cancel
from dev_agent.cli.pages.erase import erase_page
from dev_agent.errors import UsageFault
from dev_agent.programs.erase import EraseRequest, Erasure, erase, finish_erasing
from dev_agent.programs.folders import RunFolder, find_run
from dev_agent.programs.payloads import payloads_of
from dev_agent.programs.recovery import recover_everything
from dev_agent.programs.remains import forms_of
from dev_agent.programs.replay import replay
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.runs import list_runs, read_run
from dev_agent.programs.storage import StoredKind, stored
from dev_agent.programs.story import Story
from dev_agent.programs.texts import restored
from dev_agent.programs.verify import verify_run
from dev_agent.repository import object_search
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.errors import JournalBusy
from dev_agent.runtime.trace import Journal, read_trace
from tests.programs.conftest import HARMLESS, TESTS_ONLY, Shop, replacing
from tests.runtime.worlds import FixedClock
from tests.testing.children import killed_at_call

NAME = "Jane Roe-Smith"
SAID = "giraffe-in-the-lift-77"
WORD = f"the customer {NAME}, née Ö"
FAILS_LOUDLY = replacing(
    "src/shop/cart.py",
    "    return sum(prices)\n",
    f'    raise ValueError("giraffe-in-" + "the-lift-" + str({77}))\n',
)


def folder_of(shop: Shop, report: RunReport) -> RunFolder:
    return find_run(shop.repository(), report.run)


def erased(shop: Shop, report: RunReport, *, dry_run: bool = False, **chosen: object) -> Erasure:
    request = EraseRequest(actor="rita", **chosen)  # type: ignore[arg-type]  # keywords of the request
    return erase(shop.repository(), folder_of(shop, report), request, dry_run=dry_run)


def holding(shop: Shop, *needles: bytes) -> list[str]:
    """Every file of the state folder, compressed objects aside, that holds one of the needles."""
    state = shop.repository().state_dir
    return sorted(
        path.relative_to(state).as_posix()
        for path in state.rglob("*")
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    )


def failed(shop: Shop) -> RunReport:
    report = shop.apply(FAILS_LOUDLY, policy=TESTS_ONLY)
    assert report.outcome is Outcome.REJECTED
    return report


# --- what quotes is beside the trace ---------------------------------------------------------------------------


def test_what_a_test_said_is_a_payload_and_no_line_of_the_trace(shop: Shop) -> None:
    report = failed(shop)
    folder = folder_of(shop, report)
    assert SAID.encode() not in (folder.path / "trace.jsonl").read_bytes()
    assert SAID.encode() not in folder.receipt.read_bytes()
    (tests,) = [one for one in report.gates if one["name"] == "tests"]
    assert list(tests["new_failures"][0]) == ["id", "path", "line", "code", "message", "detail"]
    assert SAID in tests["new_failures"][0]["message"]
    assert read_run(folder).report.gates == report.gates


def test_an_unresolved_patch_quotes_nothing_in_the_trace(shop: Shop) -> None:
    report = shop.apply(replacing("notes.txt", f"{SAID}\n", "x\n"))
    trace = (folder_of(shop, report).path / "trace.jsonl").read_text()
    assert SAID not in trace
    assert "three" not in trace, "the nearest lines of the file are no identification"
    again = read_run(folder_of(shop, report)).report
    assert (again.explanation, again.advice) == (report.explanation, report.advice)
    assert report.explanation not in {"", "(erased)"}


def test_once_it_is_erased_the_story_says_so_and_is_told_all_the_same(shop: Shop) -> None:
    report = failed(shop)
    before = folder_of(shop, report).receipt.read_bytes()
    done = erased(shop, report, blobs=("check.tests.texts",))
    assert [one.name for one in done.erased] == ["check.tests.texts"]
    record = read_run(folder_of(shop, report))
    (tests,) = [one for one in record.verdicts if one["gate"] == "tests"]
    assert tests["new_failures"][0]["message"] == "(erased)"
    assert tests["new_failures"][0]["id"].startswith("tests/test_cart.py::")
    assert record.report.reason == report.reason
    assert folder_of(shop, report).receipt.read_bytes() == before


# --- listing and choosing ----------------------------------------------------------------------------------------


def test_without_a_choice_everything_is_listed_and_nothing_changed(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    before = (folder_of(shop, report).path / "trace.jsonl").read_bytes()
    listed = erased(shop, report)
    assert {"request.task", "request.patch", "patch.proposal", "stage.change.patch"} <= {
        one.name for one in listed.payloads
    }
    assert (listed.done, listed.erased) == (False, ())
    assert (folder_of(shop, report).path / "trace.jsonl").read_bytes() == before


def test_a_payload_is_named_by_role_by_name_or_by_commitment(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    task = payloads_of(read_trace(folder_of(shop, report).path))[0]
    for name in ("task", "request.task", task.commitment[:12]):
        assert [one.name for one in erased(shop, report, dry_run=True, blobs=(name,)).erased] == [
            "request.task"
        ]
    with pytest.raises(UsageFault, match="has no payload 'tsak'"):
        erased(shop, report, blobs=("tsak",))


@pytest.mark.parametrize(
    "chosen", [{"match": "ab"}, {"match": "  "}, {"match": NAME, "reason": f"for {NAME}"}]
)
def test_what_cannot_be_meant_is_refused(chosen: dict[str, str]) -> None:
    with pytest.raises(UsageFault):
        EraseRequest(actor="rita", **chosen)  # type: ignore[arg-type]  # texts only


def test_a_plan_changes_nothing(shop: Shop) -> None:
    report = shop.apply(HARMLESS, task=WORD)
    before = holding(shop, NAME.encode())
    plan = erased(shop, report, dry_run=True, match=NAME)
    assert [one.name for one in plan.erased] == ["request.task"]
    assert holding(shop, NAME.encode()) == before != []
    assert not (shop.repository().state_dir / "erasing").exists()


# --- gone, and proved -----------------------------------------------------------------------------------------


def test_a_text_is_gone_from_every_file_of_ours(shop: Shop) -> None:
    report = failed(shop)
    needles = forms_of(SAID)
    assert any(name.startswith("cache/") for name in holding(shop, *needles))
    done = erased(shop, report, match=SAID, reason="asked for")
    assert holding(shop, *needles) == []
    assert {one.name for one in done.erased} >= {"check.tests.texts", "check.tests.output"}
    assert (done.remains, done.exit_code) == ((), 0)
    report_of_proof = verify_run(shop.repository(), folder_of(shop, report))
    assert report_of_proof.ok
    said = [one.detail for one in report_of_proof.checks if one.name == "erased"]
    assert len(said) == len(done.erased)
    assert any("check.tests.texts" in one and "by rita: asked for" in one for one in said)
    (receipt,) = [one for one in report_of_proof.checks if one.name == "receipt"]
    assert "byte for byte the same" in receipt.detail


def test_all_of_a_run_goes_with_salts_refs_caches_and_work_trees(shop: Shop) -> None:
    report = failed(shop)
    folder = folder_of(shop, report)
    done = erased(shop, report, everything=True)
    for name in ("blobs", "salts"):
        assert list((folder.path / name).iterdir()) == []
    assert report.run not in shop.project.git("for-each-ref", "refs/dev-agent/staged", "refs/dev-agent/kept")
    assert any(one.startswith("verdicts ") for one in done.cleared)
    assert any(one.startswith("slot ") for one in done.cleared)
    cache = shop.repository().state_dir / "cache"
    assert not [path for path in cache.rglob("*") if path.is_file()]
    assert verify_run(shop.repository(), folder).ok
    assert list_runs(shop.repository())[0].task == "(erased)"
    with pytest.raises(UsageFault, match="is not there any more"):
        replay(shop.repository(), folder, environ=shop.project.environ, reporter=Reporter(), cancel=Cancel())


def test_a_landed_run_says_where_a_text_stays(shop: Shop) -> None:
    report = shop.apply(HARMLESS, task=WORD)
    assert report.outcome is Outcome.COMMITTED
    done = erased(shop, report, match=NAME)
    assert done.exit_code == 1
    (remain,) = done.remains
    assert remain.place == f"git objects: commit {str(report.commit)[:12]}"
    assert holding(shop, *forms_of(NAME)) == []
    assert verify_run(shop.repository(), folder_of(shop, report)).ok


def test_a_line_of_the_chain_is_never_touched_and_always_named(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    trace = folder_of(shop, report).path / "trace.jsonl"
    lines = trace.read_bytes()
    done = erased(shop, report, match="notes.txt")
    assert trace.read_bytes().startswith(lines)
    assert any("line " in one.place and "of the trace" in one.place for one in done.remains)
    assert any(one.place.startswith("receipt.json") for one in done.remains)
    assert done.exit_code == 1


def test_another_run_s_payload_of_the_same_bytes_stays_and_is_named(shop: Shop) -> None:
    first, second = (
        shop.apply(HARMLESS, task=WORD, dry_run=True),
        shop.apply(HARMLESS, task=WORD, dry_run=True),
    )
    one, two = (payloads_of(read_trace(folder_of(shop, each).path))[0] for each in (first, second))
    assert one.commitment != two.commitment, "salted: nobody sees that they are the same"
    done = erased(shop, first, match=NAME)
    assert read_run(folder_of(shop, second)).report.task == WORD
    assert any(second.run in each.place for each in done.remains)
    assert done.exit_code == 1
    assert erased(shop, second, match=NAME).erased


def test_erasing_twice_records_once(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    erased(shop, report, blobs=("task",))
    lines = (folder_of(shop, report).path / "trace.jsonl").read_bytes()
    again = erased(shop, report, blobs=("task",))
    assert [one.erased for one in again.erased] == [True]
    assert (folder_of(shop, report).path / "trace.jsonl").read_bytes() == lines


def test_a_run_somebody_drives_is_left_alone(shop: Shop) -> None:
    report = shop.apply(HARMLESS)
    folder = folder_of(shop, report)
    before = holding(shop, b"Change something")
    with Journal.open(folder.path, FixedClock()), pytest.raises(JournalBusy):
        erased(shop, report, everything=True)
    assert holding(shop, b"Change something") == before


def test_a_run_of_no_repository_is_erased_in_its_folder(shop: Shop) -> None:
    report = shop.apply(HARMLESS, task=WORD)
    folder = folder_of(shop, report)
    done = erase(None, folder, EraseRequest(actor="rita", match=NAME))
    assert (len(done.erased), done.remains) == (1, ())


# --- a text that is nowhere ------------------------------------------------------------------------------------


def told(done: Erasure, *, dry_run: bool = False) -> str:
    return " ".join(
        "".join(part.text for part in line.spans) for line in erase_page(done, dry_run=dry_run).lines
    )


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_text_that_is_nowhere_is_no_success_and_says_what_was_searched(
    shop: Shop, *, dry_run: bool
) -> None:
    report = shop.apply(HARMLESS, task=WORD)
    erased(shop, report, blobs=("patch.proposal",))
    trace = folder_of(shop, report).path / "trace.jsonl"
    before = trace.read_bytes()
    done = erased(shop, report, match="Jane Reo-Smith", dry_run=dry_run)
    assert (done.exit_code, done.erased, done.cleared, done.remains) == (2, (), (), ())
    assert trace.read_bytes() == before
    there, gone = (sum(one.erased is erased for one in done.payloads) for erased in (False, True))
    assert gone > 0
    said = told(done, dry_run=dry_run)
    assert f"Nothing matched: the text is in none of the {there} payloads of run {report.run}" in said
    assert f"{gone} payload{'s' * (gone > 1)} could not be searched: erased before, or missing." in said
    assert "Nothing was erased." in said
    assert "clones and what was copied elsewhere cannot be searched" in said
    assert "Jane Reo-Smith" not in said + str(erase_page(done, dry_run=dry_run).data)


def test_a_text_that_only_a_copy_of_ours_holds_is_found_and_goes(shop: Shop) -> None:
    report = failed(shop)
    verdict = next(one for one in stored(shop.repository()) if one.kind is StoredKind.VERDICTS)
    erased(shop, report, match=SAID)
    verdict.path.parent.mkdir(parents=True, exist_ok=True)
    verdict.path.write_text(SAID)
    planned = erased(shop, report, match=SAID, dry_run=True)
    assert planned.exit_code == 0
    assert any(one.endswith(verdict.path.name) for one in planned.cleared)
    done = erased(shop, report, match=SAID)
    assert (done.exit_code, done.matched_nothing) == (0, False), done.remains
    assert erased(shop, report, match=SAID).exit_code == 2, "now it is nowhere"


def test_a_file_laid_beside_an_idle_work_tree_goes_with_it(shop: Shop) -> None:
    report = failed(shop)
    slot = next(one for one in stored(shop.repository()) if one.kind is StoredKind.SLOT)
    (slot.path / "notes.txt").write_text("Jane Reo-Smith")
    done = erased(shop, report, match="Jane Reo-Smith")
    assert (done.exit_code, done.remains) == (0, ())
    assert f"slot {slot.name}" in done.cleared
    assert [path.name for path in slot.path.iterdir()] == ["lock"]


def test_a_text_that_is_only_where_nothing_can_be_erased_is_said_to_match_no_payload(shop: Shop) -> None:
    report = shop.apply(HARMLESS, task=WORD)
    erased(shop, report, match=NAME)
    again = erased(shop, report, match=NAME)
    assert again.exit_code == 1
    assert f"Nothing matched here: no payload of run {report.run} holds the text; it is in 1 place" in told(
        again
    )


def test_what_was_named_goes_though_the_text_is_nowhere(shop: Shop) -> None:
    report = shop.apply(HARMLESS, task=WORD)
    done = erased(shop, report, blobs=("task",), match="nobody wrote this")
    assert ([one.name for one in done.erased], done.exit_code) == (["request.task"], 2)
    assert "Only what was named was erased: 1 payload." in told(done)


# --- death --------------------------------------------------------------------------------------------------------


def test_killed_anywhere_it_is_done_or_not_begun_after_recovery(shop: Shop) -> None:
    """Never an event whose payload stays, never a payload gone without its event."""
    killed = 0
    for number in range(0, 200, 2):
        report = shop.apply(HARMLESS, task=WORD, dry_run=True)
        folder = folder_of(shop, report)
        request = EraseRequest(actor="rita", blobs=("task", "patch"))
        if not killed_at_call(number, lambda: erase(shop.repository(), folder, request)):  # noqa: B023 - called now
            break
        killed += 1
        recover_everything(shop.repository())
        assert list((shop.repository().state_dir / "erasing").glob("*")) == []
        gone = {one.commitment for one in payloads_of(read_trace(folder.path)) if one.erased}
        for one in payloads_of(read_trace(folder.path)):
            for kind in ("blobs", "salts"):
                assert (folder.path / kind / one.commitment).exists() == (one.commitment not in gone), number
        found = verify_run(shop.repository(), folder)
        assert found.ok, number
        assert not [check for check in found.checks if check.name == "erased" and check.mark == "unchecked"]
    assert killed >= 5


def test_recovery_forgets_caches_an_erasure_did_not_get_to(shop: Shop) -> None:
    report = failed(shop)
    pending = shop.repository().state_dir / "erasing"
    pending.mkdir()
    (pending / report.run).write_text("{}")
    (pending / "20000101-000000000-gone").write_text("{}")
    with Journal.open(folder_of(shop, report).path, FixedClock()):
        assert len(finish_erasing(shop.repository())) == 1, "the one that is driven waits"
    assert finish_erasing(shop.repository()) == (
        f"run {report.run}: finished an erasure that was interrupted",
    )
    assert not any(name.startswith("cache/") for name in holding(shop, *forms_of(SAID)))
    assert finish_erasing(shop.repository()) == ()


# --- git's objects --------------------------------------------------------------------------------------------------


def test_objects_are_searched_in_batches_reachable_or_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        cwd=shop.root,
        input=b"x zebra y",
        capture_output=True,
        check=True,
    ).stdout.decode()
    monkeypatch.setattr(object_search, "_AT_ONCE", 64)
    assert object_search.objects_holding(shop.repository(), [b"zebra"]) == (f"blob {loose.strip()}",)
    monkeypatch.setattr(object_search, "_MOST", 10)
    with pytest.raises(object_search.TooMuch):
        object_search.objects_holding(shop.repository(), [b"zebra"])
    report = shop.apply(HARMLESS)
    (remain,) = [one for one in erased(shop, report, match="zebra").remains if "git" in one.place]
    assert "were not searched" in remain.place


# --- the canary law, for a real run -----------------------------------------------------------------------------------


def test_nothing_of_the_user_s_environment_reaches_gates_traces_or_reports(
    shop: Shop, tmp_path: Path
) -> None:
    cast("dict[str, str]", shop.project.environ).update(
        {
            "ANTHROPIC_API_KEY": "canary-key-1234",
            "GITHUB_TOKEN": "canary-token-1234",
            "SECRET_PLAN": "canary-plan",
        }
    )
    patch = replacing(
        "src/shop/cart.py",
        "    return sum(prices)\n",
        "    import os\n\n    raise ValueError(repr(sorted(os.environ.items())))\n",
    )
    report = shop.apply(patch, policy=TESTS_ONLY)
    assert report.outcome is Outcome.REJECTED
    record = read_run(folder_of(shop, report))
    outputs = b"".join(record.outputs.values())
    assert b"PYTHONDONTWRITEBYTECODE" in outputs, "the environment was seen, and this is all of it"
    everything = json.dumps(report.to_json()).encode() + outputs + repr(record).encode()
    assert b"canary" not in everything
    assert holding(shop, b"canary") == []


def test_a_run_begun_by_an_older_version_is_read_with_its_own_words(shop: Shop) -> None:
    """Its verdicts hold their messages themselves, and no event says that texts are beside them."""
    verdict = {"gate": "tests", "notes": ["n"], "hint": "h", "new_failures": [{"id": "a", "message": "m"}]}
    facts = {"check": {"tests": {"verdicts": (verdict,)}, "extra": 3}, "stage": {"explanation": "e"}}
    made = restored(facts, Story(), lambda _commitment: None)
    assert made["check"]["tests"]["verdicts"][0]["new_failures"] == [
        {"id": "a", "message": "m", "detail": ""}
    ]
    assert (made["check"]["tests"]["verdicts"][0]["notes"], made["stage"]) == (["n"], {"explanation": "e"})


def test_whoever_does_not_own_a_run_reads_marks(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "ghp_" + "a1B2" * 9
    report = shop.apply(replacing("notes.txt", "two\n", f"{key}\n"), task=f"Use {key}", dry_run=True)
    assert key in read_run(folder_of(shop, report)).report.task
    monkeypatch.setattr("os.getuid", lambda: folder_of(shop, report).path.stat().st_uid + 1)
    record = read_run(folder_of(shop, report))
    assert record.report.task == "Use [redacted: github token]"
    assert key.encode() not in record.patch
    assert b"[redacted: github token]" in record.patch
