"""Every kind of error has one exit code and words that help; a bug gets a report without secrets."""

from __future__ import annotations

import errno

import pytest

from dev_agent.cli.bug import bug_report
from dev_agent.cli.failure import ExitCode, failure_of, interrupted
from dev_agent.edits.errors import TooLarge, UnknownFormat
from dev_agent.errors import DevAgentError, EnvironmentFault, GitFailed, RepositoryFault, UsageFault
from dev_agent.policy.errors import Fault as PolicyFault
from dev_agent.policy.errors import PolicyError
from dev_agent.runtime.errors import (
    FactUnusable,
    Fault,
    JournalBusy,
    NotCanonical,
    ProgramError,
    RunRefused,
    RuntimeFault,
    TraceCorrupt,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageFault("m", hint="h"), 2),
        (RepositoryFault("bare-repo", "m", hint="h"), 2),
        (EnvironmentFault("m", hint="h"), 3),
        (GitFailed(("fetch",), 1, "no"), 3),
        (DevAgentError("m"), 3),
        (UnknownFormat("m", "h"), 2),
        (TooLarge("m", "h"), 2),
        (PolicyError("m", "h"), 2),
        (ProgramError("p", [Fault(where="a", message="b")]), 2),
        (RunRefused("m"), 2),
        (JournalBusy("run"), 3),
        (TraceCorrupt(3, "broken"), 3),
        (MemoryError(), 3),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 3),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 3),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"), 70),
        (RuntimeError("ours"), 70),
        (NotCanonical("ours"), 70),
        (FactUnusable("a.b", "ours"), 70),
        (RuntimeFault("ours"), 70),
        (AssertionError("ours"), 70),
    ],
)
def test_a_kind_of_error_has_one_exit_code(error: Exception, code: int) -> None:
    failure = failure_of(error, argv=["apply"], environ={})
    assert failure.exit_code == code
    assert failure.message
    assert bool(failure.details) == (code == 70)


def test_message_hint_and_stable_code_come_from_the_error() -> None:
    failure = failure_of(RepositoryFault("bare-repo", "what failed", hint="what to do"), argv=[], environ={})
    assert (failure.message, failure.hint, failure.code) == ("what failed", "what to do", "bare-repo")


def test_a_policy_error_tells_all_its_faults() -> None:
    faults = (
        PolicyFault(field="rules[0].when", problem="unknown fact", remedy="use a known one"),
        PolicyFault(field="gates.tests", problem="not a word", remedy="use delta"),
    )
    failure = failure_of(PolicyError("the policy is wrong", "mend it", faults), argv=[], environ={})
    assert "rules[0].when: unknown fact; use a known one" in failure.message
    assert "gates.tests: not a word; use delta" in failure.message


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "error: unable to create temporary file: Read-only file system\nfatal: failed",
            "has to be writable",
        ),
        ("error: unable to write file: No space left on device", "free some space"),
        ("error: Unable to create '/r/.git/packed-refs.lock': Permission denied", "permissions"),
        (
            "error: insufficient permission for adding an object to repository database .git/objects",
            "permissions",
        ),
        ("fatal: bad object HEAD", ""),
    ],
)
def test_what_the_system_refused_git_comes_with_a_remedy(said: str, remedy: str) -> None:
    failure = failure_of(GitFailed(("write-tree",), 128, said), argv=[], environ={})
    assert failure.exit_code is ExitCode.ENVIRONMENT
    assert said in failure.message
    assert remedy in failure.hint
    assert bool(remedy) == bool(failure.hint)


def test_a_full_disk_says_what_to_do() -> None:
    failure = failure_of(OSError(errno.ENOSPC, "No space left on device", "/x"), argv=[], environ={})
    assert failure.exit_code is ExitCode.ENVIRONMENT
    assert (failure.message, failure.code) == ("No space left on device: /x", "enospc")
    assert "free some space" in failure.hint


def test_an_interruption_says_whether_something_may_have_begun() -> None:
    assert "Nothing was changed" in interrupted(began=False).message
    assert "recover" in interrupted(began=True).message
    assert not interrupted(began=True).is_error


def raised(message: str) -> Exception:
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise ValueError(message) from inner
    except ValueError as error:
        return error


def test_a_bug_report_names_what_is_needed_to_find_the_bug() -> None:
    report = bug_report(raised("outer"), ["apply", "--patch", "secret.patch", "--json"], {})
    assert "builtins.ValueError: outer" in report
    assert "builtins.KeyError" in report
    assert "test_failure.py" in report
    assert "command: apply --patch … --json" in report


def test_a_bug_report_holds_no_secrets_no_arguments_and_no_escapes() -> None:
    environ = {"API_KEY": "sk-verysecret", "HOME": "/home/ada", "EDITOR": "emacs-with-long-name"}
    message = "\x1b[31m sk-verysecret at https://ada:pw@host/x in /home/ada/project"
    report = bug_report(raised(message), ["apply", "my private task", "--patch=/home/ada/p"], environ)
    for leaked in ("sk-verysecret", "ada:pw", "/home/ada", "private task", "\x1b", "emacs"):
        assert leaked not in report
    assert "\\x1b[31m [struck out] at https://[struck out]@host/x in ~/project" in report
