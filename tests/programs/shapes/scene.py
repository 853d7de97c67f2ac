"""What every test of a repository's shape does: propose a change of files, and look at all that is there afterwards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dev_agent.programs.report import Outcome, RunReport
from tests.programs.conftest import NO_GATES, Shop
from tests.testing.repos import File, Project, isolated_environ, make_repository

SMALL: Mapping[str, File] = {
    "a.txt": b"one\n",
    "b.txt": b"two\n",
    "src/c.py": b"THREE = 3\n",
    "src/deep/d.py": b"FOUR = 4\n",
    "run.sh": ("100755", b"#!/bin/sh\n"),
    "link": ("120000", b"a.txt"),
    ".gitignore": b"*.ignored\n",
}

MODIFY: Mapping[str, File] = {"a.txt": b"ours\n"}


def shop_of(folder: Path, files: Mapping[str, File] | None = None) -> Shop:
    """A repository of `files` (a few small ones by default) with the driver of the programs."""
    (folder / "policies").mkdir()
    return Shop(
        project=make_repository(folder, SMALL if files is None else files), policies=folder / "policies"
    )


def at(shop: Shop, root: Path) -> Shop:
    """The same driver, standing in another work tree."""
    return Shop(project=replace(shop.project, root=root), policies=shop.policies)


def tree_with(project: Project, changes: Mapping[str, File | None], base: str = "HEAD") -> str:
    """The id of the tree of `base` with `changes`, made from bytes, past every filter and index of the user's."""
    index = project.git_dir / "testing-index"
    maker = project.with_environ(GIT_INDEX_FILE=str(index))
    plain = ("-c", "core.splitIndex=false", "-c", "index.sparse=false", "-c", "core.fsmonitor=false")
    known = project.git("rev-parse", "--verify", "--quiet", base) if base else ""
    maker.git(*plain, "read-tree", *([known] if known else ["--empty"]))
    rows = b""
    for path, content in changes.items():
        mode, data = content if isinstance(content, tuple) else ("100644", content)
        name = (
            data.decode()
            if mode == "160000" and data
            else project.blob(data)
            if data is not None
            else "0" * 40
        )
        rows += f"{mode if data is not None else 0} {name}\t".encode() + os.fsencode(path) + b"\0"
    maker.git(*plain, "update-index", "-z", "--index-info", stdin=rows)
    tree = maker.git(*plain, "write-tree")
    index.unlink()
    return tree


def proposing(project: Project, changes: Mapping[str, File | None], base: str = "HEAD") -> bytes:
    """The patch git makes of `changes`; nothing of the user's is touched."""
    before = project.git("rev-parse", f"{base}^{{tree}}") if base else project.make_tree({})
    return project.git_bytes(
        "diff",
        "--full-index",
        "--no-ext-diff",
        "--no-textconv",
        "-M",
        before,
        tree_with(project, changes, base),
    )


def applied(shop: Shop, changes: Mapping[str, File | None], **more: object) -> RunReport:
    """The end of a run, after a person said yes wherever policy asks for one (links, x bits, attributes)."""
    patch = proposing(shop.project, changes)
    report = shop.apply(patch, **more)  # type: ignore[arg-type]  # keywords of the driver
    if report.outcome is Outcome.SUSPENDED:
        return shop.decide(report.run, approved=True)
    return report


def lands(shop: Shop, changes: Mapping[str, File | None], *, clean: bool = True, **more: object) -> RunReport:
    """The change becomes exactly one commit of exactly its tree; the work tree agrees and nothing is left over."""
    tree = tree_with(shop.project, changes)
    report = applied(shop, changes, **more)
    assert report.outcome is Outcome.COMMITTED, report
    assert report.tree == tree
    assert shop.project.git("rev-parse", f"{report.commit}^{{tree}}") == tree
    if clean:
        assert shop.status() == ""
    assert leftovers(shop) == []
    return report


def refuses(
    shop: Shop,
    changes: Mapping[str, File | None],
    code: str,
    *paths: str,
    outcome: Outcome = Outcome.KEPT,
    **more: object,
) -> RunReport:
    """The change does not land, for `code`, each path is named, and not a byte of the user's is another."""
    before = shop.project.snapshot()
    report = applied(shop, changes, **more)
    assert (report.outcome, report.reason) == (outcome, code), report
    told = " ".join((report.explanation, *report.notes))
    for path in paths:
        assert path in told, report
    assert shop.project.snapshot() == before
    assert leftovers(shop) == []
    return report


def leftovers(shop: Shop) -> list[str]:
    """Locks, transactions, scratch folders and work trees git knows of that nobody asked for."""
    repository = shop.repository()
    found = [
        str(path)
        for home in {repository.git_dir, repository.common_dir}
        for path in home.rglob("*")
        if (path.name.startswith(("tx-", "kept-")) and path.is_dir())
        or (path.suffix == ".lock" and "dev-agent" not in path.parts)
    ]
    tmp = repository.state_dir / "tmp"
    found += map(str, tmp.iterdir()) if tmp.exists() else []
    if repository.root is not None:
        found += [str(path) for path in repository.work_tree.rglob(".dev-agent*")]
    return sorted(found)


__all__ = [
    "MODIFY", "NO_GATES", "SMALL", "applied", "at", "isolated_environ", "lands", "leftovers", "proposing", "refuses",
    "shop_of", "tree_with",
]  # fmt: skip
