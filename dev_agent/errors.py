"""The error family of everything that touches the world, and what each kind means to the caller.

Three kinds are kept apart: the user's input is wrong (`UsageFault`), the world refused (`EnvironmentFault`),
and we have a bug (any other exception; `dev_agent.cli` turns it into a report). Expected outcomes such as a
red gate or a moved branch are values, never exceptions.

The pure packages `runtime`, `edits` and `policy` have small families of their own with the same two
attributes; `dev_agent.cli.failure` maps them all to exit codes in one place.

    DevAgentError
    ├── UsageFault            exit 2   the task, a flag, a file or a setting is wrong
    │   └── RepositoryFault   exit 2   the repository is in a state the command cannot work on
    └── EnvironmentFault      exit 3   a tool, an interpreter, a sandbox, a disk, git itself
        └── GitFailed         exit 3   a git child failed where it had to succeed
"""

from __future__ import annotations

import errno
import os


class DevAgentError(Exception):
    """What failed (`message`) and what to do about it (`hint`, may be empty)."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageFault(DevAgentError):
    """The input is wrong: the user can mend it."""


class RepositoryFault(UsageFault):
    """The repository is in a state this command refuses to work on; `code` is stable for programs."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class EnvironmentFault(DevAgentError):
    """The machine lacks something or refused something."""


class GitFailed(EnvironmentFault):
    """A git child failed where it had to succeed: `argv`, `code` and `stderr` tell how."""

    def __init__(self, argv: tuple[str, ...], code: int, stderr: str) -> None:
        said = stderr.strip() or "it said nothing"
        super().__init__(f"git {argv[0] if argv else ''} failed with status {code}: {said}")
        self.argv = argv
        self.code = code
        self.stderr = stderr

    @property
    def system_error(self) -> int | None:
        """The errno of what the system refused git, told from git's words; None if they name nothing of the kind."""
        for number in _NAMED_BY_GIT:
            if os.strerror(number) in self.stderr:
                return number
        return errno.EACCES if _NO_OBJECTS in self.stderr else None


_NAMED_BY_GIT = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.EACCES,
    errno.EPERM,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
)
_NO_OBJECTS = "insufficient permission for adding an object to repository database"
"""Git's own words for EACCES on `objects`: there it keeps the system's to itself."""
