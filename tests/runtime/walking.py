"""Builders for the tests of health: the program of a coding agent that plans and repairs, and walks over programs."""

from __future__ import annotations

import random
from collections.abc import Iterable

from dev_agent.runtime.canonical import encode
from dev_agent.runtime.paths import shortest_path
from dev_agent.runtime.program import Program, load_program
from dev_agent.runtime.routes import graph_of
from dev_agent.runtime.states import Kind
from dev_agent.runtime.walk import Edge, Walk

AGENT = """
name = "agent"
start = "begin"
[budgets]
transitions = 400
exceeded = "rejected"
[states.begin]
kind = "action"
on = { ready = "plan", refused = "rejected", error = "failed" }
[states.plan]
kind = "action"
on = { planned = "patch", needs_context = "retrieve", declined = "rejected", invalid = "plan", error = "failed" }
[states.retrieve]
kind = "action"
on = { retrieved = "plan", error = "failed" }
[states.patch]
kind = "action"
on = { proposed = "stage", invalid = "patch", declined = "rejected", error = "failed" }
[states.stage]
kind = "action"
on = { staged = "check_policy", unresolved = "repair", empty = "no_change", error = "failed" }
[states.check_policy]
kind = "action"
on = { allowed = "check", asked = "check", repairable = "repair", denied = "rejected", error = "failed" }
[states.check]
kind = "action"
on = { passed = "consent", failed = "repair", error = "rejected" }
[states.consent]
kind = "choose"
cases = [{ when = "plan.visits > 0", outcome = "free" }]
on = { free = "land", otherwise = "approve", error = "failed" }
[states.repair]
kind = "action"
on = { again = "patch", exhausted = "rejected", stuck = "rejected", error = "failed" }
[states.approve]
kind = "wait"
on = { approved = "land", rejected = "rejected" }
[states.land]
kind = "action"
on = { landed = "committed", moved = "rebase", blocked = "kept", error = "failed" }
[states.rebase]
kind = "action"
on = { rebased = "check_policy", conflict = "rejected", error = "failed" }
[states.kept]
kind = "wait"
on = { resumed = "check_policy" }
[states.committed]
kind = "final"
[states.no_change]
kind = "final"
[states.rejected]
kind = "final"
[states.failed]
kind = "final"
[[invariants]]
name = "nothing lands unjudged"
from = ["stage", "rebase"]
to = ["land"]
through = [["check_policy", ["allowed", "asked"]], ["check", ["passed"]]]
"""

JUDGED = "allowed passed free"
REPAIRED = "allowed failed again proposed staged"
MOVED = "moved rebased"
STRAIGHT = f"ready planned proposed staged {JUDGED} landed"


def agent(text: str = AGENT) -> Program:
    """The program."""
    return load_program(text, source="agent.toml")


def walked(program: Program, outcomes: str | Iterable[str], *, outputs: str = "") -> Walk:
    """Walk a program by outcomes, as an engine would; `outputs` makes what the states recorded differ."""
    walk = Walk(run="r", program=program.digest, started="2026-11-22T10:00:00Z")
    state = program.start
    for outcome in outcomes.split() if isinstance(outcomes, str) else outcomes:
        target = (
            program.budgets.exceeded if outcome.startswith("budget_") else program.states[state].on[outcome]
        )
        walk.edges.append(Edge(source=state, outcome=outcome, target=target))
        walk.snapshots.append(hash(encode((outputs, state, outcome))))
        state = target
    walk.finished = program.states[state].kind is Kind.FINAL
    return walk


def healthy(program: Program, seed: int) -> Walk:
    """One of the ways a run of the agent goes when nothing is wrong with it: at most one repair and one rebase."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable choice of scenarios
    early = ["refused", "ready declined", "ready planned declined", "ready planned proposed empty"]
    early += ["ready planned proposed staged denied", "ready planned proposed staged allowed error"]
    if rng.random() < 0.25:
        return walked(program, rng.choice(early))
    judged = rng.choice([JUDGED, JUDGED.replace("free", "otherwise approved")])
    repair = rng.choice([REPAIRED, "repairable again proposed staged"]) if rng.random() < 0.4 else ""
    moved = f"{MOVED} {judged}" if rng.random() < 0.3 else ""
    end = "landed"
    if "approved" in judged and rng.random() < 0.3:
        judged, moved, end = judged.replace("approved", "rejected"), "", ""
    return walked(program, f"ready planned proposed staged {repair} {judged} {moved} {end}")


def random_program(seed: int) -> Program:
    """A program of up to twelve states with random edges, all of which can end."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable graph
    size = rng.randint(2, 12)
    lines = ['name = "any"', 'start = "s0"', "[budgets]", "transitions = 1000", 'exceeded = "stopped"']
    for index in range(size):
        targets = [f"s{rng.randrange(size)}" for _ in range(rng.randint(0, 4))]
        onward = f"s{index + 1}" if index + 1 < size else "done"
        edges = {f"o{number}": target for number, target in enumerate(targets)} | {
            "ok": onward,
            "error": "stopped",
        }
        row = ", ".join(f'{outcome} = "{target}"' for outcome, target in edges.items())
        lines += [f"[states.s{index}]", 'kind = "action"', f"on = {{ {row} }}"]
    lines += ["[states.done]", 'kind = "final"', "[states.stopped]", 'kind = "final"']
    return load_program("\n".join(lines), source="any.toml")


def shortest(program: Program, final: str) -> list[str]:
    """The outcomes of a shortest way from the start to a final."""
    path = shortest_path(graph_of(program), program.start, frozenset({final}))
    assert path is not None
    return [edge.outcome for edge in path]


def at_random(program: Program, seed: int, most: int) -> Walk:
    """A walk that chooses every edge at random, and stops after `most` transitions."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable walk
    state, outcomes = program.start, list[str]()
    while program.states[state].kind is not Kind.FINAL and len(outcomes) < most:
        outcomes.append(rng.choice(list(program.states[state].on)))
        state = program.states[state].on[outcomes[-1]]
    return walked(program, outcomes)
