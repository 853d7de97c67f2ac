"""The attacks there are: a module a family, one line here."""

from __future__ import annotations

from dev_agent.lab.attack import Attack
from dev_agent.lab.attacks.confinement import CONFINEMENT_ATTACKS
from dev_agent.lab.attacks.crashes import CRASH_ATTACKS
from dev_agent.lab.attacks.erasure import ERASURE_ATTACKS
from dev_agent.lab.attacks.escape import ESCAPE_ATTACKS
from dev_agent.lab.attacks.forgery import FORGERY_ATTACKS
from dev_agent.lab.attacks.injection import INJECTION_ATTACKS
from dev_agent.lab.attacks.judging import JUDGING_ATTACKS
from dev_agent.lab.attacks.obeying import OBEYING_ATTACKS
from dev_agent.lab.attacks.programs import PROGRAM_ATTACKS
from dev_agent.lab.attacks.proof import PROOF_ATTACKS
from dev_agent.lab.attacks.racing import RACING_ATTACKS
from dev_agent.lab.attacks.sabotage import SABOTAGE_ATTACKS
from dev_agent.lab.attacks.smuggling import SMUGGLING_ATTACKS
from dev_agent.lab.attacks.spending import SPENDING_ATTACKS
from dev_agent.lab.attacks.untrusted import UNTRUSTED_ATTACKS

_FAMILIES: tuple[tuple[Attack, ...], ...] = (
    PROGRAM_ATTACKS,
    UNTRUSTED_ATTACKS,
    SPENDING_ATTACKS,
    RACING_ATTACKS,
    JUDGING_ATTACKS,
    PROOF_ATTACKS,
    ERASURE_ATTACKS,
    CRASH_ATTACKS,
    SABOTAGE_ATTACKS,
    FORGERY_ATTACKS,
    ESCAPE_ATTACKS,
    CONFINEMENT_ATTACKS,
    INJECTION_ATTACKS,
    OBEYING_ATTACKS,
    SMUGGLING_ATTACKS,
)

ATTACKS: dict[str, Attack] = {attack.name: attack for family in _FAMILIES for attack in family}
