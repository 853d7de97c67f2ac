"""The environment every job starts from. Nothing of ours is inherited: tokens live in environments."""

from __future__ import annotations

from collections.abc import Mapping

HOME = "/home/sandbox"
TMP = "/tmp"  # noqa: S108 - the job's own, in its own mount namespace


def base(*, home: str = HOME, tmp: str = TMP) -> dict[str, str]:
    """The safe base: where programs are and where to write, one locale, no bytecode, no cwd on sys.path."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": tmp,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",
    }


def complete(wanted: Mapping[str, str], *, home: str = HOME, tmp: str = TMP) -> dict[str, str]:
    """The base with the job's own variables over it, sorted, so that argument lists are repeatable."""
    return dict(sorted({**base(home=home, tmp=tmp), **wanted}.items()))
