"""A program: a finite-state machine as data. Loaded from TOML, addressed by the digest of its content.

    name = "example"                    # required; `about` (text) and `version` (integer) are optional
    start = "work"

    [facts]                             # the inputs of a run: name = "bool" | "int" | "str" | "list" | "json"
    task = "str"

    [budgets]                           # all optional; with any limit or `visits`, `exceeded` is required
    transitions = 100                   # states executed; bounds every cycle
    model_calls = 20                    # sums of Result.cost and View.spend, under these keys
    tokens = 500_000
    money = 2_000_000                   # micro-units
    wall_ms = 600_000                   # time inside actions and backoff; time suspended is free
    stalled = 3                         # the same output this often while nothing else changed
    exceeded = "rejected"               # a final; the reason is budget_<which>

    [states.work]
    kind = "action"
    action = "work"                     # default: the state's name
    timeout_ms = 60_000                 # optional; later is outcome `error`: not for outside effects
    visits = 5                          # optional; more than that often entered: budget_visits
    durable = true                      # optional; entering and leaving are on the disk before going on
    retry = { attempts = 3, on = ["error"], backoff_ms = 200, cap_ms = 5_000 }     # optional
    on = { done = "check", error = "rejected" }     # outcome = next state: exactly the action's, and `error`

    [states.check]
    kind = "parallel"                   # also: timeout_ms, visits, durable
    branches = ["types", { name = "unit", action = "tests" }]      # a name, or name and action
    join = [                            # first matching row; every combination must match one
      { any = "error", outcome = "error" },
      { any = ["failed"], outcome = "failed" },
      { all = ["passed", "skipped"], outcome = "passed" },
    ]
    on = { passed = "consent", failed = "rejected", error = "rejected" }

    [states.consent]
    kind = "choose"
    cases = [{ when = "check.types.new_errors > 0 and input.task != 'x'", outcome = "ask" }]
    on = { ask = "approve", otherwise = "done", error = "rejected" }

    [states.approve]
    kind = "wait"
    facts = { tree = "str" }            # types of the signal's data; all of it is required
    on = { approved = "done", rejected = "rejected" }

    [states.done]
    kind = "final"

    [states.rejected]
    kind = "final"
    refuses = true                      # optional; an end that says no: for whoever reports, nothing to the engine

    [[invariants]]
    name = "nothing is done unchecked"
    from = ["work"]                     # every path from these …
    to = ["done"]                       # … to these …
    through = [["check", ["passed"]]]   # … takes, for each gate, one of its passing edges

Loading checks the form of the file; what is proved about the graph is in `validation`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from hashlib import sha256
from types import MappingProxyType

from dev_agent.runtime.canonical import Json, canonical
from dev_agent.runtime.errors import Fault, ProgramError
from dev_agent.runtime.program_file import read_budgets, read_facts, read_invariants, read_states
from dev_agent.runtime.reader import Table
from dev_agent.runtime.states import Budgets, FactType, Invariant, State
from dev_agent.runtime.targets import dangling
from dev_agent.toml_places import Lines, line_of, lines_of
from dev_agent.values import dataclass

MAX_SOURCE = 8 * 2**20
_AT_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A loaded program. `states` maps names to states in the file's order; `facts` are the inputs' types.

    `source` and `lines` say where in which file a field stands, for messages; they are no part of what it means.
    """

    name: str
    start: str
    states: Mapping[str, State]
    facts: Mapping[str, FactType] = field(default_factory=lambda: MappingProxyType({}))
    budgets: Budgets = field(default_factory=Budgets)
    invariants: tuple[Invariant, ...] = ()
    about: str = ""
    version: int = 1
    source: str = field(default="", compare=False, repr=False)
    lines: Lines = field(default_factory=lambda: MappingProxyType({}), compare=False, repr=False)

    def to_json(self) -> dict[str, Json]:
        """Return the canonical content: independent of spelling, comments and order of keys."""
        return {
            "name": self.name,
            "about": self.about,
            "version": self.version,
            "start": self.start,
            "facts": {name: kind.value for name, kind in self.facts.items()},
            "budgets": self.budgets.to_json(),
            "states": {name: state.to_json() for name, state in self.states.items()},
            "invariants": [invariant.to_json() for invariant in self.invariants],
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical content, in hex."""
        return sha256(canonical(self.to_json())).hexdigest()


def load_program(text: str, *, source: str) -> Program:
    """Read a program from TOML. `source` names the file in messages. Raises ProgramError with every fault."""
    faults: list[Fault] = []
    root = Table(_parsed(text, source), "", faults)
    program = Program(
        name=root.name("name"),
        about=root.text("about"),
        version=root.count("version") or 1,
        source=source,
        lines=MappingProxyType(lines_of(text)),
        start=root.name("start"),
        facts=MappingProxyType(read_facts(root)),
        budgets=read_budgets(root),
        states=MappingProxyType(read_states(root)),
        invariants=tuple(read_invariants(root)),
    )
    root.finish()
    if faults:
        told = {fault.where for fault in faults}
        astray = dangling(program.states, program.start, program.budgets)
        faults += (fault for fault in astray if fault.where not in told)
        raise ProgramError(
            source,
            [replace(fault, line=line_of(program.lines, fault.where)) for fault in faults],
            "see the grammar in docs/programs.md",
            source=source,
        )
    return program


def _parsed(text: str, source: str) -> dict[str, object]:
    problem, remedy, line = "", "correct the syntax there", None
    if len(text) > MAX_SOURCE:
        problem, remedy = f"longer than {MAX_SOURCE} characters", "a program is a page of states: shorten it"
    else:
        try:
            text.encode()  # a lone surrogate would have no digest
            return tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            problem = f"not TOML: {error}"
            place = _AT_LINE.search(problem)
            line = int(place[1]) if place else None
    fault = Fault(where="file", message=problem, hint=remedy, line=line)
    raise ProgramError(source, [fault], "correct the file's syntax", source=source)
