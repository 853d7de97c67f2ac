"""Everything a run rests on, resolved before it begins: target, base, settings, policy, confinement, gates.

All of it comes from the caller's words, the base commit and the machine; nothing from the patch. What cannot be
resolved is an error here, before a run exists, so that it leaves nothing behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dev_agent
from dev_agent.errors import RepositoryFault, UsageFault
from dev_agent.gates.config import GateConfig, read_config
from dev_agent.programs.differences import differences, in_words
from dev_agent.programs.judging import Judging, judged_at
from dev_agent.programs.rules import Rules, again, read_rules
from dev_agent.repository.discovery import read_head, tree_of
from dev_agent.repository.distrust import DistrustedTrees
from dev_agent.repository.identity import user_identity
from dev_agent.repository.landing.outcome import Blocked, Refusal
from dev_agent.repository.landing.replaced import require_unreplaced
from dev_agent.repository.landing.target import (
    Target,
    TargetKind,
    find_target,
    require_no_operation,
    require_sole_checkout,
    tip_of,
)
from dev_agent.repository.trees import RepositoryTrees
from dev_agent.sandbox.choose import choose
from dev_agent.sandbox.profile import Profile, load_profile, shipped
from dev_agent.values import dataclass

if TYPE_CHECKING:
    from dev_agent.cancel import Cancel
    from dev_agent.gates.judge import Judge
    from dev_agent.programs.request import ApplyRequest
    from dev_agent.repository.discovery import Repository
    from dev_agent.sandbox.sandbox import Sandbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """Where the change goes and what it starts from; `commit` is None on an unborn branch."""

    target: Target
    commit: str | None
    tree: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """What a run rests on."""

    base: Base
    rules: Rules
    sandbox: Sandbox
    gates: Judging
    trees: RepositoryTrees
    cache_size: int
    co_authored_by: str = ""

    def weaknesses(self) -> tuple[str, ...]:
        """What a person watching should know of the confinement; empty for the strongest."""
        told = self.sandbox.describe()
        lacks = told["lacks"]
        if self.sandbox.tier == 1 or not isinstance(lacks, list):
            return ()
        listed = "; ".join(map(str, lacks))
        return (f"confinement: {self.sandbox.name} (tier {self.sandbox.tier}) lacks {listed}",)

    def judged_by(self, judge: Judge) -> Setting:
        """The same, with somebody else answering what the gates are asked."""
        return replace(self, gates=replace(self.gates, judge=judge))

    def snapshot(self, repository: Repository) -> dict[str, Any]:
        """What `begin` records of it."""
        return {
            "tool": dev_agent.__version__,
            "git": repository.git_version,
            "object_format": repository.object_format,
            "base": self.base.commit or "",
            "base_tree": self.base.tree,
            "ref": self.base.target.ref,
            "target": self.base.target.kind.value,
            "policy": {
                "name": self.rules.policy.name,
                "digest": self.rules.policy.digest,
                "source": self.rules.source,
            },
            "hooks": self.rules.policy.hooks,
            "sandbox": dict(self.sandbox.describe()),
            "environment": self.gates.describe(self.base.tree),
        }


def find_base(repository: Repository, branch: str | None) -> Base:
    """The target and its base commit, refused early where landing would be refused anyway.

    Raises RepositoryFault, UsageFault or GitFailed.
    """
    repository.work_tree  # noqa: B018 - a bare repository is refused by asking
    target = find_target(repository, branch)
    try:
        require_no_operation(repository.git_dir)
        require_sole_checkout(repository, target)
        commit = (
            read_head(repository).commit
            if target.kind is TargetKind.NEW_BRANCH
            else tip_of(repository, target)
        )
        if target.has_work_tree:
            require_unreplaced(repository, commit)
    except Refusal as refusal:
        code = refusal.outcome.code.value if isinstance(refusal.outcome, Blocked) else "blocked"
        raise RepositoryFault(code, str(refusal), hint="nothing was changed") from None
    return Base(target=target, commit=commit, tree=tree_of(repository, commit))


def prepare(
    repository: Repository, request: ApplyRequest, *, environ: Mapping[str, str], cancel: Cancel
) -> Setting:
    """The setting of a new run. Raises the errors of everything it asks."""
    base = find_base(repository, request.branch)
    user_identity(repository)
    return prepare_on(repository, request, base, environ=environ, cancel=cancel)


def prepare_on(
    repository: Repository,
    request: ApplyRequest,
    base: Base,
    *,
    environ: Mapping[str, str],
    cancel: Cancel,
) -> Setting:
    """The setting of a new run on a base that was found already. Raises the errors of everything it asks."""
    trees = RepositoryTrees(repository)
    config = read_config(trees, base.tree)
    rules = read_rules(request.policy, config.policy, trees, base.tree)
    return _complete(repository, request, base, rules, trees, config, environ, cancel)


def prepare_again(
    repository: Repository,
    request: ApplyRequest,
    base: Base,
    rules: Rules,
    *,
    environ: Mapping[str, str],
    cancel: Cancel,
) -> Setting:
    """The setting of a run that is taken up again: base and policy are the ones it began with."""
    trees = RepositoryTrees(repository)
    config = read_config(trees, base.tree)
    return _complete(repository, request, base, rules, trees, config, environ, cancel)


def recorded_rules(begin: Mapping[str, Any], text: str, meaning: bytes = b"") -> Rules:
    """The policy a run began with. Raises UsageFault if this version reads its text differently.

    `meaning` is what the text meant then; with it the difference is named.
    """
    known = begin["policy"]
    rules = again(text, source=known["source"], name=known["name"])
    if rules.policy.digest != known["digest"]:
        found = differences(_content(meaning), json.loads(rules.policy.meaning)) if meaning else ()
        named = f": {in_words(found)}" if found else ""
        raise UsageFault(
            f"the policy {known['name']} means something else to this version of dev-agent than when the run "
            f"began{named}",
            hint="start the task again",
        )
    return rules


def _content(meaning: bytes) -> Mapping[str, Any]:
    try:
        content = json.loads(meaning)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def read_profile(named: str | None) -> Profile:
    """The confinement profile in a file the caller names, or the shipped default. Raises UsageFault."""
    if named is None:
        return load_profile(shipped("default"), source="default")
    try:
        text = Path(named).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(f"the profile {named} cannot be read: {error}", hint="name a TOML file") from error
    return load_profile(text, source=named)


def wanted_sandbox(asked: str, config: GateConfig, rules: Rules) -> str:
    """The sandbox to choose: the caller's word, else the settings', as policy lets it be.

    Raises UsageFault for one that policy rules out, and for settings that turn it off.
    """
    wanted = _within_policy(asked if asked != "auto" else _at_least(config.sandbox), rules)
    if wanted == "off" and asked != "off":
        raise UsageFault(
            f"{config.source} turns the sandbox off; only the person who runs dev-agent may do that",
            hint="remove it there and say --sandbox=off yourself if you mean it",
        )
    return wanted


def _at_least(setting: str) -> str:
    """What to choose where a repository's settings name the least confinement it asks for.

    They can ask for more than any, never for less: "landlock" is content with what is stronger, so the stronger is
    taken where it works. To choose the weaker tier is the caller's own word.
    """
    return "auto" if setting in ("", "landlock") else setting


def _within_policy(wanted: str, rules: Rules) -> str:
    """The sandbox to choose, given the policy's word. Raises UsageFault for one it rules out."""
    policy = rules.policy
    if wanted == "off" and policy.sandbox != "optional":
        raise UsageFault(
            f"policy {policy.name} requires confinement, so the sandbox cannot be off",
            hint='leave the sandbox on, or use a policy with [sandbox] confinement = "optional"',
        )
    if policy.sandbox != "namespaces":
        return wanted
    if wanted == "landlock":
        raise UsageFault(
            f"policy {policy.name} requires namespaces, which the sandbox landlock does without",
            hint='use the sandbox bubblewrap, or a policy with [sandbox] confinement = "required"',
        )
    return "bubblewrap"


def _complete(
    repository: Repository,
    request: ApplyRequest,
    base: Base,
    rules: Rules,
    trees: RepositoryTrees,
    config: GateConfig,
    environ: Mapping[str, str],
    cancel: Cancel,
) -> Setting:
    wanted = wanted_sandbox(request.sandbox, config, rules)
    profile = read_profile(request.profile)
    sandbox = choose(
        wanted,
        profile,
        scratch_root=repository.state_dir / "scratch",
        outside=(judged_at(repository),),
        memory=repository.state_dir / "cache" / "trials",
    )
    gates = Judging(
        repository=repository,
        trees=trees if sandbox.tier == 1 else DistrustedTrees(trees),
        sandbox=sandbox,
        policy=rules.policy.gates,
        must_pass=request.must_pass,
        environ=environ,
        cancel=cancel,
        profile=profile,
        confinement=wanted,
        python=request.python or "",
        cache=repository.state_dir / "cache",
    )
    gates.of(base.tree)
    return Setting(
        base=base,
        rules=rules,
        sandbox=sandbox,
        gates=gates,
        trees=trees,
        cache_size=config.cache_size,
        co_authored_by=config.co_authored_by,
    )
