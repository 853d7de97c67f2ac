"""The one door for git.

Every git child gets an explicit repository, a chosen environment and the options that user configuration
must not change. Inherited `GIT_DIR` or `GIT_INDEX_FILE` would send a command to the wrong repository or
index, so the environment is an allow-list. Optional locks are off: no child of ours may take `index.lock` in
passing and leak it when killed. Data (names, paths, ids) goes behind `--`/`--end-of-options`, in stdin with
`-z`, or is a full object id; callers see to that.

Hooks never run through this door unless `hooks=True` says so: `update-ref` on the user's own ref must obey
their `reference-transaction` hook, and nothing else here may run one.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, GitFailed
from dev_agent.process import Completed, run
from dev_agent.values import dataclass

_KEPT_VARIABLES = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
    "GNUPGHOME", "GPG_TTY", "EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE",
    "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_DATE", "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH",
)  # fmt: skip
_FIXED_VARIABLES = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    # A replaced object would not have the bytes its id promises.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_EDITOR": "false",
    "GIT_PAGER": "cat",
}
_FIXED_OPTIONS = (
    "core.fsmonitor=false",  # names a program to run
    "core.protectHFS=true",  # git on Linux accepts `.g<ZWNJ>it` without it
    "core.protectNTFS=true",
    "core.quotePath=false",
    "gc.auto=0",  # nothing may start in the background inside a transaction
    "maintenance.auto=false",
    "protocol.allow=never",
    "submodule.recurse=false",
    "advice.graftFileDeprecated=false",
)
_NO_HOOKS = "core.hooksPath=/dev/null"
_NOT_FOR_HOOKS = frozenset({"protocol.allow=never"})
_NOT_FOR_HOOKS_ENV = frozenset({"GIT_LITERAL_PATHSPECS", "GIT_EDITOR", "GIT_PAGER"})
"""A user's hook inherits what we set; it may fetch, and may use pathspecs, as under any other git."""


def find_git(environ: Mapping[str, str]) -> str:
    """The absolute path of git on the caller's PATH.

    Raises EnvironmentFault if there is none.
    """
    found = shutil.which("git", path=environ.get("PATH"))
    if not found:
        raise EnvironmentFault("git was not found on PATH", hint="install git 2.38 or newer")
    return str(Path(found).absolute())


@dataclass(frozen=True, kw_only=True, slots=True)
class Git:
    """Git bound to one repository (or to a start folder only, before discovery).

    `work_tree` and `index` redirect a command to private places; `settings` are configuration for every child
    (`name=value`), because of where the repository lies; `pass_fds` are inherited by every
    child, so that an orphan of a killed agent still holds the transaction's lock.
    """

    program: str
    environ: Mapping[str, str] = field(repr=False)  # may hold secrets
    cwd: Path
    git_dir: Path | None = None
    work_tree: Path | None = None
    index: Path | None = None
    pass_fds: tuple[int, ...] = ()
    settings: tuple[str, ...] = ()
    timeout_s: float = 300.0

    def holding(self, *fds: int) -> Git:
        """The same git whose children also inherit `fds`."""
        return replace(self, pass_fds=(*self.pass_fds, *fds))

    def with_index(self, index: Path) -> Git:
        """The same git working on the private index file `index`."""
        return replace(self, index=index)

    def with_work_tree(self, work_tree: Path) -> Git:
        """The same git writing to the private folder `work_tree`, which is also its working directory."""
        return replace(self, work_tree=work_tree, cwd=work_tree)

    def environment(self) -> dict[str, str]:
        """The complete environment of a child."""
        kept = {name: self.environ[name] for name in _KEPT_VARIABLES if name in self.environ}
        kept.update(_FIXED_VARIABLES)
        if self.git_dir is not None:
            kept["GIT_DIR"] = str(self.git_dir)
        if self.work_tree is not None:
            kept["GIT_WORK_TREE"] = str(self.work_tree)
        if self.index is not None:
            kept["GIT_INDEX_FILE"] = str(self.index)
        return kept

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        hooks: bool = False,
        config: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        output_limit: int = 1 << 30,
        cancel: Cancel | None = None,
    ) -> Completed:
        """Run `git args…` and return what happened, whatever it was; a `cancel` kills what may take long."""
        fixed = (
            [one for one in _FIXED_OPTIONS if one not in _NOT_FOR_HOOKS]
            if hooks
            else [*_FIXED_OPTIONS, _NO_HOOKS]
        )
        options = [*fixed, *self.settings, *config]
        variables = self.environment()
        if hooks:
            variables = {name: value for name, value in variables.items() if name not in _NOT_FOR_HOOKS_ENV}
        argv = [self.program, *(part for option in options for part in ("-c", option)), *args]
        return run(
            argv,
            cwd=self.cwd,
            env={**variables, **(env or {})},
            timeout_s=self.timeout_s,
            stdin=stdin,
            pass_fds=self.pass_fds,
            output_limit=output_limit,
            cancel=cancel,
        )

    def out(
        self,
        *args: str,
        stdin: bytes = b"",
        hooks: bool = False,
        config: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """The standard output of `git args…`. Raises GitFailed if it does not end with status 0."""
        done = self.run(*args, stdin=stdin, hooks=hooks, config=config, env=env)
        if not done.ok:
            raise GitFailed(args, done.code, done.stderr.decode("utf-8", "replace"))
        if done.truncated:
            raise GitFailed(args, done.code, "its output was too large")
        return done.stdout

    def line(self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """The single output line of `git args…`, decoded as a file name is. Raises GitFailed."""
        return self.out(*args, stdin=stdin, env=env).decode("utf-8", "surrogateescape").rstrip("\n")

    def setting(self, name: str) -> str | None:
        """The value of a configuration variable, or None if it is not set."""
        done = self.run("config", "--get", name)
        return done.stdout.decode("utf-8", "replace").rstrip("\n") if done.ok else None

    def flag(self, name: str) -> bool:
        """A boolean configuration variable; unset is False. Raises GitFailed if it is not a boolean."""
        done = self.run("config", "--type=bool", "--get", name)
        if done.code not in (0, 1):
            raise GitFailed(("config", name), done.code, done.stderr.decode("utf-8", "replace"))
        return done.stdout.strip() == b"true"
