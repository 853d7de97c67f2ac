"""Facts that lines of text tell, in any kind of file: hidden characters, credentials, placeholders,
suppressions.

Only fresh lines are read: those a version has more often than the other. Comment rules of Python look at the
tokenizer's comments, so that a string holding `# type: ignore` is no suppression. Nothing here understands
code; what needs a syntax tree is in `python_facts`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence

from dev_agent.policy.change import FileDelta
from dev_agent.policy.diff_lines import fresh_lines
from dev_agent.policy.marks import FileMarks, Mark, Sighting
from dev_agent.policy.place import Place, excerpt
from dev_agent.policy.python_source import PythonSource
from dev_agent.policy.secret_patterns import find_secrets, may_hold_secret

# Zero-width, bidirectional, tags, fillers, supplementary variation selectors, line separators, and control
# characters that a terminal obeys. Tab, line feed, form feed and carriage return are ordinary.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e01ef\U0001d173-\U0001d17a]"
)
# A joiner between two characters beyond ASCII belongs to an emoji or to a script that needs it; tags after a
# black flag are an emoji, too.
_INNOCENT = re.compile(
    "(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])|\U0001f3f4[\U000e0020-\U000e007e]{2,6}\U000e007f"
)
_SUPPRESSION = re.compile(r"(?i)type:|mypy:|noqa|pragma|pyright|pylint:|ruff:|nosec|isort:")
_TYPE_IGNORE = re.compile(r"#\s*(?:type:\s*ignore|pyright:\s*ignore)\b(?:\[(?P<codes>[^\]]{0,200})\])?")
_WHOLE_FILE = re.compile(r"#\s*(?:mypy:|pyright:(?!\s*ignore)|ruff:\s*noqa|flake8[:=]\s*noqa)")
# Some versions of mypy look at the beginnings of lines, and know no strings.
_SETTING = re.compile(r"\ufeff?# mypy: ")
_ANY_COMMENT = re.compile(r"#\s*type:(?!\s*ignore)[^#]*\bAny\b")
_LINT = re.compile(
    r"(?i)#\s*(?:noqa|pragma:\s{0,4}no\s?(?:cover|branch)|nosec|pylint:\s{0,8}disable|pyrefly|isort:\s{0,4}skip)"
)
_ELISION = re.compile(r"""(?ix)
    ^\s{0,200} (?: \#+ | // | /\* | <!-- | -- | ;+ | \* )? \s{0,8}
    (?:
      [\[(<{]? (?:\.{3}|…) [^\w\n]{0,4} (?:the\s)?
        (?:rest|remaining|remainder|existing|other|previous|unchanged|same|more\s(?:code|methods|tests)
          |code|keep|omitted|snip|truncated)\b .{0,100}
    | [\[(]? (?:the\s)? (?:rest|remaining|remainder|existing|other|previous|same)\b
        [^.…]{0,80} (?:\.{3}|…) .{0,20}
    | [\[(]? (?:the\s)? (?:rest|remainder)\s of\s (?:the\s|this\s|your\s)?
        (?:code|file|function|class|method|implementation|module)s? \b .{0,30}
        \b (?:unchanged|here|same|omitted|as\sbefore|as\sis) \b .{0,12}
    | (?:existing|your|previous|original) \s (?:code|implementation|methods?|logic) \s
        (?:unchanged|here|goes\shere|remains?\b .{0,20}|stays\b .{0,20}|omitted|as\sbefore)
    | (?:code|implementation|rest) \s (?:is\s)? (?:omitted|unchanged|elided|truncated) (?:\sfor\sbrevity)?
    ) \s{0,4} (?:\*/|-->|[\])}>])? \s{0,200} $
""")  # fmt: skip
_COMMENT_START = re.compile(r"\s{0,200}(?:#|//|/\*|<!--|--|;|\*|[\[(<{]?(?:\.{3}|…))")
# Capitals and letters of Greek that are drawn like Latin ones; the rest of Greek mixes with Latin in honest
# formulas.
_GREEK_LOOKALIKE = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονι")
_LONGEST_ELISION = 300
# Code for whoever loads it, and in one of its versions made of letters.
_PICKLED = (".pkl", ".pickle", ".joblib", ".dill")
# Bytes of an image mean no characters; that they are no text is told by "binary_content".
_OF_TEXT = {"invisible_characters", "elisions_added"}


def content_facts(deltas: Sequence[FileDelta]) -> Iterator[Sighting]:
    """Binary content, and names that hide something."""
    for delta in deltas:
        if not delta.is_deleted and _INVISIBLE.search(_INNOCENT.sub("", delta.path)):
            yield Sighting(
                fact="invisible_characters", place=Place(path=delta.path, text=excerpt(delta.path))
            )
        content, before = delta.after_content, delta.before_content
        if (
            content is not None
            and content != before
            and (_is_binary(content, before) or delta.path.casefold().endswith(_PICKLED))
        ):
            yield Sighting(fact="binary_content", place=Place(path=delta.path, text=f"{len(content)} bytes"))


def text_marks(delta: FileDelta) -> FileMarks:
    """The marks of a file's fresh lines."""
    fresh = fresh_lines(delta.before_lines, delta.after_lines)
    gone = fresh_lines(delta.after_lines, delta.before_lines)
    binary = b"\0" in (delta.after_content or b"")
    return FileMarks(
        path=delta.path,
        before=tuple(_marks(gone, delta.before_python)),
        after=tuple(
            one for one in _marks(fresh, delta.after_python) if not (one.fact in _OF_TEXT and binary)
        ),
    )


def _marks(lines: Sequence[tuple[int, str]], python: PythonSource | None) -> Iterator[Mark]:
    for number, line in lines:
        yield from _invisible(number, line)
        yield from _secrets(number, line)
        if len(line) <= _LONGEST_ELISION and _COMMENT_START.match(line) and _ELISION.match(line):
            yield Mark(fact="elisions_added", kind="", line=number, text=line)
        if python is not None:
            yield from _python_line(number, line, python)
    if python is not None and python.cookie is not None:
        yield Mark(fact="encoding_cookies", kind=python.cookie, line=1, text=python.cookie)


def _invisible(number: int, line: str) -> Iterator[Mark]:
    if _INVISIBLE.search(line) is None:
        return
    text = line.removeprefix("\ufeff") if number == 1 else line
    for char in sorted(set(_INVISIBLE.findall(_INNOCENT.sub("", text)))):
        name = unicodedata.name(char, "control character")
        shown = f"U+{ord(char):04X} {name}: {line[max(0, line.find(char) - 60) :][:200]}"
        yield Mark(fact="invisible_characters", kind=char, line=number, text=shown)


def _secrets(number: int, line: str) -> Iterator[Mark]:
    if not may_hold_secret(line):
        return
    for secret in find_secrets(line):
        # The kind names the value, so that exchanging one key for another is a new key.
        kind = hashlib.sha256(line[secret.start : secret.end].encode("utf-8", "replace")).hexdigest()
        before = line[max(0, secret.start - 60) : secret.start]
        text = f"{secret.kind}: {before}[{secret.end - secret.start} characters]"
        yield Mark(fact="secrets_added", kind=kind, line=number, text=text)


def _python_line(number: int, line: str, python: PythonSource) -> Iterator[Mark]:
    if "#" in line and _SUPPRESSION.search(line):
        yield from _suppressions(number, line, python)
    if not line.isascii():
        for word in sorted(set(python.names_beyond_ascii.get(number, ()))):
            if _misleads(word):
                yield Mark(
                    fact="mixed_script_identifiers",
                    kind=word,
                    line=number,
                    text=f"{word!a}: {line}"[:400],
                )


def _suppressions(number: int, line: str, python: PythonSource) -> Iterator[Mark]:
    comment = python.comments.get(number, "")
    if _WHOLE_FILE.search(comment) or _SETTING.match(line):
        yield Mark(fact="type_checking_disabled", kind=(comment or line).strip(), line=number, text=line)
    if _ANY_COMMENT.search(comment):
        yield Mark(fact="any_added", kind="Any", line=number, text=line)
    for found in _TYPE_IGNORE.finditer(comment):
        if line.lstrip().startswith("#") and _nothing_before(number, python):
            yield Mark(fact="type_checking_disabled", kind="whole file", line=number, text=line)
        codes = ",".join(sorted(code.strip() for code in (found["codes"] or "").split(",")))
        yield Mark(fact="type_ignores_added", kind=codes, line=number, text=line)
    for found in _LINT.finditer(comment):
        yield Mark(fact="suppressions_added", kind=found[0].casefold(), line=number, text=line)


def _nothing_before(number: int, python: PythonSource) -> bool:
    """A `# type: ignore` above every statement ignores the whole file."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in python.lines[: number - 1])


def _misleads(word: str) -> bool:
    """The word is another one to Python (it folds to ASCII), or mixes Latin with letters that look Latin."""
    if unicodedata.normalize("NFKC", word).isascii():
        return True
    scripts = {_script(char) for char in word if char.isalpha()}
    return "LATIN" in scripts and bool(
        scripts & {"CYRILLIC", "ARMENIAN", "CHEROKEE", "COPTIC", "GREEK LOOKALIKE", "LISU"}
    )


def _script(char: str) -> str:
    if char in _GREEK_LOOKALIKE:
        return "GREEK LOOKALIKE"
    return unicodedata.name(char, "").partition(" ")[0]


def _is_binary(content: bytes, before: bytes | None) -> bool:
    if b"\0" in content:
        return True
    return not _is_utf8(content) and (before is None or b"\0" in before or _is_utf8(before))


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
