"""What an untrusted job hands to the job that may report: the folder of one run of `premerge`, and nothing else.

Written beside its place and renamed, so that a killed job leaves either the whole folder or one with another name.

Reading it is reading what an attacker may have written: regular files and folders only, bounded in number and size, no
link followed, exactly one run. Chain and receipt have to hold. That proves the folder consistent, not honest: what is
said of it after that is made of its trace's values, encoded, and `programs.recheck` decides whether good is believed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from dev_agent.errors import UsageFault
from dev_agent.forges.artifact import require_bounded, require_free
from dev_agent.programs.folders import RunFolder
from dev_agent.programs.proof import Mark
from dev_agent.programs.recheck import read_merge
from dev_agent.programs.verify import verify_file
from dev_agent.runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from dev_agent.programs.merge_report import MergeReport

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}\Z")


def write_merge_artifact(folder: Path, run: RunFolder) -> None:
    """Copy the run to `folder/<run>`. Raises UsageFault if `folder` holds something already.

    Order: a copy beside it → rename. Killed before the rename the place is free.
    """
    require_free(folder)
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    made.mkdir(parents=True)
    shutil.copytree(run.path, made / run.run, symlinks=True, ignore=shutil.ignore_patterns("lock"))
    if folder.is_dir():
        folder.rmdir()
    made.rename(folder)


def read_merge_artifact(folder: Path) -> MergeReport:
    """The report in an artifact, if it holds together. Raises UsageFault that says what does not."""
    try:
        require_bounded(folder)
        names = sorted(entry.name for entry in os.scandir(folder))
        if len(names) != 1 or not _RUN_ID.match(names[0]):
            raise ValueError("it does not hold exactly one run")
        run = RunFolder(run=names[0], path=folder / names[0])
        proof = verify_file(run.path, None)
        bad = next((one for one in proof.checks if one.mark is Mark.BAD), None)
        if bad is not None:
            raise ValueError(f"its proof does not hold: {bad.name}: {bad.detail}")
        if proof.run != run.run or "chain" not in {one.name for one in proof.checks if one.mark is Mark.OK}:
            raise ValueError("its chain could not be checked")
        return read_merge(run)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, RuntimeFault) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageFault(
            f"the artifact cannot be used: {said}"[:500],
            hint="make a new one: run the judging job again (dev-agent premerge --artifact DIR)",
        ) from error
