"""Images of the base's test modules: rewritten and compiled once, apart from every judged run, kept by content.

Most of what pytest does before the first test is to rewrite the asserts of every test module, and a judged run leaves
no bytecode behind that a later one would find. So a job of its own does it (`runner/images.py`): it gets bytes of the
base's test files, sees nothing of the repository, runs no line of it, and what it says is kept where no sandbox
writes. A judged run is shown the images read-only and takes one only for the very bytes it was made from.

Nobody's verdict depends on them: a job that fails, is killed or says nothing costs what it would have spared.

Killed before `replace`, a temporary file stays in the folder (the next collection drops it) and the images of before
are in place; after it, the new ones are. Two writers: the last one stays, either is whole.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.gates.case import Case
from dev_agent.gates.context import GateContext
from dev_agent.gates.image_bundle import ImageBundle, read_bundle
from dev_agent.sandbox.job import EndedHow, Limits

_KIND = "images"
_LIMITS = Limits(wall_s=120, cpu_s=90, memory_bytes=1 << 30, processes=16, output_bytes=1 << 16)
_MOST_BYTES = 8_000_000
# Making some takes a Python that imports pytest, about 0.2 s; a file costs about 1 ms, and a kilobyte of it another.
_WORTH_MS = 100
# Anything else is what these sources lead to, and would again.
_SAID_NOTHING = frozenset({EndedHow.UNAVAILABLE, EndedHow.CANCELLED})


class TestImages:
    """The images of one environment. Safe to use from several threads: they wait for the one that makes them."""

    __test__ = False

    def __init__(self, context: GateContext) -> None:
        self._context = context
        self._lock = threading.Lock()

    def of(self, case: Case, cancel: Cancel) -> bytes:
        """What a run of `case` is to be shown, made first where that pays; empty for nothing."""
        command = case.command
        if not self._context.project.config.tests.images or command.foundations or command.brings_pytest:
            return b""
        with self._lock:
            bundle = self._kept() or ImageBundle()
            missing = self._missing(case, bundle)
            if missing:
                bundle = self._made(case, bundle, missing, cancel)
            return bundle.shown if bundle.places else b""

    def _missing(self, case: Case, bundle: ImageBundle) -> dict[str, bytes]:
        """{blob id: bytes} of the base's test modules that were never looked at; none if that would not pay."""
        trees, base = self._context.trees, case.subject.base_tree
        new = {blob: path for path, blob in self._modules(case).items() if blob not in bundle.seen}
        found: dict[str, bytes] = {}
        for blob, path in new.items():
            found[blob] = trees.read(base, path) or b""
        cost_ms = len(found) + sum(map(len, found.values())) / 1000
        return found if cost_ms >= _WORTH_MS else {}

    def _modules(self, case: Case) -> dict[str, str]:
        """{path: blob id} of what pytest rewrites by itself: test files and conftests of the base."""
        trees, base, layout = self._context.trees, case.subject.base_tree, case.layout
        found: dict[str, str] = {}
        for path in trees.paths(base):
            if not path.endswith(".py") or not (layout.is_test_file(path) or path.endswith("conftest.py")):
                continue
            entry = trees.entry(base, path)
            if entry is not None and entry[0].startswith("100"):
                found[path] = entry[1]
        return found

    def _made(
        self, case: Case, bundle: ImageBundle, missing: Mapping[str, bytes], cancel: Cancel
    ) -> ImageBundle:
        """`bundle` without what the base does not have any more, and with images of what is `missing`; kept."""
        sources, room = [], _MOST_BYTES
        for data in missing.values():
            room -= len(data)
            if room >= 0:
                sources.append(base64.b64encode(data).decode("ascii"))
        tool = case.tool
        told = {
            "sources": sources,
            "site_dirs": [str(one) for one in self._context.project.interpreter.site_dirs],
            "lent": [str(target) for target, _ in tool.shown],
        }
        ran = self._context.bench.run_apart("images", told, limits=_LIMITS, tool=tool, cancel=cancel)
        if ran.ended.how in _SAID_NOTHING or ran.forged:
            return bundle
        tag = str((ran.of("start") or ({"tag": bundle.tag},))[0]["tag"])
        modules = self._modules(case)
        known = bundle if bundle.tag == tag else ImageBundle()
        still = {
            hashlib.sha256(self._context.trees.read(case.subject.base_tree, path) or b"").hexdigest()
            for path, blob in modules.items()
            if blob in known.seen
        }
        whole = ImageBundle.of(
            tag,
            (known.seen & frozenset(modules.values())) | frozenset(missing),
            {**known.images_of(still), **_images(ran.of("image"))},
        )
        self._keep(whole)
        return whole

    def _kept(self) -> ImageBundle | None:
        try:
            data = self._path().read_bytes()
            os.utime(self._path())  # used now: what was not for longest is dropped first
        except OSError:
            return None
        return read_bundle(data)

    def _keep(self, bundle: ImageBundle) -> None:
        path, temporary = self._path(), ""
        # A disk that takes nothing must not turn a verdict into a failure: next time they are made again.
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
            with os.fdopen(handle, "wb") as stream:
                stream.write(bundle.kept())
            Path(temporary).replace(path)
            return
        if temporary:
            Path(temporary).unlink(missing_ok=True)

    def _path(self) -> Path:
        """One file for each environment: another Python, pytest or plugin, another file."""
        digest = self._context.project.digest
        return self._context.cache_dir / _KIND / digest[:2] / f"{digest}.images"


def _images(records: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """What the job made, by the sha256 of the sources."""
    found: dict[str, bytes] = {}
    for record in records:
        if record["image"] is not None:
            found[str(record["source"])] = base64.b64decode(str(record["image"]))
    return found
