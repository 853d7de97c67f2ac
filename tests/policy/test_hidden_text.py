"""Threats that hide in text: characters, encodings, credentials, placeholders; with innocent twins."""

from __future__ import annotations

import pytest

from tests.policy.support import added, deleted, edited, facts_of, seen, texts


@pytest.mark.parametrize(
    "char",
    [
        "\u202e",
        "\u2066",
        "\u200b",
        "\u200d",
        "\u2060",
        "\ufeff",
        "\U000e0041",
        "\x1b",
        "\x00",
        "\u3164",
        "\xad",
        "\u2028",
    ],
)
def test_a_character_that_does_not_show_is_added(char: str) -> None:
    found = seen(edited("src/a.py", "x = 'ab'\n", f"x = 'a{char}b'\n"))
    assert found & {"invisible_characters", "binary_content"}
    assert found & {"invisible_characters", "binary_content"} == seen(added("a.md", f"a{char}b")) & found


def test_an_invisible_character_is_named_in_the_excerpt_and_cannot_act_there() -> None:
    facts = facts_of(added("a.py", "# \u202eevil\n"))
    (text,) = texts(facts, "invisible_characters")
    assert text.startswith("U+202E RIGHT-TO-LEFT OVERRIDE")
    assert "\u202e" not in text
    assert "\\u202e" in text


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d💻 works",
        "❤\ufe0f",
        "می\u200cخواهم",
        "क्\u200dष",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\ttab\x0c\r\n",
        "naïve — “quoted”",
        "日本語",
    ],
)
def test_emoji_and_scripts_that_need_joiners_are_innocent(text: str) -> None:
    assert seen(added("README.md", text)) == set()


def test_a_byte_order_mark_at_the_start_is_innocent_and_elsewhere_is_not() -> None:
    assert seen(added("a.txt", "\ufeffhello\n")) == set()
    assert seen(added("a.txt", "hello\n\ufeffhello\n")) == {"invisible_characters"}


def test_a_line_beside_an_old_invisible_character_is_innocent() -> None:
    assert seen(edited("a.md", "a\u200bb\nold\n", "a\u200bb\nnew\n")) == set()


def test_a_path_with_an_invisible_character() -> None:
    assert "invisible_characters" in seen(added("src/a\u200bb.txt", "x"))
    assert "invisible_characters" not in seen(deleted("src/a\u200bb.txt", "x"))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("аdmin = 1", "Cyrillic a"),
        ("ｅval('1')", "folds to eval"),
        ("scοpe = 1", "Greek omicron"),
        ("def pаy(): pass", "Cyrillic a"),
        ("𝐞xec('1')", "folds to exec"),
    ],
)
def test_an_identifier_that_looks_like_another(line: str, why: str) -> None:
    assert "mixed_script_identifiers" in seen(edited("a.py", "x = 1\n", f"x = 1\n{line}\n")), why


@pytest.mark.parametrize(
    "line",
    [
        "Δt = 1",
        "σ_max = 2",
        "größe = 3",
        "имя = 4",
        "s = 'pаy'",
        "# pаy",
        "名前 = 5",
        '"""\npаy\n"""',
        "μs = 1",
    ],
)
def test_formulas_strings_and_whole_words_of_a_script_are_innocent(line: str) -> None:
    assert seen(edited("a.py", "x = 1\n", f"x = 1\n{line}\n")) == set()


def test_mixed_scripts_in_prose_are_innocent() -> None:
    assert seen(added("a.md", "pаy\n")) == set()


@pytest.mark.parametrize("cookie", ["utf-7", "raw_unicode_escape", "rot13", "latin-1", "punycode"])
def test_a_source_encoding_other_than_utf8_is_declared(cookie: str) -> None:
    line = f"# -*- coding: {cookie} -*-\n"
    assert "encoding_cookies" in seen(edited("a.py", "x = 1\n", line + "x = 1\n"))
    shebang = "#!/usr/bin/python\n"
    assert "encoding_cookies" in seen(edited("a.py", shebang + "x = 1\n", shebang + line + "x = 1\n"))


def test_an_encoding_that_can_hide_code_leaves_the_file_unread() -> None:
    assert "unparsable_python" in seen(added("a.py", "# coding: utf-7\nx = 1\n"))
    assert "unparsable_python" not in seen(added("a.py", "# coding: latin-1\nx = 1\n"))


@pytest.mark.parametrize(
    "text",
    [
        "# coding: utf-8\nx = 1\n",
        "# -*- coding: UTF_8 -*-\n",
        "x = 1\n\n# coding: utf-7\n",
        "y = 1  # coding: utf-7\n",
    ],
)
def test_utf8_or_a_comment_that_is_no_declaration_is_innocent(text: str) -> None:
    assert "encoding_cookies" not in seen(added("a.py", text))


def test_an_old_declaration_in_an_edited_file_is_innocent() -> None:
    assert seen(edited("a.py", "# coding: latin-1\nx = 1\n", "# coding: latin-1\nx = 2\n")) == set()


# Put together here, so that no scanner takes this file for a leak.
AWS = "AKIA" + "QYLPMN5HHHFPZAM2"
GITHUB = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
ANTHROPIC = "sk-ant-" + "api03-R2D2c3poBB8qwertyuiopASDFGHJKL"
SECRETS = [
    f"key = '{AWS}'",
    f"token: {GITHUB}",
    ANTHROPIC,
    "sk-proj-" + "Zk3vQ9xT7mB2nL5cR8wY4hJ6gF1dS0aPqWeRtYuI",
    "xoxb-" + "2468013579-abcdefGHIJKL",
    "https://hooks.slack.com/services/" + "T02468ACE/B13579BDF/q1W2e3R4t5Y6u7I8o9P0a1S2",
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "postgres://shop:" + "Tr0ub4dor" + "@db.internal/shop",
    "API_KEY = '" + "q8Zr2LmX0vWb7TnK4sYd" + "'",
    "SG." + "aB3dE5fG7hJ9kL1mN3pQ5r" + "." + "sT7uV9wX1yZ3aB5cD7eF9gH1jK3lM5nP7qR9sT1uV3w",
    "sq0csp-" + "aB3dE5fG7hJ9kL1mN3pQ5rsT7uV9wX1yZ3aB5cD7eF9",
    "0123456789abcdef"[::-1] + "89ab67cd45ef2301" + "-us12",
    "110201543" + ":AA" + "HdqTcvCH1vGWJxfSeofSAs0K5PALDsawx",
    "AccountKey=" + "aB3dE5fG7hJ9kL1mN3pQ5rsT7uV9wX1yZ3aB5cD7eF9" * 2 + "==",
    '"client_secret": "' + "q8Zr2LmX0vWb7TnK4sYd" + '"',
    "password: str = '" + "q8Zr2LmX0vWb7TnK4sYd" + "'",
    "DB_PASSWORD=" + "q8Zr2LmX0vWb7TnK4sYd",
    "AIza" + "SyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_credential_is_added_and_blotted_out(line: str) -> None:
    facts = facts_of(edited("src/config.py", "x = 1\n", f"x = 1\n# {line}\n"))
    assert facts["secrets_added"] == 1
    (text,) = texts(facts, "secrets_added")
    assert "characters]" in text
    for secret in (AWS, GITHUB, ANTHROPIC, "q8Zr2LmX0vWb7TnK4sYd", "Tr0ub4dor", "dozjgNry", "a7eZSW0jkFMBWY"):
        assert secret not in text


@pytest.mark.parametrize(
    "line",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "API_KEY = os.environ['API_KEY']",
        "api_key = 'your-api-key-goes-here-1'",
        "token_count = 123456789012345678901",
        "password = 'hunter2'",
        "SECRET = '${SECRET_FROM_ENVIRONMENT_1}'",
        "token = get_token_from_the_vault_2()",
        "secret_name = 'projects/a/secrets/b'",
        "task-1234567890123456789012345678901234567890",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "http://localhost:8000/path@x",
        "postgres://user:password@example",
        "key = 'primary_key_of_the_table'",
        "private_key = load_private_key(path)",
        "password = 'xxxxxxxxxxxxxxxxxxxxxxxx'",
        "from keys import api_key",
        "secret=" + "a" * 40,
        "ghp_" + "a" * 36,
    ],
)
def test_a_placeholder_a_reference_or_a_hash_is_no_credential(line: str) -> None:
    assert "secrets_added" not in seen(added("config.txt", line + "\n"))


def test_exchanging_one_key_for_another_is_a_new_key() -> None:
    assert "secrets_added" in seen(edited("a.txt", AWS, AWS.replace("Q", "R")))


def test_an_old_key_that_moved_or_stands_beside_is_not_added() -> None:
    assert "secrets_added" not in seen(edited("a.txt", f"a\n{AWS}\nb\n", f"{AWS}\na\nc\n"))
    assert "secrets_added" not in seen(edited("a.txt", f"k = {AWS}\n", f"key = {AWS}\n"))


def test_a_key_beside_another_fact_is_blotted_there_too() -> None:
    facts = facts_of(added("a.py", f"key: int = '{AWS}'  # type: ignore\n"))
    (text,) = texts(facts, "type_ignores_added")
    assert AWS not in text
    assert "type: ignore" in text


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code ...",
        "    # ... existing code ...",
        "// ... existing code",
        "# rest of the function remains the same",
        "# (the rest of the file is unchanged)",
        "<!-- ... rest of file ... -->",
        "/* ... remaining methods ... */",
        "# existing code here",
        "# ... (unchanged)",
        "...existing methods...",
        "# … rest unchanged …",
        "# code omitted for brevity",
        "# your code here",
        "# other methods remain unchanged ...",
        "# previous implementation unchanged",
    ],
)
def test_a_placeholder_stands_where_code_was(line: str) -> None:
    assert "elisions_added" in seen(edited("src/a.py", "x = 1\n", f"x = 1\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "...",
        "    ...",
        "# existing users get a mail",
        "# the rest of the file is parsed lazily",
        "# wait ...",
        "x: tuple[int, ...] = (1,)",
        "# other code may hold the lock",
        "the rest is silence",
        "# keep the rest of the line",
        "# ... and so on",
        "# unchanged paths are skipped",
        "- existing code is kept in `src/`",
        "# previous value",
        "raise ValueError('...')",
        "# remaining = 3",
    ],
)
def test_an_ellipsis_or_the_words_alone_are_innocent(line: str) -> None:
    assert "elisions_added" not in seen(edited("src/a.py", "x = 1\n", f"x = 1\n{line}\n"))


def test_a_placeholder_that_stood_there_is_innocent() -> None:
    assert seen(edited("a.md", "# ... existing code ...\na\n", "# ... existing code ...\nb\n")) == set()
