"""The repository's remote, asked and told by git itself: which commit a branch has, its objects, and a push with a
lease.

The token travels in the environment of the git child (`GIT_CONFIG_*`, a header for the host's own address and no
other), never in an argument or a URL, where every process of the machine and every log would see it. A header that
the checkout of a workflow left in the configuration is cleared by it. No hook of the user's runs: nobody is there to
answer one.

A push is the remote's own transaction: killed before it, nothing is there; killed after it, the branch stands, and
whoever comes again sees that from `tip`. Its lease names the commit the branch is expected to have, or that it must not
exist, so nobody's push is overwritten unseen. Whether it happened is not believed but looked up.
"""

from __future__ import annotations

import base64
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev_agent.errors import GitFailed, UsageFault
from dev_agent.forges.text import is_ref_name
from dev_agent.repository.discovery import resolve_commit
from dev_agent.repository.refs import PREFIX
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.forges.token import Token
    from dev_agent.process import Completed
    from dev_agent.repository.discovery import Repository

SERVER = "https://github.com"
_TRANSPORTS = tuple(f"protocol.{name}.allow=always" for name in ("https", "ssh", "file"))
_FETCHED = PREFIX + "fetched/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pushed:
    """The branch has the commit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """Somebody was faster: the branch has another commit than was expected, `tip` (None: it is gone)."""

    tip: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Denied:
    """The remote did not take it; `said` is its own text: data."""

    said: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """A remote of a local repository, by its name there. `server` is the address the token is for."""

    repository: Repository
    token: Token | None = field(repr=False)
    server: str = SERVER
    name: str = "origin"

    def __post_init__(self) -> None:
        """Raises UsageFault if the token would go out in the clear."""
        parts = urlsplit(self.server)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
            raise UsageFault(
                "the address of the git server is not one a token may be sent to",
                hint="GITHUB_SERVER_URL is https://github.com, or the https address of your own server",
            )

    def tip(self, branch: str) -> str | None:
        """The commit of a branch on the remote, None if there is no such branch. Raises GitFailed."""
        ref = _ref(branch)
        done = self._git("ls-remote", "--exit-code", "--end-of-options", self.name, ref)
        if done.code == 2:
            return None
        _require(done, "ls-remote")
        rows = (line.split("\t") for line in done.stdout.decode("utf-8", "replace").splitlines())
        return next((row[0] for row in rows if row[1:] == [ref]), None)

    def fetch(self, branch: str) -> str:
        """Bring the commit of a branch here, under a private name, and return its id. Raises GitFailed."""
        kept = _FETCHED + branch
        done = self._git(
            "fetch", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet",
            "--end-of-options", self.name, f"+{_ref(branch)}:{kept}",
        )  # fmt: skip
        _require(done, "fetch")
        commit = resolve_commit(self.repository, kept)
        if commit is None:
            raise GitFailed(("fetch",), 0, f"the remote's branch {branch} holds no commit")
        return commit

    def push(self, commit: str, branch: str, *, expected: str | None) -> Pushed | Moved | Denied:
        """Let the remote's branch have `commit` if it has `expected` now (None: if it does not exist)."""
        ref = _ref(branch)
        done = self._git(
            "push", "--porcelain", "--no-verify", "--no-recurse-submodules",
            f"--force-with-lease={ref}:{expected or ''}", "--end-of-options", self.name, f"{commit}:{ref}",
        )  # fmt: skip
        found = self.tip(branch)
        if found == commit:
            return Pushed()
        if found != expected:
            return Moved(tip=found)
        said = (done.stdout + b"\n" + done.stderr).decode("utf-8", "replace").strip()
        return Denied(said=said or f"git push ended with status {done.code}")

    def _git(self, *args: str) -> Completed:
        return self.repository.git.run(*args, config=_TRANSPORTS, env=self._credentials())

    def _credentials(self) -> dict[str, str]:
        if self.token is None:
            return {}
        basic = base64.b64encode(f"x-access-token:{self.token.reveal()}".encode()).decode("ascii")
        key = f"http.{self.server.rstrip('/')}/.extraHeader"
        return {
            "GIT_CONFIG_COUNT": "2",
            # An empty one clears what stands before it: two Authorization headers are an error to the host.
            "GIT_CONFIG_KEY_0": key,
            "GIT_CONFIG_VALUE_0": "",
            "GIT_CONFIG_KEY_1": key,
            "GIT_CONFIG_VALUE_1": f"Authorization: Basic {basic}",
        }


def _ref(branch: str) -> str:
    if not is_ref_name(branch):
        raise UsageFault(f"{branch!r} is not the name of a branch"[:300], hint="nothing was sent")
    return f"refs/heads/{branch}"


def _require(done: Completed, verb: str) -> None:
    if not done.ok:
        raise GitFailed((verb,), done.code, done.stderr.decode("utf-8", "replace"))
