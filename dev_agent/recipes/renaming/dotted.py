"""A dotted path in a text that leads to the symbol: "pkg.core.run_all", "pkg.core:run_all", also with "name = " before.

Nothing else is called so, so it is renamed wherever it stands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dev_agent.recipes.renaming.uses import Verdict
from dev_agent.recipes.renaming.values import Module, Values

if TYPE_CHECKING:
    from dev_agent.recipes.renaming.infer import Inference
    from dev_agent.recipes.renaming.seeker import Seeker

_DOTTED = re.compile(
    r"(?:[\w.-]+\s*=\s*)?([^\W\d]\w*(?:\.[^\W\d]\w*)*)(?::([^\W\d]\w*(?:\.[^\W\d]\w*)*))?(?:\s*\[[\w, -]*\])?"
)


def dotted_spans(inference: Inference, seeker: Seeker, value: str) -> list[int]:
    """Return where in "pkg.core.run_all" or "pkg.core:run_all" the old name stands and means the target."""
    found = _DOTTED.fullmatch(value)
    if found is None or ("." not in found[1] and found[2] is None):
        return []
    parts = [
        (one.group(), found.start(1) + one.start())
        for one in re.finditer(r"\w+", value[found.start(1) : found.end()])
    ]
    head = found[1].split(".")
    for count in range(len(head), 0, -1):
        keys = inference.project.find(".".join(head[:count]))
        if keys:
            break
    else:
        return []
    spans = []
    for index in range(count):
        keys_here = inference.project.find(".".join(head[: index + 1]))
        if head[index] == seeker.target.name and seeker.is_target_module(keys_here):
            spans.append(parts[index][1])
    values: Values = tuple(Module(key) for key in keys)
    for name, start in parts[count : len(head) + (len(found[2].split(".")) if found[2] else 0)]:
        if name == seeker.target.name and seeker.of_receiver(values) is Verdict.OURS:
            spans.append(start)
        values = inference.attribute(values, name)
    return spans
