"""From the words of a command line to a campaign's job, its repositories, and the hands that do it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.cli.patch_source import read_patch
from dev_agent.cli.task_source import read_task_text
from dev_agent.errors import UsageFault
from dev_agent.policy.shipped import shipped_names
from dev_agent.programs.campaigning.listing import Entry, parse_listing, require_each
from dev_agent.programs.campaigning.work import Job, branch_for
from dev_agent.programs.choosing import Who, Wish, proposer_for, require_sense
from dev_agent.programs.models import ModelChoice
from dev_agent.programs.recipe_task import covering
from dev_agent.programs.request import MAX_TASK, ApplyRequest
from dev_agent.programs.rules import named_rules
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cli.session import Session
    from dev_agent.forges.campaigning.hands import ClusterNow
    from dev_agent.programs.campaigning.campaign import HandsFor, Use
    from dev_agent.programs.campaigning.driver import Hands

_MOST_LIST = 4 << 20
_LONGEST_TITLE = 200
_CHILD_S = 24 * 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What the user said of the work, as `apply` and `run` take it. `command` None: there is no `--`."""

    task: str | None
    task_file: str | None
    command: tuple[str, ...] | None
    patch: str | None
    proposer: Who
    model: str | None
    base_url: str | None
    effort: str | None
    candidates: str
    reproduce: bool | None
    paths: tuple[str, ...]
    network: bool
    profile: str | None
    branch: str | None
    policy: str | None
    must_pass: tuple[str, ...]
    sandbox: str
    dry_run: bool
    publish: bool

    def require_none_for_resume(self, repos: str | None) -> None:
        """Refuse words about the work: a campaign goes on with what it was begun with. Raises UsageFault."""
        said = (self.task, self.task_file, self.command, self.patch, self.branch, repos)
        if any(one is not None for one in said) or self.dry_run:
            raise UsageFault(
                "--resume goes on with what a campaign was begun with",
                hint="leave task, command, --repos, --branch and --dry-run out; "
                "--jobs, --only, --retry, --publish and the limits may change",
            )

    @property
    def of_models(self) -> list[str]:
        """The words that only `apply` understands."""
        named = {"--model": self.model, "--base-url": self.base_url, "--effort": self.effort}
        words = [f"{option}={value}" for option, value in named.items() if value is not None]
        words += [f"--proposer={self.proposer.value}"] if self.proposer is not Who.AUTO else []
        words += [f"--candidates={self.candidates}"] if self.candidates != "1" else []
        words += [] if self.reproduce is None else ["--reproduce" if self.reproduce else "--no-reproduce"]
        return words + [f"--path={one}" for one in self.paths]


def read_entries(repos: str | None, environ: Mapping[str, str]) -> tuple[Entry, ...]:
    """The list of repositories. Raises UsageFault if there is none, or with all that is wrong with it."""
    if repos is None:
        raise UsageFault(
            "no repositories are named", hint="write them into a file, one a line, and: --repos FILE"
        )
    try:
        if repos == "-":
            data, folder = sys.stdin.buffer.read(_MOST_LIST + 1), Path.cwd()
        else:
            folder = Path(repos).absolute().parent
            with Path(repos).open("rb") as stream:
                data = stream.read(_MOST_LIST + 1)
        text = data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise UsageFault(
            f"the list {repos!r} cannot be read: {said}",
            hint="--repos takes a text file, or - for standard input",
        ) from error
    if len(data) > _MOST_LIST:
        raise UsageFault(
            f"the list {repos!r} is larger than {_MOST_LIST >> 20} MiB", hint="is it the right file?"
        )
    home = environ.get("HOME") or str(Path.home())
    entries = parse_listing(text, source=repos, folder=str(folder), home=home)
    require_each(entries, _require_names, source=repos)
    return entries


def read_job(
    words: Words, entries: tuple[Entry, ...], use: Use, *, source: str, environ: Mapping[str, str]
) -> tuple[Job, bytes]:
    """The job, and the patch ("" if there is none). Raises UsageFault and PolicyError before anything is begun.

    What no repository could do is refused here, once, and not in every repository again; `source` is the list's name,
    for what its lines say that this work cannot do.
    """
    command = words.command
    if command is not None:
        _require_only_command(words)
    require_each(entries, partial(_require_paths, words), source=source)
    task = _task(words)
    patch = read_patch(words.patch) if words.patch is not None else b""
    request = ApplyRequest(
        task=task,
        patch=patch,
        branch=words.branch,
        must_pass=words.must_pass,
        sandbox=words.sandbox,
        candidates=words.candidates,
        reproduce=words.reproduce,
    )
    if command is None:
        _require_proposer(request, words, use, environ)
    job = Job(
        task=task,
        branch=words.branch or branch_for(task),
        asked=words.branch is not None,
        command=command or (),
        patched=words.patch is not None,
        options=_options(words),
        dry_run=words.dry_run,
        publish=words.publish,
    )
    return job, patch


def hands_maker(session: Session, *, publish: bool, login: str | None, judged_by: ClusterNow) -> HandsFor:
    """Makes the hands of a campaign. Raises UsageFault, now if it is clear, if it publishes and there is no token.

    `judged_by` says what `--cluster` is for a child that begins now.
    """
    from dev_agent.forges.campaigning.hands import RepositoryHands  # noqa: PLC0415 - after the words are read
    from dev_agent.forges.campaigning.publishing import Publishing  # noqa: PLC0415 - as above
    from dev_agent.forges.github import github_of  # noqa: PLC0415 - as above
    from dev_agent.forges.remote import SERVER  # noqa: PLC0415 - as above
    from dev_agent.forges.token import token_of  # noqa: PLC0415 - as above
    from dev_agent.surfaces.command import Commands  # noqa: PLC0415 - as above

    if publish:
        token_of(session.environ)

    def make(folder: Path, job: Job, patch: bytes, publishes: bool) -> Hands:  # noqa: FBT001 - as HandsFor says
        publishing = None
        if publishes:
            publishing = Publishing(
                campaign=folder.name,
                connect=lambda name, cancel: github_of(session.environ, name, cancel=cancel, login=login),
                token=token_of(session.environ),
                server=session.environ.get("GITHUB_SERVER_URL") or SERVER,
            )
        return RepositoryHands(
            folder=folder,
            job=job,
            patch=patch,
            commands=Commands(environ=session.environ, timeout_s=_CHILD_S),
            publishing=publishing,
            environ=session.environ,
            judged_by=judged_by,
        )

    return make


def _task(words: Words) -> str:
    if words.command is not None and words.task is None and words.task_file is None:
        return shlex.join(words.command)[:_LONGEST_TITLE]
    return read_task_text(words.task, words.task_file, longest=MAX_TASK)


def _options(words: Words) -> tuple[str, ...]:
    options = [f"--must-pass={one}" for one in words.must_pass]
    if words.policy is not None:
        named_rules(words.policy)
        options.append(
            f"--policy={_absolute(words.policy) if words.policy not in shipped_names() else words.policy}"
        )
    if words.command is not None:
        options += ["--network"] if words.network else []
        options += [f"--profile={_absolute(words.profile)}"] if words.profile is not None else []
        return tuple(options)
    options += [f"--sandbox={words.sandbox}"] if words.sandbox != "auto" else []
    return (*options, *words.of_models)


def _absolute(path: str) -> str:
    """Children work elsewhere."""
    return str(Path(path).absolute())


def _require_proposer(request: ApplyRequest, words: Words, use: Use, environ: Mapping[str, str]) -> None:
    if words.network or words.profile is not None:
        raise UsageFault("--network and --profile are for a command", hint="write it last: -- COMMAND …")
    wish = Wish(
        who=words.proposer,
        patched=words.patch is not None,
        paths=words.paths,
        model=ModelChoice(flags={"model": words.model, "base_url": words.base_url, "effort": words.effort}),
        spending=use.limits,
    )
    require_sense(wish)
    proposer_for(request.task, wish, environ=environ)


def _require_only_command(words: Words) -> None:
    if not words.command:
        raise UsageFault("there is no command behind --", hint="write it last: -- COMMAND …")
    if words.patch is not None or words.of_models or words.sandbox != "auto":
        raise UsageFault(
            "a command makes the change, and something else is to make it too",
            hint="leave --patch, --proposer, --path, --sandbox and the options of models out",
        )


def _require_paths(words: Words, entry: Entry) -> None:
    """Raise UsageFault for `path=` where nothing heeds it, or where it is no pattern: each child would refuse it."""
    if not entry.paths:
        return
    if words.command is not None:
        raise UsageFault(
            f"path={entry.paths[0]} is for a recipe or a model, and a command makes the change",
            hint="leave it out; tell the command itself",
        )
    if words.patch is not None:
        raise UsageFault(
            f"path={entry.paths[0]} is for a recipe or a model, and a patch is given", hint="leave it out"
        )
    for path in entry.paths:
        try:
            covering((path,))
        except UsageFault as fault:
            said = fault.message.removeprefix("--path: ")
            raise UsageFault(f"path={path} is no pattern: {said}", hint=fault.hint) from fault


def _require_names(entry: Entry) -> None:
    """Raise UsageFault for a name that the code host cannot have, before anything is begun."""
    from dev_agent.forges.repository_name import RepositoryName  # noqa: PLC0415 - only where one is said

    if entry.repository is not None:
        RepositoryName.parse(entry.repository)
