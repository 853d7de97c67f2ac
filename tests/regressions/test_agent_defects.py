"""What coding agents before this one did to repositories, one scenario each, against the real `apply`.

Work tree, index, refs, hooks and configuration are compared byte for byte. The ids are those of the table in
docs/capabilities.md, which also says where the other ones are tested.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.report import Outcome
from dev_agent.programs.runs import read_run
from tests.programs.conftest import (
    BETTER,
    BREAKS_A_TEST,
    BREAKS_TYPES,
    FILES,
    HARMLESS,
    TESTS_ONLY,
    Shop,
    replacing,
)
from tests.programs.test_interrupted import Dying
from tests.testing.children import in_child
from tests.testing.repos import make_repository

TYPES_ONLY = 'name = "types-only"\nversion = 1\n[gates]\ntests = "off"\n[on]\n'
CART = "src/shop/cart.py"


# A1
def test_a_patch_that_breaks_types_is_not_in_the_users_file_afterwards(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = shop.apply(BREAKS_TYPES, policy=TYPES_ONLY)
    assert (report.outcome, report.exit_code) == (Outcome.REJECTED, 1), report
    assert shop.project.snapshot() == before


# A2
def test_failing_tests_delete_no_tracked_file_wherever_the_command_was_started(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "src/shop").mkdir(parents=True)
    (elsewhere / CART).write_bytes(b"somebody else's\n")
    monkeypatch.chdir(elsewhere)
    before = shop.project.snapshot()
    assert shop.apply(BREAKS_A_TEST, policy=TESTS_ONLY).outcome is Outcome.REJECTED
    assert (shop.project.snapshot(), shop.status()) == (before, "")
    assert (elsewhere / CART).read_bytes() == b"somebody else's\n"


# A3
def test_failing_tests_destroy_no_uncommitted_edit_of_the_same_file(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.project.write(CART, FILES[CART] + b"\n\n# not committed yet\n")  # type: ignore[operator]
    shop.project.write("src/shop/new.py", b"x = 1\n")
    shop.project.write("notes.txt", b"staged\n")
    shop.project.git("add", "notes.txt")
    monkeypatch.chdir(shop.root)
    before = shop.project.snapshot()
    assert shop.apply(BREAKS_A_TEST, policy=TESTS_ONLY).outcome is Outcome.REJECTED
    assert shop.project.snapshot() == before


# A4
@pytest.mark.parametrize(
    "path",
    [
        "../outside.py",
        "{outside}/outside.py",
        ".git/hooks/post-commit",
        "src/../../outside.py",
        ".GIT/config",
    ],
)
def test_no_proposal_writes_outside_or_into_git(shop: Shop, tmp_path: Path, path: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    named = path.format(outside=outside)
    before = shop.project.snapshot()
    patch = f"{named}\n<<<<<<< SEARCH\n=======\nimport os\n>>>>>>> REPLACE\n".encode()
    report = shop.apply(patch)
    assert report.outcome is Outcome.REJECTED, report
    assert shop.project.snapshot() == before
    assert list(outside.iterdir()) == []
    assert not list(tmp_path.rglob("outside.py"))


# A4: a test that comes along is no licence either
def test_a_test_that_comes_along_reaches_the_disk_with_the_rest_or_not_at_all(shop: Shop) -> None:
    before = shop.project.snapshot()
    own = b"--- /dev/null\n+++ b/tests/test_new.py\n@@ -0,0 +1,2 @@\n+def test_new() -> None:\n+    assert True\n"
    assert shop.apply(BREAKS_A_TEST + b"\n" + own, policy=TESTS_ONLY).outcome is Outcome.REJECTED
    assert shop.project.snapshot() == before


# A5
def test_a_test_of_its_own_that_passes_does_not_outvote_the_suite_that_was_there(shop: Shop) -> None:
    wrong = replacing(CART, "    return len(prices)\n", "    return len(prices) * 2\n")
    own = b"\ntests/test_own.py\n<<<<<<< SEARCH\n=======\ndef test_own() -> None:\n    assert True\n>>>>>>> REPLACE\n"
    before = shop.project.snapshot()
    report = shop.apply(wrong + own, policy=TESTS_ONLY)
    assert report.outcome is Outcome.REJECTED
    (tests,) = (gate for gate in report.gates if gate["name"] == "tests")
    assert [one["id"] for one in tests["new_failures"]] == ["tests/test_cart.py::test_count"]
    assert shop.project.snapshot() == before


# A6
def test_what_failed_in_one_repository_does_not_turn_up_in_another(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Shop(project=make_repository(tmp_path / "other", FILES, name="other"), policies=shop.policies)
    untouched = shop.project.snapshot()
    assert shop.apply(BREAKS_A_TEST, policy=TESTS_ONLY).outcome is Outcome.REJECTED
    report = other.apply(HARMLESS)
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("notes.txt",))
    assert other.project.git("diff", "--name-only", "HEAD~1..HEAD") == "notes.txt"
    again = shop.apply(HARMLESS, dry_run=True)
    assert again.files == ("notes.txt",)
    assert shop.project.snapshot() == untouched


# A8
@pytest.mark.parametrize(
    ("patch", "after"),
    [
        pytest.param(replacing("notes.txt", "two\n", ""), b"one\nthree\n", id="empty replacement"),
        pytest.param(
            replacing("notes.txt", "two\n", "") + b"\n" + replacing("notes.txt", "three\n", "3\n"),
            b"one\n3\n",
            id="a deletion, then an edit",
        ),
        pytest.param(HARMLESS.replace(b"\n", b"\r\n"), b"one\n2\nthree\n", id="a patch with CRLF"),
        pytest.param(
            HARMLESS.replace(b"SEARCH\n", b"SEARCH  \n"), b"one\n2\nthree\n", id="space after a marker"
        ),
    ],
)
def test_a_block_means_what_it_says_in_every_spelling(shop: Shop, patch: bytes, after: bytes) -> None:
    assert shop.apply(patch).outcome is Outcome.COMMITTED
    assert (shop.root / "notes.txt").read_bytes() == after
    assert shop.status() == ""


# A8: text of the format as content
def test_a_file_of_fences_and_headings_arrives_byte_for_byte(shop: Shop) -> None:
    text = b"```python\nx = 1\n```\n\nHeading\n=======\n\n```\n"
    patch = b"--- /dev/null\n+++ b/docs/a.md\n@@ -0,0 +1,8 @@\n" + b"".join(
        b"+" + line for line in text.splitlines(keepends=True)
    )
    assert shop.apply(patch).outcome is Outcome.COMMITTED
    assert (shop.root / "docs/a.md").read_bytes() == text


# A9
def test_of_a_file_with_crlf_only_the_edited_line_is_rewritten(shop: Shop) -> None:
    shop.project.commit("crlf", {"notes.txt": b"one\r\ntwo\r\nthree\r\n"})
    assert shop.apply(HARMLESS).outcome is Outcome.COMMITTED
    assert (shop.root / "notes.txt").read_bytes() == b"one\r\n2\r\nthree\r\n"
    assert shop.project.git("diff", "--shortstat", "HEAD~1..HEAD").strip() == (
        "1 file changed, 1 insertion(+), 1 deletion(-)"
    )


# A10
def test_where_one_of_two_files_cannot_be_written_neither_is(shop: Shop) -> None:
    """The second file is in the way: uncommitted work of the user's. Every other way to die in between is swept in
    tests/repository/landing/test_landing_crash_sweep.py."""
    shop.project.write("src/shop/names.py", b"GREETING: str = 'mine'\n")
    before = shop.project.snapshot()
    both = (
        HARMLESS
        + b"\n"
        + replacing("src/shop/names.py", 'GREETING: str = "hello"\n', 'GREETING: str = "hi"\n')
    )
    report = shop.apply(both)
    assert (report.outcome, report.exit_code) == (Outcome.KEPT, 6), report
    assert shop.project.snapshot() == before


# A12
@pytest.mark.kill
def test_killed_while_tests_run_the_repository_is_as_it_was_and_the_run_is_on_record(shop: Shop) -> None:
    before = shop.project.snapshot()
    policy = shop.policy(TESTS_ONLY)
    status = in_child(lambda: shop.apply(BETTER, policy=policy, reporter=Dying("check", when="entered")))
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert shop.project.snapshot() == before
    (folder,) = all_runs(shop.repository())
    assert read_run(folder).report.outcome is Outcome.INTERRUPTED
    assert read_run(folder).patch


# A14, A15
def test_types_are_judged_in_the_whole_project_and_imports_have_to_exist(shop: Shop) -> None:
    shop.project.commit(
        "a caller",
        {"src/shop/till.py": b"from shop.cart import total\n\n\ndef pay() -> int:\n    return total([1])\n"},
    )
    rename = replacing(
        CART, "def total(prices: list[int]) -> int:\n", "def whole(prices: list[int]) -> int:\n"
    )
    ghost = b"\n" + replacing(
        "src/shop/names.py", "GREETING", "import nonexistent_module_x\n\nGREETING"
    ).replace(b"GREETING=======", b'GREETING: str = "hello"\n=======').replace(
        b"GREETING>>>>>>>", b'GREETING: str = "hello"\n>>>>>>>'
    )
    before = shop.project.snapshot()
    report = shop.apply(rename + ghost, policy=TYPES_ONLY)
    assert report.outcome is Outcome.REJECTED, report
    (types,) = (gate for gate in report.gates if gate["name"] == "types")
    found = {(one["path"], one["code"]) for one in types["new_failures"]}
    assert {("src/shop/till.py", "attr-defined"), ("src/shop/names.py", "import-not-found")} <= found
    assert shop.project.snapshot() == before


# A17
def test_a_secret_in_a_proposal_is_refused_and_stands_in_no_line_of_the_chain(shop: Shop) -> None:
    secret = "AKIA" + "IOSFODNN7EXAMPLQ"
    patch = replacing("src/shop/names.py", 'GREETING: str = "hello"\n', f'GREETING: str = "{secret}"\n')
    before = shop.project.snapshot()
    report = shop.apply(patch)
    assert report.outcome is Outcome.REJECTED, report
    assert shop.project.snapshot() == before
    folder = find_run(shop.repository(), report.run)
    for name in ("trace.jsonl", "receipt.json"):
        assert secret.encode() not in (folder.path / name).read_bytes()
    assert secret not in str(report.to_json())
