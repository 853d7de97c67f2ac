"""The MCP server: its tools and resources, put together as the owner allows.

Each asks the desk, in a thread, and can be called off. Unexpected trouble is ours and reads as such; what the desk
refuses reaches the client in plain words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

from dev_agent import __version__
from dev_agent.mcp.asking import Asking
from dev_agent.mcp.changing import add_approving, add_changing, add_programs
from dev_agent.mcp.desk import Desk
from dev_agent.mcp.reading import add_reading
from dev_agent.mcp.resources import add_resources
from dev_agent.mcp.traffic import Traffic

_INSTRUCTIONS = """\
Changes to this repository are made by propose_change and in no other way: give the task and the edits, as a unified \
diff, SEARCH/REPLACE blocks, a *** Begin Patch envelope, whole files or JSON operations. They are staged apart, judged \
by policy, mypy and pytest in a sandbox, and become one commit or nothing. If the outcome is rejected, `gates` and \
`explanation` say what newly fails: mend the edits, against the unchanged base, and propose again. check_change judges \
without landing."""


def server_of(
    desk: Desk,
    *,
    who: Callable[[Context], str],
    traffic: Traffic | None = None,
    auth: Mapping[str, Any] | None = None,
) -> MCPServer:
    """The server with its tools and resources. `who` names the client of a request, by its transport.

    Tools that could change something are not even there on a server that only reads, nor approvals unless allowed.
    """
    server = MCPServer(
        "dev-agent",
        title="dev-agent",
        instructions=_INSTRUCTIONS,
        version=__version__,
        log_level="ERROR",
        **dict(auth or {}),
    )
    ask = Asking(who=who, traffic=traffic or Traffic())
    add_reading(server, desk, ask)
    if not desk.access.read_only:
        add_changing(server, desk, ask)
        if desk.access.programs:
            add_programs(server, desk, ask)
        if desk.access.approvals:
            add_approving(server, desk, ask)
    add_resources(server, desk, ask)
    return server
