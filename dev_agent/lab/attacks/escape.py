"""Attacks on the borders of the tree: names that lead out of it, or to something else on another machine.

Two things stand in the way of every name. The path law refuses it; and a proposal becomes objects of git, so nothing
is written to any folder before all is judged. The controls switch both off: they stage as a tool does that writes what
it is told, where it is told. All places attacked lie in the scratch folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from dev_agent.edits.paths import Names
from dev_agent.errors import RepositoryFault
from dev_agent.lab.attack import Attack, Strike
from dev_agent.lab.attempts import landing, policy_where, stopper
from dev_agent.lab.disarm import all_of, without
from dev_agent.repository.git import _FIXED_OPTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from dev_agent.lab.ground import Ground
    from dev_agent.repository.discovery import Repository
    from dev_agent.repository.staging import ChangeLike, Staged

_EVIL = "taken over\n"
_TARGETS = Callable[["Ground"], "tuple[str, Path]"]
"""(the name in the proposal, the place it means)."""


def _nowhere(_ground: Ground) -> None:
    """Nothing to prepare."""


def _reaching(
    targets: _TARGETS, prepare: Callable[[Ground], object] = _nowhere
) -> Callable[[Ground], Strike]:
    """A strike that proposes a file; it has reached its aim if the bytes stand at the place."""

    def strike(ground: Ground) -> Strike:
        prepare(ground)
        name, place = targets(ground)
        return _struck(ground, [_creating(name)], place)

    return strike


def _struck(ground: Ground, proposals: Sequence[bytes], place: Path) -> Strike:
    before = _digest(place)
    reports = [ground.apply(proposal, policy=policy_where(tests="off")) for proposal in proposals]
    refused = [one for one in reports if one.commit is None]
    reached = place.is_file() and place.read_text(encoding="utf-8") == _EVIL
    return Strike(
        stopped=not reached,
        by="" if reached else stopper((refused or reports)[0]),
        detail=f"{place.relative_to(ground.folder)} {'holds the bytes' if reached else 'is as it was'}",
        before=before,
        after=_digest(place),
        metrics={"proposals": len(reports), "refused": len(refused)},
    )


def _creating(name: str) -> bytes:
    return json.dumps({"edits": [{"op": "create", "path": name, "text": _EVIL}]}).encode()


def _linking(name: str, target: str) -> bytes:
    head = f"diff --git a/{name} b/{name}\nnew file mode 120000\n--- /dev/null\n+++ b/{name}\n"
    return f"{head}@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n".encode()


def _digest(place: Path) -> str:
    return sha256(place.read_bytes() if place.is_file() else b"").hexdigest()


def _at_once(repository: Repository, *, changes: Sequence[ChangeLike], **_: object) -> Staged:
    """Staging as many tools do it: the files are written, one after the other, where their names lead."""
    for each in changes:
        place = repository.work_tree / each.path
        place.parent.mkdir(parents=True, exist_ok=True)
        if each.after_mode == "120000" and each.after is not None:
            place.symlink_to(os.fsdecode(each.after))
        elif each.after is not None:
            place.write_bytes(each.after)
    raise RepositoryFault("written", "the files are written; there is nothing to stage any more")


def _no_fault(*_: object, **__: object) -> None:
    return None


class _AnyNames(Names):
    """Names that never clash."""

    def fault(self, path: str) -> None:  # noqa: ARG002
        """None."""
        return


_LAW = "the path law (edits/paths.py)"
_TWICE = f"{_LAW}; a proposal becomes objects, not files, until all is judged (repository/staging.py: stage)"
_law_off = all_of(
    *(
        without(f"dev_agent.edits.paths:{name}", _no_fault)
        for name in ("path_fault", "portability_fault", "blocking_parent", "symlink_fault")
    ),
    without("dev_agent.edits.paths:Names", _AnyNames),
)
_written_at_once = all_of(_law_off, without("dev_agent.programs.actions.stage:stage", _at_once))
_names_trusted = all_of(
    without("dev_agent.repository.tree_edit:forbidden", lambda _path: ""),
    without("dev_agent.repository.landing.difference:forbidden", lambda _path: ""),
    without("dev_agent.repository.landing.difference:clashes", lambda *_: ()),
    without(
        "dev_agent.repository.git:_FIXED_OPTIONS",
        tuple(
            one.replace("NTFS=true", "NTFS=false").replace("HFS=true", "HFS=false") for one in _FIXED_OPTIONS
        ),
    ),
)


def _reaching_attack(
    name: str, attempt: str, targets: _TARGETS, prepare: Callable[[Ground], object] = _nowhere
) -> Attack:
    return Attack(
        name=name,
        attempt=attempt,
        defence=_TWICE,
        strike=_reaching(targets, prepare),
        disarm=_written_at_once,
    )


def _landing_attack(name: str, attempt: str, path: str, *, also: str = "") -> Attack:
    return Attack(
        name=name,
        attempt=attempt,
        defence=f"{_LAW}{also}",
        strike=landing({path: _EVIL}, policy_where(tests="off")),
        disarm=all_of(_law_off, _names_trusted),
    )


def _link_of_the_owner(ground: Ground) -> None:
    (ground.root / "shelf").symlink_to("../home")
    _commit(ground, "A link to the owner's home")


def _submodule_of_the_owner(ground: Ground) -> None:
    ground.write("vendor/scales/scales.py", b"WEIGHT = 1\n")
    for args in (
        ["init", "--quiet", "--template="],
        ["add", "."],
        ["commit", "--quiet", "--message", "Scales"],
    ):
        ground.do("-C", "vendor/scales", *args)
    _commit(ground, "Scales")


def _commit(ground: Ground, message: str) -> None:
    ground.do("-c", "advice.addEmbeddedRepo=false", "add", "--all")
    ground.do("commit", "--quiet", "--message", message)


def _through_a_new_link(ground: Ground) -> Strike:
    """First a link that leaves the tree, then a file below it."""
    return _struck(
        ground, [_linking("exit", "../home"), _creating("exit/taken")], ground.folder / "home/taken"
    )


ESCAPE_ATTACKS = (
    _reaching_attack("path_upwards", "write ../taken", lambda ground: ("../taken", ground.folder / "taken")),
    _reaching_attack(
        "path_upwards_inside",
        "write tests/../../taken",
        lambda ground: ("tests/../../taken", ground.folder / "taken"),
    ),
    _reaching_attack(
        "path_absolute",
        "write to the absolute path of the owner's .bashrc",
        lambda ground: (str(ground.folder / "home/.bashrc"), ground.folder / "home/.bashrc"),
    ),
    _reaching_attack(
        "path_git_hook",
        "write .git/hooks/pre-commit, which the owner's next commit would run",
        lambda ground: (".git/hooks/pre-commit", ground.root / ".git/hooks/pre-commit"),
    ),
    _reaching_attack(
        "path_through_link",
        "write through a symbolic link of the base that leads to the owner's home",
        lambda ground: ("shelf/taken", ground.folder / "home/taken"),
        _link_of_the_owner,
    ),
    Attack(
        name="path_through_new_link",
        attempt="add a symbolic link that leads out of the tree, then write a file below it",
        defence=_TWICE,
        strike=_through_a_new_link,
        disarm=_written_at_once,
    ),
    _reaching_attack(
        "path_into_submodule",
        "write into a submodule, which is another repository",
        lambda ground: ("vendor/scales/taken", ground.root / "vendor/scales/taken"),
        _submodule_of_the_owner,
    ),
    _landing_attack(
        "path_git_on_windows",
        "land git~1/config, which Windows opens as .git/config",
        "git~1/config",
        also="; what staging and landing forbid (repository/landing/names.py); git's core.protectNTFS",
    ),
    _landing_attack(
        "path_git_on_mac",
        "land .git with a zero-width character in it, which a Mac opens as .git",
        ".g\u200cit/config",
        also="; what staging and landing forbid (repository/landing/names.py); git's core.protectHFS",
    ),
    _landing_attack(
        "path_case_clash",
        "land NOTES.txt beside notes.txt: one file on half of the machines",
        "NOTES.txt",
        also="; what landing looks for (repository/landing/names.py: clashes)",
    ),
    _landing_attack(
        "path_newline", "land a name with a newline, which reads as two", "notes.txt\nCODEOWNERS"
    ),
)
