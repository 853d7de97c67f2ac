"""One mypy run over the staged tree. Python 3.8+, any mypy that has `mypy.main.process_options`.

mypy is imported from the given directories only; the repository is not on sys.path, so that a `mypy.py` or a
`json.py` in it stays a file to be checked. A plugin that the base's configuration names and that lies in the
repository gets its directory at the end of sys.path, behind everything it could stand in front of; it and whatever it
imports come from the base (see `plugins`).

mypy believes a cache entry without reading the file if size and whole-second time are the entry's. Who can choose a
file's content can choose both (the times of a slot come from 28 bits of a hash), so here no file of the tree ever
has the time of an earlier run: mypy then compares hashes, always.
"""

# No pathlib, to start fast; tools are imported when their turn comes.
# ruff: noqa: PLC0415, PTH100, PTH118
from __future__ import annotations

import gc
import io
import os
import shutil
import stat
import sys
import tempfile
from typing import Any, Callable, Dict, List, Optional


def run_mypy(
    instructions: Dict[str, Any],
    root: str,
    send: Callable[[Dict[str, Any]], None],
    sibling: Callable[[str], Any],
) -> int:
    """Run mypy with the given arguments; returns its exit status. Its findings go to stdout."""
    sys.path.extend(instructions["site_dirs"])
    sys.path.extend(os.path.normpath(os.path.join(root, one)) for one in instructions["plugin_roots"])
    try:
        import mypy.main
        import mypy.version
    except ImportError as error:
        send({"type": "refused", "reason": "mypy_missing", "detail": str(error)})
        return 3
    gc.enable()
    where = os.path.realpath(mypy.main.__file__)
    if not where.startswith(tuple(os.path.realpath(one) + os.sep for one in instructions["site_dirs"])):
        send({"type": "refused", "reason": "mypy_misplaced", "detail": where})
        return 3
    send({"type": "start", "mypy": mypy.version.__version__, "python": sys.version.split()[0]})
    os.chdir(root)
    if instructions["plugin_base"]:
        plugins = sibling("plugins")
        finder = plugins.FromBase(
            root,
            instructions["plugin_base"],
            outside=[*instructions["site_dirs"], sys.prefix, sys.base_prefix],
            included=instructions["included"],
        )
        plugins.import_from_base(finder)
    argv = list(instructions["argv"])
    if instructions["cache"]:
        argv = _with_own_cache(argv, instructions["cache"])
    _let_no_time_match(root, instructions["site_dirs"])
    send({"type": "sources", "paths": _sources(argv, root)})
    status = 0
    try:
        # The clean exit, or mypy leaves by os._exit and the end is never reported.
        mypy.main.main(args=argv, clean_exit=True)
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


def _let_no_time_match(root: str, trusted: List[str]) -> None:
    """Make `os.stat` give every file of the tree one time that no earlier run can have had."""
    plain = os.stat
    # Whole, exact as a float, and beyond every real clock.
    never = 2**40 + int.from_bytes(os.urandom(4), "big")
    inside = os.path.join(root, "")
    installed = tuple(os.path.join(one, "") for one in trusted)

    def altered(path: Any, *args: Any, **kwargs: Any) -> os.stat_result:
        status = plain(path, *args, **kwargs)
        if isinstance(path, str) and not stat.S_ISDIR(status.st_mode):
            full = os.path.abspath(path)
            if full.startswith(inside) and not full.startswith(installed):
                return os.stat_result([*status[:8], never, status[9]])
        return status

    os.stat = altered


def _with_own_cache(argv: List[str], shown: str) -> List[str]:
    """The arguments with a copy of the cache, which is read-only here, in a directory nobody knew of before."""
    copy = os.path.join(tempfile.mkdtemp(), "cache")
    try:
        shutil.copytree(shown, copy, symlinks=True)
    except (OSError, shutil.Error):
        shutil.rmtree(copy, ignore_errors=True)
    return ["--cache-dir=" + copy if one.startswith("--cache-dir=") else one for one in argv]
