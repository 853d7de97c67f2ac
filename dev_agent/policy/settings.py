"""What counts as what: the path patterns behind the facts.

The built-in lists are the ground; a policy's `[paths]` adds to them and never takes away, so that no policy
can make a gate's configuration stop being one. All of these lists are matched without regard to case: on a
file system that ignores it, `.GITHUB/` is `.github/`. Only the write scope is compared exactly, because there
the exact reading is the stricter one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from dev_agent.values import dataclass

# What pytest collects by default, and Django's habit.
COLLECTED = ("**/test_*.py", "**/*_test.py", "**/tests.py")
TESTS = (*COLLECTED, "tests/**", "test/**", "**/tests/**", "**/conftest.py")
GATES = (
    "**/pytest.ini", "**/.pytest.ini", "**/pytest.toml", "**/.pytest.toml", "**/tox.ini", "**/tox.toml",
    "**/mypy.ini", "**/.mypy.ini", "**/.coveragerc", "**/.coveragerc.toml", "**/noxfile.py",
    "**/pyrightconfig.json", "**/ruff.toml", "**/.ruff.toml", "**/.flake8", "**/.pylintrc", "**/pylintrc",
    "**/ty.toml", "**/pyrefly.toml", "**/.pyre_configuration", "hatch.toml",
)  # fmt: skip
CI = (
    ".github/**", ".gitlab-ci.yml", ".gitlab/**", ".circleci/**", "**/Jenkinsfile", "azure-pipelines*.y*ml",
    ".azure-pipelines/**", ".travis.yml", "bitbucket-pipelines.yml", ".buildkite/**", ".drone.yml",
    "appveyor.yml", ".appveyor.yml", ".woodpecker.yml", ".woodpecker/**", ".teamcity/**", ".cirrus.yml",
    "cloudbuild.y*ml", ".forgejo/**", ".gitea/**",
)  # fmt: skip
# Files that run code, or change what other tools do, on the machine of whoever opens the repository.
HOOKS = (
    "**/.pre-commit-config.y*ml", "**/.pre-commit-hooks.y*ml", "**/.husky/**", "**/.githooks/**",
    "**/lefthook.y*ml", "**/.lefthook.y*ml", "**/.envrc", "**/.vscode/**", "**/.idea/**",
    "**/.devcontainer/**", "**/.devcontainer.json", "**/*.code-workspace", "**/.exrc", "**/.nvimrc",
    "**/.vimrc", "**/.lvimrc", "**/.dir-locals.el", "**/.gdbinit", "**/.lldbinit", "**/.pdbrc",
    "**/.mise.toml", "**/mise.toml", "**/.tool-versions", "**/.ripgreprc", "**/.mcp.json", "**/.claude/**",
    "**/.cursor/**", "**/.codex/**", "**/.zed/**", "**/.fleet/**", "**/.gemini/**", "**/.windsurf/**", "**/.kiro/**",
    "**/.roo/**", "**/.amazonq/**", "**/.aider.conf.yml", "**/.overcommit.yml", "**/prek.toml",
    # Which server git-lfs asks, and it does while a tree is written for the gates: before anybody has agreed.
    "**/.lfsconfig",
)  # fmt: skip
OWN = ("dev-agent.toml", ".dev-agent.toml", ".dev-agent/**")
GIT = ("**/.gitattributes", "**/.gitmodules", "**/.lfsconfig")
DEPENDENCIES = (
    "**/requirements*.txt", "**/requirements*.in", "**/requirements/*.txt", "**/requirements/*.in",
    "**/constraints*.txt", "**/setup.py", "**/uv.lock", "**/poetry.lock", "**/pdm.lock", "**/pylock*.toml",
    "**/Pipfile", "**/Pipfile.lock", "**/environment.y*ml", "**/conda-lock.y*ml", "**/package-lock.json",
    "**/yarn.lock", "**/pnpm-lock.yaml", "**/Cargo.lock", "**/go.sum", "**/npm-shrinkwrap.json", "**/bun.lock*",
    "**/pixi.toml", "**/pixi.lock", "**/uv.toml", "**/pdm.toml", "**/poetry.toml", "**/pip.conf", "**/pip.ini",
    "**/.npmrc", "**/.yarnrc", "**/.yarnrc.yml", "**/hatch_build.py",
)  # fmt: skip
# No library's public face: scripts, documentation, build files.
NOT_API = (
    "docs/**", "doc/**", "examples/**", "scripts/**", "tools/**", "benchmarks/**", "**/migrations/**",
    "**/setup.py", "**/noxfile.py",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class FactSettings:
    """The lists of path patterns, in the language of `globs`. Defaults are the built-in ones.

    write         paths that may be changed (compared exactly)
    deny          paths that may never be changed
    protected     paths somebody must agree to
    tests         files that belong to the tests
    collected     those of them whose test functions a runner collects
    gates, ci, hooks, own, git, dependencies     files that are wholly what the fact so named speaks of
    not_api       Python files nobody imports from
    import_roots  directories Python may import top-level modules from; "" is the repository's root
    packages      folders of those roots that are packages of the base itself: what is added to one hides no other
    sets          path sets of the policy's own, by name
    used          paths that count as tests by their names and that sources import: read as sources
    judging       files of the base that its own settings' commands run
    """

    write: tuple[str, ...] = ("**",)
    deny: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    tests: tuple[str, ...] = TESTS
    collected: tuple[str, ...] = COLLECTED
    gates: tuple[str, ...] = GATES
    ci: tuple[str, ...] = CI
    hooks: tuple[str, ...] = HOOKS
    own: tuple[str, ...] = OWN
    git: tuple[str, ...] = GIT
    dependencies: tuple[str, ...] = DEPENDENCIES
    not_api: tuple[str, ...] = NOT_API
    import_roots: tuple[str, ...] = ("", "src", "lib", "python")
    packages: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    judging: frozenset[str] = frozenset()
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def path_sets(self) -> Mapping[str, tuple[str, ...]]:
        """Every set a condition can ask about, built-in ones first."""
        return {"tests": self.tests, "ci": self.ci, "hooks": self.hooks, **self.sets}
