"""A recipe as a proposer: what it makes of the base is judged like a patch, and what it must not do is refused."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from dev_agent.cancel import Cancel
from dev_agent.errors import UsageFault
from dev_agent.programs.apply import apply
from dev_agent.programs.folders import all_runs, find_run
from dev_agent.programs.places import MOST_PLACES
from dev_agent.programs.recipe_run import Paced
from dev_agent.programs.recipe_task import read_task
from dev_agent.programs.replay import replay
from dev_agent.programs.report import Outcome, RunReport
from dev_agent.programs.request import ApplyRequest
from dev_agent.programs.resume import resume
from dev_agent.programs.runs import read_run
from dev_agent.programs.story import told
from dev_agent.programs.verify import verify_run
from dev_agent.recipes.model import CheckerFailed, Declined, Place, Rewritten
from dev_agent.runtime.engine import Reporter
from dev_agent.runtime.trace import read_trace
from tests.programs.conftest import NO_GATES, TESTS_ONLY, Shop, Watching
from tests.programs.test_interrupted import Dying
from tests.testing.children import in_child
from tests.testing.recipes import SMALL, Small, Work

RENAME = "replace total by amount"


def done(
    shop: Shop,
    task: str,
    *paths: str,
    policy: str = NO_GATES,
    reporter: Reporter | None = None,
    **more: Any,
) -> RunReport:
    recipe = read_task(task, paths, recipes=more.pop("recipes", SMALL))
    request = ApplyRequest(
        task=task, patch=b"", policy=shop.policy(policy) if "\n" in policy else policy, **more
    )
    return apply(
        shop.repository(),
        request,
        environ=shop.project.environ,
        reporter=reporter or Reporter(),
        cancel=shop.cancel,
        proposer=recipe,
    )


def answering(answer: Rewritten | Declined | Exception) -> dict[str, Small]:
    """One recipe that understands `go` and answers as told."""

    def work(_bench: object) -> Rewritten | Declined:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return {"go": Small("go", ("go",), lambda task: Work("going", work) if task == "go" else None)}


def facts(shop: Shop, report: RunReport, state: str) -> Any:
    return told(read_trace(find_run(shop.repository(), report.run).path)).facts[state]


def test_what_a_recipe_makes_is_judged_and_becomes_one_commit(shop: Shop) -> None:
    report = done(shop, RENAME, policy="default")
    assert (report.outcome, report.exit_code) == (Outcome.COMMITTED, 0), report
    assert report.files == ("src/shop/cart.py", "tests/test_cart.py")
    assert {gate["name"] for gate in report.gates} >= {"types", "tests"}
    assert b"def amount(" in (shop.root / "src/shop/cart.py").read_bytes()
    assert shop.status() == ""
    assert shop.project.git("log", "-1", "--format=%s %an") == f"{RENAME} Ann Author"
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run)).ok


def test_recipe_and_title_are_in_trace_receipt_and_progress(shop: Shop) -> None:
    said: list[str] = []

    class Listening(Reporter):
        def noted(self, text: str) -> None:
            said.append(text)

    report = done(shop, RENAME, "src", "tests", reporter=Listening())
    title = "every total becomes amount"
    folder = find_run(shop.repository(), report.run)
    request = told(read_trace(folder.path)).request
    assert request["proposer"] == {
        "kind": "recipe",
        "recipe": "replace",
        "title": title,
        "paths": ("src", "tests"),
    }
    predicate = json.loads(folder.receipt.read_bytes())["predicate"]
    assert (predicate["proposer"], predicate["recipe"]) == ("recipe", {"name": "replace", "title": title})
    assert f"proposed by the recipe replace: {title}" in said
    assert report.proposer == f"recipe replace: {title}"
    assert "2 files" in report.notes


def test_a_recipe_that_breaks_a_test_leaves_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = done(shop, "replace total by amount", "src", policy=TESTS_ONLY)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "tests_failed")
    assert shop.project.snapshot() == before


def test_a_recipe_that_declines_changes_nothing_and_names_every_place(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = done(shop, "replace total by count")
    assert (report.outcome, report.reason, report.exit_code) == (Outcome.REJECTED, "name_taken", 1)
    assert (report.explanation, report.advice) == ("count is taken", "choose another name")
    assert [(one.path, one.line) for one in report.places] == [
        ("src/shop/cart.py", 5),
        ("tests/test_cart.py", 1),
        ("tests/test_cart.py", 9),
    ]
    assert report.to_json()["places"][0] == {
        "path": "src/shop/cart.py",
        "line": 5,
        "text": "def count(prices: list[int]) -> int:",
    }
    assert read_run(find_run(shop.repository(), report.run)).report.places == report.places
    assert shop.project.snapshot() == before


def test_nothing_to_do_is_no_change(shop: Shop) -> None:
    before = shop.project.snapshot()
    report = done(shop, "replace nobody by somebody")
    assert (report.outcome, report.exit_code) == (Outcome.NO_CHANGE, 0)
    assert (report.explanation, report.reason) == ("there is nothing to do", "")
    assert "places" not in report.to_json()
    assert shop.project.snapshot() == before


def test_a_dry_run_lands_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    assert done(shop, RENAME, dry_run=True).outcome is Outcome.VERIFIED
    assert shop.project.snapshot() == before


@pytest.mark.parametrize(
    ("paths", "files"),
    [
        (("src",), ("src/shop/cart.py",)),
        (("./tests/",), ("tests/test_cart.py",)),
        (("**/test_*.py",), ("tests/test_cart.py",)),
        (("src/shop/cart.py", "tests"), ("src/shop/cart.py", "tests/test_cart.py")),
        (("s*",), ("src/shop/cart.py",)),
        ((".",), ("src/shop/cart.py", "tests/test_cart.py")),
    ],
)
def test_path_narrows_what_is_rewritten(shop: Shop, paths: tuple[str, ...], files: tuple[str, ...]) -> None:
    assert done(shop, RENAME, *paths, dry_run=True).files == files


@pytest.mark.parametrize(
    ("path", "said"),
    [("scr", "'scr'"), ("src/shop/cart.pyi", "'src/shop/cart.pyi'"), ("[a", "a '[' is not closed"),
     ("/etc", "absolute"), ("../x", "'..'"), ("", "empty")],
)  # fmt: skip
def test_a_path_that_covers_nothing_is_refused_before_there_is_a_run(
    shop: Shop, path: str, said: str
) -> None:
    before = shop.project.snapshot()
    with pytest.raises(UsageFault) as refused:
        done(shop, RENAME, "src", path)
    assert said in refused.value.message
    assert "--path" in refused.value.message
    assert all_runs(shop.repository()) == ()
    assert shop.project.snapshot() == before


def test_a_moved_file_keeps_its_mode_and_its_bytes(shop: Shop) -> None:
    shop.project.commit("x", {"tool.py": ("100755", b"print(1)\n"), "link": ("120000", b"notes.txt")})
    assert done(shop, "move tool.py to tools/tool.py").outcome is Outcome.COMMITTED
    assert done(shop, "move link to other").outcome is Outcome.COMMITTED
    listed = shop.project.git("ls-tree", "-r", "HEAD")
    blob = shop.project.git("rev-parse", "HEAD:tools/tool.py")
    assert f"100755 blob {blob}\ttools/tool.py" in listed
    assert "120000" in shop.project.git("ls-tree", "HEAD", "other")
    assert "\ttool.py" not in listed
    assert shop.project.git("cat-file", "-p", blob) == "print(1)"


def test_bytes_speak_of_new_paths_and_keep_the_moved_mode(shop: Shop) -> None:
    shop.project.commit("x", {"tool.py": ("100755", b"print(1)\n")})
    answer = Rewritten(files={"new.py": b"print(2)\n", "tool.py": b"left\n"}, moves={"tool.py": "new.py"})
    report = done(shop, "go", recipes=answering(answer), dry_run=True)
    assert (report.outcome, report.files) == (Outcome.VERIFIED, ("new.py", "tool.py")), report
    assert shop.project.git("ls-tree", str(report.commit), "new.py").startswith("100755")
    assert shop.project.git("cat-file", "-p", f"{report.commit}:new.py") == "print(2)"
    assert shop.project.git("cat-file", "-p", f"{report.commit}:tool.py") == "left"


REFUSED: dict[str, tuple[str, str, str]] = {
    "into .git": ("write .git/config", "refused_path", "leads into .git"),
    "out of the tree": ("write ../x.py", "refused_path", "'..'"),
    "a reserved name": ("write aux.py", "refused_path", "device name"),
    "another case": ("write SRC/shop/cart.py", "refused_path", "case"),
    "a folder": ("write src/shop", "refused_path", "directory"),
    "below a file": ("write notes.txt/x.py", "refused_path", "below"),
    "through a symlink": ("write link", "not_a_file", "no regular file"),
    "a move into .git": ("move notes.txt to .git/x", "refused_path", "leads into .git"),
}


@pytest.mark.parametrize(("task", "reason", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_recipe_obeys_the_law_of_paths(shop: Shop, task: str, reason: str, said: str) -> None:
    shop.project.commit("link", {"link": ("120000", b"notes.txt")})
    before = shop.project.snapshot()
    report = done(shop, task)
    assert (report.outcome, report.reason) == (Outcome.REJECTED, reason), report
    assert said in report.explanation
    assert shop.project.snapshot() == before


@pytest.mark.parametrize("task", ["write notes.txt", "move notes.txt to src/a.txt"])
def test_what_path_leaves_out_stays_even_if_a_recipe_goes_wrong(shop: Shop, task: str) -> None:
    before = shop.project.snapshot()
    report = done(shop, task, "src")
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "outside_path")
    assert "notes.txt" in report.explanation
    assert shop.project.snapshot() == before


@pytest.mark.kill
@pytest.mark.parametrize("state", ["patch", "stage", "land"])
@pytest.mark.parametrize("when", ["entered", "left"])
def test_killed_anywhere_the_recipe_s_run_can_be_resumed(shop: Shop, state: str, when: str) -> None:
    before = shop.project.snapshot()
    assert os.WIFSIGNALED(in_child(lambda: done(shop, RENAME, "src", reporter=Dying(state, when=when))))
    if (state, when) != ("land", "left"):
        assert shop.project.snapshot() == before
    report = resume(
        shop.repository(),
        "last",
        environ=shop.project.environ,
        reporter=Reporter(),
        cancel=shop.cancel,
        recipes=SMALL,
    )
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("src/shop/cart.py",)), report
    assert shop.project.git("rev-list", "--count", "HEAD") == "2"
    assert shop.status() == ""
    assert verify_run(shop.repository(), find_run(shop.repository(), report.run)).ok


def test_a_run_whose_recipe_is_gone_is_not_resumed_with_another(shop: Shop) -> None:
    def stop() -> None:
        shop.cancel.on_signal(signal.SIGINT, None)

    interrupted = done(shop, RENAME, reporter=Watching("patch", stop))
    assert (interrupted.outcome, interrupted.exit_code) == (Outcome.INTERRUPTED, 130)
    before = shop.project.snapshot()
    with pytest.raises(UsageFault, match="no recipe 'replace'"):
        resume(
            shop.repository(),
            interrupted.run,
            environ=shop.project.environ,
            reporter=Reporter(),
            cancel=Cancel(),
            recipes={},
        )
    assert shop.project.snapshot() == before


@pytest.mark.parametrize("task", [RENAME, "replace total by count", "replace nobody by somebody"])
def test_a_replay_takes_what_the_recipe_made_from_the_trace(shop: Shop, task: str) -> None:
    folder = find_run(shop.repository(), done(shop, task).run)
    found = replay(
        shop.repository(), folder, environ=shop.project.environ, reporter=Reporter(), cancel=Cancel()
    )
    assert found.same, found.difference


def test_a_recipe_asks_the_projects_own_type_checker_until_it_is_content(shop: Shop) -> None:
    untyped = b"import shop.names\n\n\ndef hello():\n    print(1)\n\n\ndef bye():\n    hello()\n"
    shop.project.commit("untyped", {"src/shop/talk.py": untyped})
    report = done(shop, "mend types", policy="strict")
    assert (report.outcome, report.files) == (Outcome.COMMITTED, ("src/shop/talk.py",)), report
    assert (shop.root / "src/shop/talk.py").read_bytes() == untyped.replace(b"():\n ", b"() -> None:\n ")
    assert report.places == ()


def test_what_the_checker_still_says_is_shown_as_places(shop: Shop) -> None:
    shop.project.commit("untyped", {"src/shop/talk.py": b"def hello():\n    print(1)\n\n\nx: int = 'a'\n"})
    report = done(shop, "mend types", dry_run=True)
    assert report.outcome is Outcome.VERIFIED
    assert [(one.path, one.line) for one in report.places] == [("src/shop/talk.py", 5)]
    assert "Incompatible types" in report.places[0].text


def test_a_project_mypy_cannot_read_ends_the_recipe_with_the_place(shop: Shop) -> None:
    shop.project.commit("broken", {"src/shop/broken.py": b"def (:\n"})
    before = shop.project.snapshot()
    report = done(shop, "mend types")
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "checker_failed")
    assert "src/shop/broken.py:1" in report.explanation
    assert shop.project.snapshot() == before


def test_an_unused_section_of_mypys_configuration_stops_no_recipe(shop: Shop) -> None:
    settings = b"[mypy]\nwarn_unused_configs = true\n\n[mypy-nowhere.*]\ndisallow_untyped_defs = false\n"
    shop.project.commit("settings", {"mypy.ini": settings, "src/shop/wrong.py": b'X: int = "text"\n'})
    report = done(shop, "mend types")
    assert report.reason != "checker_failed", report.explanation


@pytest.mark.parametrize("types", ["enabled = false", 'command = "true"'])
def test_a_project_that_is_not_checked_by_mypy_gives_the_recipe_no_checker(shop: Shop, types: str) -> None:
    shop.project.commit("settings", {"dev-agent.toml": f"gates.types = {{ {types} }}\n".encode()})
    assert done(shop, "mend types").reason == "no_checker"


def test_a_checker_that_fails_is_a_refusal_not_a_crash(shop: Shop) -> None:
    report = done(shop, "go", recipes=answering(CheckerFailed("mypy is gone", "bring it back")))
    assert (report.outcome, report.reason) == (Outcome.REJECTED, "checker_failed")
    assert (report.explanation, report.advice) == ("mypy is gone", "bring it back")


def test_a_recipe_with_a_bug_is_our_bug_and_changes_nothing(shop: Shop) -> None:
    before = shop.project.snapshot()
    with pytest.raises(ZeroDivisionError):
        done(shop, "go", recipes=answering(ZeroDivisionError("ours")))
    assert shop.project.snapshot() == before


def test_very_many_places_and_odd_texts_fit_into_the_trace(shop: Shop) -> None:
    places = tuple(
        Place(path="a\udcff.py", line=n, text="\udcff\x1b[2J\n" * 200) for n in range(MOST_PLACES + 7)
    )
    report = done(shop, "go", recipes=answering(Declined(code="many", message="too many", places=places)))
    assert (len(report.places), report.places_more) == (MOST_PLACES, 7)
    assert report.places[0].path == "a\udcff.py"
    assert len(report.places[0].text) == 200
    assert json.dumps(report.to_json())


def test_the_first_commit_of_a_repository_can_be_a_recipes(shop: Shop) -> None:
    shop.project.git("checkout", "-q", "--orphan", "new")
    shop.project.git("rm", "-rfq", ".")
    report = done(shop, "go", recipes=answering(Rewritten(files={"a.py": b"x: int = 1\n"})))
    assert (report.outcome, report.base, report.files) == (Outcome.COMMITTED, "", ("a.py",)), report


def test_progress_is_told_only_after_a_while_and_not_at_every_file() -> None:
    now = [0.0]
    said: list[str] = []
    paced = Paced(said.append, lambda: now[0])
    for number in range(100):
        now[0] += 0.1
        paced.tell(str(number))
    assert len(said) in {4, 5}


def test_a_long_recipe_is_interrupted_between_files(shop: Shop) -> None:
    seen: list[str] = []

    def waiting(task: str) -> Work | None:
        def work(bench: Any) -> Rewritten:
            seen.append("began")
            shop.cancel.on_signal(signal.SIGINT, None)
            bench.pause()
            seen.append("went on")
            return Rewritten(files={})

        return Work("waiting", work) if task == "wait" else None

    before = shop.project.snapshot()
    report = done(shop, "wait", recipes={"wait": Small("wait", ("wait",), waiting)})
    assert (report.outcome, report.exit_code, seen) == (Outcome.INTERRUPTED, 130, ["began"])
    assert shop.project.snapshot() == before


@pytest.mark.parametrize(
    ("task", "message", "hints"),
    [
        ("replace total by class", "class is a keyword", ("choose another name",)),
        ("replace total by", "no recipe understands", ("replace total by amount", "--patch FILE")),
        ("Make it faster!", "no recipe understands", ("dev-agent recipes", "dev-agent run -- COMMAND")),
    ],
)
def test_a_task_no_recipe_takes_is_refused_with_the_ways_to_go_on(
    task: str, message: str, hints: tuple[str, ...]
) -> None:
    with pytest.raises(UsageFault) as refused:
        read_task(task, recipes=SMALL)
    assert message in refused.value.message
    assert all(hint in refused.value.hint for hint in hints)
    assert "model" not in refused.value.message + refused.value.hint
