"""What says that one text edit has no place in its file. Raised below `placing.py`, and never leaves it."""

from __future__ import annotations

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.explain import Nearest


class Refused(Exception):
    """One edit has no place."""

    def __init__(
        self, code: ProblemCode, message: str, hint: str = "", *, nearest: Nearest = (), applied: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.nearest, self.applied = code, message, hint, nearest, applied
