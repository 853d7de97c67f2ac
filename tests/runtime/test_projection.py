"""What a model, a trace and a person may see: deny by default, and nothing that governs the run."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev_agent.runtime.actions import ActionSpec, AnySpec, ModelActionSpec, Result, View
from dev_agent.runtime.canonical import Json
from dev_agent.runtime.capabilities import CapabilityRef
from dev_agent.runtime.engine import Ending, Engine
from dev_agent.runtime.errors import CapabilityDenied, NotShown, ProgramError, ProgramRefused
from dev_agent.runtime.host import NeverCancelled
from dev_agent.runtime.program import Program, load_program
from dev_agent.runtime.projection import HumanView, ModelView, Prompt, TraceView
from dev_agent.runtime.receipt import receipt_bytes, statement, summary
from dev_agent.runtime.states import FactType
from dev_agent.runtime.trace import Event, Journal, read_trace
from dev_agent.runtime.validation import prove
from tests.runtime.worlds import FixedClock

ROOT = Path(__file__).parents[2]
AWS = "AKIA" + "Q3ZXAMPLEK7TZ2WB"
KEY = "correct-horse-Battery-9"

ASKING = """
name = "asking"
start = "gather"
[facts]
task = "str"
reviewer = "str"
[budgets]
transitions = 77
tokens = 31337
exceeded = "rejected"
[[invariants]]
name = "CANARY-invariant"
from = "gather"
to = "done"
through = [["ask", "answered"]]
[states.gather]
kind = "action"
on = { found = "ask", error = "rejected" }
[states.ask]
kind = "action"
SHOWS
retry = { attempts = 3, on = ["unclear"] }
on = { answered = "done", unclear = "rejected", error = "rejected" }
[states.done]
kind = "final"
[states.rejected]
kind = "final"
"""


def program(shows: str = 'shows = ["input.task", "gather.files"]') -> Program:
    return load_program(ASKING.replace("SHOWS", shows), source="asking.toml")


def gather(data: Mapping[str, object] | None = None) -> ActionSpec:
    made = {"files": {"a.py": "x = 1"}, "verdict": "CANARY-verdict"} if data is None else data
    return ActionSpec(
        "gather",
        frozenset({"found"}),
        {"files": FactType.JSON, "verdict": FactType.STR},
        lambda _view: Result("found", made),
    )


def asks(
    run: Callable[[ModelView], Result],
    prompts: Mapping[str, str] | None = None,
    capabilities: frozenset[str] = frozenset(),
) -> ModelActionSpec:
    templates = {"ask": "Do {{input.task}} in {{gather.files}}"} if prompts is None else prompts
    return ModelActionSpec(
        "ask",
        frozenset({"answered", "unclear"}),
        {"reply": FactType.STR},
        run,
        capabilities=capabilities,
        prompts=templates,
    )


def drive(
    folder: Path,
    ask: AnySpec,
    *,
    first: ActionSpec | None = None,
    shows: str = 'shows = ["input.task", "gather.files"]',
    inputs: Mapping[str, Json] | None = None,
    secrets: Callable[[str], str] | None = None,
) -> tuple[Ending, tuple[Event, ...]]:
    made = program(shows)
    with Journal.create(folder / "run", "run-1", {"program": made.digest}, FixedClock()) as journal:
        engine = Engine(
            made,
            {"gather": first or gather(), "ask": ask},
            journal,
            clock=FixedClock(),
            cancel=NeverCancelled(),
            sleep=lambda _s: None,
            capabilities=secrets,
        )
        ending = engine.start(inputs or {"task": "mend it", "reviewer": "CANARY-reviewer"})
    return ending, read_trace(folder / "run")


def refusal(shows: str, ask: AnySpec) -> str:
    with pytest.raises(ProgramRefused) as refused:
        prove(program(shows), {"gather": gather(), "ask": ask})
    return str(refused.value)


# --- the model's view -------------------------------------------------------------------------------------------


def test_a_model_sees_what_is_listed_and_nothing_that_governs_the_run(tmp_path: Path) -> None:
    seen: list[ModelView] = []
    texts: list[str] = []

    def ask(view: ModelView) -> Result:
        seen.append(view)
        texts.append(view.prompt("ask").text)
        return Result("unclear" if len(texts) < 3 else "answered")

    ending, events = drive(tmp_path, asks(ask))
    assert ending.state == "done"
    assert texts == ['Do mend it in {"a.py":"x = 1"}'] * 3, "an attempt sees no trace of the one before"
    assert dict(seen[0].facts) == {"input.task": "mend it", "gather.files": {"a.py": "x = 1"}}
    public = {name for name in dir(seen[0]) if not name.startswith("_")}
    assert public == {"facts", "cancel", "timeout_ms", "redacted", "prompt", "resolve", "spend"}
    assert "CANARY" not in "".join(texts) + repr(dict(seen[0].facts))
    (left,) = [event for event in events if event.type == "left" and event.data["state"] == "ask"]
    assert left.data["shown"] == {"facts": ("gather.files", "input.task"), "redacted": 0}


def test_nothing_listed_is_nothing_seen(tmp_path: Path) -> None:
    seen: list[Mapping[str, Json]] = []

    def ask(view: ModelView) -> Result:
        seen.append(view.facts)
        return Result("answered")

    drive(tmp_path, asks(ask, {}), shows="")
    assert dict(seen[0]) == {}


def test_a_view_cannot_be_changed_or_filled_in(tmp_path: Path) -> None:
    found: list[type[Exception]] = []

    def ask(view: ModelView) -> Result:
        for act in (
            lambda: view.facts.update(x=1),  # type: ignore[attr-defined]
            lambda: view.facts["gather.files"].update(x=1),  # type: ignore[union-attr]
            lambda: setattr(view, "more", 1),
            lambda: view.prompt("aks"),
        ):
            try:
                act()
            except Exception as error:  # noqa: BLE001 - which one is what is looked at
                found.append(type(error))
        return Result("answered")

    drive(tmp_path, asks(ask))
    assert found == [AttributeError, AttributeError, AttributeError, NotShown]


def test_what_a_fact_says_opens_no_further_hole(tmp_path: Path) -> None:
    texts: list[str] = []

    def ask(view: ModelView) -> Result:
        texts.append(view.prompt("ask").text)
        return Result("answered")

    inputs = {"task": "{{input.reviewer}} {{gather.verdict}}", "reviewer": "CANARY"}
    drive(tmp_path, asks(ask), inputs=inputs)
    assert texts == ['Do {{input.reviewer}} {{gather.verdict}} in {"a.py":"x = 1"}']


def test_a_fact_that_was_never_recorded_is_an_error_and_no_empty_prompt(tmp_path: Path) -> None:
    def ask(view: ModelView) -> Result:
        view.prompt("ask")
        return Result("answered")

    ending, _ = drive(tmp_path, asks(ask), first=gather({"verdict": "x"}))
    assert (ending.state, ending.facts["ask"]["type"]) == ("rejected", "NotShown")  # type: ignore[index, call-overload]


def test_secrets_in_shown_facts_are_marked_and_counted(tmp_path: Path) -> None:
    texts: list[str] = []
    random = "q8Zr2LmX0vWb7TnK4sYdP1cE"

    def ask(view: ModelView) -> Result:
        texts.append(view.prompt("ask").text)
        return Result("answered")

    files = {"a.py": f"key = '{random}'", "list": [["deep", {"n": random}]]}
    _, events = drive(tmp_path, asks(ask), first=gather({"files": files}))
    assert random not in texts[0]
    assert texts[0].count("[redacted: random value]") == 2
    left = next(e for e in events if e.type == "left" and e.data["state"] == "ask")
    assert left.data["shown"]["redacted"] == 2  # type: ignore[index, call-overload]


# --- payloads: long text beside the trace that a model may be shown ------------------------------------------------


def gather_payload(content: bytes, data: Mapping[str, object] | None = None) -> ActionSpec:
    return ActionSpec(
        "gather",
        frozenset({"found"}),
        {"files": FactType.PAYLOAD, "verdict": FactType.STR},
        lambda _view: Result("found", data or {}, {"files": content}),
    )


def test_a_payload_is_shown_and_stands_in_no_line_of_the_trace(tmp_path: Path) -> None:
    texts: list[str] = []

    def ask(view: ModelView) -> Result:
        texts.append(view.prompt("ask").text)
        return Result("answered")

    long = "CANARY-payload " * 200_000  # more than a line of the trace could hold
    ending, events = drive(tmp_path, asks(ask), first=gather_payload(long.encode()))
    assert ending.state == "done"
    assert texts == [f"Do mend it in {long}"]
    assert b"CANARY-payload" not in (tmp_path / "run" / "trace.jsonl").read_bytes()
    left = next(event for event in events if event.type == "left")
    assert [blob.role for blob in left.blobs] == ["files"]
    assert dict(left.data["data"]) == {}  # type: ignore[arg-type]


def test_a_payload_is_redacted_as_any_fact_is(tmp_path: Path) -> None:
    texts: list[str] = []

    def ask(view: ModelView) -> Result:
        texts.append(view.prompt("ask").text)
        return Result("answered")

    drive(tmp_path, asks(ask), first=gather_payload(b"key = 'q8Zr2LmX0vWb7TnK4sYdP1cE'"))
    assert texts == ["Do mend it in key = '[redacted: random value]'"]


@pytest.mark.parametrize(
    ("content", "data", "said"),
    [
        (b"\xff\xfe", {}, "no UTF-8"),
        (b"x" * (16 * 2**20 + 1), {}, "allowed are"),
        (b"fine", {"files": "in the line"}, "declared is payload"),
    ],
    ids=["not text", "too long", "in the data"],
)
def test_what_cannot_be_a_payload_fact_is_an_error(
    tmp_path: Path, content: bytes, data: Mapping[str, object], said: str
) -> None:
    ending, _ = drive(tmp_path, asks(lambda _view: Result("answered")), first=gather_payload(content, data))
    assert ending.state == "rejected"
    assert said in str(ending.facts["gather"])


def test_only_the_latest_output_of_a_state_is_shown_and_a_resumed_run_sees_the_same(tmp_path: Path) -> None:
    text = ASKING.replace("SHOWS", 'shows = ["gather.files"]').replace(
        'unclear = "rejected"', 'unclear = "gather"'
    )
    made = load_program(text.replace("attempts = 3", "attempts = 2"), source="asking.toml")
    answers = iter([{"files": b"first"}, {}, {"files": b"third"}])
    first = ActionSpec(
        "gather",
        frozenset({"found"}),
        {"files": FactType.PAYLOAD},
        lambda _view: Result("found", {}, next(answers)),
    )
    seen: list[Mapping[str, Json]] = []

    def ask(view: ModelView) -> Result:
        seen.append(dict(view.facts))
        if len(seen) == 5:
            raise KeyboardInterrupt
        return Result("answered" if len(seen) > 5 else "unclear")

    actions: dict[str, AnySpec] = {"gather": first, "ask": asks(ask, {})}
    inputs = {"task": "t", "reviewer": "r"}
    with Journal.create(tmp_path / "run", "run-1", {"program": made.digest}, FixedClock()) as journal:
        Engine(
            made, actions, journal, clock=FixedClock(), cancel=NeverCancelled(), sleep=lambda _s: None
        ).start(inputs)
    with Journal.open(tmp_path / "run", FixedClock()) as journal:
        Engine(made, actions, journal, clock=FixedClock(), cancel=NeverCancelled()).resume()
    shown = [one.get("gather.files") for one in seen]
    assert shown == ["first", "first", None, None, "third", "third"]


def test_an_erased_payload_is_no_fact_any_more(tmp_path: Path) -> None:
    made = program('shows = ["gather.files"]')
    seen: list[Mapping[str, Json]] = []

    def ask(view: ModelView) -> Result:
        seen.append(dict(view.facts))
        if len(seen) == 1:
            raise KeyboardInterrupt
        return Result("answered")

    actions: dict[str, AnySpec] = {"gather": gather_payload(b"text"), "ask": asks(ask, {})}
    with Journal.create(tmp_path / "run", "run-1", {"program": made.digest}, FixedClock()) as journal:
        Engine(made, actions, journal, clock=FixedClock(), cancel=NeverCancelled()).start(
            {"task": "t", "reviewer": "r"}
        )
        (commitment,) = [blob.commitment for event in journal.events for blob in event.blobs]
        journal.erase(commitment, "asked for")
    with Journal.open(tmp_path / "run", FixedClock()) as journal:
        Engine(made, actions, journal, clock=FixedClock(), cancel=NeverCancelled()).resume()
    assert seen == [{"gather.files": "text"}, {}]


def test_a_condition_cannot_look_into_a_payload() -> None:
    text = ASKING.replace("SHOWS", 'shows = ["gather.files"]').replace(
        'on = { found = "ask", error = "rejected" }',
        """on = { found = "look", error = "rejected" }
[states.look]
kind = "choose"
cases = [{ when = "gather.files == 'x'", outcome = "yes" }]
on = { yes = "ask", otherwise = "ask", error = "rejected" }""",
    )
    with pytest.raises(ProgramRefused, match="declared payload"):
        prove(
            load_program(text, source="x"),
            {"gather": gather_payload(b""), "ask": asks(lambda _v: Result("answered"), {})},
        )


def test_nothing_from_outside_is_declared_a_payload() -> None:
    with pytest.raises(ProgramError, match="unknown task 'payload'"):
        load_program(
            ASKING.replace("SHOWS", "").replace('task = "str"', 'task = "payload"'), source="asking.toml"
        )


# --- nobody else makes one --------------------


@pytest.mark.parametrize("made", [Prompt, ModelView])
def test_nobody_else_makes_a_prompt_or_a_view(made: type) -> None:
    with pytest.raises(TypeError, match="is made by"):
        made("text")


def test_no_other_way_to_a_prompt_can_be_typed(tmp_path: Path) -> None:
    attempts = tmp_path / "attempts.py"
    attempts.write_text(
        "from dev_agent.runtime.actions import ActionSpec, ModelActionSpec, Result, View\n"
        "from dev_agent.runtime.projection import ModelView, Prompt\n"
        "def send(prompt: Prompt) -> None: ...\n"
        'Prompt("text")\n'
        "Prompt()\n"
        'ModelView({"a": 1})\n'
        'send("text")\n'
        "class Mine(Prompt): ...\n"
        "def full(view: View) -> Result: return Result('x')\n"
        "ModelActionSpec('x', frozenset(), {}, full)\n"
        "def blind(view: ModelView) -> Result:\n"
        "    view.attempt\n"
        "    view.run\n"
        "    view.remaining\n"
        "    send(view.prompt('ask'))\n"
        "    return Result('x')\n"
        "ActionSpec('x', frozenset(), {}, blind)\n"
        "ModelActionSpec('x', frozenset(), {}, blind)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(attempts)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert lines == {4, 5, 6, 7, 8, 10, 12, 13, 14, 17}, done.stdout


# --- what keeps a program from loading ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shows", "said"),
    [
        ('shows = ["input.tsak"]', "did you mean 'input.task'?"),
        ('shows = ["gather"]', "is no declared fact"),
        ('shows = ["ask.visits"]', "governs the run and is not shown to models"),
        ('shows = ["gather.outcome"]', "governs the run and is not shown to models"),
        ('shows = ["input.task"]', "prompt 'ask' of ask names 'gather.files', which is not shown"),
    ],
)
def test_a_program_that_shows_what_it_may_not_does_not_load(shows: str, said: str) -> None:
    assert said in refusal(shows, asks(lambda _view: Result("answered")))


def test_only_an_action_that_feeds_a_model_is_shown_anything() -> None:
    plain = ActionSpec("ask", frozenset({"answered", "unclear"}), {}, lambda _view: Result("answered"))
    assert "feeds no model" in refusal('shows = ["input.task"]', plain)


@pytest.mark.parametrize("shows", ['shows = "input.task"', "shows = [1]", 'shows = ["a.b", "a.b"]'])
def test_a_malformed_list_is_a_fault_of_the_file(shows: str) -> None:
    with pytest.raises(ProgramError, match=r"states\.ask\.shows"):
        program(shows)


def test_what_is_shown_is_part_of_the_program() -> None:
    assert program().digest != program('shows = ["input.task"]').digest
    assert program().digest == program('shows = ["gather.files", "input.task"]').digest


def test_branches_show_each_their_own(tmp_path: Path) -> None:
    text = """
name = "two"
start = "both"
[facts]
one = "str"
two = "str"
[budgets]
transitions = 9
exceeded = "done"
[states.both]
kind = "parallel"
branches = [
  { name = "a", action = "ask", shows = ["input.one"] },
  { name = "b", action = "ask", shows = ["input.two"] },
]
join = [{ all = ["answered"], outcome = "ok" }, { any = ["error", "answered"], outcome = "bad" }]
on = { ok = "done", bad = "done", error = "done" }
[states.done]
kind = "final"
"""
    seen: list[dict[str, Json]] = []

    def ask(view: ModelView) -> Result:
        seen.append(dict(view.facts))
        return Result("answered")

    spec = ModelActionSpec("ask", frozenset({"answered"}), {}, ask)
    made = load_program(text, source="two.toml")
    with Journal.create(tmp_path / "run", "r", {"program": made.digest}, FixedClock()) as journal:
        engine = Engine(made, {"ask": spec}, journal, clock=FixedClock(), cancel=NeverCancelled(), workers=1)
        assert engine.start({"one": "1", "two": "2"}).state == "done"
        left = [event for event in journal.events if event.type == "branch-left"]
    assert sorted(map(str, seen)) == ["{'input.one': '1'}", "{'input.two': '2'}"]
    assert [event.data["shown"]["facts"] for event in left] == [("input.one",), ("input.two",)]  # type: ignore[index, call-overload]


# --- the trace's and a person's ----------------------------------------------------------------------------------


def test_a_secret_does_not_get_into_the_trace(tmp_path: Path) -> None:
    def ask(_view: ModelView) -> Result:
        return Result("answered", {"reply": f"use {AWS}", "db_password": ("hunter2",), "token_count": 3})

    ending, events = drive(tmp_path, asks(ask), inputs={"task": f"with {AWS}", "reviewer": "r"})
    trace = (tmp_path / "run" / "trace.jsonl").read_text()
    assert AWS not in trace
    assert "hunter2" not in trace
    assert ending.facts["ask"]["token_count"] == 3  # type: ignore[index, call-overload]
    by_type = {event.type: event for event in events}
    assert by_type["begun"].data["redacted"] == 1
    assert by_type["left"].data["redacted"] == 2


def test_an_action_s_own_records_are_redacted_too(tmp_path: Path) -> None:
    def run(view: View) -> Result:
        view.record("note", {"api_key": "hunter2", "fine": 1})
        return Result("found", {})

    _, events = drive(
        tmp_path,
        asks(lambda _view: Result("answered"), {}),
        first=ActionSpec("gather", frozenset({"found"}), {"files": FactType.JSON}, run),
    )
    (note,) = [event for event in events if event.type == "note"]
    assert note.data == {"api_key": "[redacted: secret name]", "fine": 1, "redacted": 1}


def test_the_owner_reads_what_was_recorded_and_others_read_marks() -> None:
    value = {"text": f"see {AWS}"}
    assert HumanView(owner=True).value(value) is value
    assert HumanView(owner=True).payload(AWS.encode()) == AWS.encode()
    assert HumanView(owner=False).value(value) == {"text": "see [redacted: aws key]"}
    assert HumanView(owner=False).payload(b"\xff " + AWS.encode()) == b"\xff [redacted: aws key]"


def test_what_is_clean_is_recorded_as_it_is() -> None:
    data: dict[str, Json] = {"password_count": 3, "tree": "3f786850e387550fdab836ed7e6dc881de23001b"}
    assert TraceView.of(data) == TraceView(data=data, redacted=0)


# --- capability references -----------------------------------------------------------------------------------------


def test_a_capability_is_resolved_in_its_action_and_scrubbed_from_all_it_records(tmp_path: Path) -> None:
    said: list[str] = []

    def ask(view: ModelView) -> Result:
        secret = view.resolve(view.facts["gather.files"])
        said.append(view.prompt("ask").text)
        data = {"reply": f"key {secret}", secret: [secret.encode().hex()]}
        return Result("answered", data, {"log": f"GET {secret}".encode()})

    first = gather({"files": {"$capability": "model_key"}})
    ending, _ = drive(
        tmp_path, asks(ask, capabilities=frozenset({"model_key"})), first=first, secrets=lambda _name: KEY
    )
    assert ending.state == "done"
    assert said == ['Do mend it in {"$capability":"model_key"}']
    everything = b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert KEY.encode() not in everything
    assert KEY.encode().hex().encode() not in everything
    assert b"GET [redacted: capability model_key]" in everything


def test_a_capability_in_an_exception_is_scrubbed(tmp_path: Path) -> None:
    def run(view: View) -> Result:
        view.record("note", {"before": 1})
        raise ValueError(f"401 for {view.resolve(CapabilityRef('model_key'))}")

    first = ActionSpec(
        "gather", frozenset({"found"}), {"files": FactType.JSON}, run, capabilities=frozenset({"model_key"})
    )
    ending, _ = drive(tmp_path, asks(lambda _v: Result("answered")), first=first, secrets=lambda _name: KEY)
    assert ending.facts["gather"]["message"] == "401 for [redacted: capability model_key]"  # type: ignore[index, call-overload]
    assert not any(KEY.encode() in p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("ref", "declared", "secrets", "said"),
    [
        (CapabilityRef("other"), {"model_key"}, lambda _n: KEY, "does not declare the capability 'other'"),
        ({"$capability": "other"}, set(), lambda _n: KEY, "does not declare"),
        ({"$capability": "model_key"}, {"model_key"}, None, "the host gives no capabilities"),
        ({"$capability": "model_key"}, {"model_key"}, lambda _n: "short", "shorter than 6"),
        ({"$capability": "model_key", "x": 1}, {"model_key"}, lambda _n: KEY, "no reference"),
        ("model_key", {"model_key"}, lambda _n: KEY, "no reference"),
    ],
)
def test_a_capability_that_is_not_the_action_s_is_denied(
    tmp_path: Path, ref: Json, declared: set[str], secrets: Callable[[str], str] | None, said: str
) -> None:
    denied: list[str] = []

    def ask(view: ModelView) -> Result:
        try:
            view.resolve(ref)
        except CapabilityDenied as error:
            denied.append(error.message)
        return Result("answered")

    drive(tmp_path, asks(ask, capabilities=frozenset(declared)), secrets=secrets)
    assert said in denied[0]


def test_a_view_that_has_ended_resolves_nothing(tmp_path: Path) -> None:
    kept: list[ModelView] = []

    def ask(view: ModelView) -> Result:
        kept.append(view)
        return Result("answered")

    drive(tmp_path, asks(ask, capabilities=frozenset({"model_key"})), secrets=lambda _name: KEY)
    with pytest.raises(CapabilityDenied, match="has ended"):
        kept[0].resolve(CapabilityRef("model_key"))


# --- the canary law ---------------------------------------------------------------------------------------------


words = st.text("abcdefghij", min_size=1, max_size=6)
nested = st.recursive(
    words, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=6
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    canary=st.text("ABCDEFGHKLMNPQRSTUVWXYZ", min_size=16, max_size=16),
    budget=st.integers(10**9, 10**12),
    shape=nested,
    where=st.sampled_from(
        ["password", "db_secret", "apiKey", "auth_token", "format", "capability", "payload"]
    ),
)
def test_canaries_of_governance_and_secrets_occur_nowhere(
    tmp_path_factory: pytest.TempPathFactory, canary: str, budget: int, shape: Json, where: str
) -> None:
    """No value of a budget, invariant, unlisted fact, secret or erased payload is in any prompt, line or receipt."""
    folder = tmp_path_factory.mktemp("canary")
    secret = "ghp_" + canary * 3
    text = ASKING.replace("31337", str(budget)).replace("CANARY-invariant", f"law {canary}")
    made = load_program(text.replace("SHOWS", 'shows = ["input.task", "gather.files"]'), source="x")
    texts: list[str] = []

    def collect(view: View) -> Result:
        hidden: dict[str, object] = {"shape": copy.deepcopy(shape)}
        if where == "format":
            hidden["note"] = f"then {secret}"
        elif where == "capability":
            hidden["note"] = f"then {view.resolve(CapabilityRef('key'))}"
        elif where != "payload":
            hidden[where] = [secret, {"deep": (secret,)}]
        return Result(
            "found", {"files": hidden, "verdict": f"unlisted {canary}"}, {"payload": secret.encode()}
        )

    def ask(view: ModelView) -> Result:
        texts.append(view.prompt("ask").text + repr(dict(view.facts)))
        return Result("answered", {"reply": "fine"})

    first = ActionSpec(
        "gather",
        frozenset({"found"}),
        {"files": FactType.JSON, "verdict": FactType.STR},
        collect,
        capabilities=frozenset({"key"}),
    )
    with Journal.create(folder / "run", "run-1", {"program": made.digest}, FixedClock()) as journal:
        engine = Engine(
            made,
            {"gather": first, "ask": asks(ask)},
            journal,
            clock=FixedClock(),
            cancel=NeverCancelled(),
            capabilities=lambda _name: secret,
        )
        assert engine.start({"task": "t", "reviewer": f"who {canary}"}).state == "done"
        payload = next(blob for event in journal.events for blob in event.blobs)
        journal.erase(payload.commitment, "asked for")
        events = journal.events
    prompts = "".join(texts)
    assert canary not in prompts
    assert str(budget) not in prompts
    trace = (folder / "run" / "trace.jsonl").read_text()
    assert secret not in trace
    assert str(budget) not in trace
    receipt = receipt_bytes(
        statement([{"name": "t", "digest": {"sha256": "0"}}], "x", summary(events))
    ).decode()
    assert canary not in receipt
    assert not any(secret.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())
