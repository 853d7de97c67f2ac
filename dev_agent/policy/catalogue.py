"""The list of everything a change set can be caught doing: name, meaning, and the careful answer to it.

One row per fact. The names are the keys of a policy's `[on]` table, the facts' names, and the rule ids of a
decision, so that a team meets one word everywhere. The sentence is what a person reads as the reason. The
verdict is what holds when a policy says nothing; `policies/default.toml` spells the same answers out.

Rows about paths have a tuple of paths as their fact's value; the others count what was seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dev_agent.policy.verdict import Verdict
from dev_agent.values import dataclass

_ALLOW, _ASK, _DENY = Verdict.ALLOW, Verdict.ASK, Verdict.DENY


@dataclass(frozen=True, kw_only=True, slots=True)
class FactClass:
    """One kind of fact: `because` is the plain sentence, `careful` the answer of a silent policy."""

    name: str
    because: str
    careful: Verdict
    lists_paths: bool


_ROWS: tuple[tuple[str, Verdict, bool, str], ...] = (
    # where
    ("outside_write_scope", _DENY, True, "The change touches paths the policy does not open for writing."),
    ("denied_paths", _DENY, True, "The change touches paths the policy closes."),
    ("protected_paths", _ASK, True, "The change touches protected paths."),
    # what judges it
    (
        "policy_files",
        _DENY,
        True,
        "The change touches the policy, programs or configuration of dev-agent itself.",
    ),
    ("gate_configuration", _DENY, True, "The change touches how types, tests or coverage are judged."),
    (
        "conftest_changed",
        _ASK,
        True,
        "The change touches a conftest.py, which can alter every test's outcome.",
    ),
    ("ci_files", _DENY, True, "The change touches continuous integration."),
    (
        "hooks_and_editors",
        _DENY,
        True,
        "The change touches hooks, editor or environment files that run code elsewhere.",
    ),
    ("git_configuration", _ASK, True, "The change touches .gitattributes, .gitmodules or their like."),
    ("submodules_changed", _DENY, True, "The change adds, moves or removes a submodule."),
    ("dependencies_changed", _ASK, True, "The change alters what the project depends on."),
    # what kind of file
    ("symlinks_added", _ASK, True, "The change adds or retargets a symbolic link."),
    ("symlinks_leaving_tree", _DENY, True, "A symbolic link of the change points out of the repository."),
    ("executables_added", _ASK, True, "The change makes a file executable."),
    ("binary_content", _ASK, True, "The change adds content that is not text."),
    ("startup_files", _DENY, True, "The change adds files Python runs or reads before any program."),
    (
        "stub_shadows",
        _ASK,
        True,
        "The change hides a module's own types from the type checker: by a stub, or without py.typed.",
    ),
    (
        "shadowing_modules",
        _DENY,
        True,
        "The change adds a module that takes the place of a standard or testing module.",
    ),
    (
        "unparsable_python",
        _ASK,
        True,
        "A Python file of the change cannot be parsed, so facts about it are missing.",
    ),
    # hidden text
    ("encoding_cookies", _DENY, False, "The change declares a source encoding other than UTF-8."),
    (
        "invisible_characters",
        _DENY,
        False,
        "The change adds characters that do not show or that reorder text.",
    ),
    ("mixed_script_identifiers", _ASK, False, "The change adds identifiers that look like others."),
    ("secrets_added", _DENY, False, "The change adds what looks like a credential."),
    ("elisions_added", _DENY, False, "The change holds a placeholder where code was left out."),
    # tests
    ("tests_removed", _DENY, False, "The change removes tests."),
    ("tests_skipped", _DENY, False, "The change makes existing tests skip, or expects them to fail."),
    ("tests_weakened", _DENY, False, "The change makes existing tests assert less."),
    ("tests_changed", _ALLOW, False, "The change edits existing tests or their data."),
    ("tests_added", _ALLOW, False, "The change adds tests."),
    # types
    ("type_checking_disabled", _DENY, False, "The change turns type checking off for a file or a function."),
    ("type_ignores_added", _ASK, False, "The change silences type errors."),
    ("any_added", _ALLOW, False, "The change adds Any to annotations."),
    ("casts_added", _ALLOW, False, "The change adds casts."),
    ("suppressions_added", _ALLOW, False, "The change silences a linter or hides lines from coverage."),
    # behaviour
    (
        "behaves_differently_under_test",
        _DENY,
        False,
        "The change adds code that can tell whether it is being tested.",
    ),
    (
        "test_framework_in_source",
        _ASK,
        False,
        "The change reaches into the test framework from outside the tests.",
    ),
    ("always_equal_objects", _DENY, False, "The change adds objects that are equal to everything."),
    ("process_control", _ASK, False, "The change ends, signals or hooks the exit of its process."),
    ("process_or_network_imports", _ASK, False, "The change newly starts processes or uses the network."),
    (
        "dynamic_code",
        _ASK,
        False,
        "The change newly runs code, loads objects from data or reaches into the interpreter.",
    ),
    ("swallowed_exceptions", _ALLOW, False, "The change swallows exceptions without a word."),
    ("public_api_removed", _ALLOW, False, "The change removes public names."),
    # size
    ("limits_exceeded", _ASK, False, "The change is larger than the policy's limits."),
)

CATALOGUE: Mapping[str, FactClass] = MappingProxyType({
    name: FactClass(name=name, because=because, careful=careful, lists_paths=lists_paths)
    for name, careful, lists_paths, because in _ROWS
})  # fmt: skip

# Limits are the policy's, so what exceeds them is found by a rule and not in the change set.
LIMITS_EXCEEDED = "limits_exceeded"
FACT_NAMES = tuple(name for name in CATALOGUE if name != LIMITS_EXCEEDED)

# Counted, never judged alone: the policy's limits are over these.
COUNTS = (
    "files", "files_added", "files_modified", "files_deleted", "files_renamed", "lines", "lines_added",
    "lines_removed", "bytes", "deletions",
)  # fmt: skip
