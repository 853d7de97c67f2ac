"""What the MCP server and the console share: a command of ours, run as a process of its own."""
