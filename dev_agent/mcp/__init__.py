"""The MCP server: other agents propose, and what they propose is staged, judged and landed as anybody's.

Thin on purpose: a tool is a command line, run as a process of its own, and its answer is that command's JSON. Nothing
is decided here but who may ask for what.
"""
