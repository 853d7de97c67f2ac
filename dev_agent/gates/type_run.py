"""One run of mypy on one tree, and what can be believed of it.

    exit 0 and no findings      clean
    exit 1 and findings         red
    exit 2 and findings that stop mypy (syntax, a module found twice)   red, nothing else was checked
    anything else               crashed: says nothing about the tree

The cache directory (see `mypy_cache`) belongs to this gate alone and is writable to mypy only. Where the settings
have set-up commands, code of the judged tree runs in the same confinement before mypy does: a run of a judged tree
then gets the cache read-only, and mypy works on a copy that is made after them and thrown away.

Plugins that lie in the repository, and all they import, are the base's: beside a judged tree its run is shown the base.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dev_agent.cancel import Cancel
from dev_agent.gates.bench import Bench, Ran, tail_of
from dev_agent.gates.delta import Finding
from dev_agent.gates.findings import read_findings, with_symbols
from dev_agent.gates.project import Project
from dev_agent.gates.tool_config import MypyConfig
from dev_agent.gates.tools import TRUSTED, Tool
from dev_agent.sandbox.job import EndedHow, Mount, MountKind
from dev_agent.values import dataclass

_CACHE_SHOWN = TRUSTED / "mypy-cache"
_PLUGINS_SHOWN = TRUSTED / "plugins"
_SEARCH = TRUSTED / "search-directories"
_JSON_SINCE = (1, 11)
_WORKERS_SINCE = (2, 0)
_OLDEST_TARGET = (3, 10)


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeRun:
    """`crashed` is "" for a run that says something about the tree. `sources` are the files checked, if known."""

    findings: tuple[Finding, ...]
    sources: tuple[str, ...] | None
    argv: tuple[str, ...]
    exit_code: int | None
    blocked: bool
    crashed: str
    detail: str
    ms: int
    output: bytes = b""

    def to_json(self) -> dict[str, Any]:
        """For the cache; the output is left out."""
        data = asdict(self)
        del data["output"]
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TypeRun:
        """The inverse. Raises KeyError or TypeError for anything else."""
        fields = dict(data)
        fields["findings"] = tuple(Finding(**one) for one in fields["findings"])
        fields["sources"] = None if fields["sources"] is None else tuple(fields["sources"])
        fields["argv"] = tuple(fields["argv"])
        return cls(**fields)


NO_FILES = TypeRun(
    findings=(), sources=(), argv=(), exit_code=None, blocked=False, crashed="", detail="", ms=0
)
"""What is known of a tree that has none of the files to check, as before a project's first one."""


def mypy_arguments(
    tool: Tool, config: MypyConfig, targets: Sequence[str], *, strict: bool, python: tuple[int, int]
) -> tuple[str, ...]:
    """The whole command line. What it says wins over the configuration file, which is the base's."""
    arguments = [f"--config-file={config.file or ''}"]
    if strict:
        arguments.append("--strict")
    if tool.version_numbers >= _JSON_SINCE:
        arguments += ["--output", "json"]
    if tool.version_numbers >= _WORKERS_SINCE:
        # Workers that cannot be reached in time end as an internal error, on a busy machine most of the time.
        arguments.append("--num-workers=0")
    arguments += ["--no-error-summary", "--no-color-output", "--no-pretty", "--show-error-codes"]
    arguments += ["--hide-error-context", "--soft-error-limit=-1", f"--cache-dir={_CACHE_SHOWN}"]
    arguments.append(f"--python-executable={_SEARCH}")
    if not config.sets_python_version and (python >= _OLDEST_TARGET or not tool.lent):
        arguments.append(f"--python-version={python[0]}.{python[1]}")
    return (*arguments, "--", *targets) if targets else tuple(arguments)


class TypeChecker:
    """Runs one mypy for one project."""

    def __init__(self, bench: Bench, project: Project, tool: Tool) -> None:
        self._bench = bench
        self._project = project
        self._tool = tool

    def run(
        self,
        argv: tuple[str, ...],
        *,
        plugin_roots: Sequence[str],
        tree: Path,
        cache: Path,
        is_base: bool,
        plugin_base: Path | None,
        read: Callable[[str], bytes | None],
        cancel: Cancel,
    ) -> TypeRun:
        """Run mypy on the directory `tree`, with its cache in `cache`; `read` gives the tree's files.

        `is_base` says that all code in the tree is the base's, which may be trusted with the cache; `plugin_roots`
        are directories of the tree that plugins of the base's configuration import from, `plugin_base` a directory
        that shows the base, for a tree that is not the base and has such plugins.
        """
        sites = [str(one) for one in self._tool.site_dirs]
        if self._tool.lent:
            # A plugin that ships with a library lies in the project's environment, behind mypy's own needs.
            sites += [str(one) for one in self._project.interpreter.site_dirs]
        own_copy = bool(self._project.config.setup) and not is_base
        ran = self._bench.run(
            "types",
            {
                "argv": list(argv),
                "site_dirs": sites,
                "plugin_roots": list(plugin_roots),
                "plugin_base": str(_PLUGINS_SHOWN) if plugin_base else "",
                "included": [str(one) for one in self._project.included],
                "cache": str(_CACHE_SHOWN) if own_copy else "",
            },
            tree=tree,
            timeout_s=self._project.config.types.timeout_s,
            cancel=cancel,
            tool=self._tool,
            mounts=(
                Mount(
                    kind=MountKind.READ_ONLY if own_copy else MountKind.WRITABLE,
                    target=_CACHE_SHOWN,
                    source=cache.resolve(),
                ),
                *_base_beside(plugin_base),
                Mount(kind=MountKind.DATA, target=_SEARCH, data=_search_script(self._project), mode=0o555),
                *(
                    Mount(kind=MountKind.READ_ONLY, target=target, source=source.resolve())
                    for target, source in _lent_to_tests(self._project)
                ),
            ),
        )
        return _believe(ran, argv, read)


def _base_beside(plugin_base: Path | None) -> tuple[Mount, ...]:
    if plugin_base is None:
        return ()
    return (Mount(kind=MountKind.READ_ONLY, target=_PLUGINS_SHOWN, source=plugin_base.resolve()),)


def _search_script(project: Project) -> bytes:
    """Stands in for the project's Python when mypy asks it for its search directories.

    Starting the real one would run every `.pth` file and a sitecustomize, which may be the change's.
    """
    sites = [str(one) for one in project.interpreter.site_dirs]
    # Tests that are run with a lent pytest import it, so their types have to be there too.
    sites += sorted({str(target.parent) for target, _ in _lent_to_tests(project)})
    added = [str(one) for one in project.installed.added_folders]
    answer = repr(([*sites, *added], sites))
    return f"#!/bin/sh\ncat <<'END-OF-ANSWER'\n{answer}\nEND-OF-ANSWER\n".encode()


def _lent_to_tests(project: Project) -> tuple[tuple[Path, Path], ...]:
    return project.pytest.shown if project.pytest is not None and project.pytest.lent else ()


def _believe(ran: Ran, argv: tuple[str, ...], read: Callable[[str], bytes | None]) -> TypeRun:
    ended = ran.ended
    said = read_findings(ended.stdout.decode(errors="surrogateescape"))
    end = ran.of("end")
    sources = ran.of("sources")
    crashed, detail = _fault(ran, said.unread)
    code = ended.code
    blocked = False
    if not crashed:
        if len(end) != 1 or end[0].get("status") != code:
            crashed = "inconsistent_report"
        elif code == 0:
            crashed = "inconsistent_report" if said.findings else ""
        elif code == 1:
            crashed = "" if said.findings and not said.unread else "unreadable_output"
        else:
            blocked = code == 2 and bool(said.findings) and not said.unread
            crashed = "" if blocked else "crashed"
    if crashed and not detail:
        detail = tail_of(ran.output)
    listed = sources[0].get("paths") if sources else None
    return TypeRun(
        findings=with_symbols(said.findings, read),
        sources=tuple(listed) if isinstance(listed, list) else None,
        argv=("mypy", *argv),
        exit_code=code,
        blocked=blocked,
        crashed=crashed,
        detail=detail,
        ms=ended.ms,
        output=ran.output,
    )


def _fault(ran: Ran, unread: Sequence[str]) -> tuple[str, str]:
    """The reason a run says nothing at all, with its words; ("", "") if it may say something."""
    ended = ran.ended
    if ended.how is not EndedHow.EXITED:
        return ended.how.value.replace("-", "_"), ended.detail
    if ran.forged:
        return "inconsistent_report", ran.forged
    for record in ran.of("setup_failed"):
        return "setup_failed", f"{' '.join(map(str, record.get('argv', [])))} ended with {record.get('code')}"
    for record in ran.of("refused"):
        return str(record.get("reason")), str(record.get("detail"))
    if any("INTERNAL ERROR" in one for one in unread) or b"INTERNAL ERROR" in ended.stderr:
        return "crashed", tail_of(ran.output)
    if ended.truncated:
        return "unreadable_output", "the output was longer than is kept"
    return "", ""
