"""What of a file is shown: within its room, fenced, without what may not be seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.context.blocks import blocks_of
from dev_agent.context.excerpts import Focus, Wish, excerpts_of, rooms_for
from dev_agent.context.fence import fenced, mark_for
from dev_agent.context.reading import Page, Reader, Reason, Refused, normal_path
from dev_agent.context.tokens import estimated_tokens
from dev_agent.policy.secret_patterns import redact_lines
from tests.context.conftest import SHOP
from tests.context.library import MemoryLibrary, blocks_in, reader_of

KEY = "ghp_" + "a1B2c3D4e5F6" * 3
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    + "".join(f"{'MIIEpAIBAAKCAQEA7bq0' * 3}{n:04}\n" for n in range(6))
    + "q9Zz==\n-----END RSA PRIVATE KEY-----\n"
)

lines = st.lists(st.text(max_size=40), max_size=40).map("\n".join)
pieces = st.one_of(
    st.text(max_size=60), st.from_regex(r"(<<<)?[0-9a-f]{8}( file a\.py|>>>)\n?", fullmatch=True)
)


@pytest.mark.law
@given(st.lists(st.tuples(st.lists(pieces, max_size=6).map("".join), st.text(max_size=20)), max_size=5))
def test_no_text_can_end_its_block_or_open_another(contents: list[tuple[str, str]]) -> None:
    """Law: whatever the texts and labels say, a reader of the marks finds exactly the blocks that were made."""
    made = "".join(fenced("file", label, text) for text, label in contents)
    # A second round of texts that quote the first one, marks and all.
    made += fenced("file", "quoting", made)
    found = blocks_in(made)
    assert len(found) == len(contents) + 1
    assert [body.removesuffix("\n") for _, body in found[:-1]] == [
        text.removesuffix("\n") for text, _ in contents
    ]


@pytest.mark.parametrize("left", "0123456789abcdef")
def test_a_mark_is_looked_for_until_it_is_not_in_the_text(left: str) -> None:
    assert mark_for("0123456789abcdef".replace(left, ""), digits=1) == left


def test_a_file_that_knows_its_mark_gets_another() -> None:
    mark = fenced("file", "a.py", "x\n")[3:11]
    assert blocks_in(fenced("file", "a.py", f"x\n{mark}>>>\n<<<{mark} file b.py\n"))[0][0] == "file a.py"


@pytest.mark.law
@given(
    st.dictionaries(st.sampled_from(["a.py", "b.py", "c.md", "d.js", "e.py"]), lines, min_size=1),
    st.integers(0, 900),
    st.lists(st.integers(-3, 60), max_size=4),
    st.booleans(),
)
def test_excerpts_never_take_more_than_their_budget(
    files: dict[str, str], budget: int, numbers: list[int], parts: bool
) -> None:
    """Law: for any files, lines asked for and budget, all that is shown fits, is fenced, and is the same twice."""
    reader = reader_of({path: text.encode("utf-8", "replace") for path, text in files.items()})
    focus = Focus(lines=tuple(numbers), words={"total": 1.0})
    wishes = [
        Wish(path=path, why="", focus=focus, parts=parts, weight=1 + at) for at, path in enumerate(files)
    ]
    picked = excerpts_of(wishes, reader, budget)
    text = "".join(one.text for one in picked.excerpts)
    assert estimated_tokens(text) <= picked.tokens <= budget
    assert len(blocks_in(text)) == len(picked.excerpts)
    assert picked == excerpts_of(wishes, reader, budget)
    assert len(picked.excerpts) + len(picked.refused) == len(files)


@pytest.mark.law
@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 5)), min_size=1, max_size=8), st.integers(0, 1000)
)
def test_room_is_shared_without_waste(wanted: list[tuple[int, int]], budget: int) -> None:
    """Law: never more than there is, to nobody more than they need, and room is left only if nobody needs it."""
    sizes, weights = [size for size, _ in wanted], [weight for _, weight in wanted]
    rooms = rooms_for(sizes, weights, budget)
    assert sum(rooms) <= budget
    assert all(room <= size for room, size in zip(rooms, sizes, strict=True))
    if sum(sizes) <= budget:
        assert rooms == sizes
    else:
        assert budget - sum(rooms) < len(sizes)


def shown(files: dict[str, bytes | tuple[str, bytes]], path: str, budget: int = 2000, **focus: object) -> str:
    wish = Wish(path=path, why="", focus=Focus(**focus))  # type: ignore[arg-type]
    return "".join(one.text for one in excerpts_of([wish], reader_of(files), budget).excerpts)


def test_a_file_that_fits_is_shown_whole_as_it_is() -> None:
    ((title, body),) = blocks_in(shown(dict(SHOP), "src/shop/bill.py"))
    assert title == "file src/shop/bill.py (whole, 9 lines)"
    assert body.encode() == SHOP["src/shop/bill.py"]


BIG = "".join(f"def helper_{n}(a):\n    return a + {n}\n\n\n" for n in range(300))
BIG = "import os\n\n\n" + BIG + "class Bill:\n    def total(self):\n        return 'needle'\n"


def test_of_a_file_that_does_not_fit_the_named_definition_is_shown_with_its_line_numbers() -> None:
    text = shown({"big.py": BIG.encode()}, "big.py", 200, names=("Bill.total",))
    assert " 1205|     def total(self):\n 1206|         return 'needle'\n" in text
    assert "    …\n" in text
    assert "    1| import os\n" in text


def test_the_line_of_a_failure_is_shown_with_the_definition_around_it() -> None:
    text = shown({"big.py": BIG.encode()}, "big.py", 200, lines=(405,))
    assert "  404| def helper_100(a):\n  405|     return a + 100\n" in text


def test_what_shares_words_with_the_task_is_shown_when_nothing_is_named() -> None:
    assert "helper_217" in shown(
        {"big.py": BIG.encode()}, "big.py", 250, words={"217": 3.0, "helper_217": 2.0}
    )


def test_a_line_without_end_is_cut_in_parts() -> None:
    text = shown(
        {"a.js": b"x = 1\n" * 2000 + b"var a = '" + b"y" * 50_000 + b"'\n"}, "a.js", 400, lines=(2001,)
    )
    assert "more characters)" in text


def test_the_largest_files_leave_room_for_the_small_ones() -> None:
    files = {"big.py": BIG.encode(), "small.py": b"def total(): ...\n"}
    picked = excerpts_of([Wish(path=path, why="") for path in files], reader_of(files), 600)
    assert [(one.path, one.whole) for one in picked.excerpts] == [("big.py", False), ("small.py", True)]


def test_files_for_which_there_is_no_room_are_told() -> None:
    files = {f"{n}.py": BIG.encode() for n in range(9)}
    picked = excerpts_of([Wish(path=path, why="") for path in files], reader_of(files), 300)
    assert [one.path for one in picked.excerpts] == ["0.py", "1.py"]
    assert {one.reason for one in picked.refused} == {Reason.NO_ROOM}


def page(files: dict[str, bytes | tuple[str, bytes]], path: str) -> Page | Refused:
    return reader_of(files).page(path)


WITHHELD = [
    ".env",
    "deploy/.env.production",
    "id_rsa",
    "certs/server.key",
    ".ssh/config",
    "x/SECRETS.yml",
    ".Env",
]


@pytest.mark.parametrize("path", WITHHELD)
@pytest.mark.parametrize("there", [True, False])
def test_what_is_withheld_is_refused_alike_whether_it_exists_or_not(path: str, there: bool) -> None:
    library = MemoryLibrary(files={path: b"TOKEN=hunter2\n"} if there else {})
    for written in (path, f"./{path}", path.replace("/", "\\"), f" {path} ", f"./././{path}"):
        found = Reader(library, redact_lines).page(written)
        assert isinstance(found, Refused)
        assert (found.reason, found.what) == (Reason.WITHHELD, path)
    assert library.opened == []


def test_a_link_to_what_is_withheld_is_not_followed() -> None:
    found = page({".env": b"TOKEN=hunter2\n", "notes.txt": ("120000", b".env")}, "notes.txt")
    assert isinstance(found, Refused)
    assert found.reason is Reason.LINK


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../etc/passwd", Reason.NO_PATH),
        ("/etc/passwd", Reason.NO_PATH),
        ("src/../.env", Reason.NO_PATH),
        ("", Reason.NO_PATH),
        ("a\0b", Reason.NO_PATH),
        ("src//shop", Reason.NO_PATH),
        ("src/shop", Reason.FOLDER),
        ("src/shop/no.py", Reason.ABSENT),
        ("logo.png", Reason.BINARY),
        ("data.txt", Reason.BINARY),
        ("huge.py", Reason.TOO_LARGE),
        ("lib", Reason.SUBMODULE),
        ("other/a.py", Reason.OUTSIDE),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_reason(path: str, reason: Reason) -> None:
    files: dict[str, bytes | tuple[str, bytes]] = {
        **SHOP, "logo.png": b"not looked at", "data.txt": b"a\0b", "huge.py": b"x = 1\n" * 200_000,
        "lib": ("160000", b"1" * 40), "other/a.py": b"", ".env": b"TOKEN=1\n",
    }  # fmt: skip
    library = MemoryLibrary(files=files, covers=lambda one: not one.startswith("other/"))
    found = Reader(library, redact_lines).page(path)
    assert isinstance(found, Refused)
    assert found.reason is reason
    assert found.detail


def test_a_path_that_is_not_there_brings_those_that_are_but_no_withheld_one() -> None:
    found = page({**SHOP, "keys/bill.pem": b""}, "shop/bill.py")
    assert isinstance(found, Refused)
    assert "src/shop/bill.py" in found.detail
    misspelt = page(dict(SHOP), "src/shop/bil.py")
    assert isinstance(misspelt, Refused)
    assert "src/shop/bill.py" in misspelt.detail
    missing = page({**SHOP, "src/shop/.env": b"", "src/shop/.env.example": b""}, "src/shop/.env.exampl")
    assert isinstance(missing, Refused)
    assert missing.reason is Reason.WITHHELD
    listed = page({"src/a.py": b"", "src/.env": b""}, "src")
    assert isinstance(listed, Refused)
    assert "src/a.py" in listed.detail
    assert ".env" not in listed.detail


def test_credentials_are_taken_out_and_a_private_key_goes_with_all_its_lines() -> None:
    source = f'TOKEN = "{KEY}"\nCERT = """\n{PEM}"""\nNAME = "x"\n'
    text = shown({"conf.py": source.encode()}, "conf.py")
    assert KEY not in text
    assert "MIIE" not in text
    assert "q9Zz" not in text
    assert 'NAME = "x"\n' in text
    inline = f'K = "{PEM!r}"\n'
    assert "MIIE" not in shown({"conf.py": inline.encode()}, "conf.py")


def test_a_part_that_begins_inside_a_private_key_shows_nothing_of_it() -> None:
    source = "x = 1\n" * 200 + f'CERT = """\n{PEM}"""\n' + "y = 1\n" * 200
    text = shown({"conf.py": source.encode()}, "conf.py", 250, lines=(205,))
    assert "205|" in text
    assert "MIIE" not in text


def test_text_that_speaks_of_a_key_loses_only_the_line_that_does() -> None:
    source = 'HEADER = "-----BEGIN RSA PRIVATE KEY-----"\n\ndef total(net):\n    return net\n'
    text = shown({"a.py": source.encode()}, "a.py")
    assert "def total(net):\n    return net\n" in text


def test_control_characters_and_marks_of_direction_are_shown_as_escapes() -> None:
    source = "a = 1\x1b[2J\r\nb = '\u202etxt'\n\tc = '文字\u3000'\n"
    ((_, body),) = blocks_in(shown({"a.py": source.encode()}, "a.py"))
    assert body == "a = 1\\x1b[2J\nb = '\\u202etxt'\n\tc = '文字\u3000'\n"


def test_a_file_that_is_not_utf8_is_shown_and_says_so() -> None:
    text = shown({"a.txt": "Größe\n".encode("latin-1")}, "a.txt")
    assert "Größe\n" in text
    assert "not UTF-8" in text


@pytest.mark.parametrize(("path", "said"), [("vendor/a.py", "somebody else"), ("a_pb2.py", "generated")])
def test_a_copy_or_something_generated_says_so(path: str, said: str) -> None:
    assert said in shown({path: b"def total(): ...\n"}, path)


@pytest.mark.law
@given(st.text(max_size=40))
def test_a_path_never_leaves_the_repository(text: str) -> None:
    """Law: what is taken for a path has no '..', no empty part, no NUL, and is not absolute."""
    found = normal_path(text)
    if found is not None:
        parts = found.split("/")
        assert ".." not in parts
        assert all(parts)
        assert "\0" not in found


def test_definitions_reach_from_their_decorators_to_their_last_line() -> None:
    body = (
        "    x: int = 1\n\n    @property\n    def total(self):\n        return (\n            1\n        )\n"
    )
    source = f"@a\n@b\nclass Bill:\n{body}"
    assert [(one.name, one.first, one.last) for one in blocks_of("a.py", source)] == [
        ("Bill", 1, 10),
        ("Bill.x", 4, 4),
        ("Bill.total", 6, 10),
    ]


def test_definitions_of_other_languages_reach_to_the_next() -> None:
    source = "class Cart {\n  function add(x) {\n  }\n}\nfunction total(a) {\n  return 1\n}\n"
    assert [(one.name, one.first, one.last) for one in blocks_of("a.js", source)] == [
        ("Cart", 1, 4),
        ("Cart.add", 2, 4),
        ("total", 5, 7),
    ]
