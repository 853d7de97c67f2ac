"""A judged merge as SARIF 2.1.0 (OASIS), for code scanning and editors. Pure; the same report gives the same bytes.

A failure is an `error`, what a person has to see a `warning`, what is only noted a `note`. Files are relative to the
repository's top (`SRCROOT`), percent-encoded as the format wants URIs; JSON's own escapes keep text data.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import dev_agent
from dev_agent.forges.reports.remarks import Remark, Weight, remarks_of
from dev_agent.forges.reports.verdict import conclusion_of
from dev_agent.forges.text import cut

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Weight.FAILURE: "error", Weight.WARNING: "warning", Weight.NOTE: "note"}
_MOST = 5_000
"""Results a code host takes of one run."""
_LONGEST = 4_000


def sarif_of(report: MergeReport) -> bytes:
    """The log file: one run of one tool."""
    remarks = remarks_of(report)[:_MOST]
    rules = sorted({remark.rule for remark in remarks})
    run = {
        "tool": {
            "driver": {
                "name": "dev-agent",
                "semanticVersion": dev_agent.__version__,
                "rules": [{"id": _text(rule), "shortDescription": {"text": _text(rule)}} for rule in rules],
            }
        },
        "automationDetails": {"id": "dev-agent/premerge/"},
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "the top of the repository"}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(remark, rules.index(remark.rule)) for remark in remarks],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, sort_keys=True) + "\n").encode("ascii")


def _invocation(report: MergeReport) -> dict[str, Any]:
    """`executionSuccessful` is about the judging, not about the verdict: a red merge was judged well."""
    judged = conclusion_of(report)
    known = {"executionSuccessful": judged.is_verdict, "exitCode": report.exit_code}
    if known["executionSuccessful"]:
        return known
    note = {"level": "error", "message": {"text": _text(judged.text)}}
    return {**known, "toolExecutionNotifications": [note]}


def _result(remark: Remark, rule: int) -> dict[str, Any]:
    text = remark.message if remark.subject in ("", remark.message) else f"{remark.subject}: {remark.message}"
    made = {
        "ruleId": _text(remark.rule),
        "ruleIndex": rule,
        "level": _LEVELS[remark.weight],
        "message": {"text": _text(text)},
        "partialFingerprints": {"devAgent/v1": _fingerprint(remark)},
    }
    if not remark.path:
        return made
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(remark.path), "uriBaseId": "SRCROOT"}}
    if remark.line is not None:
        place["region"] = {"startLine": remark.line}
    return {**made, "locations": [{"physicalLocation": place}]}


def _fingerprint(remark: Remark) -> str:
    """The same for the same remark when lines above it move."""
    words = json.dumps([remark.rule, remark.path, remark.subject, remark.message])
    return hashlib.sha256(words.encode("ascii")).hexdigest()[:32]


def _uri(path: str) -> str:
    try:
        data = os.fsencode(path)
    except UnicodeEncodeError:
        data = path.encode("utf-8", "backslashreplace")
    # The colon too: a first segment with one would read as a scheme.
    return quote(data, safe="/")


def _text(text: str) -> str:
    """Never empty, which the format forbids, and without what is no Unicode."""
    return cut(text.encode("utf-8", "backslashreplace").decode(), _LONGEST) or "(no words)"
