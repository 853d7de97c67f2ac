"""An f-string is written only where it says exactly what was said before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recipes.support import rewritten, text_after

TASK = "convert to f-strings"


def after(text: str) -> str:
    return text_after(TASK, text)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("'%s and %r' % (x, y)\n", "f'{x!s} and {y!r}'\n"),
        ("'%s' % (x,)\n", "f'{x!s}'\n"),
        ("'%s' % len(x)\n", "f'{len(x)}'\n"),
        ("'%s %d' % (x, len(y.z))\n", "f'{x!s} {len(y.z):d}'\n"),
        ("'%s %s' % (x[0], y.z or y)\n", "f'{x[0]!s} {y.z or y!s}'\n"),
        ("'%-10s|%10s|%.3s' % (x, y, z)\n", "f'{x!s:<10}|{y!s:>10}|{z!s:.3}'\n"),
        ("'%d%% of %05d' % (1, 2)\n", "f'{1:d}% of {2:05d}'\n"),
        ("'%s {}' % (x,)\n", "f'{x!s} {{}}'\n"),
        ("'%s\\n' % (x,)\n", "f'{x!s}\\n'\n"),
        ("'%s' % (d['k'],)\n", "f'{d[\"k\"]!s}'\n"),
        ("'''%s''' % (x,)\n", "f'''{x!s}'''\n"),
        ("r'%s\\d' % (x,)\n", "fr'{x!s}\\d'\n"),
        ("u'%s' % (x,)\n", "f'{x!s}'\n"),
        ("('%s') % (x,)\n", "f'{x!s}'\n"),
        ("def f():\n    return'%s' % (x,)\n", "def f():\n    return f'{x!s}'\n"),
        ("def f(n: int):\n    return '%d %s' % (n, n)\n", "def f(n: int):\n    return f'{n:d} {n!s}'\n"),
        ("def f(n: float):\n    return '%.2f' % n\n", "def f(n: float):\n    return f'{n:.2f}'\n"),
        ("'{} {}'.format(x, y.z)\n", "f'{x} {y.z}'\n"),
        ("'{1} {0}'.format(x, y)\n", "f'{y} {x}'\n"),
        ("'{a} {b!r:>5}'.format(a=x, b=y)\n", "f'{x} {y!r:>5}'\n"),
        ("'{0.a.b}'.format(x)\n", "f'{x.a.b}'\n"),
        ("'{.real}'.format(-x)\n", "f'{(-x).real}'\n"),
        ("'{{}} {}'.format(f(x))\n", "f'{{}} {f(x)}'\n"),
        ("'{:%Y-%m-%d}'.format(day)\n", "f'{day:%Y-%m-%d}'\n"),
    ],
)
def test_it_is_written_as_an_f_string(before: str, expected: str) -> None:
    assert after(before) == expected


@pytest.mark.parametrize(
    "text",
    [
        "'%s' % x\n",  # x may be a tuple
        "'%(a)s' % x\n",
        "'%(a)s' % {'a': x}\n",
        "'%d' % (x,)\n",  # 3.7 would be 3
        "'%.2f' % (x,)\n",  # a Decimal is formatted otherwise
        "def f(n: int):\n    n = g()\n    return '%d' % n\n",
        "def f(n: int):\n    return lambda n: '%d' % n\n",
        "def f(n: int, m='%d' % n): ...\n",
        "'%s %s' % (x,)\n",
        "'%s' % (x, y)\n",
        "'%s' % (*x,)\n",
        "'%*d' % (1, 2)\n",
        "'%c' % (x,)\n",
        "'%05s' % (x,)\n",
        "b'%s' % (x,)\n",
        "'a %s' 'b %s' % (x, y)\n",
        "'%s %s' % (x, x.pop())\n",
        "'%s %s' % (x, x['k'])\n",  # a defaultdict would have it then
        "len = f\n'%s %s' % (x, len(x))\n",
        "def f():\n    '%s' % ((yield),)\n",
        "async def f():\n    '%s' % (await x,)\n",
        "'%s' % ((y := x),)\n",
        "'%s' % ((lambda: 1),)\n",
        "'%s' % ({1: 2},)\n",
        "'%s' % (x['\\n'],)\n",
        "'%s' % (x[f'{y}'],)\n",
        "'%s' % (\n    x,  # why\n)\n",
        "'\\N{DASH} %s' % (x,)\n",
        "'\\x25s' % (x,)\n",
        "log.info('%s' % (x,))\n",
        "logging.debug('{}'.format(x))\n",
        "log.info('%s', x)\n",
        "_('%s') % (x,)\n",
        "'{}'.format(*x)\n",
        "'{a}'.format(**x)\n",
        "'{}'.format(x, y)\n",
        "'{0} {0}'.format(f())\n",
        "'{1} {0}'.format(f(), g())\n",
        "'{} {}'.format(f(), g())\n",
        "'{0[k]}'.format(x)\n",
        "'{:{}}'.format(x, y)\n",
        "'{} {1}'.format(x, y)\n",
        "'{'.format(x)\n",
        "'plain'.format()\n",
        "text.format(x)\n",
        "x % y\n",
    ],
)
def test_what_might_say_something_else_stays(text: str) -> None:
    assert after(text) == text


def test_places_left_alone_are_named() -> None:
    result = rewritten(TASK, {"a.py": "a = '%s' % (x,)\nb = '%s' % x\n"})
    assert [(place.line, "tuple" in place.text) for place in result.places] == [(2, True)]


LITERAL = st.text(alphabet="abc {}%\\n'\"ä\n\t", max_size=4)
PERCENT = st.sampled_from(
    ["%s", "%r", "%a", "%10s", "%-8s", "%.2s", "%-6.3s", "%d", "%5d", "%-5d", "%05d", "%+d", "% d", "%x", "%#x", "%#o",
     "%X", "%f", "%.2f", "%8.3f", "%-8.1f", "%+.1e", "%g", "%08.2f", "%.0f", "%%", "%i", "%u", "%.3d", "%c", "%5%",
     "%-05d", "%+5d", "% 5d", "%#06x", "%G", "%E", "%F", "%.f", "%05s", "%#g", "%+s"]
)  # fmt: skip
FORMAT = st.sampled_from(
    ["{}", "{!r}", "{!s:>9}", "{:>8}", "{:^9}", "{0}", "{1}", "{a}", "{a!r}", "{:d}", "{:.2f}", "{:,}", "{0.real}",
     "{a.imag}", "{:05d}", "{{", "}}", "{", "{:{}}", "{0[0]}", "{!a:.3}", "{:'}", "{:%d}"]
)  # fmt: skip
VALUES = st.one_of(
    st.integers(-300, 300),
    st.floats(-1e6, 1e6),
    st.booleans(),
    st.none(),
    st.text(alphabet="ab'{ä\n", max_size=3),
)
ARGUMENT = st.one_of(
    VALUES.map(repr),
    st.sampled_from(["x", "y", "d['k']", "len(d)", "d.pop()", "str(x)", "(x, y)", "[x]", "x if y else d", "not x",
                     "d['k'] + 1", "{1: x}", "x.real", "-x", "'a' 'b'"]),
)  # fmt: skip
SETUP = "class D(dict):\n    def pop(self): self['k'] = 9; return 8\nx, y, d = 3, 'z', D(k=1)\n"


def _said(text: str) -> object:
    """What a program's last variable is, or the kind of error it ends with."""
    names: dict[str, object] = {}
    try:
        exec(compile(text, "sample", "exec"), names)  # noqa: S102 -- a generated program of literals
    except Exception as error:  # noqa: BLE001 -- any error is an answer here
        return type(error)
    return names["out"], dict(names["d"])  # type: ignore[call-overload] # a dict, by the text above


# A text before, a placeholder, and the value for it: most lists of these make sense, which any text seldom does.
ODD = st.sampled_from([0, 0, 0, 0, 0, 1, -1])


@pytest.mark.law
@given(st.lists(st.tuples(LITERAL, PERCENT, ARGUMENT), max_size=4), LITERAL, ODD, st.booleans())
def test_law_percent_formatting_says_the_same(
    parts: list[tuple[str, str, str]], end: str, odd: int, lone: bool
) -> None:
    """For every program: what it says after the recipe is what it said before, effects on others included."""
    arguments = _given([argument for _, mark, argument in parts if mark != "%%"], odd)
    given_value = arguments[0] if lone and len(arguments) == 1 else f"({', '.join([*arguments, ''])})"
    literal = "".join(text.replace("%", "%%") + mark for text, mark, _ in parts) + end.replace("%", "%%")
    text = f"{SETUP}out = {literal!r} % {given_value if arguments else '()'}\n"
    assert _said(after(text)) == _said(text)


@pytest.mark.law
@given(st.lists(st.tuples(LITERAL, FORMAT, ARGUMENT), max_size=4), LITERAL, ODD, st.booleans())
def test_law_format_calls_say_the_same(
    parts: list[tuple[str, str, str]], end: str, odd: int, named: bool
) -> None:
    """For every program: what it says after the recipe is what it said before, effects on others included."""
    arguments = _given([argument for _, mark, argument in parts if mark not in {"{{", "}}"}], odd)
    if named and arguments:
        arguments = [*arguments[:-1], f"a={arguments[-1]}"]
    literal = "".join(_doubled(text) + mark for text, mark, _ in parts) + _doubled(end)
    text = f"{SETUP}out = {literal!r}.format({', '.join(arguments)})\n"
    assert _said(after(text)) == _said(text)


def _given(arguments: list[str], odd: int) -> list[str]:
    return arguments[:-1] if odd < 0 else [*arguments, *["x"] * odd]


def _doubled(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
