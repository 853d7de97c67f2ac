"""brief: put together what the model is shown next, and say what it is asked for: a plan, or edits.

The views are payloads beside the trace, made from the trace and the base commit alone; so a run that is taken up again
asks the same question. What governs the run (policy, budgets, attempts, outcomes, other runs) is in none of them. Reads
only; killed at any point, the state is entered again and makes the same.

Bounds: answers in a row that cannot be used end the run, with what was wrong with the last; so does a view the model
has no room for however small it is made, and one that the tokens left could not pay for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dev_agent.context.tokens import estimated_tokens
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.reproducing import Wish, wish_of
from dev_agent.programs.solving.forms import question_for
from dev_agent.programs.solving.progress import Progress, progress_of
from dev_agent.programs.solving.wording import PROMPTS
from dev_agent.programs.texts import quoted
from dev_agent.runtime.actions import Result, View
from dev_agent.runtime.states import FactType

if TYPE_CHECKING:
    from dev_agent.programs.context import ApplyContext
    from dev_agent.programs.solving.briefs import Briefs

MOST_UNUSABLE = 3
MOST_SHRUNK = 3
_NOTHING = "\n"


def _brief(context: ApplyContext, view: View) -> Result:
    if context.asking is not None:
        context.asking.forget()
    progress = progress_of(context.journal.events, context.journal.blob, base=context.base)
    if progress.shrunk > MOST_SHRUNK:
        why = "the question does not fit the model, however little of the repository is shown"
        return _ended("too_large", "context_too_large", why)
    if progress.unusable >= MOST_UNUSABLE:
        count = f"{progress.unusable} answers in a row could not be used"
        return _ended(
            "exhausted", "unusable_answers", f"{count}; of the last: {_first_line(progress.complaint)}"
        )
    texts = _texts(context, progress, wish_of(view.facts, context.policy.reproduce))
    tokens = sum(map(estimated_tokens, (*texts.values(), *PROMPTS.values())))
    left = view.remaining.get("tokens")
    if left is not None and tokens > left:
        why = f"the next question has about {tokens} tokens, and {left} are left of the run's budget"
        return _ended("unaffordable", "budget_tokens", why)
    data = {"question": question_for(context.task), "onto": progress.onto, "tokens": tokens, "reason": ""}
    blobs = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    return Result("writing" if progress.plan else "planning", data, blobs)


def _texts(context: ApplyContext, progress: Progress, wish: Wish) -> dict[str, str]:
    """The facts the prompts name."""
    briefs = context.briefing(progress.shrunk)
    named = () if progress.plan is None else (*sorted(progress.plan.scope), *progress.plan.files_to_read)
    symbols = () if progress.plan is None else progress.plan.symbols
    files = briefs.files(
        context.task, named=named, symbols=symbols, requests=progress.requests, tree=progress.onto
    )
    plan = briefs.quoted("plan", "yours", progress.plan.to_text()) if progress.plan else _NOTHING
    return {
        "map": briefs.map(context.task).text,
        "task": briefs.quoted("task", "", context.task),
        "plan": plan,
        "files": files.text or _NOTHING,
        "feedback": _feedback(briefs, progress, wish) or _NOTHING,
    }


_SHOW_IT = (
    "The change needs a test of its own besides: a new test function, under a name that no test has yet, which fails "
    "on the files as they were and passes with the change. Its file stands in `tests_to_add` of the plan."
)


def _feedback(briefs: Briefs, progress: Progress, wish: Wish) -> str:
    """What came of the model's own words so far, in ours; what is quoted is in blocks."""
    said: list[str] = [] if wish is Wish.OFF else [_SHOW_IT]
    if progress.complaint:
        said += ["Your last answer could not be used:", briefs.quoted("complaint", "", progress.complaint)]
    if progress.lessons:
        said.append(
            "Earlier changes were given up: they failed in the same way twice. Start over from the files as they are, "
            "and look for another cause or another way. What went wrong then:"
        )
        said += [briefs.quoted("failure", "of an earlier change", one) for one in progress.lessons[-2:]]
    if progress.setback:
        said.append(_TOLD.get((progress.setback.state, progress.setback.outcome), _FAILED))
        said.append(progress.setback.said)
    if progress.diff:
        said += ["The change that was refused, none of which is in the files shown:"]
        said.append(briefs.quoted("diff", "refused", progress.diff))
    elif progress.onto:
        said.append("The files are shown with your last change in them. Give the edits that put it right.")
    return "\n".join(said)


_FAILED = "Your last change did not pass. Only what is newly wrong is listed:"
_TOLD = {
    ("stage", "unresolved"): "Your last edits do not fit the files as shown, so none of them was made:",
    ("stage", "empty"): "Your last edits change nothing:",
    ("scope", "outside"): "Your last change went beyond your plan:",
    ("hooks", "failed"): "The repository's commit hooks refused your last change:",
    ("reproduce", "lacking"): "Your last change works, and brings no test that shows what it is for:",
    ("check_policy", "repairable"): "The repository's policy refused your last change:",
}


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:400]


def _ended(outcome: str, reason: str, explanation: str) -> Result:
    """An end, with a sentence that may quote a model and therefore stands beside the trace."""
    return Result(outcome, *quoted({"reason": reason, "explanation": explanation}))


BRIEF = Declared(
    name="brief",
    outcomes=frozenset({"planning", "writing", "too_large", "exhausted", "unaffordable"}),
    facts={
        "question": FactType.STR,
        "onto": FactType.STR,
        "tokens": FactType.INT,
        "map": FactType.PAYLOAD,
        "task": FactType.PAYLOAD,
        "plan": FactType.PAYLOAD,
        "files": FactType.PAYLOAD,
        "feedback": FactType.PAYLOAD,
        "reason": FactType.STR,
        "explanation": FactType.STR,
        "texts": FactType.BOOL,
    },
    run=_brief,
)
