"""Every method of the GitHub client against GitHub's own OpenAPI description, served and enforced by Prism.

    python -m tests.forges.contract.check http://127.0.0.1:PORT

A request the description does not allow is answered with an error, which is a failure here; an answer of the
description's own examples that we cannot read is one too. That a violation is seen at all is tried first. The methods
that have to be driven are those of the interface, so a new one that is not driven here fails as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace

from dev_agent.cancel import Cancel
from dev_agent.forges.check_runs import (
    MAX_ANNOTATIONS,
    Annotation,
    AnnotationLevel,
    CheckReport,
    CheckStatus,
    Conclusion,
    StatusReport,
    StatusState,
)
from dev_agent.forges.errors import ForgeFault
from dev_agent.forges.forge import Forge, Ref
from dev_agent.forges.github import GitHub
from dev_agent.forges.http import Http, SystemTime
from dev_agent.forges.repository_name import RepositoryName
from dev_agent.forges.threads import NewPullRequest, OpenState
from dev_agent.forges.token import Token

_SHA = "c5b97d5ae6c19d5c5df71a34c7fbeeda2479ccbc"
_NOTE = Annotation(
    path="src/a.py",
    start_line=1,
    end_line=2,
    level=AnnotationLevel.FAILURE,
    message="m",
    title="t",
    raw_details="r",
)
_DONE = CheckReport(
    name="dev-agent/verify",
    status=CheckStatus.COMPLETED,
    conclusion=Conclusion.FAILURE,
    title="2 tests fail",
    summary="s",
    text="t",
    external_id="run-1",
    details_url="https://example.com/receipt",
    annotations=(_NOTE,) * MAX_ANNOTATIONS,
)


def drives(forge: Forge) -> Mapping[str, Callable[[], object]]:
    """A call of every method, with everything it can send."""
    begun = replace(_DONE, status=CheckStatus.IN_PROGRESS, conclusion=None, annotations=())
    new = NewPullRequest(title="T", body="B", head="dev-agent/issue-12", base="main")
    status = StatusReport(
        context="dev-agent/verify",
        state=StatusState.SUCCESS,
        description="d",
        target_url="https://example.com/receipt",
    )
    return {
        "describe": forge.describe,
        "viewer": forge.viewer,
        "permission": lambda: forge.permission("octocat"),
        "issue": lambda: forge.issue(1),
        "comments": lambda: forge.comments(1),
        "comment": lambda: forge.comment(1),
        "create_comment": lambda: forge.create_comment(1, "body"),
        "update_comment": lambda: forge.update_comment(1, "body"),
        "pull_request": lambda: forge.pull_request(1),
        "pull_requests": lambda: [forge.pull_requests(head="topic", state=one) for one in (None, *OpenState)],
        "create_pull_request": lambda: forge.create_pull_request(new),
        "update_pull_request": lambda: forge.update_pull_request(1, title="T", body="B"),
        "check_runs": lambda: forge.check_runs(_SHA, name="dev-agent/verify"),
        "create_check_run": lambda: [
            forge.create_check_run(_SHA, replace(_DONE, conclusion=conclusion)) for conclusion in Conclusion
        ],
        "update_check_run": lambda: [forge.update_check_run(1, one) for one in (begun, _DONE)],
        "set_status": lambda: forge.set_status(_SHA, status),
        "ref": lambda: _there(forge.ref("refs/heads/featureA")),
        "compare": lambda: forge.compare("main", "topic"),
    }


def _there(ref: Ref | None) -> None:
    """The description's own example is this very ref; none would mean that the address was not understood."""
    if ref is None:
        raise ForgeFault("the ref of the description's example was not found")


def failures(forge: GitHub, http: Http) -> list[str]:
    """What the description does not allow, one line each."""
    found = []
    try:
        http.send("POST", "/repos/octo/shop/check-runs", {"name": "x", "status": "bogus"})
        found.append("a body that violates the description was not refused: nothing below proves anything")
    except ForgeFault as expected:
        sys.stdout.write(f"a violation is seen: {expected}\n")
    calls = drives(forge)
    declared = {name for name in vars(Forge) if not name.startswith("_")} - {"repository"}
    found += [f"{name} is not driven here" for name in sorted(declared ^ set(calls))]
    for name, call in calls.items():
        try:
            call()
        except ForgeFault as fault:
            found.append(f"{name}: {fault}")
        else:
            sys.stdout.write(f"{name}: as described\n")
    return found


def main(url: str) -> int:
    """Drive everything; 1 if anything failed."""
    http = Http(url, Token("contract-token"), cancel=Cancel(), clock=SystemTime(), patience_s=5)
    with GitHub(http, RepositoryName(owner="octo", name="shop")) as forge:
        found = failures(forge, http)
    sys.stdout.write("".join(f"FAILED {line}\n" for line in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
