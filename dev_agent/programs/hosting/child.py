"""One action in a process of its own: `python -m dev_agent.programs.hosting.child MODULE ACTION DESCRIPTOR`.

The packed view comes on stdin, the packed answer goes to the descriptor; what the action prints is its own affair.
"""

from __future__ import annotations

import os
import sys

from dev_agent.programs.hosting.module import load_actions
from dev_agent.programs.hosting.wire import answered


def main(argv: list[str]) -> int:
    """Run the action and answer; status 0 means that an answer was written whole."""
    named, action, descriptor = argv
    document = sys.stdin.buffer.read()
    with os.fdopen(int(descriptor), "wb") as answer:
        answer.write(answered(load_actions(named)[action], document))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
