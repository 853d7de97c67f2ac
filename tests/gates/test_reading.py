"""Reading what tools and the runner say, and which configuration they would take."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import pytest

import dev_agent.gates
from dev_agent.enclosing import definitions
from dev_agent.gates.delta import Finding
from dev_agent.gates.findings import read_findings, with_symbols
from dev_agent.gates.pytest_words import cause, told
from dev_agent.gates.records import BadReport, read_records
from dev_agent.gates.tool_config import MypyConfig, PytestConfig, read_mypy_config, read_pytest_config

KEY = bytes(range(32))


def runner(name: str) -> Any:
    path = Path(dev_agent.gates.__path__[0]) / "runner" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"runner_under_test_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def written(records: list[dict[str, object]]) -> bytes:
    """What the runner's own writer makes of some records."""
    ours, theirs = os.pipe()
    send = runner("channel").open_channel(KEY, theirs)
    for record in records:
        send(record)
    os.close(theirs)
    with os.fdopen(ours, "rb") as stream:
        return stream.read()


RECORDS: list[dict[str, object]] = [{"type": "start"}, {"type": "test", "id": "ä\udcff"}, {"type": "end"}]


def test_records_come_back_as_they_were_sent() -> None:
    assert list(read_records(written(RECORDS), KEY)) == RECORDS


def test_a_torn_tail_is_left_out() -> None:
    report = written(RECORDS)
    whole = written(RECORDS[:2])

    for cut in range(len(whole), len(report)):
        assert list(read_records(report[:cut], KEY)) == RECORDS[:2]


def test_every_changed_byte_of_a_whole_report_is_found_out() -> None:
    report = written(RECORDS)

    for position in range(len(report)):
        changed = bytearray(report)
        changed[position] ^= 1
        with contextlib.suppress(BadReport):
            assert len(read_records(bytes(changed), KEY)) < len(RECORDS)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_record_taken_out_of_the_middle_is_found_out(missing: int) -> None:
    ends = [0, *(len(written(RECORDS[:count])) for count in (1, 2, 3))]
    report = written(RECORDS)

    with pytest.raises(BadReport, match=f"record {missing}"):
        read_records(report[: ends[missing]] + report[ends[missing + 1] :], KEY)


def test_a_record_repeated_or_under_another_key_is_found_out() -> None:
    report = written(RECORDS)

    for forged, key in ((report + report, KEY), (report, bytes(32))):
        with pytest.raises(BadReport):
            read_records(forged, key)


def test_a_child_of_a_test_sends_nothing(tmp_path: Path) -> None:
    target = os.open(tmp_path / "report", os.O_RDWR | os.O_CREAT)
    channel = runner("channel")
    send = channel.open_channel(KEY, target)
    real = os.getpid
    try:
        channel.os.getpid = lambda: real() + 1
        send({"type": "end"})
    finally:
        channel.os.getpid = real
    os.close(target)

    assert (tmp_path / "report").read_bytes() == b""


def test_places_are_said_as_they_are_found_where_nothing_is_mounted() -> None:
    translated = runner("launch").translated
    places = {"/repo": "/tmp/copy", "/repo/.venv": "/home/u/.venv", "/repo/same": "/repo/same"}

    assert translated(
        ["-c", "/repo/a.ini", "--rootdir=/repo", {"p": "/repo/.venv/bin"}, "/repo/same/x", 3], places
    ) == [
        "-c",
        "/tmp/copy/a.ini",
        "--rootdir=/tmp/copy",
        {"p": "/home/u/.venv/bin"},
        "/repo/same/x",
        3,
    ]
    assert translated("/repository", places) == "/repository"
    assert translated("/repo", {"/repo": "/repo"}) == "/repo"


JSON = json.dumps(
    {
        "file": "a.py",
        "line": 2,
        "column": 4,
        "message": "bad",
        "hint": "try",
        "code": "misc",
        "severity": "error",
    }
)


@pytest.mark.parametrize(
    ("line", "path", "number", "code", "message"),
    [
        (JSON, "a.py", 2, "misc", "bad"),
        ("a.py:2: error: bad  [misc]", "a.py", 2, "misc", "bad"),
        ("a.py:2:5: error: bad [x]  [arg-type]", "a.py", 2, "arg-type", "bad [x]"),
        ("a.py: error: Source file found twice", "a.py", -1, "", "Source file found twice"),
    ],
)
def test_both_forms_of_mypys_output_are_read(
    line: str, path: str, number: int, code: str, message: str
) -> None:
    said = read_findings(f"{line}\n")

    assert said.unread == ()
    assert [(one.path, one.line, one.code, one.message) for one in said.findings] == [
        (path, number, code, message)
    ]


def test_notes_belong_to_the_error_before_them_and_the_rest_is_unread() -> None:
    said = read_findings(
        "a.py:1: note: alone\na.py:2: error: bad\na.py:2: note: because\n\nINTERNAL ERROR\n{broken\n"
    )

    assert [one.detail for one in said.findings] == ["because"]
    assert said.unread == ("INTERNAL ERROR", "{broken")


def test_unused_sections_of_a_configuration_make_no_run_unreadable_and_explain_no_error() -> None:
    note = "setup.cfg: note: unused section(s): [mypy-tests.*]\n"

    said = read_findings(f"{JSON}\n{note}")

    assert said.unread == ()
    assert [one.detail for one in said.findings] == [one.detail for one in read_findings(JSON).findings]
    assert read_findings(note).findings == ()


def test_findings_are_placed_in_their_definitions() -> None:
    source = b"X = 1\n\n@deco\nclass C:\n    def f(self):\n        def g(): ...\n        return 1\n"
    findings = [
        Finding(path="a.py", line=line, column=0, code="", message="") for line in (1, 3, 5, 6, 7, 99)
    ]

    placed = with_symbols(findings, {"a.py": source}.get)

    assert [one.symbol for one in placed] == ["", "C", "C.f", "C.f.g", "C.f", ""]
    assert definitions(b"def (") == []
    assert [one.symbol for one in with_symbols(findings[:1], lambda _: None)] == [""]


def tree(**files: str) -> Any:
    names = {name.replace("__", "."): text.encode("utf-8", "surrogateescape") for name, text in files.items()}
    return names.get


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({}, PytestConfig()),
        ({"pytest__ini": ""}, PytestConfig(file="pytest.ini")),
        ({"pytest__toml": "[pytest]\naddopts = ['-x']\n"}, PytestConfig(file="pytest.toml", addopts=("-x",))),
        (
            {"pyproject__toml": "[tool.pytest.ini_options]\npythonpath = 'src lib'\ntestpaths = ['t']\n"},
            PytestConfig(file="pyproject.toml", pythonpath=("src", "lib"), testpaths=("t",)),
        ),
        (
            {"pyproject__toml": "[tool.pytest]\naddopts = ['-q']\n"},
            PytestConfig(file="pyproject.toml", addopts=("-q",)),
        ),
        ({"pyproject__toml": "[tool.other]\n", "tox__ini": "[tox]\n"}, PytestConfig()),
        (
            {"pyproject__toml": "[tool.other]\n", "setup__cfg": "[tool:pytest]\npython_files = check_*.py\n"},
            PytestConfig(file="setup.cfg", python_files=("check_*.py",)),
        ),
        ({"tox__ini": "[pytest]\naddopts = 'unclosed\n"}, PytestConfig(file="tox.ini")),
        ({"pytest__ini": "no section\n"}, PytestConfig(file="pytest.ini")),
        ({"pyproject__toml": "\udcff"}, PytestConfig()),
    ],
)
def test_the_file_pytest_would_take(files: dict[str, str], config: PytestConfig) -> None:
    assert read_pytest_config(tree(**files)) == config


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({}, MypyConfig()),
        ({"mypy__ini": "[mypy]\nfiles = src\n"}, MypyConfig(file="mypy.ini", has_targets=True)),
        ({"mypy__ini": "[other]\n"}, MypyConfig(file="mypy.ini")),
        (
            {"pyproject__toml": "[tool.mypy]\nplugins = ['pydantic.mypy']\npython_version = '3.11'\n"},
            MypyConfig(file="pyproject.toml", plugins=("pydantic.mypy",), sets_python_version=True),
        ),
        (
            {"pyproject__toml": "[tool.x]\n", "setup__cfg": "[mypy]\nplugins = a,\n b\n"},
            MypyConfig(file="setup.cfg", plugins=("a", "b")),
        ),
        ({"pyproject__toml": "[tool.mypy]\nplugins = 3\n"}, MypyConfig(file="pyproject.toml")),
    ],
)
def test_the_file_mypy_would_take(files: dict[str, str], config: MypyConfig) -> None:
    assert read_mypy_config(tree(**files)) == config


INTERNAL = b"""\
INTERNALERROR> Traceback (most recent call last):
INTERNALERROR>   File "/v/_pytest/main.py", line 283, in wrap_session
INTERNALERROR>     config._do_configure()
INTERNALERROR>   File "/v/plug.py", line 306, in pytest_configure
INTERNALERROR>     warnings.warn(Unset(TEXT))
INTERNALERROR> plug.Unset: The option "scope" is unset.
INTERNALERROR> It will default to something else: Set it.
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (INTERNAL, 'plug.Unset: The option "scope" is unset. (/v/plug.py:306)'),
        (b"ERROR: usage: x\npytest.main(): error: unrecognized arguments: --cov=a\n  rootdir: /r\n",
         "unrecognized arguments: --cov=a"),
        (b"a.py:1: in <module>\n    import b\nE   ModuleNotFoundError: No module named 'b'\nmore\n",
         "ModuleNotFoundError: No module named 'b'"),
        (b"INTERNALERROR> cut short\n", "cut short"),
        (b"INTERNALERROR> \n", "pytest itself raised an error"),
        (b"1 passed\n", ""),
    ],
)  # fmt: skip
def test_the_cause_of_a_run_without_a_verdict_is_told_first(output: bytes, expected: str) -> None:
    assert cause(output) == expected
    assert told(output).startswith(expected or "1 passed")
