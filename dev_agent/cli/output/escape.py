"""What keeps a terminal from obeying text that others wrote. The bots' Markdown needs the same, so it lives below us."""

from __future__ import annotations

from dev_agent.visible import escape_line, escape_lines

__all__ = ["escape_line", "escape_lines"]
