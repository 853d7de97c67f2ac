"""Resolving: one place or none, all edits or none, and an explanation for each that does not fit."""

from __future__ import annotations

import pytest

from dev_agent.edits.changes import Change, ChangeSet, MatchLevel
from dev_agent.edits.errors import ProblemCode, Unresolved
from dev_agent.edits.model import Copy, Create, Delete, Edit, Limits, Move, Origin, Replace, SetMode, Write
from dev_agent.edits.resolve import resolve
from dev_agent.edits.trees import DictTree
from tests.edits.support import after, applied, block, problem, problems

TWICE = b"def f():\n    return 1\n\n\ndef g():\n    return 1\n"


def done(files: dict[str, bytes], *edits: Edit) -> dict[str, bytes | None]:
    return after(resolve(edits, DictTree(files)))


# One place.


def test_an_ambiguous_search_is_refused_and_lists_the_lines() -> None:
    found = problem({"a.py": TWICE}, block("a.py", "    return 1\n", "    return 2\n"), ProblemCode.AMBIGUOUS)
    assert "lines 2, 6" in found.message
    assert [number for number, _ in found.nearest] == [2, 6]


def test_what_fits_nowhere_or_too_often_is_a_sentence_for_one_line_and_for_many() -> None:
    def said(files: dict[str, bytes], old: str, code: ProblemCode) -> str:
        return problem(files, block("a.txt", old, "z\n"), code).message

    one, two = {"a.txt": b"x\nx\n"}, {"a.txt": b"x\ny\nx\ny\n"}
    assert said(one, "w\n", ProblemCode.NOT_FOUND) == "'w' cannot be found in 'a.txt'"
    assert said(one, "v\nw\n", ProblemCode.NOT_FOUND) == "'v', 'w' cannot be found in 'a.txt'"
    assert said(one, "x\n", ProblemCode.AMBIGUOUS) == "'a.txt' has 2 places that fit 'x': lines 1, 2"
    assert said(two, "x\ny\n", ProblemCode.AMBIGUOUS) == "'a.txt' has 2 places that fit 'x', 'y': lines 1, 3"


def test_overlapping_occurrences_are_two_places() -> None:
    problem({"a.txt": b"x\nx\nx\n"}, block("a.txt", "x\nx\n", "y\n"), ProblemCode.AMBIGUOUS)


def test_a_hundred_places_are_not_all_listed() -> None:
    found = problem({"a.txt": b"x\n" * 100}, block("a.txt", "x\n", "y\n"), ProblemCode.AMBIGUOUS)
    assert "and more" in found.message


def test_a_line_number_beyond_the_listed_places_still_chooses() -> None:
    changes = resolve(
        [Replace(path="a.txt", old="x\n", new="y\n", line_hint=90)], DictTree({"a.txt": b"x\n" * 100})
    )
    assert changes.matches[0].line == 90
    assert after(changes) == {"a.txt": b"x\n" * 89 + b"y\n" + b"x\n" * 10}


def test_an_exact_place_wins_over_lenient_ones() -> None:
    changes = applied({"a.txt": b"  x\nx\n"}, block("a.txt", "x\n", "y\n"))
    assert after(changes) == {"a.txt": b"  x\ny\n"}
    assert changes.matches[0].level == MatchLevel.EXACT


def test_two_lenient_places_are_ambiguous() -> None:
    problem({"a.txt": b"  x\n    x\n"}, block("a.txt", "x\n", "y\n"), ProblemCode.AMBIGUOUS)


# The ladder.


@pytest.mark.parametrize(
    ("base", "old", "new", "result", "level"),
    [
        (b"a\nb\n", "a\n", "A\n", b"A\nb\n", MatchLevel.EXACT),
        (b"a  \nb\n", "a\nb\n", "a\nB\n", b"a  \nB\n", MatchLevel.WHITESPACE),
        (b"a\r\nb\r\n", "b\n", "B\nC\n", b"a\r\nB\r\nC\r\n", MatchLevel.WHITESPACE),
        (b"a\nb", "b\n", "B\n", b"a\nB", MatchLevel.WHITESPACE),
        (b"a\nb", "b\n", "b\nc\n", b"a\nb\nc", MatchLevel.WHITESPACE),
        (b"a\r\nb", "b\n", "b\nc\n", b"a\r\nb\r\nc", MatchLevel.WHITESPACE),
        (
            b"if x:\n    a\n    b\n",
            "a\nb\n",
            "a\nif y:\n    c\n",
            b"if x:\n    a\n    if y:\n        c\n",
            MatchLevel.INDENT,
        ),
        (b"a\nb\n", "    a\n    b\n", "    a\n\n    c\n", b"a\n\nc\n", MatchLevel.INDENT),
        (b"\t\ta\n", "\ta\n", "\tb\n", b"\t\tb\n", MatchLevel.INDENT),
        ("say “hi” – ok\n".encode(), 'say "hi" - ok\n', "say bye\n", b"say bye\n", MatchLevel.UNICODE),
        (
            "  say “hi”\n  x\n".encode(),
            'say "hi"\nx\n',
            'say "hi"\ny\n',
            "  say “hi”\n  y\n".encode(),
            MatchLevel.UNICODE,
        ),
        (b"a\n1\n2\nb\n", "a\n...\nb\n", "A\n...\nB\n", b"A\n1\n2\nB\n", MatchLevel.ELLIPSIS),
        (b"  a\n1\n  b\n", "a\n...\nb\n", "a\n...\nB\n", b"  a\n1\n  B\n", MatchLevel.ELLIPSIS),
        (
            b"def f(): \n    ...\n",
            "def f():\n    ...\n",
            "def f():\n    pass\n",
            b"def f(): \n    pass\n",
            MatchLevel.WHITESPACE,
        ),
    ],
)
def test_ladder(base: bytes, old: str, new: str, result: bytes, level: MatchLevel) -> None:
    changes = applied({"a.txt": base}, block("a.txt", old, new))
    assert after(changes) == {"a.txt": result}
    assert changes.matches[0].level == level


@pytest.mark.parametrize(
    "level", [MatchLevel.WHITESPACE, MatchLevel.INDENT, MatchLevel.UNICODE, MatchLevel.ELLIPSIS]
)
def test_a_match_above_the_allowed_level_is_refused_and_says_so(level: MatchLevel) -> None:
    base, old = {
        MatchLevel.WHITESPACE: (b"abc \n", "abc\n"),
        MatchLevel.INDENT: (b"  abc\n", "abc\n"),
        MatchLevel.UNICODE: ("“abc”\n".encode(), '"abc"\n'),
        MatchLevel.ELLIPSIS: (b"abc\nd\ne\n", "abc\n...\ne\n"),
    }[level]
    text = block("a.txt", old, old.replace("abc", "xyz"))
    found = problem({"a.txt": base}, text, ProblemCode.LEVEL_CAPPED, max_level=MatchLevel(level - 1))
    assert level.name in found.message
    assert applied({"a.txt": base}, text, max_level=level).matches[0].level == level


def test_python_indentation_is_never_matched_line_by_line() -> None:
    base = b"if a:\n    if b:\n        x()\n    y()\n"
    problem({"a.py": base}, block("a.py", "if b:\nx()\ny()\n", "z()\n"), ProblemCode.NOT_FOUND)


def test_yaml_indentation_is_never_matched_line_by_line() -> None:
    problem(
        {"a.yml": b"a:\n  b:\n    c: 1\n"}, block("a.yml", "a:\nb:\nc: 1\n", "a: 2\n"), ProblemCode.NOT_FOUND
    )


def test_indentation_of_the_replacement_follows_the_file_not_the_model() -> None:
    changes = applied(
        {"a.py": b"class A:\n    def f(self):\n        return 1\n"},
        block("a.py", "def f(self):\n    return 1\n", "def f(self):\n    return 2\n"),
    )
    assert after(changes) == {"a.py": b"class A:\n    def f(self):\n        return 2\n"}


def test_a_replacement_that_cannot_lose_the_shift_is_refused() -> None:
    found = problem({"a.txt": b"a\n"}, block("a.txt", "    a\n", "b\n"), ProblemCode.NOT_FOUND)
    assert "indentation" in found.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\n...\nb\n", "A\nB\n"),
        ("...\nb\n", "new\n...\nB\n"),
        ("b\n...\na\n", "B\n...\nA\n"),
        ("a\n...\nzzz\n", "A\n...\nB\n"),
        ("...\n", "...\nx\n"),
    ],
)
def test_ellipses_that_do_not_pair_are_refused(old: str, new: str) -> None:
    problem({"a.txt": b"a\n1\nb\n"}, block("a.txt", old, new), ProblemCode.NOT_FOUND)


# Several edits.


def test_edits_of_one_file_are_matched_against_the_base() -> None:
    text = block("a.txt", "one\n", "two\n") + block("a.txt", "two\n", "three\n")
    assert after(applied({"a.txt": b"one\ntwo\n"}, text)) == {"a.txt": b"two\nthree\n"}


def test_order_of_blocks_does_not_matter() -> None:
    text = block("a.txt", "three\n", "3\n") + block("a.txt", "one\n", "1\n")
    assert after(applied({"a.txt": b"one\ntwo\nthree\n"}, text)) == {"a.txt": b"1\ntwo\n3\n"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("b\n", "B\n"), ("b\n", "X\n")),
        (("a\nb\n", "A\nB\n"), ("b\nc\n", "B\nC\n")),
        (("a\nb\nc\n", "a\nB\nc\n"), ("b\n", "X\n")),
        (("a\nb\n", "a\nx\nb\n"), ("a\nb\n", "a\ny\nb\n")),
        (("b\nc\n", "b\nC\n"), ("a\nb\nc\n", "a\nB\nc\n")),
        (("a\nb\n", "a\nx\nb\n"), ("a\nb\nc\n", "A\nb\nc\n")),
        (("b\n", "x2345\nb\n"), ("a\n", "a\ny2345\n")),
    ],
)
def test_overlapping_edits_are_refused(first: tuple[str, str], second: tuple[str, str]) -> None:
    text = block("a.txt", *first) + block("a.txt", *second)
    found = problem({"a.txt": b"a\nb\nc\n"}, text, ProblemCode.OVERLAP)
    assert f"proposal lines 2 and {found.line_in_proposal} " in found.message


def test_edits_may_share_context() -> None:
    text = block("a.txt", "a\nb\n", "A\nb\n") + block("a.txt", "b\nc\n", "b\nC\n")
    assert after(applied({"a.txt": b"a\nb\nc\n"}, text)) == {"a.txt": b"A\nb\nC\n"}


def test_one_misfit_means_no_change_and_all_misfits_are_reported() -> None:
    text = (
        block("a.txt", "one\n", "1\n")
        + block("a.txt", "nowhere\n", "x\n")
        + block("b.txt", "missing\n", "x\n")
        + block("and", "one\n", "x\n")
    )
    found = problems({"a.txt": b"one\n"}, text)
    assert [each.code for each in found] == [
        ProblemCode.NOT_FOUND,
        ProblemCode.MISSING_FILE,
        ProblemCode.NOT_A_FILE_NAME,
    ]
    assert [each.line_in_proposal for each in found] == [8, 14, 19]


def test_every_edit_of_a_missing_file_is_reported() -> None:
    assert len(problems({}, block("x.py", "a\n", "b\n") + block("x.py", "c\n", "d\n"))) == 2


@pytest.mark.parametrize(
    "edits",
    [
        [Delete(path="a"), Replace(path="a", old="1\n", new="2\n")],
        [Delete(path="a"), SetMode(path="a", mode="100755")],
        [Delete(path="a"), Write(path="a", text="x")],
        [Delete(path="a"), Delete(path="a")],
        [Delete(path="a"), Move(path="a", to="c")],
        [Create(path="n", text="x"), Create(path="n", text="y")],
        [Create(path="n", text="x"), Write(path="n", text="y")],
        [Create(path="n", text="x"), Replace(path="n", old="x\n", new="y\n")],
        [Create(path="n", text="x"), Move(path="a", to="n")],
        [Move(path="a", to="n"), Move(path="b", to="n")],
        [Move(path="a", to="n"), Move(path="a", to="m")],
        [Move(path="a", to="n"), Copy(path="b", to="n")],
        [Move(path="a", to="n"), Replace(path="a", old="1\n", new="2\n")],
        [Replace(path="a", old="1\n", new="2\n", to="n")],
        [Move(path="a", to="n"), Replace(path="b", old="2\n", new="3\n", to="n")],
        [SetMode(path="a", mode="100755"), SetMode(path="a", mode="100644")],
    ],
)
def test_contradicting_edits_of_one_path_are_refused(edits: list[Edit]) -> None:
    found = problems({"a": b"1\n", "b": b"2\n"}, edits)
    assert ProblemCode.CONFLICT in {each.code for each in found}


def test_move_with_edits() -> None:
    assert done(
        {"a": b"1\n2\n"}, Replace(path="a", old="1\n", new="x\n", to="d/b"), Move(path="a", to="d/b")
    ) == {
        "a": None,
        "d/b": b"x\n2\n",
    }


def test_two_files_may_trade_places() -> None:
    assert done({"a": b"1\n", "b": b"2\n"}, Move(path="a", to="b"), Move(path="b", to="a")) == {
        "a": b"2\n",
        "b": b"1\n",
    }


def test_a_moved_file_may_be_made_anew() -> None:
    assert done({"a": b"1\n"}, Move(path="a", to="b"), Create(path="a", text="n\n")) == {
        "a": b"n\n",
        "b": b"1\n",
    }


def test_directory_replaced_by_a_file_and_back() -> None:
    assert done({"d/x": b"1\n"}, Delete(path="d/x"), Create(path="d", text="f\n")) == {
        "d": b"f\n",
        "d/x": None,
    }
    assert done({"d": b"1\n"}, Delete(path="d"), Create(path="d/x", text="f\n")) == {"d": None, "d/x": b"f\n"}


# Existing, absent, not a file.


def test_creating_what_exists_is_refused() -> None:
    found = problem({"a": b"1\n"}, [Create(path="a", text="2\n")], ProblemCode.EXISTS)
    assert not found.already_applied


def test_creating_what_exists_with_the_same_content_is_already_applied() -> None:
    assert problem({"a": b"1\n"}, [Create(path="a", text="1\n")], ProblemCode.EXISTS).already_applied


@pytest.mark.parametrize("edit", [Move(path="a", to="b"), Copy(path="a", to="b")])
def test_moving_onto_what_exists_is_refused(edit: Edit) -> None:
    problem({"a": b"1\n", "b": b"2\n"}, [edit], ProblemCode.EXISTS)


@pytest.mark.parametrize(
    "edit",
    [Delete(path="x"), Move(path="x", to="y"), Copy(path="x", to="y"), SetMode(path="x", mode="100755")],
)
def test_an_absent_source_is_refused(edit: Edit) -> None:
    problem({"a": b""}, [edit], ProblemCode.MISSING_FILE)


@pytest.mark.parametrize(
    "edit",
    [
        Delete(path="d"),
        Move(path="d", to="y"),
        Copy(path="d", to="y"),
        Write(path="d", text="x"),
        Replace(path="d", old="a\n", new="b\n"),
        Create(path="d", text="x"),
    ],
)
def test_a_directory_is_no_file(edit: Edit) -> None:
    problem({"d/a": b""}, [edit], ProblemCode.IS_A_DIRECTORY)


@pytest.mark.parametrize("edit", [Delete(path="s"), Move(path="s", to="y"), Write(path="s", text="x")])
def test_a_submodule_is_not_edited(edit: Edit) -> None:
    problem({"s": ("160000", b"")}, [edit], ProblemCode.SUBMODULE)


@pytest.mark.parametrize("mode", ["100664", "040000", "777", "", "120000"])
def test_only_modes_that_git_keeps(mode: str) -> None:
    problem({"a": b""}, [SetMode(path="a", mode=mode)], ProblemCode.MODE)
    if mode != "120000":
        problem({}, [Create(path="a", text="", mode=mode)], ProblemCode.MODE)


def test_mode_bits_are_kept_by_edits_and_set_by_mode_changes() -> None:
    files = {"a": ("100755", b"1\n"), "b": ("100644", b"\0\xff")}
    changes = resolve(
        [Replace(path="a", old="1\n", new="2\n"), SetMode(path="b", mode="100755")], DictTree(files)
    ).changes
    assert [(each.path, each.after_mode, each.after) for each in changes] == [
        ("a", "100755", b"2\n"),
        ("b", "100755", b"\0\xff"),
    ]


# Bytes.


def test_crlf_file_with_lf_patch_stays_crlf() -> None:
    changes = applied({"a.txt": b"a\r\nb\r\nc\r\n"}, block("a.txt", "a\nb\n", "a\nx\ny\n"))
    assert after(changes) == {"a.txt": b"a\r\nx\r\ny\r\nc\r\n"}


def test_mixed_line_ends_stay_and_new_lines_take_their_neighbours() -> None:
    changes = applied({"a.txt": b"a\nb\r\nc\r\nd\n"}, block("a.txt", "b\nc\n", "b\nx\ny\nc\n"))
    assert after(changes) == {"a.txt": b"a\nb\r\nx\r\ny\r\nc\r\nd\n"}


def test_byte_order_mark_stays() -> None:
    assert after(applied({"a.txt": b"\xef\xbb\xbfa\nb\n"}, block("a.txt", "a\n", "x\n"))) == {
        "a.txt": b"\xef\xbb\xbfx\nb\n"
    }


def test_byte_order_mark_goes_only_if_the_edit_quotes_it() -> None:
    base = {"a.txt": b"\xef\xbb\xbfa\nb\n"}
    assert after(applied(base, block("a.txt", "\ufeffa\n", "a\n"))) == {"a.txt": b"a\nb\n"}
    assert after(applied(base, block("a.txt", "\ufeffa\n", "\ufeffx\n"))) == {"a.txt": b"\xef\xbb\xbfx\nb\n"}
    assert after(applied(base, block("a.txt", "a\n", "\ufeffx\n"))) == {"a.txt": b"\xef\xbb\xbfx\nb\n"}
    problem(base, block("a.txt", "\ufeffb\n", "x\n"), ProblemCode.NOT_FOUND)


def test_a_byte_order_mark_inside_a_file_is_content() -> None:
    base = {"a": b"\xef\xbb\xbfa\n\xef\xbb\xbfb\nc\n"}
    assert done(base, Replace(path="a", old="\ufeffb\n", new="\ufeffx\n")) == {
        "a": b"\xef\xbb\xbfa\n\xef\xbb\xbfx\nc\n"
    }
    assert done(base, Replace(path="a", old="c\n", new="\ufeffc\n")) == {
        "a": base["a"].replace(b"c", b"\xef\xbb\xbfc")
    }


def test_a_second_byte_order_mark_is_content() -> None:
    base = {"a": b"\xef\xbb\xbf\xef\xbb\xbfa\n"}
    edit = Replace(path="a", old="\ufeff\ufeffa\n", new="\ufeff\ufeffb\n")
    assert done(base, edit) == {"a": base["a"].replace(b"a", b"b")}


def test_an_insertion_at_the_end_of_a_file_without_final_newline_takes_the_line_ends_above() -> None:
    edit = Replace(path="a", old="b \n", new="b \nc\n")
    assert done({"a": b"a\r\nb"}, edit) == {"a": b"a\r\nb\r\nc"}
    assert done({"a": b"b"}, edit) == {"a": b"b\nc"}


def test_a_quoted_byte_order_mark_means_the_top_and_nowhere_else() -> None:
    problem(
        {"a": b"\xef\xbb\xbfa \na\n"}, [Replace(path="a", old="\ufeffa\n", new="b\n")], ProblemCode.NOT_FOUND
    )


def test_a_file_that_is_only_a_byte_order_mark() -> None:
    base = {"a": b"\xef\xbb\xbf"}
    assert done(base, Replace(path="a", old="\ufeff", new="x\n")) == {"a": b"x\n"}
    assert done(base, Replace(path="a", old="", new="x\n")) == {"a": b"\xef\xbb\xbfx\n"}
    problem({"a": b"\xef\xbb\xbfx\n"}, [Replace(path="a", old="\ufeff", new="y\n")], ProblemCode.NOT_FOUND)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_final_newline_stays_as_it_was(end: bytes) -> None:
    assert after(applied({"a.txt": b"a\nb" + end}, block("a.txt", "b\n", "x\ny\n"))) == {
        "a.txt": b"a\nx\ny" + end
    }


def test_final_newline_changes_if_the_edit_says_so() -> None:
    assert done({"a": b"a \nb"}, Replace(path="a", old="a\nb", new="a\nc\n")) == {"a": b"a \nc\n"}
    assert done({"a": b"a \nb\n"}, Replace(path="a", old="a\nb\n", new="a\nc")) == {"a": b"a \nc"}


def test_a_form_feed_or_line_separator_ends_no_line() -> None:
    base = "a\x0cb\u2028c\x85d\n\ne\n".encode()
    assert after(applied({"a.txt": base}, block("a.txt", "e\n", "E\n"))) == {"a.txt": base[:-2] + b"E\n"}


def test_a_file_that_is_not_utf8_takes_an_ascii_edit_and_keeps_its_bytes() -> None:
    assert after(applied({"a.txt": b"caf\xe9\nx\n"}, block("a.txt", "x\n", "y\n"))) == {
        "a.txt": b"caf\xe9\ny\n"
    }


def test_a_file_that_is_not_utf8_takes_no_other_edit() -> None:
    problem({"a.txt": b"caf\xe9\nx\n"}, block("a.txt", "x\n", "é\n"), ProblemCode.ENCODING)
    problem({"a.txt": b"caf\xe9\nx\n"}, [Write(path="a.txt", text="é\n")], ProblemCode.ENCODING)
    assert done({"a.txt": b"caf\xe9\n"}, Write(path="a.txt", text="cafe\n")) == {"a.txt": b"cafe\n"}


def test_a_binary_file_is_not_edited() -> None:
    problem({"a": b"x\n\0"}, block("./a", "x\n", "y\n").replace("./a", "a"), ProblemCode.BINARY)


def test_nul_and_lone_surrogates_in_text_are_refused() -> None:
    problem({}, [Create(path="a.txt", text="a\0b")], ProblemCode.NUL)
    problem({"a": b"a\n"}, [Replace(path="a", old="a\n", new="\0\n")], ProblemCode.NUL)
    problem({}, [Create(path="a.txt", text="\ud800")], ProblemCode.ENCODING)


def test_a_whole_write_keeps_line_ends_mark_and_mode() -> None:
    tree = DictTree({"a": ("100755", b"\xef\xbb\xbfa\r\nb\r\n")})
    change = resolve([Write(path="a", text="x\ny\n")], tree).changes[0]
    assert (change.after_mode, change.after) == ("100755", b"\xef\xbb\xbfx\r\ny\r\n")


def test_a_whole_write_of_an_absent_file_makes_it() -> None:
    assert done({}, Write(path="d/a", text="x\n")) == {"d/a": b"x\n"}


def test_oversize_files_are_refused() -> None:
    for edit in (
        Create(path="n", text="x" * 11),
        Write(path="n", text="x" * 11),
        Write(path="a", text="x" * 11),
    ):
        with pytest.raises(Unresolved) as refused:
            resolve([edit], DictTree({"a": b""}), limits=Limits(file_bytes=10))
        assert refused.value.problems[0].code == ProblemCode.TOO_LARGE
    for file in (b"x\n" * 6, b"x\n1234567"):
        with pytest.raises(Unresolved) as refused:
            resolve(
                [Replace(path="a", old="x\n", new="yyyyy\n")],
                DictTree({"a": file}),
                limits=Limits(file_bytes=10),
            )
        assert refused.value.problems[0].code == ProblemCode.TOO_LARGE


def test_bidi_characters_in_text_are_left_for_policy() -> None:
    assert done({}, Create(path="a.txt", text="\u202e\n")) == {"a.txt": "\u202e\n".encode()}


# Explanations.


def test_not_found_shows_what_was_sought_and_the_nearest_lines() -> None:
    base = b"import os\n\n\ndef area(width, height):\n    return width * height\n"
    text = block("a.py", "def area(width, hight):\n    return width * hight\n", "x = 1\n")
    found = problem({"a.py": base}, text, ProblemCode.NOT_FOUND)
    assert "def area(width, hight):" in found.message
    assert (4, "def area(width, height):") in found.nearest
    assert "def area(width, height)" in str(found)


def test_nearest_lines_point_to_where_the_block_departs() -> None:
    base = b"".join(b"line number %d\n" % number for number in range(50))
    old = "line number 20\nline number 21\nline number XX\nline number 23\n"
    found = problem({"a.txt": base}, block("a.txt", old, "y\n"), ProblemCode.NOT_FOUND)
    assert found.nearest[1] == (23, "line number 22")


def test_nothing_near_shows_nothing() -> None:
    assert (
        problem({"a.txt": b"abc def\n"}, block("a.txt", "---\n", "y\n"), ProblemCode.NOT_FOUND).nearest == ()
    )
    assert (
        problem({"a.txt": b"abc def\n"}, block("a.txt", "zzz\n", "y\n"), ProblemCode.NOT_FOUND).nearest == ()
    )


def test_messages_escape_what_came_from_outside() -> None:
    found = problem(
        {"a.txt": b"sought \x1b[2J\n"},
        block("a.txt", "sought \x1b[3J x\u202e\n", "y\n"),
        ProblemCode.NOT_FOUND,
    )
    assert not {"\x1b", "\u202e"} & set(str(found))


@pytest.mark.parametrize(
    "old",
    [
        "  12 | x = 1\n  13 | y = 2\n",
        "12: x = 1\n13: y = 2\n",
        "    12\tx = 1\n    13\ty = 2\n",
        "12→x = 1\n",
    ],
)
def test_pasted_line_numbers_are_recognised(old: str) -> None:
    found = problem({"a.py": b"x = 1\ny = 2\n"}, block("a.py", old, "z = 3\n"), ProblemCode.NOT_FOUND)
    assert "line numbers" in found.hint
    assert found.nearest[0] == (1, "x = 1")


def test_numbers_that_belong_to_the_text_are_not_taken_for_line_numbers() -> None:
    found = problem({"a.txt": b"x\n"}, block("a.txt", "12: a\n7: b\n", "z\n"), ProblemCode.NOT_FOUND)
    assert "line numbers" not in found.hint


def test_already_applied_is_told() -> None:
    found = problem(
        {"a.py": b"total = 2\n"}, block("a.py", "total = 1\n", "total = 2\n"), ProblemCode.ALREADY_APPLIED
    )
    assert found.already_applied
    assert "line 1" in found.message


def test_a_short_replacement_that_stands_somewhere_is_no_sign_of_being_applied() -> None:
    problem({"a.py": b"x = 0\npass\n"}, block("a.py", "y = 1\n", "pass\n"), ProblemCode.NOT_FOUND)


@pytest.mark.parametrize(
    ("base", "old", "new"),
    [
        (b"import os\nimport sys\n", "import os\n", "import os\nimport sys\n"),
        (b"import os\nimport sys\n", "import sys\n", "import os\nimport sys\n"),
    ],
)
def test_an_insertion_that_is_there_already_is_not_repeated(base: bytes, old: str, new: str) -> None:
    assert problem({"a.py": base}, block("a.py", old, new), ProblemCode.ALREADY_APPLIED).already_applied


def test_a_second_blank_line_can_be_inserted_next_to_the_first() -> None:
    assert after(applied({"a.txt": b"a\n\nb\n"}, block("a.txt", "a\n", "a\n\n"))) == {"a.txt": b"a\n\n\nb\n"}


@pytest.mark.parametrize(
    "line",
    [
        "# ... existing code ...",
        "# ... (keep existing code)",
        "// rest unchanged",
        "// ... rest of the file ...",
        "/* ... other methods ... */",
        "<!-- ... existing markup ... -->",
        "# rest of the function remains the same",
        "... existing code ...",
        "-- ... previous columns ...",
    ],
)
def test_a_placeholder_is_not_written_over_code(line: str) -> None:
    found = problem({"a.txt": b"a\nb\n"}, block("a.txt", "a\nb\n", f"x\n    {line}\n"), ProblemCode.ELISION)
    assert line in found.message
    problem({"a.txt": b"a\nb\n"}, [Write(path="a.txt", text=f"x\n{line}\n")], ProblemCode.ELISION)


@pytest.mark.parametrize(
    "line",
    ["...", "# the rest of us like tea", "# see the existing code", "print('... rest ...')", "# 1, 2, ..."],
)
def test_ordinary_lines_are_no_placeholders(line: str) -> None:
    assert not applied({"a.txt": b"a\nb\n"}, block("a.txt", "a\n", f"x\n{line}\n")).empty


def test_a_placeholder_that_was_there_may_stay() -> None:
    base = b"# ... existing code ...\na\n"
    assert not applied({"a.txt": base}, block("a.txt", base.decode(), base.decode() + "b\n")).empty


def test_a_thousand_misfits_in_a_long_file_are_all_reported() -> None:
    base = b"".join(b"value_%d = compute(%d, previous=%d)\n" % (n, n, n - 1) for n in range(20_000))
    edits: list[Edit] = [
        Replace(
            path="a.txt", old=f"value_{n} = compute({n}, prevoius={n})\nx\n", new="y\n", origin=Origin(line=n)
        )
        for n in range(1000)
    ]
    found = problems({"a.txt": base}, edits)
    assert len(found) == 1000
    assert all(each.nearest for each in found[:100])


def test_a_file_of_equal_lines_stops_the_search_instead_of_calling_a_place_unique() -> None:
    base = b"".join(b" " * (n % 7) + b"x\n" for n in range(20_000))
    old = "".join(" " * (n % 5) + "x\n" for n in range(2_000))
    found = problems({"a.txt": base}, [Replace(path="a.txt", old=old, new="y\n") for _ in range(50)])
    assert ProblemCode.TOO_LARGE in {each.code for each in found}


# Values.


def test_a_change_set_drops_changes_that_change_nothing_and_sorts_the_rest() -> None:
    same = Change(path="m", before_mode="100644", before=b"1", after_mode="100644", after=b"1")
    b = Change(path="b", before_mode=None, before=None, after_mode="100644", after=b"")
    a = Change(path="a", before_mode="100644", before=b"", after_mode=None, after=None)
    changes = ChangeSet(changes=(same, b, a))
    assert changes.changes == (a, b)
    assert not changes.empty
    assert ChangeSet(changes=(same,)).empty


def test_a_change_set_with_one_path_twice_is_our_bug() -> None:
    change = Change(path="b", before_mode=None, before=None, after_mode="100644", after=b"")
    with pytest.raises(ValueError, match="twice"):
        ChangeSet(changes=(change, change))


def test_a_dict_tree_is_a_tree() -> None:
    tree = DictTree({"b/c": b"1", "a": ("100755", b"2")})
    assert tree.paths() == ("a", "b/c")
    assert [tree.mode(path) for path in ("a", "b", "b/c", "x")] == ["100755", "040000", "100644", None]
    assert tree.read("a") == b"2"
    with pytest.raises(KeyError):
        tree.read("b")
