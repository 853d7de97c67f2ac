"""The first and only code of ours that runs inside the sandbox, started as `python -I -S -B launch.py`.

It reads its instructions (JSON) from descriptor 3, runs the project's set-up commands, and then becomes pytest
(`tests`), mypy (`types`), a command (`command`), what compiles test modules beforehand (`images`) or what only parses
(`syntax`). Flags -I and -S keep the current directory, `.pth` files, sitecustomize, usercustomize and PYTHON* variables
out until the tools are loaded. Standard library only, Python 3.8+; it is loaded by path and never installed into the
project's environment.
"""

# No pathlib, to start fast; tools are imported when their turn comes.
# ruff: noqa: PTH100, PTH101, PTH109, PTH118, PTH119, PTH120
from __future__ import annotations

import gc
import importlib.util
import json
import os
import re
import sys
from typing import Any, Callable, Dict, List

INPUT_FD = 3


def main() -> int:
    """Read the instructions and carry them out; the exit status is the tool's own."""
    # While a tool loads, nothing becomes garbage, and looking for it takes a tenth of the time. Tools that run foreign
    # code switch this on again before they load any.
    gc.disable()
    status = carry_out()
    # The interpreter would look twice through all a tool has loaded for garbage before it goes: a tenth of a second
    # for pytest. What runs at exit runs as ever.
    getattr(gc, "freeze", bool)()
    return status


def carry_out() -> int:
    """Read the instructions and do what they say."""
    with os.fdopen(INPUT_FD, "rb") as stream:
        instructions = json.loads(stream.read().decode("ascii"))
    places = dict(zip(instructions.pop("places"), sys.argv[1:]))  # noqa: B905 - not in Python 3.8
    displaced = any(before != now for before, now in places.items())
    instructions = translated(instructions, places)
    send = sibling("channel").open_channel(bytes.fromhex(instructions.pop("key")))
    root = os.getcwd()
    if displaced:
        put_first(root, instructions["staged_roots"])
    if not set_up(instructions["setup"], root, send):
        return 1
    if instructions["kind"] == "tests":
        return int(sibling("session").run_tests(instructions, root, send, sibling))
    if instructions["kind"] == "types":
        if displaced:
            instructions["argv"] = [answering_anew(one, places) for one in instructions["argv"]]
        return int(sibling("typecheck").run_mypy(instructions, root, send, sibling))
    gc.enable()
    if instructions["kind"] == "images":
        return int(sibling("images").make(instructions, send))
    if instructions["kind"] == "syntax":
        return int(sibling("syntax").read_all(instructions, send))
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


def put_first(root: str, roots: List[str]) -> None:
    """Let programs that are started from here import the staged code before any other.

    Where the tree is not mounted over the repository, an editable install leads to the user's checkout.
    """
    staged = [os.path.normpath(os.path.join(root, one)) for one in roots]
    for name in ("PYTHONPATH", "MYPYPATH"):
        before = [one for one in os.environ.get(name, "").split(":") if one]
        os.environ[name] = ":".join(staged + [one for one in before if one not in staged])


def answering_anew(argument: str, places: Dict[str, str]) -> str:
    """The argument, with what stands in for mypy's Python replaced by one that says paths as they are here."""
    flag = "--python-executable="
    if not argument.startswith(flag):
        return argument
    # What is lent is shown piece by piece; the directory they stand in is what is searched.
    moved = [
        (one, now)
        for one, now in places.items()
        if os.path.basename(one) == os.path.basename(now) and one != now
    ]
    around = {os.path.dirname(one): os.path.dirname(now) for one, now in moved}
    with open(argument[len(flag) :], encoding="utf-8") as stream:
        script = str(translated(stream.read(), {**around, **places}))
    path = os.path.join(os.environ["TMPDIR"], "search-directories")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(script)
    os.chmod(path, 0o500)
    return flag + path


def set_up(commands: List[List[str]], root: str, send: Callable[[Dict[str, Any]], None]) -> bool:
    """Run the project's set-up commands; False, and a record, if one fails."""
    if not commands:
        return True
    import subprocess  # noqa: PLC0415 - of use only here, and not quick to load

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
