"""How well files are found: on the history of any git repository, beside plain BM25.

    python -m benchmarks.retrieval REPO… [--commits N] [--aider PYTHON] [--json]

A query is a commit's whole message, asked of the commit's parent. The truth are the Python source files it changed
that the parent has; tests, documentation and examples are no source. Asked are the newest N commits that are no
merges, change one to five such files and say at least three words. The history the ranking sees ends at the parent.

Both ways rank the same files, the parent's Python source files: for `plain BM25` that is all there is, from our list
the other files are taken out. `as printed` is our list with everything in it (tests, other languages, documents). A
file counts for ours only if it is among those shown within 8,000 tokens, for plain BM25 as if there were no budget.
Repositories are read only; what is remembered lies in a temporary clone that shares their objects.

`--aider PYTHON` asks Aider's repository map too, by an interpreter that has it, on a checkout of each parent: files in
the order of their best tag, the files and identifiers of the task given as mentioned. Without it: not measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path

from benchmarks.measure import Side, measured
from dev_agent.context.words import terms
from dev_agent.programs.library import CommitSource
from dev_agent.programs.repository_map import ContextReport, ContextRequest, context_for
from dev_agent.repository.discovery import Repository, discover
from dev_agent.repository.history import recent_commits

BUDGET = 8_000
_CUTS = (1, 5, 10)
_MOST_TRUTH, _FEWEST_WORDS = 5, 3
_NO_SOURCE = frozenset(
    {
        "test",
        "tests",
        "testing_data",
        "test-data",
        "docs",
        "doc",
        "docs_src",
        "examples",
        "example",
        "benchmarks",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One commit: what it said, what it changed, and the commit it stood on."""

    parent: str
    task: str
    truth: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Of one way, over queries: mean recall at each cut, and the mean reciprocal rank of the first hit."""

    recall: dict[int, float]
    mrr: float

    def to_json(self) -> dict[str, float]:
        """Plain values."""
        return {
            **{f"recall@{cut}": round(value, 3) for cut, value in self.recall.items()},
            "mrr": round(self.mrr, 3),
        }


@dataclass(kw_only=True)
class Result:
    """One repository: the ranked lists of each way, one a query, in the same order."""

    name: str
    files: int = 0
    sources: int = 0
    queries: list[Query] = field(default_factory=list)
    lists: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    warm_ms: list[float] = field(default_factory=list)

    def score(self, way: str) -> Score:
        """The score of one way."""
        return score(self.lists[way], [query.truth for query in self.queries])

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        return {
            "repository": self.name,
            "files": self.files,
            "sources": self.sources,
            "queries": len(self.queries),
            "warm_ms_per_1000_files": round(self.warm, 1),
            **{way: self.score(way).to_json() for way in self.lists},
        }

    @property
    def warm(self) -> float:
        """CPU milliseconds of a question on a warm index, git's included, for 1,000 files (or for all): the median."""
        return statistics.median(self.warm_ms) if self.warm_ms else 0.0


def score(lists: Sequence[Sequence[str]], truths: Sequence[frozenset[str]]) -> Score:
    """Recall of a query is the part of its truth that is found; queries count alike."""
    pairs = list(zip(lists, truths, strict=True))
    recall = {
        cut: statistics.fmean(len(truth.intersection(found[:cut])) / len(truth) for found, truth in pairs)
        for cut in _CUTS
    }
    firsts = [
        next((at for at, path in enumerate(found, start=1) if path in truth), 0) for found, truth in pairs
    ]
    return Score(recall=recall, mrr=statistics.fmean(1 / first if first else 0.0 for first in firsts))


def is_source(path: str) -> bool:
    """Whether a path is a Python file that is neither test nor documentation nor example."""
    *folders, name = path.lower().split("/")
    if (
        not name.endswith(".py")
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name == "conftest.py"
    ):
        return False
    return not _NO_SOURCE.intersection(folders)


def queries_of(repository: Repository, count: int, head: str) -> Iterator[Query]:
    """The newest `count` commits that can be asked about."""
    found = 0
    for line in repository.git.line(
        "rev-list", "--no-merges", f"--max-count={count * 20}", head
    ).splitlines():
        if found >= count:
            return
        parents = repository.git.line("rev-list", "--parents", "--max-count=1", line).split()[1:]
        commits = recent_commits(repository, line, 1)
        if not parents or not commits:
            continue
        message, changed = commits[0]
        sources = [path for path in changed if is_source(path)]
        if not 0 < len(sources) <= _MOST_TRUTH or len(message.split()) < _FEWEST_WORDS:
            continue
        known = CommitSource(repository, parents[0]).files()
        truth = frozenset(path for path in sources if path in known)
        if truth:
            found += 1
            yield Query(parent=parents[0], task=message, truth=truth)


class PlainBM25:
    """The bar: BM25 (k1 1.5, b 0.75) over the parts of the identifiers of a file and of its path."""

    def __init__(self) -> None:
        self._counted: dict[str, Counter[str]] = {}

    def ranked(self, source: CommitSource, paths: Sequence[str], task: str) -> list[str]:
        """The paths, best first."""
        files = source.files()
        fresh = {files[path][1] for path in paths} - set(self._counted)
        for object_id, data in source.read_many(fresh).items():
            self._counted[object_id] = terms(data.decode("utf-8", "replace"))
        documents = {path: self._counted[files[path][1]] + terms(path) for path in paths}
        lengths = {path: sum(counted.values()) for path, counted in documents.items()}
        average = max(1.0, statistics.fmean(lengths.values()))
        total = Counter[str]()
        for term in terms(task):
            having = [path for path in paths if documents[path][term]]
            rarity = log(1 + (len(paths) - len(having) + 0.5) / (len(having) + 0.5))
            for path in having:
                times = documents[path][term]
                total[path] += rarity * times * 2.5 / (times + 1.5 * (0.25 + 0.75 * lengths[path] / average))  # type: ignore[assignment]
        return sorted(paths, key=lambda path: (-total[path], path))


@dataclass(frozen=True, kw_only=True, slots=True)
class Aider:
    """Aider's repository map, by the interpreter `python`, on a checkout of its own for each commit."""

    python: Path
    git_dir: Path
    checkout: Path

    def ranked(self, paths: Sequence[str], query: Query) -> list[str]:
        """The paths, best first. Raises CalledProcessError."""
        self.checkout.mkdir(exist_ok=True)
        environ = {**os.environ, "GIT_INDEX_FILE": f"{self.checkout}.index"}
        git = [
            "git",
            f"--git-dir={self.git_dir}",
            f"--work-tree={self.checkout}",
            "-c",
            "core.hooksPath=/dev/null",
        ]
        subprocess.run([*git, "read-tree", "--reset", "-u", query.parent], env=environ, check=True)
        script = Path(__file__).with_name("aider_map.py")
        asked = json.dumps({"root": str(self.checkout), "files": list(paths), "task": query.task})
        done = subprocess.run(
            [str(self.python), str(script)],
            input=asked.encode(),
            stdout=subprocess.PIPE,
            check=True,
            timeout=600,
        )
        found = json.loads(done.stdout.splitlines()[-1])
        return [str(path) for path in found]


def measure(origin: Path, count: int, head: str, folder: Path, aider: Path | None = None) -> Result:
    """Ask every query of one repository each way."""
    clone = folder / origin.parent.name if origin.name == "repo" else folder / origin.name
    subprocess.run(["git", "clone", "--quiet", "--bare", "--shared", str(origin), str(clone)], check=True)
    repository = discover(clone, dict(os.environ))
    result = Result(name=clone.name)
    plain = PlainBM25()
    ways: dict[str, Callable[[], Sequence[str]]]
    for query in queries_of(repository, count, head):
        source = CommitSource(repository, query.parent)
        sources = [path for path in source.files() if is_source(path)]
        report = _asked(repository, query)
        shown = [section.ranked.path for section in report.view.sections]
        result.files, result.sources = max(result.files, report.files), max(result.sources, len(sources))
        result.queries.append(query)
        ways = {
            "plain BM25": lambda source=source, sources=sources, task=query.task: plain.ranked(
                source, sources, task
            ),  # type: ignore[misc]
            "dev-agent": lambda shown=shown: [path for path in shown if is_source(path)],  # type: ignore[misc]
            "as printed": lambda shown=shown: shown,  # type: ignore[misc]
        }
        if aider is not None:
            other = Aider(python=aider, git_dir=clone, checkout=folder / f"{clone.name}.checkout")
            ways["aider"] = lambda other=other, sources=sources, query=query: other.ranked(sources, query)  # type: ignore[misc]
        for way, ask in ways.items():
            result.lists.setdefault(way, []).append(ask())
        if len(result.warm_ms) < 5:
            used = measured(Side(work=lambda query=query: _asked(repository, query))).cpu  # type: ignore[misc]
            result.warm_ms.append(used * 1000 / max(1000, report.files))
    return result


def _asked(repository: Repository, query: Query) -> ContextReport:
    return context_for(repository, ContextRequest(task=query.task, base=query.parent, budget=BUDGET))


def main(argv: Sequence[str]) -> int:
    """Measure what `argv` names and print it. 0: measured; 2: wrong usage."""
    options = _parser().parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="dev-agent-retrieval-"))
    results = []
    try:
        for origin in options.repositories:
            sys.stderr.write(f"measuring: {origin}\n")
            result = measure(origin.resolve(), options.commits, options.head, folder, options.aider)
            if result.queries:
                results.append(result)
            else:
                sys.stderr.write("  no commit of it can be asked about\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        sys.stdout.write(json.dumps([result.to_json() for result in results], indent=2) + "\n")
    else:
        sys.stdout.write(table(results))
    return 0


def table(results: Sequence[Result]) -> str:
    """Markdown: a row a repository and way, then the means over repositories."""
    lines = [
        "| repository | sources | queries | way | recall@1 | recall@5 | recall@10 | MRR | ms / 1,000 files |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        for way in result.lists:
            found = result.score(way)
            warm = f"{result.warm:.1f}" if way == "dev-agent" else ""
            lines.append(
                f"| {result.name} | {result.sources} | {len(result.queries)} | {way} | {_cells(found)} | {warm} |"
            )
    for way in results[0].lists if results else ():
        scores = [result.score(way) for result in results]
        mean = Score(
            recall={cut: statistics.fmean(one.recall[cut] for one in scores) for cut in _CUTS},
            mrr=statistics.fmean(one.mrr for one in scores),
        )
        asked = sum(len(result.queries) for result in results)
        lines.append(f"| mean | | {asked} | {way} | {_cells(mean)} | |")
    if not any("aider" in result.lists for result in results):
        lines += ["", "Aider's repository map: not measured (--aider PYTHON)."]
    return "\n".join(lines) + "\n"


def _cells(found: Score) -> str:
    return " | ".join([*(f"{found.recall[cut]:.3f}" for cut in _CUTS), f"{found.mrr:.3f}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description="Measure retrieval.")
    parser.add_argument(
        "repositories", nargs="+", type=Path, metavar="REPO", help="work trees or bare repositories"
    )
    parser.add_argument("--commits", type=int, default=40, help="queries for each repository (40)")
    parser.add_argument("--aider", type=Path, metavar="PYTHON", help="an interpreter that has aider-chat")
    parser.add_argument("--head", default="HEAD", help="where each history begins (HEAD)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
