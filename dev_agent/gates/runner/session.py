"""One pytest session over the staged tree. Python 3.8+, pytest 6+.

Order is the safety argument: pytest and the environment's plugins load while only the standard library and
site-packages can be imported from; then the photograph is taken; then the project's paths come in.

One kind of project cannot have that: one that is itself a module pytest is built on (pluggy, iniconfig …).
There can be only one of it in a process, and its tests are about the staged one, so its paths come in first.
The verdict says so.
"""

# No pathlib, to start fast; tools are imported when their turn comes.
# ruff: noqa: PLC0415, PTH120
from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from typing import Any, Callable, Dict, List


def run_tests(
    instructions: Dict[str, Any],
    root: str,
    send: Callable[[Dict[str, Any]], None],
    sibling: Callable[[str], Any],
) -> int:
    """Run pytest as instructed; returns its exit status. Everything said goes through `send`."""
    pathways, integrity = sibling("pathways"), sibling("integrity")
    if instructions["prefix"]:
        pathways.use_prefix(instructions["prefix"])
    standard = pathways.StandardFirst(instructions["exempt"])
    lent = sorted({os.path.dirname(one) for one in instructions["lent"]})
    start = pathways.add_tools(instructions["site_dirs"], lent)
    founded = bool(instructions["foundations"])
    if founded:
        gc.enable()
        pathways.add_roots(root, instructions["roots"], start)
    try:
        import pytest
    except ImportError as error:
        send({"type": "refused", "reason": "pytest_missing", "detail": str(error)})
        return 3
    where = os.path.realpath(pytest.__file__)
    # What is lent may be links to where it lies.
    allowed = [
        os.path.realpath(one) + os.sep for one in [*instructions["site_dirs"], *lent, *instructions["lent"]]
    ]
    if not where.startswith(tuple(allowed)):
        send({"type": "refused", "reason": "pytest_misplaced", "detail": where})
        return 3
    send({"type": "start", "pytest": pytest.__version__, "python": sys.version.split()[0]})
    seen: Dict[str, Any] = {}
    images = sibling("images") if instructions["images"] else None
    rewriting = images.Rewriting() if images else None

    def late_start(early_config: Any) -> None:
        _forget_autoload_switch()
        gc.enable()
        if images:
            images.use(instructions["images"], early_config, rewriting)
        seen["photograph"] = integrity.photograph()
        sys.meta_path.insert(0, standard)
        if not founded:
            pathways.add_roots(root, instructions["roots"], start)
        pathways.add_site(instructions["site_dirs"])
        for name in instructions["late_plugins"]:
            early_config.pluginmanager.import_plugin(name, consider_entry_points=True)

    recorder = sibling("recorder").Recorder(send, late_start)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    status = _session(pytest, instructions["argv"], recorder, root)
    outside = [one for one in instructions["site_dirs"] if one.startswith(root + os.sep)]
    send(
        {
            "type": "end",
            "status": status,
            "counts": recorder.counts,
            "strangers": pathways.strangers(instructions["own"], root, outside),
            "patched": integrity.changed(seen.get("photograph", {})),
            "started": "photograph" in seen,
        }
    )
    return status


def _session(pytest: Any, argv: List[str], recorder: Any, root: str) -> int:
    importlib.invalidate_caches()
    os.chdir(root)
    try:
        return int(pytest.main(argv, plugins=[recorder]))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 3
    except BaseException:
        traceback.print_exc()
        return 3


def _forget_autoload_switch() -> None:
    """Our own switch must not reach pytest sessions that the project's tests start themselves."""
    os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
