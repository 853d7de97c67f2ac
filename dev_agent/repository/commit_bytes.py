"""The bytes of an unsigned commit object, exactly as `git commit-tree` would make them. Pure.

Git cleans names and addresses and refuses some; whatever it might not take as it stands is left to git.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dev_agent.repository.identity import Identity, Person

_WHEN = re.compile(r"[1-9][0-9]{8,9} (?!-0000)[+-](0[0-9]|1[0-4])[0-5][0-9]")
_CRUD = " .,:;<>\"\\'"


def plain_commit(tree: str, parents: Sequence[str], message: str, identity: Identity) -> bytes | None:
    """The object's bytes; None if only git can say what they are."""
    people = (identity.author, identity.committer)
    if not all(map(is_plain, people)) or not message or "\0" in message or len(set(parents)) != len(parents):
        return None
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"{role} {_line(person)}" for role, person in zip(("author", "committer"), people, strict=True)]
    try:
        return "\n".join([*lines, "", message]).encode("utf-8")
    except UnicodeEncodeError:
        return None


def is_plain(person: Person) -> bool:
    """True if git would write the person as they are."""
    words = (person.name, person.email)
    return bool(_WHEN.fullmatch(person.when)) and all(
        word and word.isprintable() and word == word.strip(_CRUD) and not set(word) & {"<", ">"}
        for word in words
    )


def _line(person: Person) -> str:
    return f"{person.name} <{person.email}> {person.when}"
