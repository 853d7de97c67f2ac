"""Threats told by paths, modes and configuration, with innocent twins."""

from __future__ import annotations

import pytest

from dev_agent.policy.settings import FactSettings
from tests.policy.support import added, deleted, edited, facts_of, seen, texts


def test_a_change_outside_the_write_scope() -> None:
    settings = FactSettings(write=("src/**",))
    facts = facts_of(added("docs/a.md", "x"), edited("src/a.md", "x", "y"), settings=settings)
    assert facts["outside_write_scope"] == ("docs/a.md",)


def test_the_write_scope_is_exact_about_case() -> None:
    assert "outside_write_scope" in seen(added("SRC/a.md", "x"), settings=FactSettings(write=("src/**",)))


def test_moving_a_file_out_of_a_closed_place_is_a_change_there() -> None:
    settings = FactSettings(deny=("vendor/**",), protected=("LICENSE",))
    text = "one line\nanother line\n"
    facts = facts_of(
        deleted("vendor/a.md", text), added("a.md", text), added("license", "x"), settings=settings
    )
    assert facts["denied_paths"] == ("vendor/a.md",)
    assert facts["protected_paths"] == ("license",)
    assert facts["files_renamed"] == 1


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/a.yml",
        ".GitHub/workflows/a.yml",
        ".gitlab-ci.yml",
        ".circleci/config.yml",
        "ci/Jenkinsfile",
        "azure-pipelines.yml",
        ".github",
    ],
)
def test_continuous_integration_is_touched(path: str) -> None:
    assert "ci_files" in seen(added(path, "x"))
    assert "ci_files" in seen(deleted(path, "x"))


@pytest.mark.parametrize("path", ["github/a.py", "src/ci/run.py", "docs/.github.md", "circleci.md"])
def test_a_name_that_only_sounds_like_integration_is_innocent(path: str) -> None:
    assert "ci_files" not in seen(added(path, "x"))


@pytest.mark.parametrize(
    "path",
    [
        ".pre-commit-config.yaml",
        ".husky/pre-commit",
        ".githooks/pre-push",
        ".envrc",
        "sub/.envrc",
        ".vscode/tasks.json",
        ".idea/a.xml",
        ".devcontainer/devcontainer.json",
        "my.code-workspace",
        ".VSCODE/settings.json",
        ".mcp.json",
    ],
)
def test_hooks_editors_and_environments_are_touched(path: str) -> None:
    assert "hooks_and_editors" in seen(added(path, "x"))


@pytest.mark.parametrize(
    "path", ["Makefile", ".gitignore", ".editorconfig", "src/hooks/a.py", "vscode/a.py", ".env.example"]
)
def test_a_makefile_or_a_module_named_hooks_is_innocent(path: str) -> None:
    assert seen(added(path, "x\n")) == set()


@pytest.mark.parametrize("path", ["dev-agent.toml", ".dev-agent/policy.toml", "DEV-AGENT.toml"])
def test_the_judge_itself_is_touched(path: str) -> None:
    assert "policy_files" in seen(added(path, "x"))


def test_the_policy_file_a_run_was_loaded_from_is_the_judge_too() -> None:
    settings = FactSettings(own=("policies/team.toml",))
    assert "policy_files" in seen(edited("policies/team.toml", "a", "b"), settings=settings)
    assert "policy_files" not in seen(edited("policies/team.toml", "a", "b"))


@pytest.mark.parametrize("path", [".gitattributes", "sub/.gitattributes", ".gitmodules", ".lfsconfig"])
def test_attributes_and_modules_are_touched(path: str) -> None:
    assert "git_configuration" in seen(added(path, "* filter=x"))


def test_a_submodule_is_added_moved_or_removed() -> None:
    commit = b"1" * 40
    assert "submodules_changed" in seen(added("lib", commit, mode="160000"))
    assert "submodules_changed" in seen(deleted("lib", commit, mode="160000"))
    assert "submodules_changed" in seen(edited("lib", commit, b"2" * 40, mode="160000"))


PYPROJECT = """
[project]
name = "shop"
version = "1"
dependencies = ["requests"]

[tool.mypy]
strict = true

[tool.pytest.ini_options]
addopts = ["-ra"]
"""


@pytest.mark.parametrize(
    ("old", "new", "table"),
    [
        ("strict = true", "strict = true\nignore_errors = true", "tool.mypy"),
        ('addopts = ["-ra"]', 'addopts = ["--collect-only"]', "tool.pytest"),
        ('addopts = ["-ra"]', 'addopts = ["-ra"]\npython_files = ["nothing_*.py"]', "tool.pytest"),
        ("[tool.mypy]", '[[tool.mypy.overrides]]\nmodule = "*"\n[tool.mypy]', "tool.mypy"),
        ("[tool.mypy]", "[tool.coverage.report]\nfail_under = 0\n[tool.mypy]", "tool.coverage"),
        ("[tool.mypy]", '[build-system]\nbackend-path = ["."]\n[tool.mypy]', "build-system"),
        ("[tool.mypy]", '[project.entry-points.pytest11]\nx = "evil"\n[tool.mypy]', "pytest11"),
    ],
)
def test_a_table_that_configures_a_gate_is_touched(old: str, new: str, table: str) -> None:
    facts = facts_of(edited("pyproject.toml", PYPROJECT, PYPROJECT.replace(old, new)))
    assert facts["gate_configuration"] == ("pyproject.toml",)
    assert table in texts(facts, "gate_configuration")[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('version = "1"', 'version = "2"  # a release'),
        ('name = "shop"', 'name = "shop"\ndescription = "mypy"'),
        ("strict = true", "strict = true # as ever"),
        ('["-ra"]', "[\n  '-ra',\n]"),
    ],
)
def test_a_new_version_or_a_comment_in_pyproject_is_innocent(old: str, new: str) -> None:
    assert seen(edited("pyproject.toml", PYPROJECT, PYPROJECT.replace(old, new))) == set()


def test_the_tools_own_table_is_the_judge() -> None:
    after = PYPROJECT + '\n[tool.dev-agent]\npython = "evil"\n'
    assert seen(edited("pyproject.toml", PYPROJECT, after)) == {"policy_files"}


def test_an_unreadable_pyproject_vouches_for_nothing() -> None:
    found = seen(edited("pyproject.toml", PYPROJECT, PYPROJECT + "= broken"))
    assert found == {"gate_configuration", "policy_files", "dependencies_changed"}
    assert "gate_configuration" in seen(edited("pyproject.toml", PYPROJECT, b"\xff" + PYPROJECT.encode()))


def test_a_pyproject_taken_away_takes_the_gates_configuration_along() -> None:
    assert {"gate_configuration", "dependencies_changed"} <= seen(deleted("pyproject.toml", PYPROJECT))
    assert "gate_configuration" in seen(
        deleted("pyproject.toml", PYPROJECT), added("old/pyproject.toml", PYPROJECT)
    )


@pytest.mark.parametrize(
    "path",
    [
        "pytest.ini",
        ".pytest.ini",
        "tox.ini",
        "mypy.ini",
        ".mypy.ini",
        ".coveragerc",
        "sub/pytest.ini",
        "pytest.toml",
        "MyPy.ini",
    ],
)
def test_a_file_that_configures_a_gate_appears(path: str) -> None:
    assert "gate_configuration" in seen(added(path, "[mypy]\nignore_errors = true\n"))
    assert "gate_configuration" in seen(deleted(path, "[mypy]\nstrict = true\n"))


def test_a_comment_in_a_gates_file_is_innocent() -> None:
    before = "[pytest]\naddopts = -ra\n"
    assert seen(edited("pytest.ini", before, "# why\n" + before)) == set()
    assert seen(edited("pytest.ini", before, before.replace("-ra", "--collect-only"))) == {
        "gate_configuration"
    }
    assert seen(edited("pytest.ini", before, "no section\n")) == {"gate_configuration"}
    assert seen(edited("pytest.toml", "[pytest]\na = 1\n", "[pytest]\na = 1 # why\n")) == set()


def test_a_session_script_of_the_gates_changes() -> None:
    before = "import nox\n\ndef tests(session): session.run('pytest')\n"
    assert seen(edited("noxfile.py", before, before.replace("'pytest'", "'true'"))) == {"gate_configuration"}
    assert seen(edited("noxfile.py", before, before + "# a comment\n")) == set()


SETUP_CFG = "[metadata]\nversion = 1\n[options]\ninstall_requires = a\npackages = x\n[mypy]\nstrict = true\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("version = 1", "version = 2", set()),
        ("packages = x", "packages = x, y", set()),
        ("strict = true", "strict = false", {"gate_configuration"}),
        ("[mypy]", "[mypy-shop.*]\nignore_errors = true\n[mypy]", {"gate_configuration"}),
        ("[mypy]", "[tool:pytest]\naddopts = --co\n[mypy]", {"gate_configuration"}),
        ("[mypy]", "[options.entry_points]\npytest11 = x = y\n[mypy]", {"gate_configuration"}),
        ("= a", "= a, b", {"dependencies_changed"}),
        ("[mypy]", "[options.extras_require]\nx = y\n[mypy]", {"dependencies_changed"}),
        ("[metadata]", "metadata", {"gate_configuration", "dependencies_changed"}),
    ],
)
def test_setup_cfg_is_read_section_by_section(old: str, new: str, expected: set[str]) -> None:
    assert seen(edited("setup.cfg", SETUP_CFG, SETUP_CFG.replace(old, new))) == expected


def test_a_conftest_appears_changes_or_goes() -> None:
    hook = "def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"
    assert "conftest_changed" in seen(added("conftest.py", hook))
    assert "conftest_changed" in seen(added("tests/unit/conftest.py", hook))
    assert "conftest_changed" in seen(
        edited("tests/conftest.py", "import os\n", "import os\ncollect_ignore = ['a']\n")
    )
    assert "conftest_changed" in seen(deleted("conftest.py", hook))


def test_a_comment_in_a_conftest_is_innocent() -> None:
    assert "conftest_changed" not in seen(
        edited("conftest.py", "a = 1\nb = 2\n", "# why\na = 1\n\nb = (2)\n")
    )


def test_the_order_of_a_conftest_matters() -> None:
    assert "conftest_changed" in seen(edited("conftest.py", "a = 1\na = 2\n", "a = 2\na = 1\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('["requests"]', '["requests", "evil"]'),
        ('version = "1"', 'version = "1"\nrequires-python = ">=3.14"'),
        ("[tool.mypy]", '[dependency-groups]\ndev = ["x"]\n[tool.mypy]'),
        ("[tool.mypy]", '[tool.uv.sources]\nx = { path = "y" }\n[tool.mypy]'),
    ],
)
def test_dependencies_change_in_pyproject(old: str, new: str) -> None:
    assert seen(edited("pyproject.toml", PYPROJECT, PYPROJECT.replace(old, new))) == {"dependencies_changed"}


@pytest.mark.parametrize(
    "path",
    [
        "requirements.txt",
        "requirements-dev.txt",
        "requirements/base.txt",
        "uv.lock",
        "setup.py",
        "poetry.lock",
        "constraints.txt",
    ],
)
def test_dependencies_change_in_their_own_files(path: str) -> None:
    assert "dependencies_changed" in seen(edited(path, "a==1\n", "a==2\n"))


def test_a_comment_in_requirements_is_innocent() -> None:
    assert seen(edited("requirements.txt", "a==1\n", "# pinned\na==1  # why\n\n")) == set()
    assert seen(edited("requirements.txt", "a @ http://x/#egg=a\n", "a @ http://x/#egg=b\n")) == {
        "dependencies_changed"
    }


def test_a_symbolic_link_appears_or_points_elsewhere() -> None:
    assert seen(added("docs/link", b"../README.md", mode="120000")) == {"symlinks_added"}
    assert seen(edited("link", b"a", b"b", mode="120000")) == {"symlinks_added"}


@pytest.mark.parametrize(
    "target",
    [
        b"/etc/passwd",
        b"../../x",
        b"../x/../../y",
        b"a/../../../x",
        b"~/x",
        b"C:\\x",
        b"../.git/config",
        b"..\\..\\x",
        b"../.GIT/x",
    ],
)
def test_a_symbolic_link_leaves_the_tree(target: bytes) -> None:
    assert "symlinks_leaving_tree" in seen(added("docs/link", target, mode="120000"))


@pytest.mark.parametrize("target", [b"a", b"../b", b"./a/../b", b"../docs/x"])
def test_a_symbolic_link_inside_the_tree_stays(target: bytes) -> None:
    assert "symlinks_leaving_tree" not in seen(added("docs/link", target, mode="120000"))


def test_moving_a_link_can_make_it_leave_the_tree() -> None:
    found = seen(deleted("a/b/link", b"../../x", mode="120000"), added("link", b"../../x", mode="120000"))
    assert "symlinks_leaving_tree" in found


def test_a_file_becomes_executable() -> None:
    change = edited("data.txt", "x", "x")
    made = type(change)(path="data.txt", before=b"x", after=b"x", before_mode="100644", after_mode="100755")
    assert seen(made) == {"executables_added"}
    assert seen(added("run.sh", "x", mode="100755")) == {"executables_added"}


def test_an_executable_that_was_one_or_moved_is_innocent() -> None:
    assert seen(edited("run.sh", "x", "y", mode="100755")) == set()
    assert (
        seen(
            deleted("run.sh", "echo hello\n", mode="100755"),
            added("bin/run.sh", "echo hello\n", mode="100755"),
        )
        == set()
    )


def test_binary_content_is_added() -> None:
    assert seen(added("a.bin", b"\0\1")) == {"binary_content"}
    assert seen(added("a.txt", b"\xff\xfe\xfd")) == {"binary_content"}
    assert seen(edited("a.txt", "text", b"\xff")) == {"binary_content"}


def test_an_edit_of_a_file_in_an_old_encoding_is_innocent() -> None:
    assert seen(edited("a.txt", b"caf\xe9\n", b"caf\xe9s\n")) == set()
    assert seen(added("b.txt", "café\n")) == set()


@pytest.mark.parametrize(
    "path",
    [
        "sitecustomize.py",
        "src/sitecustomize.py",
        "usercustomize/__init__.py",
        "src/evil.pth",
        "src/evil-1.dist-info/entry_points.txt",
        "x.egg-info/PKG-INFO",
        "__pycache__/a.pyc",
    ],
)
def test_a_file_python_runs_before_any_program_is_added(path: str) -> None:
    assert "startup_files" in seen(added(path, "x = 1\n"))


def test_removing_a_startup_file_is_innocent() -> None:
    assert "startup_files" not in seen(deleted("evil.pth", "import os\n"))


def test_a_stub_hides_a_modules_types() -> None:
    assert seen(added("src/shop.pyi", "x: int\n")) == {"stub_shadows"}
    assert seen(edited("src/shop.pyi", "x: int\n", "x: int\ny: int\n")) == set()


@pytest.mark.parametrize(
    "path",
    [
        "random.py",
        "src/json.py",
        "pytest.py",
        "mypy/__init__.py",
        "mypy/main.py",
        "src/_pytest/x.py",
        "logging/__init__.py",
        "tests/random.py",
        "tests/unit/pytest.py",
        "pluggy.pyi",
        "json.so",
    ],
)
def test_a_module_takes_the_place_of_another(path: str) -> None:
    assert "shadowing_modules" in seen(added(path, "x = 1\n"))


@pytest.mark.parametrize(
    "path",
    [
        "src/shop/random.py",
        "shop/types.py",
        "tests/http/test_a.py",
        "tests/json/__init__.py",
        "test/__init__.py",
        "random.md",
        "logging/notes.md",
        "src/shop/json/__init__.py",
    ],
)
def test_a_module_inside_a_package_takes_nobodys_place(path: str) -> None:
    assert "shadowing_modules" not in seen(added(path, "x = 1\n"))


def test_a_file_added_to_a_package_of_the_base_hides_nobody() -> None:
    own = FactSettings(packages=frozenset({"src/packaging"}))
    assert "shadowing_modules" not in seen(added("src/packaging/_new.py", "x = 1\n"), settings=own)
    for path in ("packaging/_new.py", "src/packaging.py", "src/pluggy/_new.py"):
        assert "shadowing_modules" in seen(added(path, "x = 1\n"), settings=own), path


def test_editing_a_module_that_always_stood_there_is_innocent() -> None:
    assert "shadowing_modules" not in seen(edited("random.py", "x = 1\n", "x = 2\n"))


def test_ordinary_work_raises_nothing() -> None:
    found = seen(
        edited(
            "src/shop/cart.py",
            "def total(a: int) -> int:\n    return a\n",
            "def total(a: int) -> int:\n    return a + 1\n",
        ),
        added("src/shop/price.py", '"""Prices."""\n\nimport decimal\n\nONE = decimal.Decimal(1)\n'),
        edited("README.md", "# Shop\n", "# Shop\n\nIt sells.\n"),
        edited("docs/index.md", "a\n", "b\n"),
    )
    assert found == set()
