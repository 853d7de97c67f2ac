r"""One glob language for paths, used by every list of paths in a policy.

A pattern is matched against a whole '/'-separated path relative to the repository's root.

    *      any run of characters inside one component, also none, also a leading dot
    ?      exactly one character of a component
    [abc]  one character of the class; ranges [a-z]; [!abc] one not in it; a ']' put first is itself
    **     as a whole component: any number of components, also none
    other  itself; [*] [?] [[] [{] are the special characters themselves

So `.github/**` holds for everything under `.github` and for `.github` itself: a symlink put in a protected
directory's place is protected, too.

Refused, because silently matching nothing would open a hole: an absolute pattern, a trailing '/', empty
components, '.' and '..', a backslash, braces, negation by '!', '**' glued to other characters, an unclosed
class.

Time is bounded by pattern length times path length: every choice but the last in a pattern is made once, by
an atomic group, which is right because the earliest match leaves most room for what follows. There is no
pattern, and no path, that makes matching explode.
"""

from __future__ import annotations

import re
from functools import lru_cache

from dev_agent.policy.errors import GlobError

_SEGMENT_END = r"(?=/|\Z)"
_SEGMENTS = r"(?:[^/]+/)*"
_MAX_LENGTH = 1000


@lru_cache(maxsize=512)
def matcher(patterns: tuple[str, ...], *, casefold: bool = False) -> re.Pattern[str]:
    """One compiled expression for "any of the patterns"; GlobError for the first bad one. See `matches`."""
    translated = [_translate(pattern.casefold() if casefold else pattern) for pattern in patterns]
    return re.compile("|".join(f"(?:{one})" for one in translated) or r"(?!)", re.DOTALL)


def matches(patterns: tuple[str, ...], path: str, *, casefold: bool = False) -> bool:
    """Whether any pattern matches the whole path.

    With `casefold`, letters are compared as on a file system that ignores case: for paths that must not be
    touched in any spelling.
    """
    return matcher(patterns, casefold=casefold).fullmatch(path.casefold() if casefold else path) is not None


def check(pattern: str) -> None:
    """Raise GlobError, saying what to write instead, unless the pattern is in the language."""
    _translate(pattern)


def _translate(pattern: str) -> str:
    _refuse_foreign_syntax(pattern)
    groups = _between_double_stars(pattern.split("/"))
    head, rest = groups[0], groups[1:]
    fixed = [_segments(pattern, group) for group in groups]
    if not rest:
        return fixed[0]
    # "head/**/…": the slash belongs to the head, and "head/**" also means the head itself.
    if not any(rest):
        return f"{fixed[0]}(?:/.*)?" if head else ".*"
    *middle, last = fixed[1:]
    inner = "".join(f"(?>(?:[^/]+/)*?{one}/)" for one in middle if one)
    start = f"{fixed[0]}/" if head else ""
    if last:
        return f"{start}{inner}{_SEGMENTS}{last}"
    *inner_fixed, before_tail = [one for one in middle if one]
    inner = "".join(f"(?>(?:[^/]+/)*?{one}/)" for one in inner_fixed)
    return f"{start}{inner}{_SEGMENTS}{before_tail}(?:/.*)?"


def _between_double_stars(segments: list[str]) -> list[list[str]]:
    groups: list[list[str]] = [[]]
    for segment in segments:
        if segment == "**":
            groups.append([])
        else:
            groups[-1].append(segment)
    return groups


def _segments(pattern: str, segments: list[str]) -> str:
    return "/".join(_segment(pattern, segment) for segment in segments)


def _segment(pattern: str, segment: str) -> str:
    if "**" in segment:
        raise _bad(
            pattern, "'**' stands for whole components", "write '**/' or '/**', or one '*' inside a component"
        )
    runs = _runs(pattern, segment)
    if len(runs) == 1:
        return runs[0] + _SEGMENT_END
    first, *middle, last = runs
    inner = "".join(f"(?>[^/]*?{one})" for one in middle)
    # A lone "*" component never stands for an empty one: paths have none.
    body = "[^/]+" if not any(runs) else f"{first}{inner}[^/]*{last}"
    return f"(?>{body}{_SEGMENT_END})"


def _runs(pattern: str, segment: str) -> list[str]:
    """The fixed parts between the '*' of a component, as expressions of fixed length."""
    runs, at = [""], 0
    while at < len(segment):
        char = segment[at]
        if char == "[":
            part, at = _character_class(pattern, segment, at)
            runs[-1] += part
            continue
        at += 1
        if char == "*":
            runs.append("")
        else:
            runs[-1] += "[^/]" if char == "?" else re.escape(char)
    return runs


def _character_class(pattern: str, segment: str, at: int) -> tuple[str, int]:
    start = at + 1
    negated = segment[start : start + 1] == "!"
    start += negated
    end = segment.find("]", start + 1)
    if end < 0:
        raise _bad(
            pattern,
            "a '[' is not closed",
            "close the class with ']', or write '[[]' for the character itself",
        )
    inside = segment[start:end]
    for low, high in re.findall(r"(.)-(.)", inside, re.DOTALL):
        if low > high:
            raise _bad(pattern, f"the range {low}-{high} runs backwards", f"write {high}-{low}")
    quoted = re.sub(r"([\\\[\]^&|~])", r"\\\1", inside)
    # A '-' at an end is itself in both languages; '/' can never be in a component.
    return (f"[^/{quoted}]" if negated else f"[{quoted}]"), end + 1


def _refuse_foreign_syntax(pattern: str) -> None:
    bare = re.sub(r"\[!?.[^\]]*\]", "", pattern)
    if not pattern or len(pattern) > _MAX_LENGTH:
        raise _bad(pattern, "it is empty or too long", f"write 1 to {_MAX_LENGTH} characters")
    if pattern.startswith("/"):
        raise _bad(
            pattern, "it is absolute", "paths are relative to the repository's root: drop the leading '/'"
        )
    if pattern.endswith("/"):
        raise _bad(pattern, "it ends with '/'", "write 'directory/**' for everything in a directory")
    if any(part in {"", ".", ".."} for part in pattern.split("/")):
        raise _bad(pattern, "a component is empty, '.' or '..'", "name the path as git does, from the root")
    if "\\" in pattern or "\0" in pattern:
        raise _bad(
            pattern, "it holds a backslash or NUL", "separate with '/'; quote a special character as [*]"
        )
    if "{" in bare or "}" in bare:
        raise _bad(
            pattern,
            "braces have no meaning here",
            "write one pattern per alternative; [{] is the brace itself",
        )
    if pattern.startswith("!"):
        raise _bad(pattern, "there is no negation", "list what is meant; a list has no exceptions")


def _bad(pattern: str, problem: str, remedy: str) -> GlobError:
    return GlobError(f"{pattern[:80]!r} is not a path pattern: {problem}", remedy)
