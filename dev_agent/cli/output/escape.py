"""What keeps a terminal from obeying text that others wrote; `visible` has it, for the bots' Markdown too."""

from __future__ import annotations

from dev_agent.visible import escape_line, escape_lines

__all__ = ["escape_line", "escape_lines"]
