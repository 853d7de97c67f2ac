"""Syntax that came with Python 3.12 and 3.13: nested f-strings, type parameters, type statements."""

from __future__ import annotations

from tests.recipes.renaming.support import refused, renamed
from tests.testing.pythons import since

pytestmark = since(3, 12)

METHOD = "class A:\n    def f(self) -> str: return ''\n\n\n"


def after(text: str, task: str) -> str:
    return renamed({"m.py": text}, task)["m.py"]


def test_names_in_nested_f_strings_of_one_kind_of_quote() -> None:
    use = 'def g(a: A) -> str:\n    return f"{a.f() + "f" + f"{a.f()!r:>{len(a.f())}}"}"\n'
    assert after(METHOD + use, "rename A.f to gg") == (METHOD + use).replace("f()", "gg()").replace(
        "def f(", "def gg("
    )


def test_names_in_an_f_string_of_many_lines_behind_wide_characters() -> None:
    use = (
        'def g(a: A) -> str:\n    return f"""é {\n        a.f()  # call f\n    } ü {a.f() = } {{f}} {a\n'
        '        .f()}"""\n'
    )
    expected = use.replace("a.f()", "a.gg()").replace(".f()}", ".gg()}")
    assert after(METHOD + use, "rename A.f to gg").endswith(expected)


def test_a_class_named_in_type_statements_bounds_and_defaults() -> None:
    text = (
        "class Old: ...\n\n\ntype A = Old\ntype B[T: Old] = list[T] | 'Old'\n\n\n"
        "class C[T: 'Old', *Ts, **P]:\n    def f[U: (Old, int)](self, u: U, o: Old = Old()) -> Old: return o\n"
    )
    assert after(text, "rename Old to New") == text.replace("Old", "New")


@since(3, 13)
def test_a_class_named_in_defaults_of_type_parameters() -> None:
    text = "class Old: ...\n\n\nclass C[T = Old, *Ts = *tuple[Old, ...], **P = [Old]]: ...\n"
    assert after(text, "rename Old to New") == text.replace("Old", "New")


def test_type_parameters_of_the_same_name_stay() -> None:
    same = (
        "def f[T](x: T) -> T: return x\n\n\nclass C[T]:\n    a: T\n    def g(self, x: T) -> T: return x\n\n\n"
        "type X[T] = list[T]\n"
    )
    text = f"class T: ...\n\n\n{same}v: T = T()\n"
    assert after(text, "rename T to New") == f"class New: ...\n\n\n{same}v: New = New()\n"


def test_defaults_of_parameters_are_read_outside_of_the_type_parameters() -> None:
    text = "class T: ...\n\n\ndef f[T](x: object = T, y: T | None = None) -> None: ...\n"
    expected = "class New: ...\n\n\ndef f[T](x: object = New, y: T | None = None) -> None: ...\n"
    assert after(text, "rename m.T to New") == expected


GENERIC_METHOD = """class Inner: ...


class A:
    class Inner: ...

    def f[T](self, x: Inner, y: T) -> "Inner":
        z = Inner()
        return x

    type Al[T] = list[Inner]

    class B[T](Inner): ...
"""


def test_a_generic_method_sees_the_class_around_it_and_its_body_does_not() -> None:
    module = GENERIC_METHOD.replace("class Inner: ...\n\n\nclass", "class New: ...\n\n\nclass", 1)
    module = module.replace("z = Inner()", "z = New()")
    assert after(GENERIC_METHOD, "rename m.Inner to New") == module

    nested = GENERIC_METHOD.replace("    class Inner", "    class New").replace("z = Inner", "z = #")
    nested = nested.replace("Inner", "New").replace("class New: ...\n\n\n", "class Inner: ...\n\n\n", 1)
    assert after(GENERIC_METHOD, "rename A.Inner to New") == nested.replace("z = #", "z = Inner")


def test_methods_of_generic_classes_and_of_bounds_are_followed() -> None:
    text = (
        "class A[X]:\n    def f(self) -> int: return 1\n    def g[U](self, u: U) -> int: return self.f()\n\n\n"
        "type Al = A[int]\n\n\ndef h(a: A[int], b: Al) -> int: return a.f() + b.f()\n\n\n"
        "def i[T: A[int]](b: T) -> int: return b.f()\n"
    )
    assert after(text, "rename A.f to ff") == text.replace("f()", "ff()").replace("def f(", "def ff(")


def test_what_a_generic_or_quoted_type_statement_stands_for_is_not_guessed() -> None:
    text = (
        "class A:\n    def f(self) -> int: return 1\n\n\nclass O:\n    def f(self) -> int: return 1\n\n\n"
        "type L[T] = list[O]\ntype N = 'O'\ntype R = list[R]\n\n\n"
        "def i(b: L[A], n: N, r: R) -> int:\n    b[0].f()\n    n.f()\n    return r[0].f()\n"
    )
    found = refused({"m.py": text}, "rename A.f to ff")
    assert (found.code, [one.line for one in found.places]) == ("unseen_use", [15, 16, 17])
