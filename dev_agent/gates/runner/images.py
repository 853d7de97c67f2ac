"""Test modules rewritten and compiled beforehand (images): made here in a job of their own, used here in a test run.

pytest rewrites the asserts of every test module, and without bytecode it does so in every run. `make` lets the
project's own pytest do it once: it is given bytes, imports nothing of the project and executes none of them. `use`
stands in front of the place where pytest looks for its own bytecode:

    - by content: an image is for the sha256 of a source, which is computed from the very file that is imported;
    - whole: each image has a digest, looked at before it is loaded, since damaged bytecode can crash Python;
    - by the same rewriting: Python's magic number and pytest's version are the bundle's, pytest's switch that changes
      rewriting is off, and no function of its rewriting module was replaced, by a plugin or a conftest;
    - as pytest would have it: a source that made the compiler or pytest warn has no image, so the warning comes.

Anything else than expected means that there is no image, and pytest does what it does. It is private to pytest how
it rewrites (`_rewrite_test`) and where it looks (`_read_pyc`): where these are not as known, nothing is made or used.
The bundle's shape is told in `gates/image_bundle.py`. Standard library and pytest only, Python 3.8+, pytest 6.2+.
"""

# No pathlib but where pytest wants it; tools are imported when their turn comes.
# ruff: noqa: PLC0415, PTH118, PTH120, S302, SLF001
from __future__ import annotations

import ast
import base64
import builtins
import functools
import hashlib
import importlib.util
import inspect
import json
import marshal
import os
import struct
import sys
import tempfile
import types
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple

try:
    from _imp import _fix_co_filename as _rename  # type: ignore[attr-defined]
except ImportError:
    _rename = None

_LENGTH = struct.Struct(">Q")
_SWITCH = "enable_assertion_pass_hook"
_PROBE = b"def test_probe():\n    left = 1\n    assert left == 2\n"


def tag(pytest: Any) -> str:
    """What has to be the same where an image is made and where it is used."""
    magic = importlib.util.MAGIC_NUMBER.hex()
    return "%s %s pytest-%s" % (sys.implementation.cache_tag, magic, pytest.__version__)


def make(instructions: Dict[str, Any], send: Callable[[Dict[str, Any]], None]) -> int:
    """Send one record for each source: its image, or none; the exit status."""
    sys.path.extend(instructions["site_dirs"])
    sys.path.extend(sorted({os.path.dirname(one) for one in instructions["lent"]}))
    try:
        import pytest
        from _pytest.assertion import rewrite
    except ImportError as error:
        send({"type": "refused", "reason": "pytest_missing", "detail": str(error)})
        return 3
    if not (_has_known_names(rewrite) and _rewrites_as_known(rewrite)):
        send({"type": "refused", "reason": "rewriting_unknown", "detail": pytest.__version__})
        return 3
    send({"type": "start", "tag": tag(pytest)})
    place = os.path.join(tempfile.mkdtemp(), "source.py")
    for text in instructions["sources"]:
        source = base64.b64decode(text)
        image = _image(rewrite, place, source)
        told = None if image is None else base64.b64encode(image).decode("ascii")
        send({"type": "image", "source": hashlib.sha256(source).hexdigest(), "image": told})
    send({"type": "end"})
    return 0


def use(bundle: str, config: Any, before: "Rewriting") -> bool:
    """Let pytest find the images of the file `bundle`; False, and nothing is changed, where they do not fit.

    `before` is the rewriting module as it was before any plugin was loaded.
    """
    import pytest
    from _pytest.assertion import rewrite

    try:
        if config.getini(_SWITCH) or config.getoption("assertmode") != "rewrite":
            return False
        with open(bundle, "rb") as stream:
            (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
            header = json.loads(stream.read(length).decode("ascii"))
        if header["tag"] != tag(pytest) or _rename is None or not before.known or before.altered():
            return False
        finder = _Finder(bundle, header["images"], _LENGTH.size + length, before)
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return False
    plain = rewrite._read_pyc

    # It goes by the name of what it stands in for, so that the photograph holds it too.
    @functools.wraps(plain)
    def read_pyc(source: Any, *args: Any, **kwargs: Any) -> Any:
        code = finder.find(str(source))
        return plain(source, *args, **kwargs) if code is None else code

    rewrite._read_pyc = read_pyc
    return True


class Rewriting:
    """pytest's rewriting as it is now, to tell later whether anybody replaced a part of it."""

    def __init__(self) -> None:
        from _pytest.assertion import rewrite

        self.known = _has_known_names(rewrite)
        self._parts: List[Tuple[Any, str, Any]] = [(vars(builtins), "compile", compile)]
        self._parts.append((vars(ast), "parse", ast.parse))
        for owner in (rewrite, rewrite.AssertionRewriter):
            self._parts += [
                (vars(owner), name, value)
                for name, value in vars(owner).items()
                # What it imports stays what it is; the reader is what `use` itself replaces.
                if getattr(value, "__module__", "") == rewrite.__name__ and name != "_read_pyc"
            ]

    def altered(self) -> bool:
        """True if a part is another than it was."""
        return any(names.get(name) is not value for names, name, value in self._parts)


class _Finder:
    """The images of a bundle, by the content of sources."""

    def __init__(self, bundle: str, images: Dict[str, List[Any]], start: int, rewriting: Rewriting) -> None:
        self._bundle = bundle
        self._images = types.MappingProxyType(images)
        self._start = start
        self._rewriting = rewriting

    def find(self, path: str) -> Optional[types.CodeType]:
        """The rewritten code of the source at `path`, None if there is none to be believed."""
        try:
            with open(path, "rb") as stream:
                entry = self._images.get(hashlib.sha256(stream.read()).hexdigest())
            if entry is None or self._rewriting.altered():
                return None
            code = self._load(entry)
            if code is not None and _rename is not None:
                _rename(code, path)
        except Exception:
            return None
        return code

    def _load(self, entry: List[Any]) -> Optional[types.CodeType]:
        offset, length, digest = entry
        with open(self._bundle, "rb") as stream:
            stream.seek(self._start + offset)
            image = stream.read(length)
        if hashlib.sha256(image).hexdigest() != digest:
            return None
        code = marshal.loads(image)
        return code if isinstance(code, types.CodeType) else None


def _image(rewrite: Any, path: str, source: bytes) -> Optional[bytes]:
    """The image of a source; None if it does not compile, or if anything was said about it."""
    with open(path, "wb") as stream:
        stream.write(source)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            code = _rewritten(rewrite, path)
        except Exception:
            return None
    return None if said or code is None else marshal.dumps(code)


def _rewritten(rewrite: Any, path: str) -> Optional[types.CodeType]:
    from pathlib import Path

    # Without a configuration: the one setting that rewriting asks for is looked at where the image is used.
    answer: Tuple[Any, ...] = rewrite._rewrite_test(Path(path), None)
    return answer[1] if isinstance(answer[1], types.CodeType) else None


def _has_known_names(rewrite: Any) -> bool:
    """Whether pytest looks for bytecode where this file supposes."""
    try:
        names = list(inspect.signature(rewrite._read_pyc).parameters)
    except (AttributeError, TypeError, ValueError):
        return False
    return names[:2] == ["source", "pyc"] and _rename is not None


def _rewrites_as_known(rewrite: Any) -> bool:
    """Whether what comes out explains a failing assert: tried, not concluded from a version."""
    image = _image(rewrite, os.path.join(tempfile.mkdtemp(), "probe.py"), _PROBE)
    if image is None:
        return False
    found: Dict[str, Any] = {}
    try:
        exec(marshal.loads(image), found)  # noqa: S102 - made of our own text, just now
        found["test_probe"]()
    except AssertionError as error:
        return "1 == 2" in str(error)
    except Exception:
        return False
    return False
