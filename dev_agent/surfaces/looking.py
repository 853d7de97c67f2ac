"""How `dev-agent console` tells its pages what they look at: one variable of the environment, holding JSON."""

from __future__ import annotations

import json
from pathlib import Path

VARIABLE = "DEV_AGENT_CONSOLE"


def told(root: Path, *, approvals: bool) -> str:
    """What stands in the variable."""
    return json.dumps({"root": str(root), "approvals": approvals})
