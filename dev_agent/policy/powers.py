"""Which modules and calls of the standard library and beyond let code do more than compute.

Names are what they stand for, through imports. Tests may do most of this: it is what
they are for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from dev_agent.policy.python_source import last_name

_PROCESS_OR_NETWORK = frozenset({
    "subprocess", "pty", "pexpect", "socket", "socketserver", "ftplib", "smtplib", "telnetlib", "poplib",
    "imaplib", "http.client", "http.server", "urllib.request", "xmlrpc", "requests", "httpx", "httpx2",
    "aiohttp", "urllib3", "paramiko", "websocket", "websockets", "pycurl", "asyncio.subprocess", "multiprocessing",
    "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process", "_posixsubprocess", "_socket",
})  # fmt: skip
_DYNAMIC = frozenset(
    {"ctypes", "cffi", "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "codeop"}
    | {"_ctypes", "code", "joblib", "jsonpickle", "zipimport", "__main__"}
)
_PROCESS_CALLS = re.compile(
    r"os\.(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|posix_spawnp?|fork|forkpty|startfile)"
    r"|asyncio\.(?:create_subprocess_(?:exec|shell)|open_connection|start_server)"
)
_DYNAMIC_CALLS = frozenset({"compile"})
LOADING_CALLS = frozenset(
    {"importlib.import_module", "pkgutil.resolve_name", "runpy.run_module", "runpy.run_path"}
    | {"importlib.util.spec_from_file_location", "importlib.machinery.SourceFileLoader"}
)
"""What loads code by a text; with a module named in so many words they are imports like any other."""

_CONTROL_CALLS = re.compile(
    r"os\.(?:_exit|abort|kill|killpg)|signal\.(?:signal|set_wakeup_fd|sigaction)|atexit\.register|faulthandler\.cancel_dump_traceback_later"
)
_FRAMEWORK = frozenset({"pytest", "_pytest", "pluggy", "mock"})
_HELD = frozenset({"builtins.eval", "builtins.exec", "builtins.compile", "builtins.__import__"})
LAST_NAMES = frozenset({
    "_exit", "abort", "kill", "killpg", "signal", "set_wakeup_fd", "sigaction", "register", "system", "popen", "fork",
    "forkpty", "startfile", "posix_spawn", "posix_spawnp", "execl", "execle", "execlp", "execlpe", "execv", "execve",
    "execvp", "execvpe", "spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe",
    "eval", "exec", "compile", "__import__",
})  # fmt: skip
"""The last names of what `of_reference` knows: to look no further at the many others."""

_REPLACING = frozenset({"unittest.mock"})
_LOADERS = frozenset({
    "yaml.unsafe_load", "yaml.unsafe_load_all", "pandas.read_pickle", "torch.load", "logging.config.listen",
})  # fmt: skip


def of_import(name: str, *, is_test: bool) -> Iterator[str]:
    """Yield the facts that importing a module makes true."""
    root = name.partition(".")[0]
    if not is_test and _among(name, _PROCESS_OR_NETWORK):
        yield "process_or_network_imports"
    if not is_test and _among(name, _DYNAMIC):
        yield "dynamic_code"
    if ((root in _FRAMEWORK or _among(name, _REPLACING)) and not is_test) or root == "_pytest":
        yield "test_framework_in_source"


def of_call(name: str, *, is_test: bool) -> Iterator[tuple[str, str]]:
    """Yield (fact, kind) for a call of what goes by this name; of sources, only what no reference tells."""
    name = _plain(name)
    if not is_test and name in _DYNAMIC_CALLS:
        yield "dynamic_code", name
    if not is_test and name.startswith("asyncio.") and _PROCESS_CALLS.fullmatch(name):
        yield "process_or_network_imports", name
    if _CONTROL_CALLS.fullmatch(name) and (is_test or name.startswith("faulthandler.")):
        yield "process_control", name


def of_reference(name: str) -> Iterator[tuple[str, str]]:
    """Yield (fact, kind) for a mention in a source, be it in a call or not, of what goes by this name."""
    name = _plain(name)
    if name in _HELD:
        yield "dynamic_code", name.removeprefix("builtins.")
    elif _PROCESS_CALLS.fullmatch(name):
        yield "process_or_network_imports", name
    elif _CONTROL_CALLS.fullmatch(name):
        yield "process_control", name


def loads_objects(name: str, call: ast.Call) -> bool:
    """Whether a call of what goes by this name makes whatever objects its data asks for."""
    if name in {"yaml.load", "yaml.load_all"}:
        given = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == "Loader")]
        return not any("Safe" in last_name(one) or last_name(one) == "BaseLoader" for one in given)
    if name == "numpy.load":
        allowed = [one.value for one in call.keywords if one.arg == "allow_pickle"]
        return not all(isinstance(one, ast.Constant) and not one.value for one in allowed)
    return name in _LOADERS


def _among(name: str, modules: frozenset[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in modules for length in (1, 2, 3))


def _plain(name: str) -> str:
    """`posix` is what most of `os` is made of."""
    return f"os.{name.removeprefix('posix.')}" if name.startswith("posix.") else name
