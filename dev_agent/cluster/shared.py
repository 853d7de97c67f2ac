"""A cluster that one command started, and others of the same user judge with: told by a folder only that user enters.

    <folder>/cert.pem, key.pem     what both ends of every connection show (`security`)
    <folder>/cluster.json          {"url": "tls://127.0.0.1:…", "workers": 2}
    <folder>/trouble               how a worker that ended by itself ended last, if one did

`--cluster shared:FOLDER` is the word for it, which a campaign gives to its children. What stands on a command line can
be read by every user of the machine, so it names the folder and holds no secret: whoever can enter it may be a client,
and that is its owner alone. A folder of somebody else's, or one that others may enter, is refused: whoever runs a
cluster runs code in its clients.

Killed while sharing: `cluster.json` is there whole or not at all, and goes with the folder. Once the cluster is gone a
client finds no folder, or nobody at the address, and says so.
"""

from __future__ import annotations

import json
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from dev_agent.cluster.address import MOST_WORKERS
from dev_agent.cluster.security import Tls
from dev_agent.errors import EnvironmentFault
from dev_agent.values import dataclass

_WORD = "shared:"
_FILE, _TROUBLE = "cluster.json", "trouble"
_MOST = 4096
_URL = re.compile(r"tls://127\.0\.0\.1:[1-9][0-9]{0,4}\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """A cluster by its folder: its scheduler's address, how many workers it has or is starting, what to show it."""

    folder: Path
    url: str
    workers: int
    tls: Tls

    def trouble(self) -> str:
        """Why its workers may not be there, "" if that is not known."""
        return read_trouble(self.folder)


def tls_in(folder: Path) -> Tls:
    """The certificate of a cluster in `folder`."""
    return Tls(ca=folder / "cert.pem", cert=folder / "cert.pem", key=folder / "key.pem")


def share(folder: Path, *, url: str, workers: int) -> str:
    """Let clients find the cluster in its folder; the word for `--cluster`. Raises OSError."""
    _replace(folder / _FILE, json.dumps({"url": url, "workers": workers}))
    return f"{_WORD}{folder}"


def join(folder: Path) -> Shared:
    """The cluster that is shared in `folder`. Raises EnvironmentFault if there is none, or anybody else's."""
    try:
        _require_private(folder)
        with (folder / _FILE).open("rb") as stream:
            told: Any = json.loads(stream.read(_MOST))
        url, workers = told["url"], told["workers"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _gone(folder, f"{type(error).__name__}: {error}") from None
    counts = isinstance(workers, int) and not isinstance(workers, bool) and 1 <= workers <= MOST_WORKERS
    if not (isinstance(url, str) and _URL.match(url) and counts):
        raise _gone(folder, "what stands there names no cluster")
    return Shared(folder=folder, url=url, workers=workers, tls=tls_in(folder))


def tell_trouble(folder: Path, line: str) -> None:
    """Note how a worker ended by itself; nothing is done about a disk that does not take it."""
    with suppress(OSError):
        _replace(folder / _TROUBLE, line)


def read_trouble(folder: Path) -> str:
    """What was noted last, "" if nothing was."""
    try:
        with (folder / _TROUBLE).open("rb") as stream:
            said = stream.read(_MOST)
    except OSError:
        return ""
    return f"its workers end by themselves: {said.decode('utf-8', 'replace')}"


def _require_private(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise _gone(folder, "it is no folder")
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise EnvironmentFault(
            f"the cluster in {folder} is not yours alone: the folder belongs to somebody else, or others may enter it",
            hint="whoever runs a cluster runs code in its clients; start your own: --cluster local:N",
        )


def _gone(folder: Path, why: str) -> EnvironmentFault:
    return EnvironmentFault(
        f"no cluster is shared in {folder}: {why}", hint="it ended with the command that started it"
    )


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(text, encoding="utf-8", errors="replace")
    fresh.replace(path)
