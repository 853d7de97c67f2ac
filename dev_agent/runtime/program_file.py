"""How the tables of a program file become values. Form only: which keys, which types, which go together.

Faults are noted in the tables' shared list; a value read from a faulty table is a placeholder.
"""

from __future__ import annotations

from types import MappingProxyType

from dev_agent.runtime.errors import Fault
from dev_agent.runtime.reader import Table
from dev_agent.runtime.states import (
    ERROR,
    INPUT,
    OTHERWISE,
    Branch,
    Budgets,
    Case,
    FactType,
    Invariant,
    JoinRow,
    Kind,
    Passing,
    Retry,
    State,
)

IMPLICIT = frozenset({"outcome", "visits"})
"""Facts every state has in conditions; no action, branch or signal may declare them."""

MAX_JOIN_ROWS = 12
"""Proving a join total takes time exponential in its rows (not in its branches)."""


def read_facts(root: Table, key: str = "facts") -> dict[str, FactType]:
    """Read a table of fact types: of what comes from outside, and a payload is an action's."""
    return root.each(key, _read_fact)


def _read_fact(facts: Table, name: str) -> FactType:
    kind = facts.choice(name, FactType, but=(FactType.PAYLOAD,)) if name else None
    return kind or FactType.JSON


def read_budgets(root: Table) -> Budgets:
    """Read [budgets]."""
    table = root.table("budgets")
    budgets = Budgets(
        transitions=table.count("transitions"),
        model_calls=table.count("model_calls", least=0),
        tokens=table.count("tokens", least=0),
        money=table.count("money", least=0),
        wall_ms=table.count("wall_ms"),
        stalled=table.count("stalled", least=2),
        exceeded=table.name_or("exceeded", ""),
    )
    table.finish()
    if "budgets" in root and not budgets.exceeded:
        table.fault("exceeded", "is missing", "name the final a run ends in when a budget is exceeded")
    return budgets


def read_states(root: Table) -> dict[str, State]:
    """Read [states.*]."""
    if "states" not in root:
        root.fault("states", "is missing", "a program needs at least a start and a final state")
    return root.each("states", _read_state)


def read_invariants(root: Table) -> list[Invariant]:
    """Read [[invariants]]."""
    return [_read_invariant(table) for table in root.tables("invariants")]


def _read_state(states: Table, name: str) -> State:
    table = states.table(name) if name else Table({}, states.path, [])
    if name == INPUT:
        states.fault(name, "is reserved for the inputs of a run", "choose another name")
    kind = table.choice("kind", Kind)
    if kind is None:
        # Where its edges lead can be checked all the same.
        edges = table.each("on", lambda inner, edge: inner.name(edge) if edge else "")
        return State(name=name, kind=Kind.FINAL, on=MappingProxyType(edges))
    facts = read_facts(table) if kind is Kind.WAIT else {}
    for fact in IMPLICIT & facts.keys():
        table.fault(f"facts.{fact}", "is a fact every state has already", "choose another name")
    state = State(
        name=name,
        kind=kind,
        on=MappingProxyType(_read_edges(table)) if kind is not Kind.FINAL else MappingProxyType({}),
        action=table.name_or("action", name) if kind is Kind.ACTION else "",
        branches=_read_branches(table) if kind is Kind.PARALLEL else (),
        join=_read_join(table) if kind is Kind.PARALLEL else (),
        cases=_read_cases(table) if kind is Kind.CHOOSE else (),
        facts=MappingProxyType(facts),
        retry=_read_retry(table) if kind is Kind.ACTION and "retry" in table else None,
        visits=table.count("visits") if kind is not Kind.FINAL else None,
        timeout_ms=table.count("timeout_ms") if kind in (Kind.ACTION, Kind.PARALLEL) else None,
        durable=table.flag("durable") if kind in (Kind.ACTION, Kind.PARALLEL) else False,
        refuses=table.flag("refuses") if kind is Kind.FINAL else False,
        shows=table.texts("shows") if kind is Kind.ACTION else (),
    )
    table.finish()
    return state


def _read_edges(table: Table) -> dict[str, str]:
    if "on" not in table:
        table.fault("on", "is missing", "map every outcome to the next state")
    return table.each("on", lambda inner, name: inner.name(name) if name else "")


def _read_retry(table: Table) -> Retry:
    inner = table.table("retry")
    cap_ms = inner.count("cap_ms", least=0)
    retry = Retry(
        attempts=inner.count("attempts", least=2) or 2,
        on=inner.names("on") or (ERROR,),
        backoff_ms=inner.count("backoff_ms", least=0) or 0,
        cap_ms=30_000 if cap_ms is None else cap_ms,
    )
    if "attempts" not in inner:
        inner.fault("attempts", "is missing", "say how often the action may run per visit")
    inner.finish()
    return retry


def _read_branches(table: Table) -> tuple[Branch, ...]:
    branches = [_read_branch(table, path, item) for path, item in table.items("branches")]
    names = [branch.name for branch in branches]
    if not branches:
        table.fault("branches", "is missing or empty", "name at least one branch")
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        table.fault("branches", f"{name!r} is named twice", "give each branch a name of its own")
    for name in sorted(IMPLICIT.intersection(names)):
        table.fault("branches", f"{name!r} is a fact every state has already", "choose another name")
    return tuple(branches)


def _read_branch(table: Table, path: str, item: object) -> Branch:
    inner = Table(item if isinstance(item, dict) else {"name": item}, path, table.faults)
    name = inner.name("name")
    branch = Branch(name=name, action=inner.name_or("action", name), shows=inner.texts("shows"))
    inner.finish()
    return branch


def _read_join(table: Table) -> tuple[JoinRow, ...]:
    rows = [_read_join_row(inner) for inner in table.tables("join")]
    if not rows:
        table.fault("join", "is missing or empty", "say which outcomes of the branches make which outcome")
    if len(rows) > MAX_JOIN_ROWS:
        table.fault("join", f"has more than {MAX_JOIN_ROWS} rows", "merge rows of the same outcome")
    return tuple(rows)


def _read_join_row(table: Table) -> JoinRow:
    every = "all" in table
    if every == ("any" in table):
        table.fault("", "needs exactly one of 'any' and 'all'", "keep the one that is meant")
    row = JoinRow(
        every=every, outcomes=table.names("all") or table.names("any"), outcome=table.name("outcome")
    )
    table.names("any")
    table.finish()
    return row


def _read_cases(table: Table) -> tuple[Case, ...]:
    cases = [_read_case(inner) for inner in table.tables("cases")]
    outcomes = [case.outcome for case in cases]
    if not cases:
        table.fault("cases", "is missing or empty", "without a case there is nothing to choose")
    for outcome in sorted({OTHERWISE, ERROR}.intersection(outcomes)):
        table.fault("cases", f"{outcome!r} is not a case's outcome to give", "choose another name")
    return tuple(cases)


def _read_case(table: Table) -> Case:
    case = Case(when=table.text("when"), outcome=table.name("outcome"))
    if "when" not in table:
        table.fault("when", "is missing", "write a condition over facts")
    table.finish()
    return case


def _read_invariant(table: Table) -> Invariant:
    invariant = Invariant(
        name=table.text("name"),
        sources=_required(table, "from"),
        targets=_required(table, "to"),
        through=tuple(_read_gate(table, path, item) for path, item in table.items("through")),
    )
    for key, remedy in (
        ("name", "say in words what holds"),
        ("through", "name the gates: [[state, outcome]]"),
    ):
        if key not in table:
            table.fault(key, "is missing", remedy)
    table.finish()
    return invariant


def _required(table: Table, key: str) -> tuple[str, ...]:
    if key not in table:
        table.fault(key, "is missing", "name one state or a list of states")
    return table.names(key)


def _read_gate(table: Table, path: str, item: object) -> Passing:
    if not isinstance(item, list) or len(item) != 2:
        shape = "must be [state, outcome] or [state, [outcomes]]"
        table.faults.append(Fault(where=path, message=shape, hint='for example ["check", "passed"]'))
        return Passing(state="", outcomes=())
    inner = Table({"state": item[0], "outcomes": item[1]}, path, table.faults)
    return Passing(state=inner.name("state"), outcomes=inner.names("outcomes"))
