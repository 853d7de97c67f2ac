"""From the host's JSON to our values: the same shapes come in webhook payloads and in answers of the REST API.

Only what a value needs is read; anything else may come and go. A missing or differently typed field is a ShapeError
that names the path to it, never a default that looks like an answer. Shapes: https://docs.github.com/rest, and webhooks
of the same place. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from dev_agent.forges.accounts import Actor, ActorKind, Association, Permission
from dev_agent.forges.check_runs import CheckRun, CheckStatus
from dev_agent.forges.forge import Comparison, ComparisonStatus, Ref, RepositoryInfo
from dev_agent.forges.threads import Branch, Comment, Issue, OpenState, PullRequest
from dev_agent.values import dataclass

_Known = TypeVar("_Known", bound=StrEnum)
_Value = TypeVar("_Value")
_GHOST = Actor(login="ghost", kind=ActorKind.USER)
"""Whom GitHub shows in place of a deleted account."""


class ShapeError(ValueError):
    """A field is not there or is not what it should be; the message names it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON object and the path that led to it."""

    data: Mapping[str, Any]
    path: str

    @classmethod
    def of(cls, value: object, path: str) -> Shape:
        """Raises ShapeError if `value` is no JSON object."""
        if not isinstance(value, Mapping):
            raise ShapeError(f"{path} is not an object")
        return cls(value, path)

    def at(self, name: str) -> str:
        """The path to a field."""
        return f"{self.path}.{name}"

    def text(self, name: str) -> str:
        """A string."""
        value = self.data.get(name)
        if not isinstance(value, str):
            raise ShapeError(f"{self.at(name)} is not a string")
        return value

    def text_or(self, name: str, default: str = "") -> str:
        """A string; `default` where the host says null or nothing."""
        return default if self.data.get(name) is None else self.text(name)

    def number(self, name: str) -> int:
        """A whole number, not negative."""
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ShapeError(f"{self.at(name)} is not a number")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false; `default` where the host says null or nothing."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, bool):
            raise ShapeError(f"{self.at(name)} is not true or false")
        return default if value is None else value

    def child(self, name: str) -> Shape:
        """An object inside."""
        return Shape.of(self.data.get(name), self.at(name))

    def child_or_none(self, name: str) -> Shape | None:
        """An object inside, or None where the host says null or nothing."""
        return None if self.data.get(name) is None else self.child(name)

    def children(self, name: str) -> list[Shape]:
        """The objects of an array; none where the host says null or nothing."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, list):
            raise ShapeError(f"{self.at(name)} is not an array")
        return [Shape.of(one, f"{self.at(name)}[{index}]") for index, one in enumerate(value or ())]

    def one_of(self, name: str, kind: type[_Known]) -> _Known:
        """A member of an enumeration."""
        try:
            return kind(self.text(name))
        except ValueError:
            raise ShapeError(f"{self.at(name)} is none of: {', '.join(kind)}") from None


def each(values: object, path: str, read: Callable[[Shape], _Value]) -> tuple[_Value, ...]:
    """What `read` makes of every object of an array."""
    if not isinstance(values, Sequence) or isinstance(values, str | bytes):
        raise ShapeError(f"{path} is not an array")
    return tuple(read(Shape.of(one, f"{path}[{index}]")) for index, one in enumerate(values))


def actor(shape: Shape | None) -> Actor:
    """An account; nobody is the ghost."""
    if shape is None:
        return _GHOST
    kind = shape.text_or("type")
    known = ActorKind(kind) if kind in set(ActorKind) else ActorKind.OTHER
    return Actor(login=shape.text("login"), kind=known)


def association(shape: Shape) -> Association:
    """How the author stands to the repository; what the host leaves out or we have not heard of counts as nothing."""
    said = shape.text_or("author_association")
    return Association(said) if said in set(Association) else Association.NONE


def issue(shape: Shape) -> Issue:
    """An issue."""
    return Issue(
        number=shape.number("number"),
        title=shape.text("title"),
        body=shape.text_or("body"),
        state=_state(shape),
        author=actor(shape.child_or_none("user")),
        association=association(shape),
        labels=tuple(label.text("name") for label in shape.children("labels")),
        updated_at=shape.text("updated_at"),
        locked=shape.flag("locked"),
        is_pull_request=shape.data.get("pull_request") is not None,
        url=shape.text_or("html_url"),
    )


def _state(shape: Shape) -> OpenState:
    """`state` is optional in payloads of issues; when it was closed never is."""
    if "state" in shape.data:
        return shape.one_of("state", OpenState)
    return OpenState.OPEN if shape.text_or("closed_at") == "" else OpenState.CLOSED


def comment(shape: Shape) -> Comment:
    """A comment of an issue or a pull request."""
    return Comment(
        id=shape.number("id"),
        body=shape.text_or("body"),
        author=actor(shape.child_or_none("user")),
        association=association(shape),
        created_at=shape.text("created_at"),
        updated_at=shape.text("updated_at"),
        url=shape.text_or("html_url"),
    )


def branch(shape: Shape) -> Branch:
    """One end of a pull request."""
    repository = shape.child_or_none("repo")
    return Branch(
        ref=shape.text("ref"),
        sha=shape.text("sha"),
        repository=repository.text("full_name") if repository else None,
    )


def pull_request(shape: Shape) -> PullRequest:
    """A pull request; lists of them do not say `merged`, only when."""
    return PullRequest(
        number=shape.number("number"),
        title=shape.text("title"),
        body=shape.text_or("body"),
        state=shape.one_of("state", OpenState),
        draft=shape.flag("draft"),
        merged=shape.flag("merged", default=shape.data.get("merged_at") is not None),
        author=actor(shape.child_or_none("user")),
        association=association(shape),
        head=branch(shape.child("head")),
        base=branch(shape.child("base")),
        labels=tuple(label.text("name") for label in shape.children("labels")),
        updated_at=shape.text("updated_at"),
        url=shape.text_or("html_url"),
    )


def check_run(shape: Shape) -> CheckRun:
    """A check run."""
    return CheckRun(
        id=shape.number("id"),
        name=shape.text("name"),
        head_sha=shape.text("head_sha"),
        status=shape.one_of("status", CheckStatus),
        conclusion=shape.text_or("conclusion"),
        external_id=shape.text_or("external_id"),
        url=shape.text_or("html_url"),
    )


def ref(shape: Shape) -> Ref:
    """A ref and the object it holds."""
    return Ref(name=shape.text("ref"), sha=shape.child("object").text("sha"))


def comparison(shape: Shape) -> Comparison:
    """How two commits stand to each other."""
    return Comparison(
        status=shape.one_of("status", ComparisonStatus),
        ahead_by=shape.number("ahead_by"),
        behind_by=shape.number("behind_by"),
        merge_base=shape.child("merge_base_commit").text("sha"),
    )


def permission(shape: Shape) -> Permission:
    """The base permission; custom roles are mapped to one by the host."""
    return shape.one_of("permission", Permission)


def repository_info(shape: Shape) -> RepositoryInfo:
    """A repository as a whole."""
    return RepositoryInfo(
        default_branch=shape.text("default_branch"),
        private=shape.flag("private"),
        archived=shape.flag("archived"),
        clone_url=shape.text("clone_url"),
    )
