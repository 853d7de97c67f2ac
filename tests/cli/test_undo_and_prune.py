"""`undo` and `prune` as a user runs them: exit codes, words, and the repository afterwards."""

from __future__ import annotations

import pytest

from tests.cli.test_scenarios import CONTRACT, GOOD, TINY, answered, dev_agent, tiny
from tests.testing.repos import Project

__all__ = ["tiny"]  # the fixture


@pytest.fixture
def policy(tiny: Project) -> str:
    """A policy for scenarios that are not about gates."""
    path = tiny.root.parent / "no-gates.toml"
    path.write_text('name = "no-gates"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[on]\n')
    return str(path)


@pytest.fixture
def run(tiny: Project, policy: str) -> str:
    """The id of a run that landed."""
    done = dev_agent(tiny, "apply", "Double faster", "--patch", "-", "--policy", policy, "--json", stdin=GOOD)
    assert done.returncode == 0, done.stderr.decode()
    return str(answered(done)["run"])


def test_undo_takes_a_run_back_and_says_so(tiny: Project, run: str) -> None:
    done = dev_agent(tiny, "undo", run)
    assert done.returncode == 0, done.stderr.decode()
    said = " ".join(done.stdout.decode().split())
    assert "Committed: " in said
    assert "exactly the tree that run" in said
    assert (tiny.root / "tiny.py").read_bytes() == TINY
    assert tiny.git("log", "-1", "--format=%s") == 'Revert "Double faster"'
    assert tiny.git("status", "--porcelain") == ""
    assert dev_agent(tiny, "verify", "last").returncode == 0


def test_a_dry_run_claims_no_judgement_that_was_not_made(tiny: Project, run: str) -> None:
    restored = dev_agent(tiny, "undo", run, "--dry-run")
    assert (restored.returncode, b"can land as it is" in restored.stdout) == (0, True)
    tiny.commit("elsewhere", {"other.txt": b"x\n"})
    denying = tiny.root.parent / "denying.toml"
    denying.write_text(
        'name = "d"\nversion = 1\n[gates]\ntypes = "off"\ntests = "off"\n[scope]\ndeny = ["tiny.py"]\n'
    )
    told = dev_agent(tiny, "undo", run, "--dry-run", "--policy", str(denying))
    said = " ".join(told.stdout.decode().split())
    assert (told.returncode, "can land as it is" in said, "passed" in said) == (0, True, False), said


def test_undo_speaks_json(tiny: Project, run: str) -> None:
    done = dev_agent(tiny, "undo", "last", "--json")
    result = answered(done)
    assert (done.returncode, set(result), result["outcome"]) == (0, CONTRACT, "committed")
    assert result["run"] != run
    assert result["files"] == ["tiny.py"]


def test_what_cannot_be_undone_is_code_2_with_the_reason(tiny: Project, run: str) -> None:
    assert dev_agent(tiny, "undo", run, "-q").returncode == 0
    before = tiny.snapshot()
    again = dev_agent(tiny, "undo", run)
    assert (again.returncode, b"undone already" in again.stderr) == (2, True)
    unknown = dev_agent(tiny, "undo", "20010101")
    assert (unknown.returncode, b"there is no run" in unknown.stderr) == (2, True)
    assert tiny.snapshot() == before


def test_a_conflict_is_code_1_and_names_the_file(tiny: Project, run: str) -> None:
    tiny.commit("meanwhile", {"tiny.py": TINY.replace(b"number + number", b"number << 1")})
    before = tiny.snapshot()
    done = dev_agent(tiny, "undo", run)
    assert done.returncode == 1
    assert b"tiny.py" in done.stdout
    assert tiny.snapshot() == before


def test_an_undo_in_the_way_of_work_is_kept_and_resumed(tiny: Project, run: str) -> None:
    mine = (tiny.root / "tiny.py").read_bytes() + b"# mine\n"
    tiny.write("tiny.py", mine)
    done = dev_agent(tiny, "undo", run)
    assert (done.returncode, (tiny.root / "tiny.py").read_bytes()) == (6, mine)
    tiny.git("checkout", "--", "tiny.py")
    assert dev_agent(tiny, "resume", "last").returncode == 0
    assert (tiny.root / "tiny.py").read_bytes() == TINY


def test_prune_lists_first_and_drops_on_yes(tiny: Project, run: str) -> None:
    listed = dev_agent(tiny, "prune", "--keep", "0")
    said = " ".join(listed.stdout.decode().split())
    assert listed.returncode == 0
    assert run in said
    assert "Would free: 1 run" in said
    assert "--yes" in said
    assert run.encode() in dev_agent(tiny, "runs").stdout
    done = dev_agent(tiny, "prune", "--keep", "0", "--yes", "--json")
    result = answered(done)
    assert (done.returncode, result["done"], [one["run"] for one in result["runs"]]) == (0, True, [run])
    assert result["bytes"] > 0
    assert run.encode() not in dev_agent(tiny, "runs").stdout
    assert tiny.git("rev-parse", "refs/dev-agent/anchors", "refs/dev-agent/receipts")


def test_prune_frees_slots_and_cache(tiny: Project) -> None:
    assert dev_agent(tiny, "apply", "Double", "--patch", "-", "--dry-run", "-q", stdin=GOOD).returncode == 0
    done = dev_agent(tiny, "prune", "--slots", "--cache", "--yes")
    said = " ".join(done.stdout.decode().split())
    assert (done.returncode, "Freed: " in said, "private work tree" in said) == (0, True, True), said
    again = dev_agent(tiny, "prune", "--slots", "--cache", "--yes")
    assert (again.returncode, again.stdout) == (0, b"Nothing to prune.\n")


@pytest.mark.parametrize(
    "args", [(), ("--older-than", "soon"), ("--keep", "-1"), ("--outcome", "sideways"), ("--run", "nobody")]
)
def test_prune_refuses_what_it_does_not_understand(tiny: Project, run: str, args: tuple[str, ...]) -> None:
    done = dev_agent(tiny, "prune", *args, "--yes")
    assert (done.returncode, b"hint: " in done.stderr) == (2, True)
    assert run.encode() in dev_agent(tiny, "runs").stdout


def test_gc_says_what_it_frees_and_frees_it_only_when_told(tiny: Project) -> None:
    assert dev_agent(tiny, "apply", "Double", "--patch", "-", "--dry-run", "-q", stdin=GOOD).returncode == 0
    plan = answered(dev_agent(tiny, "gc", "--limit", "0", "--dry-run", "--json"))
    assert (plan["done"], plan["bytes"] > 0, set(plan["freed"])) == (
        False,
        True,
        {"slot", "mypy", "verdicts"},
    )

    done = dev_agent(tiny, "gc", "--limit", "0")
    said = " ".join(done.stdout.decode().split())
    assert (done.returncode, "Freed: " in said, "tests-1" in said) == (0, True, True), said
    assert answered(dev_agent(tiny, "gc", "--limit", "0", "--json"))["before"] == 0
    assert b"Nothing to free" in dev_agent(tiny, "gc").stdout


def test_gc_refuses_a_size_nobody_understands(tiny: Project) -> None:
    done = dev_agent(tiny, "gc", "--limit", "plenty")
    assert (done.returncode, b"2GB" in done.stderr) == (2, True), done.stderr


def test_erase_lists_then_erases_and_says_what_stays(tiny: Project, run: str) -> None:
    listed = dev_agent(tiny, "erase", run)
    assert listed.returncode == 0, listed.stderr.decode()
    assert "request.task" in listed.stdout.decode()
    assert "Nothing was changed" in " ".join(listed.stdout.decode().split())
    planned = dev_agent(tiny, "erase", run, "--match", "Double faster", "--dry-run")
    assert planned.returncode == 1, "the commit on the branch carries the task"
    assert "Would erase: " in planned.stdout.decode()
    done = dev_agent(tiny, "erase", run, "--match", "Double faster", "--reason", "asked for", "--json")
    assert done.returncode == 1
    page = answered(done)
    assert [one["name"] for one in page["erased"]] == ["request.task"]
    assert [one["place"].split()[:3] for one in page["remains"]] == [["git", "objects:", "commit"]]
    assert dev_agent(tiny, "erase", run, "--blob", "request.patch").returncode == 0
    proof = answered(dev_agent(tiny, "verify", run, "--json"))
    assert proof["ok"]
    assert sum(one["name"] == "erased" for one in proof["checks"]) == 2
    folder = next((tiny.root / ".git" / "dev-agent" / "runs").iterdir())
    assert dev_agent(tiny, "erase", str(folder), "--all").returncode == 0
    assert "(erased)" in dev_agent(tiny, "show", run).stdout.decode()
    assert dev_agent(tiny, "erase", run, "--blob", "nothing").returncode == 2
    missed = dev_agent(tiny, "erase", run, "--match", "never said here", "--json")
    assert (missed.returncode, answered(missed)["match"]["found"]) == (2, False)
