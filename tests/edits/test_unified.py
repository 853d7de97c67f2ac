"""Unified diffs: git's in every variant, and those that models write from memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dev_agent.edits.errors import ProblemCode
from dev_agent.edits.leftout import left_out_at
from dev_agent.edits.model import Copy, Create, Delete, Move, Replace, SetMode
from dev_agent.edits.parse import parse
from dev_agent.edits.proposal import Page
from tests.edits.support import after, applied, parse_error, problem

NO_NEWLINE = "\\ No newline at end of file\n"
ABC = {"f.txt": b"a\nb\nc\n"}


def git(path: str, rest: str) -> str:
    return f"diff --git a/{path} b/{path}\n{rest}"


def hunk(rows: str, header: str = "@@", path: str = "f.txt") -> str:
    return f"--- a/{path}\n+++ b/{path}\n{header}\n{rows}"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a/f.txt", "b/f.txt"),
        ("f.txt", "f.txt"),
        ("old/f.txt", "new/f.txt"),
        ("i/f.txt", "w/f.txt"),
        ("a/f.txt", "f.txt"),
        ("f.txt", "b/f.txt"),
        ("a/f.txt\t2020-01-01 10:00:00.000 +0000", "b/f.txt\t2020-01-01 10:00:01.000 +0000"),
        ("a/f.txt 2020-01-01 10:00:00", "b/f.txt 2020-01-01 10:00:01"),
        ('"a/f.txt"', '"b/f.txt"'),
        ('"a/\\146.txt"', "b/f.txt"),
    ],
)
def test_names_with_and_without_prefixes_timestamps_and_quotes(old: str, new: str) -> None:
    assert after(applied(ABC, f"--- {old}\n+++ {new}\n@@ -2 +2 @@\n-b\n+B\n")) == {"f.txt": b"a\nB\nc\n"}


@pytest.mark.parametrize(
    ("quoted", "name"),
    [
        ('"a/\\303\\244.txt"', "ä.txt"),
        ('"a/q\\"\\\\.txt"', 'q"\\.txt'),
        ('"a/t\\tn\\n.txt"', "t\tn\n.txt"),
        ('"a/\\377.txt"', "\udcff.txt"),
        ("a/with space.txt\t", "with space.txt"),
    ],
)
def test_git_quoted_names(quoted: str, name: str) -> None:
    edit = parse(f"--- {quoted}\n+++ {quoted.replace('a/', 'b/', 1)}\n@@ -1 +1 @@\n-a\n+b\n".encode()).edits[
        0
    ]
    assert edit.path == name


@pytest.mark.parametrize("quoted", ['"a/f.txt', '"a/\\9.txt"'])
def test_a_malformed_quoted_name_is_refused(quoted: str) -> None:
    assert parse_error(f"--- {quoted}\n+++ b/f.txt\n@@ -1 +1 @@\n-a\n+b\n").line == 1


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("a/x y.txt b/x y.txt", "x y.txt"),
        ('"a/\\303\\244" "b/\\303\\244"', "ä"),
        ('"a/\\303\\244" b/ä', "ä"),
        ('a/ä "b/\\303\\244"', "ä"),
        ("x.txt x.txt", "x.txt"),
    ],
)
def test_name_from_the_git_line_alone(line: str, name: str) -> None:
    edits = parse(f"diff --git {line}\nold mode 100644\nnew mode 100755\n".encode()).edits
    assert [(edit.path, edit.mode) for edit in edits if isinstance(edit, SetMode)] == [(name, "100755")]


@pytest.mark.parametrize("line", ["a/x b/yy", 'a/x "b/\\9"', '"a/x b/x'])
def test_a_git_line_that_names_no_one_file_is_refused(line: str) -> None:
    assert "which file" in parse_error(f"diff --git {line}\nold mode 100644\nnew mode 100755\n").message


def test_two_names_without_a_rename_are_refused() -> None:
    assert "'a/x.py' 'b/y.py'" in parse_error("--- a/x.py\n+++ b/y.py\n@@ -1 +1 @@\n-a\n+b\n").message


def test_new_file() -> None:
    text = git(
        "n.txt",
        "new file mode 100755\nindex 0000000..1111111\n--- /dev/null\n+++ b/n.txt\n@@ -0,0 +1 @@\n+x\n",
    )
    change = applied({}, text).changes[0]
    assert (change.before, change.after_mode, change.after) == (None, "100755", b"x\n")


def test_new_empty_file() -> None:
    assert parse(git("n.txt", "new file mode 100644\nindex 0000000..e69de29\n").encode()).edits[0] == Create(
        path="n.txt", text="", origin=parse(git("n.txt", "new file mode 100644\n").encode()).edits[0].origin
    )


def test_sloppy_new_file_without_git_header() -> None:
    assert after(applied({}, "--- /dev/null\n+++ b/n.py\n@@ -0,0 +1,9 @@\n+x = 1\n\n+y = 2\n")) == {
        "n.py": b"x = 1\n\ny = 2\n"
    }


def test_sloppy_new_file_without_dev_null() -> None:
    assert after(applied({}, hunk("+x\n", "@@ -0,0 +1 @@", "pkg/n.txt"))) == {"pkg/n.txt": b"x\n"}


def test_an_insertion_at_line_zero_of_a_file_with_content_is_refused() -> None:
    problem(ABC, git("f.txt", hunk("+x\n", "@@ -0,0 +1 @@")), ProblemCode.EMPTY_SEARCH)


def test_an_insertion_at_line_zero_of_a_blob_that_git_names_goes_to_the_top() -> None:
    text = git("f.txt", "index de98044..1111111 100644\n" + hunk("+x\n", "@@ -0,0 +1 @@"))
    assert after(applied(ABC, text)) == {"f.txt": b"x\na\nb\nc\n"}


@pytest.mark.parametrize("rows", [" x\n+y\n", "-x\n+y\n"])
def test_a_new_file_with_old_lines_is_refused(rows: str) -> None:
    assert "new file" in parse_error(f"--- /dev/null\n+++ b/n.txt\n@@\n{rows}").message


def test_a_new_file_in_two_hunks_is_refused() -> None:
    assert "exactly one hunk" in parse_error("--- /dev/null\n+++ b/n\n@@\n+y\n@@\n+z\n").message


def test_deleted_file() -> None:
    text = git(
        "f.txt",
        "deleted file mode 100644\nindex 1..0\n--- a/f.txt\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n",
    )
    assert after(applied(ABC, text)) == {"f.txt": None}


def test_deleted_file_without_its_content() -> None:
    assert after(applied(ABC, git("f.txt", "deleted file mode 100644\n"))) == {"f.txt": None}


def test_deleting_another_content_than_the_base_has_is_refused() -> None:
    problem(ABC, "--- a/f.txt\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-a\n-B\n-c\n", ProblemCode.STALE)


def test_a_deleted_file_that_keeps_lines_is_refused() -> None:
    assert "cannot keep" in parse_error("--- a/f.txt\n+++ /dev/null\n@@ -1,2 +1 @@\n-a\n b\n").message


def test_rename_with_edit_and_mode() -> None:
    text = (
        "diff --git a/f.txt b/g.txt\nold mode 100644\nnew mode 100755\nsimilarity index 66%\n"
        "rename from f.txt\nrename to g.txt\nindex 1..2\n--- a/f.txt\n+++ b/g.txt\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"
    )
    assert [type(edit) for edit in parse(text.encode()).edits] == [Move, SetMode, Replace]
    changes = applied(ABC, text)
    assert after(changes) == {"f.txt": None, "g.txt": b"a\nB\nc\n"}
    assert changes.changes[1].after_mode == "100755"


def test_copy_with_edit_leaves_the_source() -> None:
    text = "diff --git a/f.txt b/g.txt\ncopy from f.txt\ncopy to g.txt\n--- a/f.txt\n+++ b/g.txt\n@@ -2 +2 @@\n-b\n+B\n"
    assert isinstance(parse(text.encode()).edits[0], Copy)
    assert after(applied(ABC, text)) == {"g.txt": b"a\nB\nc\n"}


def test_no_newline_markers() -> None:
    text = hunk("-b\n\\ No newline at end of file\n+B\n", "@@ -2 +2 @@")
    assert after(applied({"f.txt": b"a\nb"}, text)) == {"f.txt": b"a\nB\n"}
    text = hunk("-b\n+B\n\\ No newline at end of file\n", "@@ -2 +2 @@")
    assert after(applied({"f.txt": b"a\nb\n"}, text)) == {"f.txt": b"a\nB"}


def test_a_no_newline_marker_in_the_middle_is_refused() -> None:
    assert "middle" in parse_error(hunk(" a\n\\ No newline at end of file\n b\n+c\n")).message


def test_a_patch_that_came_with_crlf() -> None:
    text = git("f.txt", hunk(" a\n-b\n+B\n c\n", "@@ -1,3 +1,3 @@")).replace("\n", "\r\n")
    assert after(applied(ABC, text)) == {"f.txt": b"a\nB\nc\n"}
    assert after(applied({"f.txt": b"a\r\nb\r\nc\r\n"}, text)) == {"f.txt": b"a\r\nB\r\nc\r\n"}


def test_git_diff_of_a_crlf_file_has_crlf_in_content_only() -> None:
    text = git("f.txt", hunk(" a\r\n-b\r\n+B\r\n", "@@ -1,2 +1,2 @@"))
    assert after(applied({"f.txt": b"a\r\nb\r\n"}, text)) == {"f.txt": b"a\r\nB\r\n"}


@pytest.mark.parametrize(
    "header",
    [
        "@@",
        "@@ ... @@",
        "@@ def f @@",
        "@@ -1,9 +1,7 @@",
        "@@ -1 +1 @@",
        "@@ -0,0 +0,0 @@",
        "@@ -77,3 +77,3 @@",
    ],
)
def test_missing_or_wrong_line_counts(header: str) -> None:
    assert after(applied(ABC, hunk(" a\n-b\n+B\n c\n", header))) == {"f.txt": b"a\nB\nc\n"}


def test_wrong_counts_are_noted() -> None:
    assert "counts" in parse(hunk(" a\n-b\n+B\n c\n", "@@ -1,9 +1,9 @@").encode()).notes[0]


def test_a_count_too_large_does_not_swallow_the_next_file() -> None:
    text = hunk("-b\n+B\n", "@@ -2,3 +2,3 @@") + hunk("-x\n+X\n", "@@ -1 +1 @@", "g.txt")
    assert after(applied({**ABC, "g.txt": b"x\n"}, text)) == {"f.txt": b"a\nB\nc\n", "g.txt": b"X\n"}


def test_empty_context_line_without_its_space() -> None:
    text = hunk(" a\n\n-b\n+B\n", "@@ -1,3 +1,3 @@")
    assert after(applied({"f.txt": b"a\n\nb\n"}, text)) == {"f.txt": b"a\n\nB\n"}


def test_an_edit_after_an_empty_line_beyond_the_counts_is_not_dropped() -> None:
    text = "```diff\n" + hunk(" a\n-b\n+B\n\n-c\n+C\n", "@@ -1,2 +1,2 @@") + "```\n"
    assert after(applied({"f.txt": b"a\nb\n\nc\n"}, text)) == {"f.txt": b"a\nB\n\nC\n"}


def test_hunks_out_of_order() -> None:
    text = hunk("-c\n+C\n", "@@ -3 +3 @@") + "@@ -1 +1 @@\n-a\n+A\n"
    assert after(applied(ABC, text)) == {"f.txt": b"A\nb\nC\n"}


def test_removed_line_that_looks_like_a_header_is_content_in_a_counted_hunk() -> None:
    base = {"q.sql": b"-- a\nselect 1\n"}
    assert after(applied(base, hunk("--- a\n+-- b\n select 1\n", "@@ -1,2 +1,2 @@", "q.sql"))) == {
        "q.sql": b"-- b\nselect 1\n"
    }


def test_a_stray_line_in_an_uncounted_hunk_is_an_error_not_an_end() -> None:
    assert parse_error(hunk(" a\nb\n+x\n")).line == 5


def test_a_context_fence_that_closes_the_fence_early_is_an_error() -> None:
    text = "```diff\n--- a/d.md\n+++ b/d.md\n@@ -1,3 +1,4 @@\n a\n```\n+code\n```\n"
    assert "fence" in parse_error(text).message


def test_prose_after_a_diff_is_not_part_of_it() -> None:
    assert after(applied(ABC, hunk("-b\n+B\n", "@@ -2 +2 @@") + "\nThat is all.\n")) == {
        "f.txt": b"a\nB\nc\n"
    }


def test_mail_signature_is_not_part_of_the_hunk() -> None:
    for header in ("@@ -2 +2 @@", "@@"):
        assert after(applied(ABC, hunk("-b\n+B\n", header) + "-- \n2.39.5\n")) == {"f.txt": b"a\nB\nc\n"}


def test_a_machine_made_diff_cut_off_in_a_hunk_is_refused() -> None:
    whole = git("f.txt", "index 1111111..2222222 100644\n" + hunk(" a\n-b\n+B\n c\n", "@@ -1,3 +1,3 @@"))
    assert "cut off" in parse_error(whole.removesuffix(" c\n")).message


def test_an_unclosed_fence_after_an_unfinished_hunk_is_refused() -> None:
    assert "cut off" in parse_error("```diff\n" + hunk(" a\n-b\n", "@@ -1,3 +1,3 @@")).message


@pytest.mark.parametrize(
    "line", ["GIT binary patch\nliteral 3\nKc$@)y", "Binary files a/f.bin and b/f.bin differ"]
)
def test_a_binary_change_is_refused(line: str) -> None:
    assert "binary" in parse_error(git("f.bin", f"index 1..2 100644\n{line}\n")).message


RULE = "=" * 67
NORMAL = "diff a/g.txt b/g.txt\n1c1\n< a\n---\n> b\n"
CONTEXT = "*** a/g\t2020\n--- b/g\t2021\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n"
SUBMODULE = "Submodule lib 1234567..89abcde:\n  > more\n"
OTHER_KIND = "File a/g is a regular file while file b/g is a directory\n"


@pytest.mark.parametrize(
    ("beside", "said", "line"),
    [
        ("Binary files a/f.png and b/f.png differ\n", "binary", 1),
        (
            f"\nProperty changes on: a.sh\n{'_' * 67}\nAdded: svn:executable\n## -0,0 +1 ##\n+*\n",
            "property",
            2,
        ),
        (f"Index: f.png\n{RULE}\nCannot display: file marked as a binary type.\n", "binary", 3),
        (f"Index: empty.py\n{RULE}\nIndex: g.txt\n", "without a diff", 1),
        (f"Index: gone.py (deleted)\r\n{RULE}\r\nIndex: f.txt\r\n", "without a diff", 1),
        ("Binary file f.png has changed\n", "binary", 1),
        (NORMAL, "normal format", 2),
        (CONTEXT, "context diff", 3),
        ("similarity index 100%\nrename from g\nrename to h\n", "renamed or copied", 2),
        ("copy from g\ncopy to h\n", "renamed or copied", 1),
        (OTHER_KIND, "another kind of file", 1),
        (SUBMODULE, "submodule", 1),
        ("Submodule lib 0000000...89abcde (new submodule)\r\n", "submodule", 1),
        ("* Unmerged path g\n", "conflict", 1),
        ("Only in b/sub: new.py\ndiff -Nu -r a/f.txt b/f.txt\n", "one of two folders", 1),
        ("\x1b[1mdiff --git a/g b/g\x1b[m\n", "coloured", 1),
    ],
)
def test_what_a_tool_says_of_a_file_without_a_unified_diff_is_not_dropped(
    beside: str, said: str, line: int
) -> None:
    """Half of a diff would land as if it were all of it."""
    readable = hunk("-b\n+B\n", "@@ -2 +2 @@")
    for text, at in ((beside + readable, line), (readable + beside, readable.count("\n") + line)):
        found = parse_error(text)
        assert said in found.message
        assert (found.line, bool(found.hint)) == (at, True)


@pytest.mark.parametrize(
    "prose",
    [
        "Only in Python: the rest stays.\n",
        "Binary files stay as they are.\n",
        "Submodule lib is not touched.\n",
        "File f.txt is a text file.\n",
        "rename from b to B\n",
        "2d3\nwas wrong\n",
        "***************\n",
        "Property changes on: a.sh\nare not wanted.\n",
        "Index: of all names\n======\n",
    ],
)
def test_a_sentence_that_only_resembles_a_tools_line_is_prose(prose: str) -> None:
    assert after(applied(ABC, prose + hunk("-b\n+B\n", "@@ -2 +2 @@"))) == {"f.txt": b"a\nB\nc\n"}


class CountedLines(list[str]):
    """Lines that know how often they were all read."""

    read = 0

    def __iter__(self) -> Iterator[str]:
        self.read += 1
        return super().__iter__()


def test_a_long_report_of_one_sided_files_asks_about_the_whole_page_once() -> None:
    """Asked again at every line, a proposal within the limits would take hours."""
    lines = CountedLines(["Only in b: new.py"] * 50)
    page = Page(lines)
    assert [left_out_at(page, at) for at in range(50)] == [None] * 50
    assert lines.read == 1


@pytest.mark.parametrize(
    "time",
    [
        "1970-01-01 00:00:00.000000000 +0000",
        "1970-01-01 01:00:00.000000000 +0100",
        "1969-12-31 19:30:00 -04:30",
    ],
)
def test_a_file_emptied_at_the_time_of_no_file_is_deleted_as_git_and_patch_do(time: str) -> None:
    text = f"--- a/f.txt\t2026-01-01 00:00:00 +0000\n+++ b/f.txt\t{time}\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n"
    assert after(applied(ABC, text)) == {"f.txt": None}


@pytest.mark.parametrize(
    ("time", "rows"),
    [
        ("2026-01-01 00:00:00.000000000 +0000", "@@ -1,3 +0,0 @@\n-a\n-b\n-c\n"),
        ("1970-01-01 00:00:00.000000000 +0100", "@@ -1,3 +0,0 @@\n-a\n-b\n-c\n"),
        ("1970-01-01 00:00:00.000000000 +0000", "@@ -1,3 +1 @@\n-a\n b\n-c\n"),
    ],
)
def test_a_file_that_is_emptied_at_a_real_time_or_keeps_a_line_stays(time: str, rows: str) -> None:
    text = f"--- a/f.txt\t2026-01-01 00:00:00 +0000\n+++ b/f.txt\t{time}\n{rows}"
    assert after(applied(ABC, text))["f.txt"] is not None


def test_where_nothing_is_like_the_lines_sought_those_at_the_stated_line_are_shown() -> None:
    text = hunk("-x9\n+B\n", "@@ -2 +2 @@")
    assert problem(ABC, text, ProblemCode.NOT_FOUND).nearest == ((2, "b"), (3, "c"))
    beyond = hunk("-x9\n+B\n", "@@ -4 +4 @@")
    assert problem(ABC, beyond, ProblemCode.NOT_FOUND).nearest == ()


@pytest.mark.parametrize("text", ["diff --cc f.txt\n--- a/f\n+++ b/f\n", hunk("++x\n", "@@@ -1 -1 +1 @@@")])
def test_a_merge_diff_is_refused(text: str) -> None:
    assert "merge" in parse_error(text).message


@pytest.mark.parametrize("text", [git("f.txt", "index 1..2 100644\n"), "--- a/f.txt\n+++ b/f.txt\n"])
def test_a_header_without_hunks_is_refused(text: str) -> None:
    assert "changes nothing" in parse_error(text).message


def test_a_hunk_without_lines_is_refused() -> None:
    assert parse_error(hunk("", "@@ -1 +1 @@")).line == 3


def test_a_hunk_without_a_file_is_refused() -> None:
    assert parse_error("@@ -1 +1 @@\n-a\n+b\n").line == 1


def test_an_insertion_without_context_uses_the_line_of_a_git_diff() -> None:
    assert after(applied(ABC, git("f.txt", hunk("+x\n", "@@ -1,0 +2 @@")))) == {"f.txt": b"a\nx\nb\nc\n"}
    assert after(applied(ABC, git("f.txt", hunk("+x\n", "@@ -3,0 +4 @@")))) == {"f.txt": b"a\nb\nc\nx\n"}


@pytest.mark.parametrize(
    "text", [hunk("+x\n", "@@ -1,0 +2 @@"), git("f.txt", hunk("+x\n", "@@ -9,0 +10 @@"))]
)
def test_an_insertion_without_context_or_trusted_line_is_refused(text: str) -> None:
    problem(ABC, text, ProblemCode.NO_PLACE)


def test_a_bare_insertion_into_a_file_with_content_is_refused() -> None:
    problem(ABC, hunk("+x\n"), ProblemCode.EMPTY_SEARCH)


def test_a_line_number_chooses_between_equal_places_only_exactly() -> None:
    base = {"f.txt": b"x\ny\nx\n"}
    changes = applied(base, hunk("-x\n+z\n", "@@ -3 +3 @@"))
    assert after(changes) == {"f.txt": b"x\ny\nz\n"}
    assert changes.matches[0].count == 2
    found = problem(base, hunk("-x\n+z\n", "@@ -2 +2 @@"), ProblemCode.AMBIGUOUS)
    assert "lines 1, 3" in found.message


def test_context_far_from_the_stated_line_is_found_if_unique() -> None:
    assert after(applied(ABC, hunk("-b\n+B\n", "@@ -500 +500 @@"))) == {"f.txt": b"a\nB\nc\n"}


def test_symlink_retargeted_by_a_git_diff() -> None:
    text = git(
        "l",
        f"index 1..2 120000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-f.txt\n{NO_NEWLINE}+g.txt\n{NO_NEWLINE}",
    )
    changes = applied({**ABC, "g.txt": b"", "l": ("120000", b"f.txt")}, text)
    assert after(changes) == {"l": b"g.txt"}
    assert changes.changes[0].after_mode == "120000"


def test_file_turned_into_symlink_as_git_writes_it() -> None:
    text = git(
        "f.txt", "deleted file mode 100644\n--- a/f.txt\n+++ /dev/null\n@@ -1,3 +0,0 @@\n-a\n-b\n-c\n"
    ) + git(
        "f.txt",
        "new file mode 120000\n--- /dev/null\n+++ b/f.txt\n@@ -0,0 +1 @@\n+g.txt\n\\ No newline at end of file\n",
    )
    changes = applied({**ABC, "g.txt": b""}, text)
    assert [(change.after_mode, change.after) for change in changes.changes] == [("120000", b"g.txt")]


def test_symlink_turned_into_a_file_by_mode_lines() -> None:
    text = git(
        "l",
        f"old mode 120000\nnew mode 100644\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-f.txt\n{NO_NEWLINE}+text\n",
    )
    changes = applied({**ABC, "l": ("120000", b"f.txt")}, text)
    assert [(change.after_mode, change.after) for change in changes.changes] == [("100644", b"text\n")]


def test_a_submodule_is_refused() -> None:
    text = git(
        "sub", "new file mode 160000\n--- /dev/null\n+++ b/sub\n@@ -0,0 +1 @@\n+Subproject commit 1111\n"
    )
    problem({}, text, ProblemCode.SUBMODULE)


def test_deletion_carries_what_it_expects() -> None:
    edit = parse(b"--- a/f.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n").edits[0]
    assert isinstance(edit, Delete)
    assert edit.expected == b"a\n"


def test_a_line_taken_from_an_empty_file_is_not_there_rather_than_taken_already() -> None:
    found = problem({"f.txt": b""}, "--- a/f.txt\n+++ b/f.txt\n@@ -1 +0,0 @@\n-\n", ProblemCode.NOT_FOUND)
    assert not found.already_applied
