"""States of a repository that many tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.testing.repos import Project, make_repository


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A repository with a few files in one commit on `main`."""
    return make_repository(
        tmp_path,
        {
            "a.py": b"A = 1\n",
            "pkg/b.py": b"B = 2\n",
            "pkg/run.sh": ("100755", b"#!/bin/sh\n"),
            "link": ("120000", b"a.py"),
        },
    )
