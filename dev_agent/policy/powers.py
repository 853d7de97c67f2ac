"""Which modules and calls of the standard library and beyond let code do more than compute.

Names are what they stand for, through imports. Tests may do most of this: it is what
they are for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_PROCESS_OR_NETWORK = frozenset({
    "subprocess", "pty", "pexpect", "socket", "socketserver", "ftplib", "smtplib", "telnetlib", "poplib",
    "imaplib", "http.client", "http.server", "urllib.request", "xmlrpc", "requests", "httpx", "httpx2",
    "aiohttp", "urllib3", "paramiko", "websocket", "websockets", "pycurl", "asyncio.subprocess",
})  # fmt: skip
_DYNAMIC = frozenset(
    {"ctypes", "cffi", "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "codeop"}
)
_PROCESS_CALLS = re.compile(
    r"os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|fork|forkpty|startfile)"
    r"|asyncio\.(?:create_subprocess_(?:exec|shell)|open_connection|start_server)"
)
_DYNAMIC_CALLS = frozenset(
    {
        "eval",
        "exec",
        "compile",
        "__import__",
        "builtins.eval",
        "builtins.exec",
        "builtins.compile",
        "builtins.__import__",
    }
)
LOADING_CALLS = frozenset(
    {"importlib.import_module", "pkgutil.resolve_name", "runpy.run_module", "runpy.run_path"}
    | {"importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader"}
)
"""What loads code by a text; with a module named in so many words they are imports like any other."""

_CONTROL_CALLS = re.compile(
    r"os\.(?:_exit|abort|kill|killpg)|signal\.(?:signal|set_wakeup_fd|sigaction)|atexit\.register|faulthandler\.cancel_dump_traceback_later"
)
_FRAMEWORK = frozenset({"pytest", "_pytest", "pluggy"})


def of_import(name: str, *, is_test: bool) -> Iterator[str]:
    """Yield the facts that importing a module makes true."""
    root = name.partition(".")[0]
    if not is_test and _among(name, _PROCESS_OR_NETWORK):
        yield "process_or_network_imports"
    if not is_test and _among(name, _DYNAMIC):
        yield "dynamic_code"
    if (root in _FRAMEWORK and not is_test) or root == "_pytest":
        yield "test_framework_in_source"


def of_call(name: str, *, is_test: bool) -> Iterator[tuple[str, str]]:
    """Yield (fact, kind) for a call of what goes by this name."""
    if not is_test and _PROCESS_CALLS.fullmatch(name):
        yield "process_or_network_imports", name
    if not is_test and name in _DYNAMIC_CALLS:
        yield "dynamic_code", name.removeprefix("builtins.")
    if _CONTROL_CALLS.fullmatch(name):
        yield "process_control", name


def _among(name: str, modules: frozenset[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in modules for length in (1, 2))
