"""The one map from a kind of error to an exit code and to words.

    usage        2    the input is wrong: the user can mend it
    environment  3    the machine lacks or refused something
    bug         70    anything else: ours (EX_SOFTWARE, apart from every code that is about a change)
    interrupted 130   asked to stop

Verdicts on a change (0, 1, 4, 5, 6) are results, not errors; `RunReport.exit_code` holds those.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from dev_agent.cli.bug import bug_report
from dev_agent.edits.errors import EditError
from dev_agent.errors import DevAgentError, GitFailed, RepositoryFault, UsageFault
from dev_agent.policy.errors import PolicyError
from dev_agent.runtime.errors import (
    BlobUnavailable,
    ConditionError,
    JournalBusy,
    JournalFailed,
    ProgramError,
    ProgramRefused,
    RunRefused,
    TraceCorrupt,
)
from dev_agent.values import dataclass


class ExitCode(IntEnum):
    """The exit codes of failures; their names are the `kind` in JSON."""

    USAGE = 2
    ENVIRONMENT = 3
    BUG = 70
    INTERRUPTED = 130


_KINDS: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (UsageFault, ExitCode.USAGE),
    (DevAgentError, ExitCode.ENVIRONMENT),
    (EditError, ExitCode.USAGE),
    (PolicyError, ExitCode.USAGE),
    (ProgramError, ExitCode.USAGE),
    (ProgramRefused, ExitCode.USAGE),
    (ConditionError, ExitCode.USAGE),
    (RunRefused, ExitCode.USAGE),
    (JournalBusy, ExitCode.ENVIRONMENT),
    (JournalFailed, ExitCode.ENVIRONMENT),
    (TraceCorrupt, ExitCode.ENVIRONMENT),
    (BlobUnavailable, ExitCode.ENVIRONMENT),
)

_WORLD = {
    errno.ENOSPC: "free some space and run the command again; `dev-agent recover` tidies up what was begun",
    errno.EDQUOT: "free some space and run the command again; `dev-agent recover` tidies up what was begun",
    errno.EROFS: "dev-agent keeps its state in the git directory; it has to be writable",
    errno.EACCES: "look at the owner and the permissions of the named file",
    errno.EPERM: "look at the owner and the permissions of the named file",
    errno.EIO: "the disk reported an error; nothing is to be trusted before it was looked at",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "the machine has too many files open",
    errno.ENOMEM: "the machine is out of memory",
}
"""System errors that are the machine's doing wherever they come from. All others are our bug."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a command could not answer: `code` is stable for programs, `details` is a bug report to paste."""

    exit_code: ExitCode
    message: str
    hint: str = ""
    code: str = ""
    details: str = ""

    @property
    def is_error(self) -> bool:
        """False for an interruption: the user asked for it."""
        return self.exit_code is not ExitCode.INTERRUPTED

    def to_json(self) -> dict[str, Any]:
        """The value of `error` in a JSON answer."""
        return {
            "kind": self.exit_code.name.lower(),
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "exit_code": int(self.exit_code),
        }


def failure_of(error: Exception, *, argv: Sequence[str], environ: Mapping[str, str]) -> Failure:
    """What to tell about `error`, which no command expected."""
    for kind, exit_code in _KINDS:
        if isinstance(error, kind):
            return _known(error, exit_code)
    if isinstance(error, OSError) and error.errno in _WORLD:
        return Failure(
            exit_code=ExitCode.ENVIRONMENT,
            message=f"{error.strerror}{f': {error.filename}' if error.filename else ''}",
            hint=_WORLD[error.errno],
            code=errno.errorcode[error.errno].lower(),
        )
    if isinstance(error, MemoryError):
        return Failure(
            exit_code=ExitCode.ENVIRONMENT, message="out of memory", hint=_WORLD[errno.ENOMEM], code="enomem"
        )
    return _bug(error, argv, environ)


def interrupted(*, began: bool) -> Failure:
    """What to tell after Ctrl-C or a signal that no run has taken as its own end."""
    if began:
        return Failure(
            exit_code=ExitCode.INTERRUPTED,
            message="Interrupted. The next command, or `dev-agent recover`, puts in order what was begun.",
            code="interrupted",
        )
    return Failure(
        exit_code=ExitCode.INTERRUPTED, message="Interrupted. Nothing was changed.", code="interrupted"
    )


def _known(error: BaseException, exit_code: ExitCode) -> Failure:
    message, hint = str(error), getattr(error, "hint", "")
    if isinstance(error, GitFailed) and not hint:
        hint = _WORLD.get(error.system_error or 0, "")
    if isinstance(error, PolicyError):
        message = "\n".join(
            [message, *(f"  {fault}" for fault in error.faults if fault.problem not in message)]
        )
    return Failure(
        exit_code=exit_code,
        message=message,
        hint=hint,
        code=error.code if isinstance(error, RepositoryFault) else "",
    )


def _bug(error: Exception, argv: Sequence[str], environ: Mapping[str, str]) -> Failure:
    return Failure(
        exit_code=ExitCode.BUG,
        message="dev-agent has a bug: this should not have happened. Only a verified change can have landed.",
        hint="`dev-agent recover` puts in order what was begun; please report the text below "
        "(it holds no environment variables, no arguments and no file contents)",
        code=type(error).__name__,
        details=bug_report(error, argv, environ),
    )
