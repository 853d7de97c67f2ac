from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest

from dev_agent.gates.config import CheckConfig, ConfigFault, GateConfig, parse_config, read_config
from dev_agent.gates.subject import Checkout


class Files:
    """Trees of which only reading matters."""

    def __init__(self, **files: str) -> None:
        self._files = {
            name.replace("_", "-", 1) if name == "dev_agent" else name: text for name, text in files.items()
        }

    def read(self, tree: str, path: str) -> bytes | None:
        name = {"dev-agent.toml": "dev-agent", "pyproject.toml": "pyproject"}[path]
        text = self._files.get(name)
        return None if text is None else text.encode("utf-8", "surrogateescape")

    def lease(self, purpose: str) -> AbstractContextManager[Checkout]:
        raise AssertionError(purpose)

    def compose(self, tree: str, replacements: object) -> str:
        raise AssertionError(tree, replacements)

    def entry(self, tree: str, path: str) -> tuple[str, str] | None:
        raise AssertionError(tree, path)

    def paths(self, tree: str) -> Sequence[str]:
        raise AssertionError(tree)

    def diff(self, a: str, b: str) -> Sequence[tuple[str, str]]:
        raise AssertionError(a, b)

    def in_checkout(self, path: str) -> bool:
        raise AssertionError(path)


def parse(text: str) -> GateConfig:
    return parse_config(tomllib.loads(text), source="dev-agent.toml")


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigFault) as caught:
        parse(text)
    assert str(len(caught.value.faults)) in caught.value.message
    return caught.value.faults


def test_every_key_is_read() -> None:
    config = parse(
        """
        python = ".venv/bin/python"
        setup = ["python tools/generate.py 'two words'", ["make", "x"]]
        include = ["src/acme/_version.py"]
        env = { PYTHONPATH = "src" }
        read_only = ["/opt/data"]
        policy = "strict"
        sandbox = "auto"
        gates.types = { enabled = false, command = "pyright", paths = ["src"], timeout_s = 5, strict = false }
        gates.tests = { enabled = false, paths = ["tests"], timeout_s = 6, deselect = ["a::b"], tree = "read-only" }
        gates.checks = [{ name = "lint", command = "ruff check .", timeout_s = 7 }]
        """
    )

    assert config.setup == (("python", "tools/generate.py", "two words"), ("make", "x"))
    assert (config.python, config.policy, config.sandbox) == (".venv/bin/python", "strict", "auto")
    assert (config.include, config.read_only) == (("src/acme/_version.py",), ("/opt/data",))
    assert config.env == {"PYTHONPATH": "src"}
    assert (config.types.enabled, config.types.command, config.types.paths) == (False, ("pyright",), ("src",))
    assert (config.types.timeout_s, config.types.strict) == (5, False)
    assert (config.tests.enabled, config.tests.paths, config.tests.timeout_s) == (False, ("tests",), 6)
    assert (config.tests.deselect, config.tests.read_only) == (("a::b",), True)
    assert config.checks == (CheckConfig(name="lint", command=("ruff", "check", "."), timeout_s=7),)


def test_silence_means_the_defaults() -> None:
    assert parse("") == GateConfig(source="dev-agent.toml")


def test_all_faults_come_at_once_with_their_paths() -> None:
    found = faults(
        """
        pyton = "x"
        env = { LD_PRELOAD = "x", "a b" = "c", PYTEST_ADDOPTS = "-x" }
        include = ["../up", ".git/config", "/etc/passwd"]
        read_only = ["relative", "/", "/a/../b"]
        setup = [[], "unclosed 'quote"]
        gates.types = { paths = ["--flag", "/abs"], timeout_s = 0, stricct = true }
        gates.tests = { tree = "scrach", enabled = 1 }
        gates.checks = [{ name = "Bad Name", command = "x" }, { name = "tests", command = "" }]
        gates.lint = {}
        """
    )
    text = "\n".join(found)

    for expected in (
        "pyton: unknown key (did you mean 'python'?)",
        "env: LD_PRELOAD",
        "env: 'a b'",
        "env: PYTEST_ADDOPTS",
        "include: '../up'",
        "include: '.git/config'",
        "include: '/etc/passwd'",
        "read_only: 'relative'",
        "read_only: '/'",
        "read_only: '/a/../b'",
        "setup: must not be empty",
        "setup[1]: cannot be split",
        "gates.types.paths: '--flag'",
        "gates.types.paths: '/abs'",
        "gates.types.timeout_s: must be a whole number",
        "gates.types.stricct: unknown key (did you mean 'strict'?)",
        "gates.tests.tree: must be one of scratch, read-only, not 'scrach' (did you mean 'scratch'?)",
        "gates.tests.enabled: must be true or false",
        "gates.checks[0].name: must be small letters",
        "gates.checks[1].name: 'tests' is taken",
        "gates.checks[1].command: must not be empty",
        "gates.lint: unknown key",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("python = 3", "python"),
        ("include = 'x'", "include"),
        ("env = { A = 1 }", "env"),
        ("setup = 'x'", "setup"),
        ("setup = [1]", "setup[0]"),
        ("gates = 1", "gates"),
        ("gates.checks = [1]", "gates.checks"),
        ('gates.types.command = ["a\\u0000b"]', "gates.types.command"),
        ('env = { A = "a\\u0000b" }', "env"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(text: str, path: str) -> None:
    assert faults(text)[0].startswith(f"{path}: ")


def test_keys_of_others_are_left_alone() -> None:
    assert parse_config({"model": "x"}, source="f", others=("model",)) == GateConfig(source="f")


@pytest.mark.parametrize(
    "name", ["LD_LIBRARY_PATH", "ld_preload", "PATH", "GIT_DIR", "PYTHONHOME", "BASH_ENV", "HOME"]
)
def test_variables_that_take_control_are_refused(name: str) -> None:
    assert name in faults(f"env = {{ {name} = 'x' }}")[0]


def test_the_settings_come_from_either_file_but_not_from_both() -> None:
    shared = "[tool.dev-agent]\npython = 'a'\n"

    assert read_config(Files(), "t") == GateConfig()
    assert read_config(Files(pyproject="[tool.other]\n"), "t") == GateConfig()
    assert read_config(Files(pyproject=shared), "t").source == "pyproject.toml"
    assert read_config(Files(dev_agent="python = 'b'\n"), "t").python == "b"
    with pytest.raises(ConfigFault, match="keep one"):
        read_config(Files(pyproject=shared, dev_agent=""), "t")


@pytest.mark.parametrize("text", ["[tool", "\udcff", "[tool]\ndev-agent = 3\n"])
def test_an_unreadable_file_is_a_fault_and_not_silence(text: str) -> None:
    with pytest.raises(ConfigFault, match=r"pyproject\.toml"):
        read_config(Files(pyproject=text), "t")


def test_a_co_author_is_one_person_on_one_line() -> None:
    assert (
        parse('co_authored_by = "Dév Bot <bot+x@example.org>"').co_authored_by
        == "Dév Bot <bot+x@example.org>"
    )
    assert parse("").co_authored_by == ""


@pytest.mark.parametrize(
    "said",
    ["Bot", "<b@example.org>", "Bot <b@example.org> x", "A <a@b>\\nSigned-off-by: M <m@b>", "A  B <a@b>",
     "A <a@b@c>", "A \u202e<a@b>", " A <a@b>", "A <a b@c>"],
)  # fmt: skip
def test_what_is_no_person_is_a_fault(said: str) -> None:
    (fault,) = faults(f'co_authored_by = "{said}"')

    assert fault.startswith("co_authored_by: must be a name and an address")
