"""The part of GitHub's OpenAPI description that we use: cut out, so that a server of it starts in seconds.

The whole is 13 MB and takes Prism minutes. Kept are the paths named, and every component they lead to. Requests stay
as they are described. Answers become the description's own examples and nothing else: some of these do not fit their
own schemas, and their `Link` headers point to github.com. The media type GitHub asks clients to accept, which the
description leaves out, is added to them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

_JSON, _GITHUB = "application/json", "application/vnd.github+json"
_REPO = "/repos/{owner}/{repo}"

PATHS = (
    "/user",
    _REPO,
    f"{_REPO}/collaborators/{{username}}/permission",
    f"{_REPO}/issues/{{issue_number}}",
    f"{_REPO}/issues/{{issue_number}}/comments",
    f"{_REPO}/issues/comments/{{comment_id}}",
    f"{_REPO}/pulls",
    f"{_REPO}/pulls/{{pull_number}}",
    f"{_REPO}/git/ref/{{ref}}",
    f"{_REPO}/compare/{{basehead}}",
    f"{_REPO}/commits/{{ref}}/check-runs",
    f"{_REPO}/check-runs",
    f"{_REPO}/check-runs/{{check_run_id}}",
    f"{_REPO}/statuses/{{sha}}",
)


def cut_out(whole: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """The description of `paths` alone. Raises KeyError for one that is not in it."""
    kept: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "servers": whole["servers"],
        "paths": {path: whole["paths"][path] for path in paths},
        "components": {},
    }
    for operations in kept["paths"].values():
        for operation in operations.values():
            operation["responses"] = {
                status: _answer(whole, answer) for status, answer in operation["responses"].items()
            }
    waiting = [*_references(kept["paths"])]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        _, _, kind, key = name.split("/")
        found = whole["components"][kind][key]
        kept["components"].setdefault(kind, {})[key] = found
        waiting += _references(found)
    return kept


def _references(value: object) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return [*own, *(name for inner in value.values() for name in _references(inner))]
    return [name for inner in value for name in _references(inner)] if isinstance(value, list) else []


def _answer(whole: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """An answer that is its first example, in both media types; one without an example has no body."""
    content = _followed(whole, answer).get("content", {}).get(_JSON, {})
    made: dict[str, Any] = {"description": "as in the whole"}
    for example in content.get("examples", {}).values():
        said = {"example": _value(whole, example)}
        made["content"] = {_JSON: said, _GITHUB: said}
        break
    return made


def _value(whole: dict[str, Any], example: Any) -> Any:
    """The value of an example; here and there it is itself a reference to one."""
    value = _followed(whole, example)["value"]
    is_reference = isinstance(value, dict) and set(value) == {"$ref"}
    return _value(whole, value) if is_reference else value


def _followed(whole: dict[str, Any], value: Any) -> Any:
    """What a reference leads to; anything else is itself."""
    while "$ref" in value:
        _, _, kind, key = value["$ref"].split("/")
        value = whole["components"][kind][key]
    return value


def main(source: str, target: str) -> None:
    """Cut `source` down to `target`."""
    whole = json.loads(Path(source).read_text("utf-8"))
    Path(target).write_text(json.dumps(cut_out(whole, PATHS)), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
