"""The actions of the shipped programs by name."""

from __future__ import annotations

from dev_agent.programs.actions.begin import BEGIN
from dev_agent.programs.actions.check_policy import CHECK_POLICY
from dev_agent.programs.actions.declared import Declared
from dev_agent.programs.actions.hooks import HOOKS
from dev_agent.programs.actions.invert import INVERT
from dev_agent.programs.actions.judge import CHECKS, TESTS, TYPES
from dev_agent.programs.actions.land import LAND
from dev_agent.programs.actions.merge import MERGE, REMERGE
from dev_agent.programs.actions.patch import PATCH
from dev_agent.programs.actions.push import LOOK_AGAIN, PUSH
from dev_agent.programs.actions.rebase import REBASE
from dev_agent.programs.actions.repair import REPAIR
from dev_agent.programs.actions.stage import STAGE

ACTIONS: dict[str, Declared] = {
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
    )
}
