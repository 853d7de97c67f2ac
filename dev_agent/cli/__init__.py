"""The command line: one file per command; each parses, calls one library function, shows the answer.

Rules kept here:
- no logic: what a command decides is decided in `dev_agent.programs`; a command returns the exit code it is
  given;
- a command's module, and whatever it needs, is imported only when the command is used (`app.COMMANDS`);
- the environment and the terminal are read here and nowhere below;
- every string that came from a repository, a patch or a tool is escaped before it is shown (`output.escape`);
- results go to stdout, progress and failures to stderr; with `--json` stdout holds exactly one object.
"""
