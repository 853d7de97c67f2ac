"""Looks at machine and repository and says, topic by topic, what a run would find, and what to do about a lack.

Asks the same functions a run asks, so that it cannot promise what a run then refuses. Changes nothing: the one
job it starts is the interpreter's question about itself, in the sandbox. A topic that another one needs is left
out where that one lacks; its own lack is already said.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dev_agent
from dev_agent.cancel import Cancel
from dev_agent.errors import DevAgentError, UsageFault
from dev_agent.gates.config import GateConfig, read_config
from dev_agent.gates.interpreter import Surroundings
from dev_agent.gates.project import Project
from dev_agent.gates.project import discover as discover_project
from dev_agent.policy.errors import PolicyError
from dev_agent.programs.builtin import load_and_prove
from dev_agent.programs.finding import LACK, OK, WARN, Finding
from dev_agent.programs.model_doctor import model_findings
from dev_agent.programs.recipe_task import shipped_recipes
from dev_agent.programs.rules import read_rules
from dev_agent.programs.setting import wanted_sandbox
from dev_agent.programs.submodule_doctor import submodule_findings
from dev_agent.python_text import NEWER_SYNTAX, OWN
from dev_agent.repository.discovery import Repository, discover, read_head, tree_of
from dev_agent.repository.identity import user_identity, wants_signed_commits
from dev_agent.repository.landing.keep import all_kept
from dev_agent.repository.landing.ref_locks import own_ref_locks
from dev_agent.repository.landing.transaction import leftover_transactions
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.runtime.errors import RuntimeFault
from dev_agent.sandbox.choose import SETTINGS, choose, probes
from dev_agent.sandbox.profile import Profile, load_profile, shipped
from dev_agent.sandbox.sandbox import Probe, Sandbox

_REFUSALS = (DevAgentError, PolicyError, RuntimeFault)
_MEGABYTE = 1024 * 1024
_LEAST_SPACE, _SCARCE_SPACE = 200 * _MEGABYTE, 1024 * _MEGABYTE


def examine(
    start: Path, environ: Mapping[str, str], *, online: bool = False, sandbox: str = "auto"
) -> tuple[Finding, ...]:
    """Everything that can be seen from `start`, for a run with this `sandbox`. Never raises for what it finds.

    Only `online` is the model's service asked, for its models; no question is put to one, and nothing is charged.
    Raises UsageFault for a sandbox that there is not.
    """
    if sandbox not in SETTINGS:
        raise UsageFault(f"no sandbox {sandbox!r}", hint=f"there are: {', '.join(SETTINGS)}")
    findings = [_ok("dev-agent", f"{dev_agent.__version__} on Python {platform.python_version()}")]
    findings += _checked("program", lambda: [_program()])
    findings += [_proposers(), *model_findings(environ, online=online)]
    findings += _unconfined() if sandbox == "off" else _confinement(sandbox)
    try:
        repository = discover(start, environ)
        repository.work_tree  # noqa: B018 - a bare repository is refused by asking
    except DevAgentError as error:
        return (*findings, _lack("repository", error))
    findings += [_ok("git", repository.git_version), _ok("repository", str(repository.work_tree))]
    findings += _checked("identity", lambda: [_identity(repository)])
    findings += _checked("signing", lambda: [_signing(repository)])
    findings += _checked("hooks", lambda: [_hooks(repository)])
    findings += [_state(repository), _space(repository)]
    findings += _checked("leftovers", lambda: [_leftovers(repository)])
    findings += _checked("settings", lambda: list(_project(repository, environ, sandbox)))
    return tuple(findings)


def _ok(topic: str, detail: str) -> Finding:
    return Finding(topic=topic, status=OK, detail=detail)


def _lack(topic: str, error: Exception) -> Finding:
    return Finding(topic=topic, status=LACK, detail=str(error), remedy=getattr(error, "hint", ""))


def _checked(topic: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    """What `check` finds, or its refusal as a lack: a run would be refused the same way."""
    try:
        return check()
    except _REFUSALS as error:
        return [_lack(topic, error)]


def _program() -> Finding:
    program = load_and_prove(None)
    return _ok("program", f"{program.name}, {len(program.states)} states, proved ({program.digest[:12]})")


def _proposers() -> Finding:
    """Who can propose here, without a network and without a key."""
    names = ", ".join(shipped_recipes())
    return _ok("proposers", f"patches, commands{f' and recipes ({names})' if names else ''}")


def _profile() -> Profile:
    return load_profile(shipped("default"), source="default")


def _unconfined() -> list[Finding]:
    """What a run without confinement is, where there can be one."""
    try:
        lacks = choose("off", _profile()).describe()["lacks"]
    except DevAgentError as error:
        return [_lack("confinement", error)]
    listed = "; ".join(map(str, lacks)) if isinstance(lacks, list) else ""
    return [
        Finding(
            topic="confinement",
            status=WARN,
            detail=f"off: the project's code runs with your rights. It lacks {listed}",
            remedy="leave --sandbox=off out (`dev-agent doctor --sandbox=auto` says whether you can)",
        )
    ]


def _confinement(setting: str) -> list[Finding]:
    """The first variant that works is the one a run takes; without one, why each does not."""
    try:
        tried = probes(_profile(), setting=setting)
    except DevAgentError as error:
        return [_lack("confinement", error)]
    working = next((probe for probe in tried if probe.works), None)
    if working is not None:
        path = Path(working.detail.partition(",")[0])
        digest = f", sha256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}…" if path.is_file() else ""
        if working.tier > 1:
            return [_weaker(working, tried)]
        return [_ok("confinement", f"{working.name}: {working.detail}{digest}")]
    return [
        Finding(
            topic="confinement",
            status=LACK,
            detail="; ".join(f"{probe.name}: {probe.detail}" for probe in tried)
            or "no variant fits this machine",
            remedy="; or ".join(dict.fromkeys(probe.remedy for probe in tried if probe.remedy)),
        )
    ]


def _weaker(working: Probe, tried: Sequence[Probe]) -> Finding:
    """Confinement that is not the best there is: what it lacks, and what would bring the best."""
    lacks = choose(working.name, _profile()).describe()["lacks"]
    listed = "; ".join(map(str, lacks)) if isinstance(lacks, list) else ""
    return Finding(
        topic="confinement",
        status=WARN,
        detail=f"{working.name}, tier {working.tier}: {working.detail}. It lacks {listed}",
        remedy="; or ".join(dict.fromkeys(probe.remedy for probe in tried if probe.remedy)),
    )


def _identity(repository: Repository) -> Finding:
    author = user_identity(repository).author
    return _ok("identity", f"{author.name} <{author.email}>")


def _signing(repository: Repository) -> Finding:
    if not wants_signed_commits(repository):
        return _ok("signing", "commits are not signed (commit.gpgsign is off)")
    form = repository.git.setting("gpg.format") or "openpgp"
    if form == "ssh" and not repository.git.setting("user.signingkey"):
        return Finding(
            topic="signing",
            status=LACK,
            detail="commits are to be signed with an ssh key, but user.signingkey is not set",
            remedy="git config user.signingkey ~/.ssh/id_ed25519.pub",
        )
    return _ok("signing", f"commits are signed ({form})")


def _hooks(repository: Repository) -> Finding:
    """Only named: whether hooks run is the policy's word, and a hook may do anything."""
    # Asked with hooks on, because the door for git otherwise points core.hooksPath at nothing.
    asked = repository.git.run("config", "--get", "core.hooksPath", hooks=True)
    configured = os.fsdecode(asked.stdout).rstrip("\n") if asked.ok else ""
    found = repository.git.run("rev-parse", "--git-path", "hooks", hooks=True)
    folder = repository.git.cwd / os.fsdecode(found.stdout).rstrip("\n")
    names = sorted(
        entry.name
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if not entry.name.endswith(".sample") and entry.is_file() and os.access(entry, os.X_OK)
    )
    where = f" in {configured} (core.hooksPath)" if configured else ""
    return _ok("hooks", f"{', '.join(names) or 'none'}{where}")


def _state(repository: Repository) -> Finding:
    folder = repository.state_dir if repository.state_dir.is_dir() else repository.common_dir
    if os.access(folder, os.W_OK | os.X_OK):
        return _ok("state", f"{repository.state_dir} can be written")
    return Finding(
        topic="state",
        status=LACK,
        detail=f"{folder} cannot be written",
        remedy="dev-agent keeps its state there: make it writable for your account",
    )


def _space(repository: Repository) -> Finding:
    free = shutil.disk_usage(repository.common_dir).free
    detail = f"{free // _MEGABYTE} MB free for the git directory"
    if free >= _SCARCE_SPACE:
        return _ok("disk", detail)
    status = WARN if free >= _LEAST_SPACE else LACK
    return Finding(topic="disk", status=status, detail=detail, remedy="free some space")


def _leftovers(repository: Repository) -> Finding:
    begun = len(leftover_transactions(repository)) + len(own_ref_locks(repository))
    kept = all_kept(repository)
    if kept:
        return Finding(
            topic="leftovers",
            status=WARN,
            detail=f"files of yours were kept aside in {', '.join(str(one.folder) for one in kept)}",
            remedy="look at them, take what you need, then remove the folder",
        )
    if begun:
        return Finding(
            topic="leftovers",
            status=WARN,
            detail=f"{begun} left by a command that died, or in use by one that runs now",
            remedy="dev-agent recover",
        )
    return _ok("leftovers", "none")


def _project(repository: Repository, environ: Mapping[str, str], sandbox: str) -> Iterator[Finding]:
    """Settings, policy and the environment the gates judge in, as HEAD has them."""
    base = tree_of(repository, read_head(repository).commit)
    with closing(RepositoryTrees(repository)) as trees:
        config = read_config(trees, base)
        yield _ok("settings", config.source or "none, the defaults hold")
        wanted = "auto"
        try:
            rules = read_rules(None, config.policy, trees, base)
            wanted = wanted_sandbox(sandbox, config, rules)
            yield _ok("policy", f"{rules.policy.name} ({rules.source}, {rules.policy.digest[:12]})")
        except _REFUSALS as error:
            yield _lack("policy", error)
        yield from submodule_findings(repository.work_tree, trees, base, config.include)
        yield from _checked(
            "interpreter", lambda: _environment(repository, trees, base, config, environ, wanted)
        )


def _environment(
    repository: Repository,
    trees: RepositoryTrees,
    base: str,
    config: GateConfig,
    environ: Mapping[str, str],
    wanted: str,
) -> list[Finding]:
    root = repository.work_tree
    sandbox: Sandbox = choose(wanted, _profile(), outside=(root,))
    project = discover_project(
        root, trees, base, config, surroundings=Surroundings.of(environ), sandbox=sandbox, cancel=Cancel()
    )
    told = project.describe()
    found = [_interpreter(project, f"{told['interpreter']} ({told['python']}): {told['because']}")]
    found += [_tool(project, told, "mypy", "type checker"), _tool(project, told, "pytest", "test runner")]
    return found


def _interpreter(project: Project, said: str) -> Finding:
    if project.interpreter.version[:2] > OWN:
        return Finding(topic="interpreter", status=WARN, detail=said, remedy=NEWER_SYNTAX)
    return _ok("interpreter", said)


def _tool(project: Project, told: Mapping[str, Any], name: str, topic: str) -> Finding:
    tool = told[name]
    if tool is None:
        notes = project.mypy_notes if name == "mypy" else project.pytest_notes
        return Finding(
            topic=topic, status=LACK, detail="; ".join(notes) or f"no {name}", remedy=f"install {name}"
        )
    lent = "lent by dev-agent" if tool["lent"] else "the project's own"
    return _ok(topic, f"{name} {tool['version']}, {lent}")
