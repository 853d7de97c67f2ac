"""One mypy run over the staged tree. Python 3.8+, any mypy that has `mypy.main.process_options`.

mypy is imported from the given directories only; the repository is not on sys.path, so that a `mypy.py` or a
`json.py` in it stays a file to be checked. A plugin that the base's configuration names and that lies in the
repository gets its directory at the end of sys.path, behind everything it could stand in front of.
"""

# No pathlib, to start fast; tools are imported when their turn comes.
# ruff: noqa: PLC0415, PTH118
from __future__ import annotations

import io
import os
import sys
from typing import Any, Callable, Dict, List, Optional


def run_mypy(instructions: Dict[str, Any], root: str, send: Callable[[Dict[str, Any]], None]) -> int:
    """Run mypy with the given arguments; returns its exit status. Its findings go to stdout."""
    sys.path.extend(instructions["site_dirs"])
    sys.path.extend(os.path.normpath(os.path.join(root, one)) for one in instructions["plugin_roots"])
    try:
        import mypy.main
        import mypy.version
    except ImportError as error:
        send({"type": "refused", "reason": "mypy_missing", "detail": str(error)})
        return 3
    where = os.path.realpath(mypy.main.__file__)
    if not where.startswith(tuple(os.path.realpath(one) + os.sep for one in instructions["site_dirs"])):
        send({"type": "refused", "reason": "mypy_misplaced", "detail": where})
        return 3
    send({"type": "start", "mypy": mypy.version.__version__, "python": sys.version.split()[0]})
    os.chdir(root)
    send({"type": "sources", "paths": _sources(instructions["argv"], root)})
    status = 0
    try:
        # The clean exit, or mypy leaves by os._exit and the end is never reported.
        mypy.main.main(args=list(instructions["argv"]), clean_exit=True)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    send({"type": "end", "status": status})
    sys.stdout.flush()
    return status


def _sources(argv: List[str], root: str) -> Optional[List[str]]:
    """The files mypy takes from its arguments and configuration, relative to the root; None if it cannot say."""
    from mypy.main import process_options

    quiet = io.StringIO()
    try:
        sources, _ = process_options(list(argv), stdout=quiet, stderr=quiet)
    except BaseException:
        return None
    return sorted(os.path.relpath(one.path, root) for one in sources if one.path)
