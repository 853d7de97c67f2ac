"""One comment of ours on an issue or a pull request, found again by a hidden marker and edited in place.

The marker is the comment's first line, and it counts only in a comment that *we* wrote: anybody can write a marker,
and a token that may write may edit anybody's comment. Behind it the comment can keep a few values for the next run.

Order of `say`: look → edit what is there, or create. Killed before the request the host has nothing new, after it the
comment stands and the next run finds it. If the answer to a creation is lost, we look again before creating a second
time. Two processes that look at the same moment could both create: workflows prevent that by a concurrency group; if it
happened all the same, the oldest is the one that is edited from then on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from dev_agent.forges.errors import ForgeUnreachable
from dev_agent.forges.forge import MAX_BODY
from dev_agent.forges.text import cut

if TYPE_CHECKING:
    from dev_agent.forges.accounts import Actor
    from dev_agent.forges.forge import Forge
    from dev_agent.forges.threads import Comment

_KEY = re.compile(r"[a-z0-9][a-z0-9/_-]{0,80}\Z")
_STATE = re.compile(r"<!-- dev-agent:state (\{[^\n]{0,4000}\}) -->\Z")
_VALUE = re.compile(r"[A-Za-z0-9._/-]{0,250}\Z")
_MOST_VALUES = 12


def marker(key: str) -> str:
    """The hidden line. Raises ValueError for a key that could end it."""
    if not _KEY.match(key):
        raise ValueError(f"not a key of a marker: {key!r}")
    return f"<!-- dev-agent:{key} -->"


def find(forge: Forge, number: int, key: str, *, viewer: Actor) -> Comment | None:
    """Our comment with this key, the oldest if there are several."""
    first = marker(key)
    mine = (one for one in forge.comments(number) if one.author.login == viewer.login)
    return next((one for one in mine if one.body.partition("\n")[0].rstrip("\r") == first), None)


def say(
    forge: Forge, number: int, key: str, body: str, *, viewer: Actor, state: Mapping[str, str] | None = None
) -> Comment:
    """Let our comment with this key say `body` (Markdown, encoded already), and keep `state` in it.

    Nothing is sent if it says so already. Raises ForgeFault, and ValueError for a state that cannot be kept.
    """
    head = "\n".join([marker(key), *([kept_line(state)] if state else [])])
    text = f"{head}\n{cut(body, MAX_BODY - len(head) - 1)}"
    for last in (False, True):
        known = find(forge, number, key, viewer=viewer)
        if known is not None:
            same = known.body.replace("\r\n", "\n") == text
            return known if same else forge.update_comment(known.id, text)
        try:
            return forge.create_comment(number, text)
        except ForgeUnreachable:
            if last:
                raise
    raise AssertionError("BUG: the second round ends in an answer or in its fault")


def state_of(comment: Comment | None) -> dict[str, str]:
    """What a comment of ours keeps; nothing if somebody edited it into something else."""
    return state_in(comment.body if comment else "")


def state_in(body: str) -> dict[str, str]:
    """What the second line of a text of ours keeps; nothing if it is no such line any more."""
    lines = body.replace("\r\n", "\n").split("\n")
    found = _STATE.match(lines[1]) if len(lines) > 1 else None
    try:
        values = json.loads(found.group(1)) if found else {}
    except ValueError:
        return {}
    fine = all(isinstance(value, str) and _VALUE.match(value) for value in values.values())
    return dict(values) if fine and len(values) <= _MOST_VALUES else {}


def kept_line(state: Mapping[str, str]) -> str:
    """The hidden line that keeps `state`. Raises ValueError for values that could end it."""
    wrong = [name for name, value in state.items() if not _VALUE.match(value) or "--" in value]
    if wrong or len(state) > _MOST_VALUES:
        raise ValueError(f"values that a comment cannot keep: {', '.join(wrong) or len(state)}")
    return f"<!-- dev-agent:state {json.dumps(dict(state), sort_keys=True)} -->"
