"""A proof that is not whole is found, and what is wrong is named."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dev_agent.errors import UsageFault
from dev_agent.programs.folders import RunFolder, find_run
from dev_agent.programs.proof import Mark, VerifyReport
from dev_agent.programs.receipt import receipt_of
from dev_agent.programs.report import Outcome
from dev_agent.programs.story import told
from dev_agent.programs.verify import verify_file, verify_run
from dev_agent.repository.refs import ANCHORS, RECEIPTS, drop_ref
from dev_agent.runtime.trace import Journal, read_trace
from tests.programs.conftest import HARMLESS, Shop


@pytest.fixture
def landed(shop: Shop) -> RunFolder:
    report = shop.apply(HARMLESS)
    assert report.outcome is Outcome.COMMITTED
    return find_run(shop.repository(), report.run)


def _marks(report: VerifyReport) -> dict[str, Mark]:
    return {check.name: check.mark for check in report.checks}


def test_a_landed_run_is_proved_in_every_respect(shop: Shop, landed: RunFolder) -> None:
    report = verify_run(shop.repository(), landed)
    assert report.ok
    assert {name for name, mark in _marks(report).items() if mark is Mark.OK} == {
        "chain",
        "anchors",
        "receipt",
        "commit",
        "attached receipt",
        "anchored landing",
    }


def test_the_receipt_is_a_function_of_the_trace(landed: RunFolder) -> None:
    events = read_trace(landed.path)
    receipt = landed.receipt.read_bytes()
    assert receipt_of(events) == receipt == receipt_of(events)
    statement = json.loads(receipt)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert [one["name"] for one in statement["subject"]] == ["commit", "tree", "change.patch"]
    assert statement["predicate"]["outcome"] == "landed"
    assert statement["predicate"]["trace"]["head"]["sha256"] == told(events).head


def test_the_receipt_holds_no_path_of_this_machine_and_no_task(shop: Shop, landed: RunFolder) -> None:
    receipt = landed.receipt.read_text()
    assert str(shop.root) not in receipt
    assert "Change something" not in receipt
    assert "ann@example.com" not in (landed.path / "trace.jsonl").read_text()


def test_an_edited_event_is_named(shop: Shop, landed: RunFolder) -> None:
    trace = landed.path / "trace.jsonl"
    lines = trace.read_bytes().splitlines(keepends=True)
    lines[5] = lines[5].replace(b'"attempt":1', b'"attempt":2')
    trace.write_bytes(b"".join(lines))
    report = verify_run(shop.repository(), landed)
    assert not report.ok
    assert report.first_bad == 5


def test_a_cut_tail_shows_by_the_anchors(shop: Shop, landed: RunFolder) -> None:
    trace = landed.path / "trace.jsonl"
    lines = trace.read_bytes().splitlines(keepends=True)
    trace.write_bytes(b"".join(lines[:-3]))
    report = verify_run(shop.repository(), landed)
    assert not report.ok
    assert _marks(report)["chain"] is Mark.BAD


def test_an_edited_receipt_is_not_what_the_trace_gives(shop: Shop, landed: RunFolder) -> None:
    landed.receipt.write_bytes(landed.receipt.read_bytes().replace(b'"landed"', b'"LANDED"'))
    report = verify_run(shop.repository(), landed)
    assert [check.name for check in report.checks if check.mark is Mark.BAD] == ["receipt"]


def test_a_landing_whose_anchors_are_gone_is_not_called_proved(shop: Shop, landed: RunFolder) -> None:
    drop_ref(shop.repository(), ANCHORS)
    report = verify_run(shop.repository(), landed)
    assert _marks(report)["anchors"] is Mark.UNCHECKED
    assert _marks(report)["anchored landing"] is Mark.BAD
    assert not report.ok


def test_a_missing_attached_receipt_is_said(shop: Shop, landed: RunFolder) -> None:
    drop_ref(shop.repository(), RECEIPTS)
    assert _marks(verify_run(shop.repository(), landed))["attached receipt"] is Mark.UNCHECKED


def test_a_commit_that_is_gone_is_said(shop: Shop, landed: RunFolder) -> None:
    commit = shop.head()
    drop_ref(shop.repository(), RECEIPTS)
    shop.project.git("update-ref", "refs/heads/main", f"{commit}^")
    (shop.project.git_dir / "objects" / commit[:2] / commit[2:]).unlink()
    report = verify_run(shop.repository(), landed)
    assert _marks(report)["commit"] is Mark.BAD


def test_the_folder_alone_can_be_verified_anywhere(landed: RunFolder) -> None:
    report = verify_file(landed.path, None)
    assert report.ok
    assert _marks(report)["anchors"] is Mark.UNCHECKED
    assert _marks(report)["receipt"] is Mark.OK


def test_a_lone_receipt_is_compared_with_its_run(shop: Shop, landed: RunFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    copy.write_bytes(landed.receipt.read_bytes())
    assert verify_file(copy, shop.repository()).ok
    copy.write_bytes(
        landed.receipt.read_bytes()
        .replace(b'"passedCount":0', b'"passedCount":9')
        .replace(b"landed", b"Landed")
    )
    assert _marks(verify_file(copy, shop.repository()))["given file"] is Mark.BAD
    with pytest.raises(UsageFault, match="whose trace is not here"):
        verify_file(copy, None)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\x00", b'{"predicate": 5}', b"[" * 100_000])
def test_what_is_no_receipt_is_refused_without_a_traceback(
    shop: Shop, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "thing.json"
    path.write_bytes(content)
    with pytest.raises(UsageFault, match="not a receipt"):
        verify_file(path, shop.repository())


def test_a_receipt_is_signed_with_the_users_key(shop: Shop, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"ann@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in (
        ("gpg.format", "ssh"),
        ("user.signingkey", str(key)),
        ("gpg.ssh.allowedSignersFile", str(signers)),
    ):
        shop.project.git("config", name, value)
    report = shop.apply(HARMLESS)
    folder = find_run(shop.repository(), report.run)
    assert _marks(verify_run(shop.repository(), folder))["signature"] is Mark.OK
    envelope = json.loads(folder.envelope.read_bytes())
    signature = envelope["signatures"][0]["sig"]
    envelope["signatures"][0]["sig"] = (
        signature[:200] + ("A" if signature[200] != "A" else "B") + signature[201:]
    )
    folder.envelope.write_text(json.dumps(envelope))
    assert _marks(verify_run(shop.repository(), folder))["signature"] is Mark.BAD


def test_a_trace_that_was_written_anew_is_not_the_one_the_commit_names(
    shop: Shop, landed: RunFolder, tmp_path: Path
) -> None:
    """Somebody who rewrites chain, anchors and receipt still cannot change what the commit says."""
    events = read_trace(landed.path)
    forged = tmp_path / landed.run
    with Journal.create(forged, landed.run, events[0].data["binding"], _Frozen()) as journal:  # type: ignore[arg-type]
        for event in events[1:]:
            payloads = {blob.role: b"x" * blob.length for blob in event.blobs}
            journal.append(event.type, event.data, actor=event.actor, blobs=payloads)
    (forged / "receipt.json").write_bytes(receipt_of(read_trace(forged)))
    drop_ref(shop.repository(), ANCHORS)
    drop_ref(shop.repository(), RECEIPTS)
    report = verify_run(shop.repository(), RunFolder(run=landed.run, path=forged))
    assert _marks(report)["chain"] is Mark.OK
    assert _marks(report)["receipt"] is Mark.OK
    assert _marks(report)["commit"] is Mark.BAD


class _Frozen:
    def now(self) -> str:
        return "2026-01-02T03:04:05.000Z"


def test_a_head_noted_elsewhere_shows_a_cut_and_a_rewritten_trace_without_any_repository(
    shop: Shop, landed: RunFolder
) -> None:
    trace = landed.path / "trace.jsonl"
    lines = trace.read_bytes().splitlines(keepends=True)
    head = verify_file(landed.path, None).head
    middle = json.loads(lines[4])["hash"]
    assert verify_file(landed.path, None, head=head).ok
    assert verify_file(trace, None, head=middle.upper()).ok

    trace.write_bytes(b"".join(lines[:-3]))
    cut = verify_file(landed.path, None, head=head)

    assert _marks(cut)["chain"] is Mark.OK
    assert _marks(cut)["noted head"] is Mark.BAD
    assert _marks(verify_file(landed.path, None, head=middle))["noted head"] is Mark.OK
    with pytest.raises(UsageFault, match="is no head of a trace"):
        verify_file(landed.path, None, head="deadbeef")
