"""The actions of the shipped programs by name."""

from __future__ import annotations

from dev_agent.programs.actions.begin import BEGIN
from dev_agent.programs.actions.brief import BRIEF
from dev_agent.programs.actions.check_policy import CHECK_POLICY
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.actions.hooks import HOOKS
from dev_agent.programs.actions.invert import INVERT
from dev_agent.programs.actions.judge import CHECKS, TESTS, TYPES
from dev_agent.programs.actions.land import LAND
from dev_agent.programs.actions.merge import MERGE, REMERGE
from dev_agent.programs.actions.modeled import Modeled
from dev_agent.programs.actions.patch import PATCH
from dev_agent.programs.actions.plan import PLAN
from dev_agent.programs.actions.push import LOOK_AGAIN, PUSH
from dev_agent.programs.actions.rebase import REBASE
from dev_agent.programs.actions.reconsider import RECONSIDER
from dev_agent.programs.actions.repair import REPAIR
from dev_agent.programs.actions.reproduce import REPRODUCE
from dev_agent.programs.actions.retrieve import RETRIEVE
from dev_agent.programs.actions.scope import SCOPE
from dev_agent.programs.actions.stage import STAGE
from dev_agent.programs.actions.tryout import TRYOUT
from dev_agent.programs.actions.widen import WIDEN
from dev_agent.programs.actions.write import WRITE

ACTIONS: dict[str, Declared | Modeled] = {
    action.name: action
    for action in (
        BEGIN,
        PATCH,
        STAGE,
        INVERT,
        MERGE,
        HOOKS,
        CHECK_POLICY,
        TYPES,
        TESTS,
        CHECKS,
        REPAIR,
        LAND,
        REBASE,
        REMERGE,
        LOOK_AGAIN,
        PUSH,
        BRIEF,
        PLAN,
        RETRIEVE,
        WIDEN,
        WRITE,
        TRYOUT,
        REPRODUCE,
        SCOPE,
        RECONSIDER,
    )
}
