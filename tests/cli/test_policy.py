"""`policy` as a user runs it: words, exit codes, and a repository that stays as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dev_agent.cli.app import run
from tests.testing.repos import Project, make_repository

TEAM = """\
name = "team"
version = 1
[paths]
docs = ["docs/**"]
[on]
type_ignores_added = "ask"
[[rules]]
name = "large_untested"
when = "lines_added > 2 and not touches_tests and not only_docs"
then = "deny"
because = "That much new code comes with tests."
[[rules.test]]
given = { lines_added = 3 }
fires = true
verdict = "deny"
[[rules]]
name = "documentation"
when = "only_docs"
then = "allow"
because = "Documentation only."
"""
PATCH = """\
src/app.py
<<<<<<< SEARCH
x = 1
=======
x = 2
y = 3
z = x  # type: ignore
>>>>>>> REPLACE
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A repository whose settings name a policy of its own."""
    made = make_repository(
        tmp_path,
        {
            "dev-agent.toml": b'policy = "team.toml"\n',
            "team.toml": TEAM.encode(),
            "src/app.py": b"x = 1\n",
            "docs/a.md": b"a\n",
        },
    )
    for name, value in made.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.root)
    return made


def _run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = run(["policy", *args])
    out, err = capsys.readouterr()
    return code, " ".join(out.split()), err


def _json(capsys: pytest.CaptureFixture[str], *args: str) -> Any:
    assert run(["policy", *args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_repositorys_own_policy_is_checked_and_tested(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _run(capsys, "check")
    assert (code, "Sound: policy team has no faults (2 rules of its own)" in out) == (0, True)
    code, out, _ = _run(capsys, "test")
    assert (code, "holds large_untested[0]" in out, "not tested: documentation" in out) == (0, True, True)


def test_remarks_and_failing_tests_are_exit_code_one(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEAM.replace("lines_added = 3", "lines_added = 1").replace(
        'when = "only_docs"', 'when = "lines < 0"'
    )
    (project.root / "odd.toml").write_text(text)
    code, out, _ = _run(capsys, "check", "odd.toml")
    assert (code, "unreachable rules.documentation can never fire" in out) == (1, True)
    code, out, _ = _run(capsys, "test", "odd.toml")
    assert (code, "wrong large_untested[0] the rule does not fire" in out) == (1, True)


def test_all_faults_of_a_file_are_told_with_file_line_field_and_remedy(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEAM.replace("lines_added > 2", "lines_aded > 2").replace('"ask"', '"sak"')
    (project.root / "bad.toml").write_text(text)
    code, out, err = _run(capsys, "check", "bad.toml")
    assert (code, out) == (2, "")
    assert "bad.toml:6: on.type_ignores_added: is not one of its words; write" in err
    assert "bad.toml:9: rules[0].when: unknown fact 'lines_aded'" in err
    assert "did you mean 'lines_added'?" in err
    assert err.index("bad.toml:6") < err.index("bad.toml:9")


def test_a_patch_is_explained_and_nothing_is_written(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "fix.patch").write_text(PATCH)
    before = project.snapshot()
    code, out, _ = _run(capsys, "explain", "--patch", "fix.patch")
    assert code == 0
    assert "deny rules.large_untested lines_added = 3, touches_tests = false, only_docs = false" in out
    assert "ask on.type_ignores_added type_ignores_added = 1" in out
    assert "silent rules.documentation only_docs = false" in out
    assert "type_ignores_added 1 src/app.py:3" in out
    assert "Verdict: deny, policy team, 2 rules fired" in out
    assert project.snapshot() == before


def test_what_explain_says_in_json_names_rules_facts_and_values(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "docs" / "a.md").write_text("b\n")
    told = _json(capsys, "explain", "--worktree")
    assert told["verdict"] == "allow"
    rules = {one["rule"]: one for one in told["rules"]}
    assert (rules["rules.documentation"]["fired"], rules["rules.large_untested"]["fired"]) == (True, False)
    assert rules["rules.documentation"]["facts"] == {"only_docs": True}
    assert told["facts"]["values"]["lines_added"] == 1


def test_a_run_is_explained_by_what_it_recorded(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (project.root / "fix.patch").write_text(PATCH)
    own = TEAM + '[gates]\ntypes = "off"\ntests = "off"\n[sandbox]\nconfinement = "optional"\n'
    (project.root.parent / "team.toml").write_text(own)
    policy = str(project.root.parent / "team.toml")
    assert run(["apply", "Try", "--patch", "fix.patch", "--policy", policy, "--sandbox", "off", "-q"]) == 1
    capsys.readouterr()
    told = _json(capsys, "explain")
    assert told["subject"].startswith("run ")
    assert [(one["rule"], one["fired"]) for one in told["rules"]] == [
        ("rules.large_untested", True),
        ("on.type_ignores_added", True),
        ("rules.documentation", False),
    ]
    assert told["rules"][0]["facts"] == {"lines_added": 3, "touches_tests": False, "only_docs": False}
    assert told["notes"] == []


def test_a_run_keeps_its_policy_and_ranges_are_explained(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = _run(capsys, "explain", "last", "--policy", "strict")
    assert (code, "a run is explained by the policy it had" in err) == (2, True)
    project.commit("more", {"src/app.py": b"x = 2\n"})
    assert _json(capsys, "explain", "HEAD~1..HEAD")["facts"]["values"]["files"] == 1


@pytest.mark.parametrize(
    ("expression", "code", "said"),
    [
        ("a.count > 2 and ok", 0, "true"),
        ("'x' in a.names and not ok", 0, "false"),
        ("name == 'n' or count == 1", 2, "unknown fact 'count'"),
        ("a.count", 2, "int is not a condition"),
        ("ok == 1", 2, "true and false are no numbers"),
        ("$ok", 2, "facts are written without $"),
        ("ratio > 1", 2, "ratio is declared json"),
        ("'x' contains a.names", 2, "write 'error' in text"),
    ],
)
def test_an_expression_is_tried_on_facts_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], expression: str, code: int, said: str
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text('{"a": {"count": 3, "names": ["x"]}, "ok": true, "name": "n", "ratio": 1.5}')
    got, out, err = _run(capsys, "eval", expression, "--facts", str(facts))
    assert got == code
    if code == 0:
        assert (out, err) == (said, "")
    else:
        assert out == ""
        assert said in err
        assert any(row.strip() == "^" for row in err.splitlines())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "are not JSON"),
        ("[1]", "are not an object"),
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ('{"a.b": 1, "a": {"b": 2}}', "say 'a.b' twice"),
        ("[" * 100_000, "are not JSON"),
    ],
)
def test_facts_that_are_none_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(text)
    # Where lines are broken depends on how long the path of a temporary folder is.
    code, _, err = _run(capsys, "eval", "a > 1", "--facts", str(facts))
    assert (code, said in " ".join(err.split())) == (2, True), err
    code, _, err = _run(capsys, "eval", "a > 1", "--facts", str(tmp_path / "none.json"))
    assert (code, "cannot be read" in " ".join(err.split())) == (2, True)


def test_a_shipped_policy_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "show", "strict"]) == 0
    assert 'name = "strict"' in capsys.readouterr().out
    code, _, err = _run(capsys, "show", "stric")
    assert (code, "there is no policy 'stric'" in err) == (2, True)
