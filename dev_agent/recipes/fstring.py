"""Write one f-string, and prove that it is the one that was meant.

The text of the literal is kept as it is written, escapes included. What was made is parsed again: its literal parts
must be those of the value that was there, its expressions those of the arguments, its conversions and formats those of
the placeholders. Before Python 3.12 an expression in an f-string had no backslash, no comment and not the quotes of the
string around it; that is kept everywhere.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dev_agent.recipes.placeholders import Field, NotUnderstood

Parts: TypeAlias = Callable[[str], Iterable[str | Field]]
_LITERAL: Final = re.compile(
    r"(?P<prefix>[rRuU]?)(?P<quotes>'''|\"\"\"|'|\")(?P<body>.*)(?P=quotes)", re.DOTALL
)


def fstring(literal: str, value: str, parts: Parts, arguments: Mapping[int | str, str]) -> str:
    """The f-string for a literal as written, its value, and the texts of its arguments. Raises NotUnderstood."""
    found = _LITERAL.fullmatch(literal)
    if not found or "\\N" in found["body"]:
        raise NotUnderstood("the text is written in a way that is not understood")
    quote = found["quotes"][0]
    body = "".join(_braced(part, quote, arguments) for part in parts(found["body"]))
    prefix = found["prefix"].replace("u", "").replace("U", "")
    made = f"f{prefix}{found['quotes']}{body}{found['quotes']}"
    _prove(made, list(parts(value)), arguments)
    return made


def _braced(part: str | Field, quote: str, arguments: Mapping[int | str, str]) -> str:
    if isinstance(part, str):
        return part.replace("{", "{{").replace("}", "}}")
    text = _inside(arguments[part.argument], quote) + part.attributes
    conversion = f"!{part.conversion}" if part.conversion else ""
    spec = f":{part.spec}" if part.spec else ""
    return f"{{{text}{conversion}{spec}}}"


def _inside(text: str, quote: str) -> str:
    """An expression as it may stand in a string of these quotes."""
    if quote in text:
        text = _requoted(text, quote)
    if text.startswith("{") or any(mark in text for mark in (quote, "\\", "#", "\n", "\r")):
        raise NotUnderstood("an argument cannot stand in an f-string as it is")
    return text


def _requoted(text: str, quote: str) -> str:
    """Give the strings in an expression the other quotes, where that changes nothing."""
    other = "'" if quote == '"' else '"'
    parts, at = [], 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            plain = token.type == tokenize.STRING and re.fullmatch(f"{quote}[^'\"\\\\]*{quote}", token.string)
            if plain and token.start[0] == 1:
                parts += [text[at : token.start[1]], other, token.string[1:-1], other]
                at = token.end[1]
    except (tokenize.TokenError, SyntaxError):
        return text
    return "".join([*parts, text[at:]])


def _prove(made: str, parts: Sequence[str | Field], arguments: Mapping[int | str, str]) -> None:
    try:
        node = ast.parse(made, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotUnderstood("an argument cannot stand in an f-string as it is") from None
    values = node.values if isinstance(node, ast.JoinedStr) else [node]
    if list(_seen(values)) != list(_wanted(parts, arguments)):
        raise NotUnderstood("an f-string would not say the same")


def _seen(values: Sequence[ast.expr]) -> Iterator[tuple[str, ...]]:
    for node in values:
        if isinstance(node, ast.FormattedValue):
            spec = node.format_spec
            said = (
                "".join(str(each.value) for each in ast.walk(spec) if isinstance(each, ast.Constant))
                if spec
                else ""
            )
            yield ast.dump(node.value), chr(node.conversion) if node.conversion > 0 else "", said
        elif isinstance(node, ast.Constant):
            yield (str(node.value),)


def _wanted(parts: Sequence[str | Field], arguments: Mapping[int | str, str]) -> Iterator[tuple[str, ...]]:
    literal = ""
    for part in parts:
        if isinstance(part, str):
            literal += part
            continue
        if literal:
            yield (literal,)
        literal = ""
        expression = ast.parse(f"({arguments[part.argument]}){part.attributes}", mode="eval").body
        yield ast.dump(expression), part.conversion, part.spec
    if literal:
        yield (literal,)
