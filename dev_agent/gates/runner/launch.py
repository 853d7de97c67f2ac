"""The first and only code of ours that runs inside the sandbox, started as `python -I -S -B launch.py`.

It reads its instructions (JSON) from descriptor 3, runs the project's set-up commands, and then becomes pytest
(`tests`), mypy (`types`) or a command (`command`). Flags -I and -S keep the current directory, `.pth` files,
sitecustomize, usercustomize and PYTHON* variables out until the tools are loaded. Standard library only,
Python 3.8+; it is loaded by path and never installed into the project's environment.
"""

# No pathlib, to start fast; tools are imported when their turn comes.
# ruff: noqa: PTH100, PTH109, PTH118, PTH120
from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from typing import Any, Callable, Dict, List

INPUT_FD = 3


def main() -> int:
    """Read the instructions and carry them out; the exit status is the tool's own."""
    with os.fdopen(INPUT_FD, "rb") as stream:
        instructions = json.loads(stream.read().decode("ascii"))
    places = dict(zip(instructions.pop("places"), sys.argv[1:]))  # noqa: B905 - not in Python 3.8
    instructions = translated(instructions, places)
    send = sibling("channel").open_channel(bytes.fromhex(instructions.pop("key")))
    root = os.getcwd()
    if not set_up(instructions["setup"], root, send):
        return 1
    if instructions["kind"] == "tests":
        return int(sibling("session").run_tests(instructions, root, send, sibling))
    if instructions["kind"] == "types":
        return int(sibling("typecheck").run_mypy(instructions, root, send))
    send({"type": "ready"})
    os.closerange(3, 5)
    argv = instructions["argv"]
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - an argv is what is wanted
    except OSError as error:
        sys.stderr.write("%s: %s\n" % (argv[0], error.strerror or error))
        return 127


def sibling(name: str) -> Any:
    """The module `name` lying beside this one, under a name no project has."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec = importlib.util.spec_from_file_location("_dev_agent_runner_" + name, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def translated(value: Any, places: Dict[str, str]) -> Any:
    """The instructions with every place in them said as it is found here; the same unless nothing is mounted."""
    if all(before == now for before, now in places.items()):
        return value
    # Also those that did not move: `/repo/.venv` may stay where it is while `/repo` around it is a copy.
    names = sorted(places, key=len, reverse=True)
    pattern = re.compile("(^|[=:,'])(%s)(?=$|[/:,'])" % "|".join(map(re.escape, names)))

    def said(one: Any) -> Any:
        if isinstance(one, str):
            return pattern.sub(lambda found: found.group(1) + places[found.group(2)], one)
        if isinstance(one, list):
            return [said(each) for each in one]
        if isinstance(one, dict):
            return {name: said(each) for name, each in one.items()}
        return one

    return said(value)


def set_up(commands: List[List[str]], root: str, send: Callable[[Dict[str, Any]], None]) -> bool:
    """Run the project's set-up commands; False, and a record, if one fails."""
    for argv in commands:
        try:
            code = subprocess.call(argv, cwd=root, stdin=subprocess.DEVNULL)
        except OSError as error:
            sys.stderr.write("%s: %s\n" % (argv[0], error.strerror or error))
            code = 127
        if code != 0:
            send({"type": "setup_failed", "argv": argv, "code": code})
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
