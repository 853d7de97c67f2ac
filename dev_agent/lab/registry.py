"""The attacks there are: a module a family, one line here."""

from __future__ import annotations

from dev_agent.lab.attack import Attack
from dev_agent.lab.attacks.programs import PROGRAM_ATTACKS
from dev_agent.lab.attacks.proof import PROOF_ATTACKS

ATTACKS: dict[str, Attack] = {attack.name: attack for attack in (*PROGRAM_ATTACKS, *PROOF_ATTACKS)}
