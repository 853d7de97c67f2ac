"""What is to be done in every repository of a campaign, and the words of the child that does it. Pure.

The words are those of `apply`, or of `run` where a command is to make the change; they are kept as they were given, so
that a child that is begun again asks for the same. Whatever somebody wrote stands behind `=` or `--`, where it is no
option.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dev_agent.programs.campaigning.address import Address, Kind
from dev_agent.programs.campaigning.listing import Entry
from dev_agent.programs.checked import flag, text
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.programs.spending import Spending

PREFIX = "dev-agent/"
_LONGEST_SLUG = 48
_MICRO = 1_000_000
_MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One campaign's work. `command` empty: `apply` does it, with `patch` if there is one.

    `branch` is where changes land unless an entry says otherwise; `asked`: the user named it. `options` are further
    words for the child, as it takes them. `dry_run`: nothing is landed, pushed or opened. `publish`: it was asked for
    at the beginning.
    """

    task: str
    branch: str
    asked: bool
    command: tuple[str, ...] = ()
    patched: bool = False
    options: tuple[str, ...] = ()
    dry_run: bool = False
    publish: bool = False


def branch_for(task: str) -> str:
    """The branch of a campaign that named none: the task's first words, in letters that are safe everywhere."""
    plain = unicodedata.normalize("NFKD", task[:500]).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return PREFIX + (slug[:_LONGEST_SLUG].rstrip("-") or "campaign")


def branch_of(job: Job, entry: Entry) -> tuple[str, bool]:
    """The branch a repository's change lands on, and whether the user named it."""
    return (job.branch, job.asked) if entry.branch is None else (entry.branch, True)


def child_words(
    job: Job, entry: Entry, *, place: str, key: str, grant: Spending, judged: str | None = None
) -> tuple[str, ...]:
    """The arguments of the child that works on one repository; the patch, if there is one, goes to its stdin.

    `judged` is the cluster that judges this time: it changes no verdict, and so is no part of the job.
    """
    branch, _ = branch_of(job, entry)
    common = ["-C", place, f"--branch={branch}", f"--key={key}", *job.options]
    common += ["--dry-run"] if job.dry_run else []
    common += [] if judged is None else [f"--cluster={judged}"]
    if job.command:
        return ("run", *common, f"--task={job.task}", "--", *job.command)
    if job.patched:
        common.append("--patch=-")
    common += [f"--path={one}" for one in entry.paths]
    return ("apply", *common, *_limits(grant), "--", job.task)


def _limits(grant: Spending) -> list[str]:
    words = []
    if grant.model_calls is not None:
        words.append(f"--max-calls={grant.model_calls}")
    if grant.tokens is not None:
        words.append(f"--max-tokens={grant.tokens}")
    if grant.money is not None:
        words.append(f"--max-cost={grant.money // _MICRO}.{grant.money % _MICRO:06d}")
    if grant.wall_ms is not None:
        words.append(f"--max-time={max(grant.wall_ms // _MINUTE_MS, 1)}")
    return words


def to_json(job: Job, entries: tuple[Entry, ...]) -> dict[str, Any]:
    """Job and list as a trace keeps them."""
    return {
        "task": job.task,
        "branch": job.branch,
        "asked": job.asked,
        "command": list(job.command),
        "patched": job.patched,
        "options": list(job.options),
        "dry_run": job.dry_run,
        "publish": job.publish,
        "repositories": [_entry_json(one) for one in entries],
    }


def from_json(data: Mapping[str, Any]) -> tuple[Job, tuple[Entry, ...]]:
    """The inverse of `to_json`. Raises KeyError, TypeError or ValueError for anything else."""
    job = Job(
        task=text(data["task"]),
        branch=text(data["branch"]),
        asked=flag(data["asked"]),
        command=_texts(data["command"]),
        patched=flag(data["patched"]),
        options=_texts(data["options"]),
        dry_run=flag(data["dry_run"]),
        publish=flag(data["publish"]),
    )
    return job, tuple(_entry(one) for one in data["repositories"])


def _entry_json(entry: Entry) -> dict[str, Any]:
    at = entry.address
    return {
        "name": entry.name,
        "kind": at.kind.value,
        "text": at.text,
        "host": at.host,
        "path": at.path,
        "branch": entry.branch,
        "start": entry.start,
        "paths": list(entry.paths),
        "remote": entry.remote,
        "repository": entry.repository,
    }


def _entry(data: Mapping[str, Any]) -> Entry:
    return Entry(
        name=text(data["name"]),
        address=Address(
            kind=Kind(data["kind"]),
            text=text(data["text"]),
            host=text(data["host"]),
            path=text(data["path"]),
        ),
        branch=None if data["branch"] is None else text(data["branch"]),
        start=None if data["start"] is None else text(data["start"]),
        paths=_texts(data["paths"]),
        remote=text(data["remote"]),
        repository=None if data["repository"] is None else text(data["repository"]),
    )


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(text(one) for one in values)
