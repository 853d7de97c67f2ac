"""The real client against the real server: what an agent proposes is judged, and lands or leaves nothing."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

import dev_agent
from dev_agent.mcp.access import Access, places_of, programs_of
from dev_agent.mcp.clients import LOCAL
from dev_agent.mcp.desk import desk_for
from dev_agent.mcp.server import server_of
from dev_agent.mcp.traffic import Traffic
from dev_agent.repository.discovery import discover
from dev_agent.surfaces.command import Commands
from tests.cli.test_scenarios import GOOD, UNTYPED, WRONG, tiny
from tests.cli.test_scenarios import dev_agent as dev_agent_run
from tests.programs.hosting.stage import Stage
from tests.testing.children import ends
from tests.testing.repos import Project

__all__ = ["tiny"]  # the fixture

ASKING = """
name = "asking"
version = 1
[[rules]]
name = "look"
when = "files > 0"
then = "ask"
because = "somebody looks at everything here"
"""
READING = {
    *("check_change", "list_runs", "get_run", "get_trace", "get_receipt"),
    *("verify_receipt", "explain_policy", "get_context"),
}
ROOT = str(Path(dev_agent.__file__).parents[1])


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    anyio.run(scenario)


@asynccontextmanager
async def connected(project: Project, client: str = LOCAL, **access: Any) -> AsyncIterator[Client]:
    """A client of a server in this process."""
    repository = discover(project.root, project.environ)
    commands = Commands(environ=project.environ)
    desk = desk_for(
        [repository],
        Access(places=places_of([repository]), **access),
        commands,
        project.root.parent / "programs",
    )
    async with Client(server_of(desk, who=lambda _context: client, traffic=Traffic(jobs=2))) as session:
        yield session


async def said(session: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = await session.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert isinstance(answer.structured_content, dict)
    return answer.structured_content


async def refused(session: Client, tool: str, **arguments: Any) -> str:
    answer = await session.call_tool(tool, arguments)
    assert answer.is_error, answer.structured_content
    return str(getattr(answer.content[0], "text", ""))


def test_a_proposal_is_mended_by_what_it_was_told_and_lands_once(tiny: Project) -> None:
    async def scenario() -> None:
        before = tiny.snapshot()
        async with connected(tiny) as session:
            steps: list[str] = []

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                steps.append(message or "")

            answer = await session.call_tool(
                "propose_change", {"task": "Double by product", "edits": WRONG}, progress_callback=on_progress
            )
            red = answer.structured_content or {}
            assert (red["outcome"], red["exit_code"]) == ("rejected", 1)
            (failure,) = [
                one for gate in red["gates"] for one in gate["new_failures"] if gate["name"] == "tests"
            ]
            assert failure["id"].startswith("test_tiny.py::")
            assert "stage" in steps
            assert any(step.startswith("check tests") for step in steps)
            assert tiny.snapshot() == before

            arguments = {"task": "Double by product", "edits": GOOD, "idempotency_key": "k-1"}
            green = await said(session, "propose_change", **arguments)
            again = await said(session, "propose_change", **arguments)
            assert green["outcome"] == "committed"
            assert (again["run"], again["commit"]) == (green["run"], green["commit"])
            assert tiny.git("rev-parse", "HEAD").strip() == green["commit"]
            other = await refused(session, "propose_change", **{**arguments, "edits": UNTYPED})
            assert "another request" in other

            proof = await said(session, "verify_receipt", run=green["run"])
            assert proof["ok"]
            receipt = await said(session, "get_receipt", run=green["run"])
            assert receipt["receipt"]["predicate"]["outcome"] == "landed"
            part = await said(session, "get_trace", run=green["run"], first=2, limit=3)
            assert [one["seq"] for one in part["events"]] == [2, 3, 4]
            assert part["next"] == 5
            diff = await session.read_resource(f"run://{tiny.root.name}/{green['run']}/diff")
            assert "2 * number" in getattr(diff.contents[0], "text", "")

            undone = await said(session, "undo", run=green["run"])
            assert undone["outcome"] == "committed"
            assert tiny.git("rev-parse", "HEAD^{tree}") == tiny.git("rev-parse", "HEAD~2^{tree}")

    run(scenario)


def test_a_server_that_only_reads_has_no_tool_that_changes_and_judges_all_the_same(tiny: Project) -> None:
    async def scenario() -> None:
        before = tiny.snapshot()
        async with connected(tiny, read_only=True, approvals=True) as session:
            tools = (await session.list_tools()).tools
            assert {tool.name for tool in tools} == READING
            assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools)
            assert all(tool.output_schema for tool in tools)
            assert await refused(session, "propose_change", task="x", edits=GOOD)
            judged = await said(session, "check_change", edits=GOOD)
            assert judged["outcome"] == "verified"
            assert "give either edits or commits" in await refused(session, "check_change")
            facts = await said(session, "explain_policy", edits=GOOD)
            assert facts["verdict"] == "allow"
            shown = await said(session, "get_context", task="double a number", budget=500)
            assert shown["sections"][0]["path"] == "tiny.py"
        assert tiny.snapshot() == before

    run(scenario)


HOSTILE: list[dict[str, Any]] = [
    {"task": "--policy=/tmp/lax.toml", "edits": GOOD},
    {"task": "--sandbox=off", "edits": GOOD},
    {"task": "x", "edits": GOOD, "branch": "--sandbox=off"},
    {"task": "x", "edits": GOOD, "branch": "a..b"},
    {"task": "x", "edits": GOOD, "must_pass": ["--policy=lax"]},
    {"task": "", "edits": GOOD},
    {"task": "nul \0 byte", "edits": GOOD},
    {"task": "x" * 25_000, "edits": GOOD},
    {"task": "x" * 200_000, "edits": GOOD},
    {"task": "x", "edits": ""},
    {"task": "x", "edits": "--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n"},
    {"task": "x", "edits": GOOD, "repository": "/etc"},
]


def test_no_argument_of_a_client_is_an_option_a_path_or_a_crash(tiny: Project) -> None:
    """A task that looks like an option is a task: that one may land, with those words as its message."""

    async def scenario() -> None:
        async with connected(tiny) as session:
            for arguments in HOSTILE:
                answer = await session.call_tool("propose_change", {**arguments, "dry_run": True})
                text = json.dumps(answer.structured_content) + str(answer.content)
                assert "Traceback" not in text, arguments
                assert "unexpected" not in text.lower(), arguments
            for run_id in ("last", "../../x", "-h", "", "20261122", "20261122-000000000-00000000"):
                for tool in ("get_run", "get_trace", "get_receipt", "verify_receipt", "undo"):
                    assert "run" in await refused(session, tool, run=run_id)
            runs = await said(session, "list_runs", limit=100)
            by_task = {one["task"]: one["outcome"] for one in runs["runs"]}
            assert by_task["--sandbox=off"] == "verified"

    run(scenario)
    assert tiny.git("status", "--porcelain") == ""


def test_a_client_of_a_network_neither_sees_nor_undoes_the_run_of_another(tiny: Project) -> None:
    async def scenario() -> None:
        async with connected(tiny, client="laptop") as session:
            mine = await said(session, "propose_change", task="Double by product", edits=GOOD)
        async with connected(tiny, client="ci") as session:
            assert (await said(session, "list_runs"))["runs"] == []
            for tool in ("get_run", "get_trace", "get_receipt", "verify_receipt", "undo"):
                assert "there is no run" in await refused(session, tool, run=mine["run"])
            with pytest.raises(Exception, match=r"(?i)resource|no run"):
                await session.read_resource(f"run://{tiny.root.name}/{mine['run']}/diff")
        async with connected(tiny, client="laptop") as session:
            assert [one["run"] for one in (await said(session, "list_runs"))["runs"]] == [mine["run"]]

    run(scenario)


def test_a_call_that_is_called_off_ends_its_command_and_leaves_nothing(tiny: Project) -> None:
    """The gates are made to hang, so that there is something to call off."""
    (tiny.root / "conftest.py").write_text("import time\ndef pytest_collection():\n    time.sleep(600)\n")
    tiny.git("add", "-A")
    tiny.git("commit", "-qm", "hang")

    async def scenario() -> None:
        async with connected(tiny) as session:
            before = tiny.snapshot()
            async with anyio.create_task_group() as group:
                reached = anyio.Event()

                async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                    if message == "check":
                        reached.set()

                async def call() -> None:
                    arguments = {"task": "Double by product", "edits": GOOD}
                    await session.call_tool("propose_change", arguments, progress_callback=on_progress)

                group.start_soon(call)
                await reached.wait()
                group.cancel_scope.cancel()
            # One command at a time is let through after it: the called-off one is over when this answers.
            runs = (await said(session, "list_runs"))["runs"]
            while runs[0]["outcome"] == "running":
                runs = (await said(session, "list_runs"))["runs"]
            assert runs[0]["outcome"] == "interrupted"
            assert tiny.snapshot() == before

    run(scenario)


@pytest.mark.kill
def test_a_killed_server_takes_its_command_with_it_and_nothing_is_left_half_done(tiny: Project) -> None:
    (tiny.root / "conftest.py").write_text("import time\ndef pytest_collection():\n    time.sleep(600)\n")
    tiny.git("add", "-A")
    tiny.git("commit", "-qm", "hang")
    before = tiny.snapshot()
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    arguments = {"task": "Double by product", "edits": GOOD}
    call = {"name": "propose_change", "arguments": arguments, "_meta": {"progressToken": 1}}
    asked = (
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": call},
    )
    with subprocess.Popen(
        [sys.executable, "-m", "dev_agent", "mcp", "-C", str(tiny.root)],
        env={**tiny.environ, "PYTHONPATH": ROOT},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for message in asked:
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
            server.stdin.flush()
        said = iter(server.stdout.readline, b"")
        assert any(json.loads(line).get("params", {}).get("message") == "check" for line in said)
        (command,) = commands_of(server.pid)
        server.kill()

    assert ends(command), "the command outlived its server"
    assert dev_agent_run(tiny, "recover").returncode == 0
    assert tiny.snapshot() == before
    (row,) = json.loads(dev_agent_run(tiny, "runs", "--json").stdout)["runs"]
    assert row["outcome"] == "interrupted"


def commands_of(server: int) -> set[int]:
    """The processes the server has started."""
    threads = Path(f"/proc/{server}/task").iterdir()
    return {int(pid) for thread in threads for pid in (thread / "children").read_text().split()}


def test_a_program_of_the_owner_is_run_and_answered_by_the_client_that_began_it_alone(
    tiny: Project, tmp_path: Path
) -> None:
    (tmp_path / "stage").mkdir()
    stage = Stage(folder=tmp_path / "stage").write()
    programs = programs_of([f"errand={stage.folder}/errand.toml,{stage.folder}/errands.py"])

    async def scenario() -> None:
        async with connected(tiny, client="laptop", programs=programs) as session:
            waits = await said(session, "run_program", name="errand", inputs={"amount": 2})
            assert (waits["outcome"], waits["awaited"]) == ("waiting", ["yes", "no"])
            wrong = await refused(session, "run_program", name="errand", inputs={"amount": "two"})
            assert "amount" in wrong
            assert "there is no program" in await refused(session, "run_program", name="/etc/passwd")
        answer = {
            "name": "errand",
            "run": waits["run"],
            "signal": "yes",
            "data": {"who": "Ada", "sure": True},
        }
        async with connected(tiny, client="ci", programs=programs) as session:
            assert "no run" in await refused(session, "step_program", **answer)
        async with connected(tiny, client="laptop", programs=programs) as session:
            ended = await said(session, "step_program", **answer)
            assert (ended["outcome"], ended["state"]) == ("finished", "delivered")

    run(scenario)
    assert stage.log() == ["prepare", "work", "finish Ada"]


def test_a_person_is_answered_for_only_where_the_owner_allows_it(tiny: Project) -> None:
    (tiny.root / "policy.toml").write_text(ASKING)
    with (tiny.root / "pyproject.toml").open("a") as config:
        config.write('[tool.dev-agent]\npolicy = "policy.toml"\n')
    tiny.git("add", "-A")
    tiny.git("commit", "-qm", "ask")

    async def scenario() -> None:
        async with connected(tiny, client="laptop") as session:
            waits = await said(session, "propose_change", task="Double", edits=GOOD)
            assert (waits["outcome"], waits["exit_code"]) == ("suspended", 5)
            assert "approve" not in {tool.name for tool in (await session.list_tools()).tools}
        async with connected(tiny, client="ci", approvals=True) as session:
            assert "there is no run" in await refused(session, "approve", run=waits["run"])
        async with connected(tiny, client="laptop", approvals=True) as session:
            landed = await said(session, "approve", run=waits["run"], reason="read it")
            assert landed["outcome"] == "committed"
            receipt = (await said(session, "get_receipt", run=waits["run"]))["receipt"]
            assert receipt["predicate"]["approvals"][0]["reason"] == "client laptop: read it"

    run(scenario)


def test_over_stdio_and_over_http_the_same_server_answers_and_http_wants_a_token(tiny: Project) -> None:
    environ = {**tiny.environ, "PYTHONPATH": ROOT}
    argv = ["-m", "dev_agent", "mcp", "-C", str(tiny.root)]
    token = "t" * 30

    async def over_stdio() -> None:
        parameters = StdioServerParameters(command=sys.executable, args=argv, env=dict(environ))
        async with Client(parameters) as session:
            judged = await said(session, "propose_change", task="Double", edits=GOOD, dry_run=True)
            assert judged["outcome"] == "verified"

    async def over_http(url: str) -> None:
        web = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=300)
        async with web, Client(streamable_http_client(url, http_client=web)) as session:
            assert (await said(session, "list_runs"))["runs"] == []
        async with httpx2.AsyncClient(timeout=300) as stranger:
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            assert (await stranger.post(url, json=body)).status_code == 401

    run(over_stdio)
    server = subprocess.Popen(
        [sys.executable, *argv, "--http", "0"],
        env={**environ, "DEV_AGENT_MCP_TOKEN": token},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        url = server.stderr.readline().split()[1]
        anyio.run(over_http, url)
    finally:
        server.terminate()
        rest = server.communicate(timeout=300)[1]
    assert (server.returncode, rest) == (0, "")


def test_a_server_without_a_token_or_with_a_port_in_use_does_not_start(tiny: Project) -> None:
    def started(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "dev_agent", "mcp", "-C", str(tiny.root), *words],
            env={**tiny.environ, "PYTHONPATH": ROOT, **more},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy = started("--http", str(taken.getsockname()[1]), DEV_AGENT_MCP_TOKEN="t" * 30)
    assert (busy.returncode, "cannot be listened on" in busy.stderr) == (2, True)
    open_door = started("--http", "0.0.0.0:0")
    assert (open_door.returncode, "no client has a token" in open_door.stderr) == (2, True)
