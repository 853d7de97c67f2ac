"""The project the scenarios are played on is the one the programs' own tests use."""

from __future__ import annotations

from tests.programs.conftest import shop

__all__ = ["shop"]
