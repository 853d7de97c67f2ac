"""The path law: every spelling that leads somewhere else."""

from __future__ import annotations

import pytest

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.model import Copy, Create, Delete, Edit, Move, Replace, SetMode, Write
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from tests.edits.support import after, problem, problems

FORBIDDEN = [
    "",
    "/etc/passwd",
    "C:/x",
    "c:\\x",
    "../x",
    "a/../x",
    "a/..",
    "./x",
    "a/./x",
    "a//x",
    "a/",
    "a\\b",
    ".git",
    ".git/config",
    ".git/hooks/pre-commit",
    "a/.git/config",
    ".GIT/config",
    ".Git/x",
    ".g\u200cit/config",
    ".gi\u200dt/config",
    "\ufeff.git/config",
    ".git\u202e/x",
    "git~1/config",
    "GIT~1/x",
    ".git./x",
    ".git /x",
    ".git. ./x",
    ".git::$INDEX_ALLOCATION/x",
    ".git:stream",
    "git~1:x",
    "a\nb",
    "a\tb",
    "a\x1bb",
    "a\x7fb",
    "a\u202eb",
    "a\u2066b",
    "a\u2028b",
]


@pytest.mark.parametrize("path", FORBIDDEN)
def test_forbidden_paths_are_refused_for_every_edit(path: str) -> None:
    edits: list[Edit] = [
        Create(path=path, text="x"),
        Write(path=path, text="x"),
        Replace(path=path, old="", new="x\n"),
        Delete(path=path),
        SetMode(path=path, mode="100755"),
        Move(path="a.txt", to=path),
        Copy(path="a.txt", to=path),
        Move(path=path, to="b.txt"),
    ]
    for edit in edits:
        found = problem({"a.txt": b"x\n"}, [edit], ProblemCode.FORBIDDEN_PATH)
        assert not any(ord(character) < 32 or character in "\u202e\u2028" for character in found.message)


@pytest.mark.parametrize(
    "path",
    [
        ".gitignore",
        ".github/x.yml",
        "git",
        "a.git",
        ".git-blame-ignore-revs",
        "git~2",
        "..a",
        "a..b",
        ".gitmodules",
    ],
)
def test_names_that_only_look_alike_are_lawful(path: str) -> None:
    assert after(resolve([Create(path=path, text="x")], DictTree({}))) == {path: b"x"}


@pytest.mark.parametrize(
    "path",
    [
        "aux",
        "AUX.py",
        "con.tar.gz",
        "d/nul",
        "com1.txt",
        "LPT9",
        "com¹",
        "prn .txt",
        "a.",
        "a ",
        "d./x",
        "a:b",
        "a:",
        "x" * 256,
        "é" * 128,
    ],
)
def test_names_that_are_not_portable_are_refused_for_new_files(path: str) -> None:
    problem({}, [Create(path=path, text="x")], ProblemCode.NOT_PORTABLE)
    problem({"o": b"x\n"}, [Move(path="o", to=path)], ProblemCode.NOT_PORTABLE)


@pytest.mark.parametrize("path", ["aux.txt", "a.", "a:b", "d /x"])
def test_a_base_file_that_is_not_portable_can_be_edited(path: str) -> None:
    edit = Replace(path=path, old="1\n", new="2 = 2\n")
    assert after(resolve([edit], DictTree({path: b"1\n"}))) == {path: b"2 = 2\n"}


@pytest.mark.parametrize("path", ["auxiliary.py", "console", "com10", "x" * 255, "nul_", "ünï.py"])
def test_names_near_the_reserved_ones_are_portable(path: str) -> None:
    assert after(resolve([Create(path=path, text="")], DictTree({}))) == {path: b""}


@pytest.mark.parametrize(
    ("base", "path"),
    [
        ("readme.md", "README.md"),
        ("src/a.py", "SRC/b.py"),
        ("src/a.py", "Src"),
        ("caf\u00e9.txt", "cafe\u0301.txt"),
        ("stra\u00dfe", "STRASSE"),
    ],
)
def test_a_path_that_differs_only_in_case_or_normalisation_is_refused(base: str, path: str) -> None:
    problem({base: b"x\n"}, [Create(path=path, text="")], ProblemCode.CASE_CLASH)


def test_two_new_paths_that_differ_only_in_case_are_refused() -> None:
    edits = [Create(path="A", text=""), Create(path="a", text="")]
    assert {each.code for each in problems({}, list(edits))} == {ProblemCode.CASE_CLASH}


def test_a_case_only_rename_is_a_move() -> None:
    assert after(resolve([Move(path="readme.md", to="README.md")], DictTree({"readme.md": b"x"}))) == {
        "README.md": b"x",
        "readme.md": None,
    }


def test_clashes_of_the_base_do_not_forbid_other_edits() -> None:
    tree = DictTree({"A": b"1\n", "a": b"2\n"})
    assert after(resolve([Create(path="b", text=""), Replace(path="a", old="2\n", new="3\n")], tree)) == {
        "a": b"3\n",
        "b": b"",
    }


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("100644", ProblemCode.BELOW_A_FILE),
        ("120000", ProblemCode.SYMLINK),
        ("160000", ProblemCode.SUBMODULE),
    ],
)
def test_nothing_is_written_below_a_file_a_symlink_or_a_submodule(mode: str, code: ProblemCode) -> None:
    for edit in (
        Create(path="p/x", text=""),
        Write(path="p/x", text=""),
        Replace(path="p/x", old="", new="x\n"),
        Move(path="o", to="p/q/x"),
    ):
        problem({"p": (mode, b"target"), "o": b""}, [edit], code)


def test_below_a_submodule_nothing_is_written_even_if_it_is_deleted() -> None:
    found = problems({"p": ("160000", b"")}, [Delete(path="p"), Create(path="p/x", text="")])
    assert {each.code for each in found} == {ProblemCode.SUBMODULE}


def test_a_symlink_and_a_file_below_it_cannot_both_be_made() -> None:
    edits: list[Edit] = [Create(path="l", text="d", mode="120000"), Create(path="l/x", text="")]
    assert {each.code for each in problems({"d/y": b""}, edits)} == {
        ProblemCode.IS_A_DIRECTORY,
        ProblemCode.BELOW_A_FILE,
    }


@pytest.mark.parametrize("edit", [Replace(path="l", old="t\n", new="u\n"), Write(path="l", text="x")])
def test_text_is_not_written_through_a_symlink(edit: Edit) -> None:
    problem({"l": ("120000", b"t"), "t": b"t\n"}, [edit], ProblemCode.SYMLINK)


def test_a_symlink_has_no_mode() -> None:
    problem({"l": ("120000", b"t")}, [SetMode(path="l", mode="100755")], ProblemCode.MODE)


def test_a_symlink_is_replaced_by_an_explicit_deletion_and_creation() -> None:
    change = resolve(
        [Delete(path="l"), Create(path="l", text="x\n")], DictTree({"l": ("120000", b"t")})
    ).changes[0]
    assert (change.before_mode, change.after_mode, change.after) == ("120000", "100644", b"x\n")


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/etc/passwd",
        "../x",
        "../../x",
        "a/../../../x",
        ".git/config",
        "../.git",
        "x/.GIT",
        "git~1/config",
        "a\\b",
        "a\nb",
        "link/secret",
        "sub/link/x",
        "link",
    ],
)
def test_a_new_symlink_stays_inside_and_out_of_git(target: str) -> None:
    files: dict[str, bytes | tuple[str, bytes]] = {
        "link": ("120000", b"/outside"),
        "sub/link": ("120000", b"/outside"),
        "f": b"",
    }
    where = "l" if target in {"../x", "../.git", "link/secret", "sub/link/x", "link"} else "d/l"
    assert [each.code for each in problems(files, [Create(path=where, text=target, mode="120000")])] == [
        ProblemCode.SYMLINK
    ]


@pytest.mark.parametrize(
    ("path", "target"),
    [("l", "f"), ("d/l", "../f"), ("l", "./d/x"), ("d/l", "../d/../f"), ("l", "not/there")],
)
def test_a_new_symlink_inside_the_tree_is_lawful(path: str, target: str) -> None:
    change = resolve(
        [Create(path=path, text=target, mode="120000")], DictTree({"f": b"", "d/x": b""})
    ).changes[0]
    assert (change.after_mode, change.after) == ("120000", target.encode())


def test_a_new_symlink_does_not_lead_through_another_new_one() -> None:
    edits: list[Edit] = [
        Create(path="l", text="m/x", mode="120000"),
        Create(path="m", text="d", mode="120000"),
    ]
    assert [each.path for each in problems({"d/x": b""}, edits)] == ["l"]


@pytest.mark.parametrize("path", [".gitmodules", "d/.gitattributes", ".GITIGNORE"])
def test_files_that_git_reads_are_no_symlinks(path: str) -> None:
    problem({}, [Create(path=path, text="x", mode="120000")], ProblemCode.SYMLINK)


def test_a_moved_symlink_is_checked_at_its_new_place() -> None:
    problem({"d/e/l": ("120000", b"../../f"), "f": b""}, [Move(path="d/e/l", to="l")], ProblemCode.SYMLINK)
    moved = resolve([Move(path="d/e/l", to="d/g/l")], DictTree({"d/e/l": ("120000", b"../../f")}))
    assert after(moved) == {"d/e/l": None, "d/g/l": b"../../f"}
