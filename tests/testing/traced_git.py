"""A git in front of the real one that notes what it is asked: so a test sees which children were started."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from tests.testing.repos import Project


@dataclass(frozen=True, kw_only=True)
class TracedGit:
    """`project` sees the noting git first on its PATH."""

    project: Project
    log: Path

    def forget(self) -> None:
        """Begin the notes anew."""
        self.log.write_text("")

    def asked(self) -> list[str]:
        """The commands git was asked for since `forget`."""
        return self.log.read_text().split()


def traced(project: Project, folder: Path) -> TracedGit:
    """`project` with a noting git in `folder/bin`."""
    real = shutil.which("git", path=project.environ["PATH"])
    assert real
    program, log = folder / "bin" / "git", folder / "asked"
    program.parent.mkdir()
    log.touch()
    # The command is the first word behind the options and their values.
    program.write_text(
        "#!/bin/sh\n"
        'skip=""\n'
        'for word in "$@"; do\n'
        '  if [ -n "$skip" ]; then skip=""; elif [ "$word" = -c ]; then skip=1\n'
        f'  else printf "%s\\n" "$word" >> {shlex.quote(str(log))}; break; fi\n'
        "done\n"
        f'exec {shlex.quote(real)} "$@"\n'
    )
    program.chmod(0o755)
    path = f"{program.parent}:{project.environ['PATH']}"
    return TracedGit(project=replace(project, environ={**project.environ, "PATH": path}), log=log)
