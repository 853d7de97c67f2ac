"""What a caller asks of the program `apply`: one frozen value, checked before anything is made."""

from __future__ import annotations

import re

from dev_agent.errors import UsageFault
from dev_agent.programs.candidates.schedule import AUTO, MOST, is_count
from dev_agent.values import dataclass

MAX_TASK = 20_000
"""Characters of a task; longer ones belong into a file the task names."""

_LONGEST_PART = 200
"""Characters of one component of a branch's name: git makes a file of it, and a lock beside that."""

_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyRequest:
    """One task with the patch that is proposed for it.

    `policy` is the name of a shipped policy or a path; None means what the base commit says. `must_pass` are
    test ids that fail on the base and must pass on the change, or the single word `all`. `sandbox` is `auto`,
    `bubblewrap`, `landlock` or `off` (the user's word only). `python` overrides the interpreter of the gates.
    `candidates` is how many answers of a model are tried at once, a number or `auto`; `reproduce` whether its change
    needs a test that shows the task to be solved, None as policy says.
    `key` makes one run of all requests that are the same and carry it.
    """

    task: str
    patch: bytes
    dry_run: bool = False
    branch: str | None = None
    policy: str | None = None
    must_pass: tuple[str, ...] = ()
    sandbox: str = "auto"
    profile: str | None = None
    python: str | None = None
    key: str | None = None
    candidates: str = "1"
    reproduce: bool | None = None

    def __post_init__(self) -> None:
        """Raises UsageFault for what can be seen to be wrong without looking anywhere else."""
        if not self.task.strip():
            raise UsageFault("the task is empty", hint="say in a few words what the change is for")
        if len(self.task) > MAX_TASK:
            raise UsageFault(
                f"the task has {len(self.task)} characters, {MAX_TASK} are allowed",
                hint="put the text into a file of the repository and name the file in the task",
            )
        if "\0" in self.task:
            raise UsageFault("the task contains a NUL character", hint="remove it")
        if self.branch is not None and not is_branch_name(self.branch):
            raise UsageFault(
                f"{self.branch!r} is not a usable branch name",
                hint="use letters, digits and . _ / + -, for example: feature/rename-total",
            )
        if not all(test.strip() for test in self.must_pass):
            raise UsageFault(
                "--must-pass names no test", hint="write a test id such as tests/test_a.py::test_b, or all"
            )
        if not is_count(self.candidates):
            raise UsageFault(
                f"{self.candidates!r} is not a number of candidates",
                hint=f"write a number from 1 to {MOST}, or {AUTO}: one, then four, then eight while all are red",
            )
        if len(self.must_pass) > 1 and "all" in self.must_pass:
            raise UsageFault(
                "--must-pass takes either test ids or the word all", hint="leave one of them out"
            )


def is_branch_name(name: str) -> bool:
    """A subset of what git check-ref-format allows, so that a name is safe in every place it is shown."""
    parts = name.split("/")
    return bool(
        _BRANCH.match(name)
        and ".." not in name
        and all(
            0 < len(part) <= _LONGEST_PART and not part.startswith(".") and not part.endswith((".lock", "."))
            for part in parts
        )
    )
