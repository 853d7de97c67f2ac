"""What can be proved about rules without any change at hand: which never fire, never matter, or contradict.

Conditions compare words with constants and with each other, so only finitely many situations differ: for whole
numbers, which constants they lie on or between and how they order among themselves; for lists of paths, which of
the named texts they hold. All situations of the words concerned are tried, with the engine itself. Words are
taken as independent of each other, which covers more than can really happen: so what holds in all situations
holds for every change, and every remark is true. (`only_x` without `touches_x` is left out: it cannot be.)

Not found: what follows only from relations between words (`lines` is the sum of two others), a rule that several
others cover together but none alone, and pairs whose situations are more than are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import combinations, product

from dev_agent.policy.catalogue import FACT_NAMES, LIMITS_EXCEEDED
from dev_agent.policy.conditions import WordKind
from dev_agent.policy.policy import Policy
from dev_agent.policy.verdict import Verdict
from dev_agent.policy.vocabulary import Word, vocabulary
from dev_agent.values import dataclass

_MOST_SITUATIONS = 20_000
_Words = Mapping[str, object]


class RemarkKind(StrEnum):
    """What is wrong with a rule."""

    UNREACHABLE = "unreachable"
    ALWAYS = "always"
    SHADOWED = "shadowed"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """One proved remark about a rule; `other` is the id of the rule it is about as well, "" for none."""

    rule: str
    kind: RemarkKind
    other: str
    text: str
    remedy: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clause:
    """A rule of either kind as the analysis sees it: when it fires, and what it then says."""

    id: str
    names: frozenset[str]
    literals: tuple[int | str, ...]
    holds: Callable[[_Words], bool]
    verdict: Verdict


def remarks_on(policy: Policy) -> tuple[Remark, ...]:
    """All remarks on the team's own rules, in the file's order."""
    words = vocabulary(policy.settings.sets)
    team = [
        _Clause(
            id=rule.id,
            names=frozenset(rule.condition.names),
            literals=rule.condition.literals,
            holds=rule.condition.holds,
            verdict=rule.then,
        )
        for rule in policy.rules
    ]
    alone = {clause.id: _alone(clause, words) for clause in team}
    sound = [clause for clause in team if alone[clause.id] is None]
    remarks = [remark for remark in alone.values() if remark is not None]
    remarks += [remark for one, other in combinations(sound, 2) for remark in _pair(one, other, words)]
    remarks += [
        remark
        for one in sound
        for built_in in _built_in(policy)
        for remark in _beside_built_in(one, built_in, words)
    ]
    order = {clause.id: number for number, clause in enumerate(team)}
    return tuple(sorted(remarks, key=lambda remark: order[remark.rule]))


def _built_in(policy: Policy) -> Iterator[_Clause]:
    """`[on]` and `[limits]` as clauses."""
    for fact in FACT_NAMES:
        yield _above(f"on.{fact}", fact, 0, policy.on[fact])
    limits = policy.limits
    for name, most in (
        ("files", limits.max_files),
        ("lines", limits.max_lines),
        ("bytes", limits.max_bytes),
        ("deletions", limits.max_deletions),
    ):
        yield _above(f"limits.{name}", name, most, policy.on[LIMITS_EXCEEDED])


def _above(rule: str, name: str, most: int, verdict: Verdict) -> _Clause:
    def holds(words: _Words) -> bool:
        value = words[name]
        return isinstance(value, int) and value > most

    return _Clause(id=rule, names=frozenset({name}), literals=(most,), holds=holds, verdict=verdict)


def _alone(clause: _Clause, words: Mapping[str, Word]) -> Remark | None:
    found = {clause.holds(situation) for situation in _situations([clause], words)}
    if found == {False}:
        return Remark(
            rule=clause.id,
            kind=RemarkKind.UNREACHABLE,
            other="",
            text="can never fire: no change makes its condition true",
            remedy="mend the condition, or delete the rule",
        )
    if found == {True}:
        return Remark(
            rule=clause.id,
            kind=RemarkKind.ALWAYS,
            other="",
            text="fires on every change: its condition is always true",
            remedy="mend the condition; a question about every change is soon answered unread",
        )
    return None


def _pair(one: _Clause, other: _Clause, words: Mapping[str, Word]) -> Iterator[Remark]:
    """Two rules of the team: `one` stands first in the file."""
    implies, implied = _implications(one, other, words)
    if implies and implied:
        if one.verdict is other.verdict:
            yield _shadowed(other, one, "fires exactly when that rule does, with the same verdict")
        else:
            yield _contradicted(one, other, "the two always fire together")
    elif implies:
        yield from _covered(one, other)
    elif implied:
        yield from _covered(other, one)


def _beside_built_in(one: _Clause, built_in: _Clause, words: Mapping[str, Word]) -> Iterator[Remark]:
    implies, _ = _implications(one, built_in, words)
    if implies and built_in.verdict is not Verdict.ALLOW:
        yield from _covered(one, built_in)


def _covered(inner: _Clause, outer: _Clause) -> Iterator[Remark]:
    """Whenever `inner` fires, so does `outer`."""
    if inner.verdict is Verdict.ALLOW and outer.verdict is not Verdict.ALLOW:
        yield _contradicted(inner, outer, "whenever it fires, so does that rule")
    elif inner.verdict is not Verdict.ALLOW and outer.verdict.strictness >= inner.verdict.strictness:
        yield _shadowed(inner, outer, f'whenever it fires, so does that rule, and says "{outer.verdict}"')


def _shadowed(inner: _Clause, outer: _Clause, why: str) -> Remark:
    return Remark(
        rule=inner.id,
        kind=RemarkKind.SHADOWED,
        other=outer.id,
        text=f"never changes a verdict because of {outer.id}: {why}",
        remedy="delete it, or make it stricter than the other",
    )


def _contradicted(one: _Clause, other: _Clause, why: str) -> Remark:
    return Remark(
        rule=one.id,
        kind=RemarkKind.CONTRADICTED,
        other=other.id,
        text=f'says "{one.verdict}" where {other.id} says "{other.verdict}": {why}, and the strictest wins',
        remedy="say it once; a milder rule lifts nothing",
    )


def _implications(one: _Clause, other: _Clause, words: Mapping[str, Word]) -> tuple[bool, bool]:
    """Whether the first firing implies the second, and the reverse; False where that is not proved.

    Of conditions that can be true and can be false, one implies the other only if they share a word.
    """
    if _subjects(one).isdisjoint(_subjects(other)):
        return False, False
    implies = implied = tried = False
    for situation in _situations([one, other], words):
        if not tried:
            implies = implied = tried = True
        first, second = one.holds(situation), other.holds(situation)
        implies, implied = implies and first <= second, implied and second <= first
        if not (implies or implied):
            break
    return implies, implied


def _subjects(clause: _Clause) -> set[str]:
    """What a clause is about: the two words of a path set depend on each other."""
    return {name.removeprefix("only_").removeprefix("touches_") for name in clause.names}


def _situations(clauses: Sequence[_Clause], words: Mapping[str, Word]) -> Iterator[_Words]:
    """Every situation these clauses can tell apart; none at all if they are too many."""
    names = sorted(frozenset().union(*(clause.names for clause in clauses)))
    domains = _domains(names, [literal for clause in clauses for literal in clause.literals], words)
    size = 1
    for domain in domains:
        size *= len(domain)
        if size > _MOST_SITUATIONS:
            return
    for values in product(*domains):
        situation = dict(zip(names, values, strict=True))
        if not _is_impossible(situation):
            yield situation


def _domains(
    names: Sequence[str], literals: Sequence[int | str], words: Mapping[str, Word]
) -> list[Sequence[object]]:
    kinds = [words[name].kind for name in names]
    numbers = _numbers([one for one in literals if isinstance(one, int)], kinds.count(WordKind.INT))
    texts = sorted({one for one in literals if isinstance(one, str)})
    lists = _lists(texts, kinds.count(WordKind.LIST))
    domain: Mapping[WordKind, Sequence[object]] = {
        WordKind.BOOL: (False, True),
        WordKind.INT: numbers,
        WordKind.LIST: lists,
    }
    return [domain[kind] for kind in kinds]


def _numbers(constants: Sequence[int], words: int) -> Sequence[int]:
    """Every constant, and above each as many numbers as there are words to lie there apart. Counts start at 0."""
    return sorted({at + step for at in {0, *constants} for step in range(words + 1) if at + step >= 0})


def _lists(texts: Sequence[str], words: int) -> Sequence[tuple[str, ...]]:
    """Every set of the named texts and of one unnamed path per list, sorted as lists of paths are."""
    if len(texts) + words > _MOST_SITUATIONS.bit_length():
        return [()] * (_MOST_SITUATIONS + 1)
    paths = [*texts, *(f"\0{number}" for number in range(words))]
    sizes = range(len(paths) + 1)
    return [tuple(sorted(chosen)) for size in sizes for chosen in combinations(paths, size)]


def _is_impossible(situation: _Words) -> bool:
    return any(
        value is True and name.startswith("only_") and situation.get(f"touches_{name[5:]}") is False
        for name, value in situation.items()
    )
