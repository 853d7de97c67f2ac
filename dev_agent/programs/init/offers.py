"""What `init` can write: kinds of files, each a list of templates that come with dev-agent.

The templates are the files of `examples/ci`, byte for byte. Installed, they lie in the package's `_shipped/ci`; in a
source checkout, in `examples/ci` beside the package.
"""

from __future__ import annotations

from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from dev_agent.errors import EnvironmentFault
from dev_agent.values import dataclass


class Kind(StrEnum):
    """What the files are for."""

    GITHUB = "github"
    GITLAB = "gitlab"
    PRE_COMMIT = "pre-commit"
    HOOK = "hook"


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A file as shipped (`source`) and its place (`target`, below the work tree or, for a hook, the git directory).

    `shared`: people have things of their own in a file of this name, so one that exists is never replaced.
    """

    kind: Kind
    source: str
    target: str
    shared: bool = False
    executable: bool = False


TEMPLATES = (
    *(
        Template(kind=Kind.GITHUB, source=f"github/{name}", target=f".github/workflows/{name}")
        for name in ("dev-agent-issue.yml", "dev-agent-premerge.yml", "dev-agent-report.yml")
    ),
    Template(
        kind=Kind.GITLAB,
        source="gitlab/dev-agent.gitlab-ci.yml",
        target=".gitlab/dev-agent.gitlab-ci.yml",
    ),
    Template(kind=Kind.GITLAB, source="gitlab/.gitlab-ci.yml", target=".gitlab-ci.yml", shared=True),
    Template(
        kind=Kind.PRE_COMMIT,
        source="pre-commit/.pre-commit-config.yaml",
        target=".pre-commit-config.yaml",
        shared=True,
    ),
)
PRE_PUSH = Template(kind=Kind.HOOK, source="hooks/pre-push", target="hooks/pre-push", executable=True)
PRE_RECEIVE = Template(
    kind=Kind.HOOK, source="hooks/pre-receive", target="hooks/pre-receive", executable=True
)
HOOK_MARK = b"\n# dev-agent hook ("
"""By this line a hook is known to be ours, whatever version wrote it."""


def shipped_bytes(template: Template) -> bytes:
    """The template's content. Raises EnvironmentFault if the installation lacks it."""
    place: Traversable = _folder()
    for part in template.source.split("/"):
        place = place / part
    try:
        return place.read_bytes()
    except OSError:
        raise EnvironmentFault(
            f"this installation lacks the file {template.source}", hint="install dev-agent again"
        ) from None


def _folder() -> Traversable:
    installed = files("dev_agent").joinpath("_shipped", "ci")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "examples" / "ci"
