"""Which confinement this machine offers.

Rules kept here:
- a variant counts as working only after it has really run a program here once, now or, where the caller has a place to
  remember it (`remembered`), under the very same circumstances not long ago;
- the stronger tier comes first: "auto" takes rules without namespaces only where namespaces fail;
- "auto" never means "off": without confinement there is no run, unless the user says so in so many words;
- every failure is explained with its remedy.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from dev_agent.cancel import Cancel
from dev_agent.errors import EnvironmentFault, UsageFault
from dev_agent.sandbox import binary, kernel, scratch, seccomp
from dev_agent.sandbox.bubblewrap import Bubblewrap
from dev_agent.sandbox.job import Ended, EndedHow, Job, Limits, Mount, MountKind
from dev_agent.sandbox.landlock import OLDEST_ABI, WITH_SCOPES, Landlock
from dev_agent.sandbox.off import Off
from dev_agent.sandbox.profile import Profile
from dev_agent.sandbox.remembered import Remembered, circumstances
from dev_agent.sandbox.sandbox import Probe, Sandbox, SandboxUnavailable
from dev_agent.values import dataclass

SETTINGS = ("auto", "bubblewrap", "landlock", "off")
_OVERLAY = Path("/overlay")
_TRIAL_LIMITS = Limits(wall_s=60, cpu_s=10, memory_bytes=1024**3, processes=64)
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))
_ON_LINUX = "run dev-agent in a Linux container or virtual machine"
_ENDS = "elsewhere the end of all that a job starts is not certain"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tried:
    probe: Probe
    sandbox: Sandbox | None


def choose(
    setting: str,
    profile: Profile,
    *,
    scratch_root: Path | None = None,
    bwrap: Path | None = None,
    outside: Sequence[Path] = (),
    memory: Path | None = None,
) -> Sandbox:
    """The sandbox for `setting`: "auto", "bubblewrap", "landlock" or "off".

    `scratch_root` is a private directory for copies; default one of the user's own below the temporary
    directory. `bwrap` is a configured program; `outside` are repositories it must not come from. `memory` is a
    folder in which it is remembered that a trial run worked. Raises SandboxUnavailable with every place that was
    tried, UsageFault for another setting.
    """
    if setting not in SETTINGS:
        raise UsageFault(f"no sandbox {setting!r}", hint=f"there are: {', '.join(SETTINGS)}")
    root = scratch_root or default_scratch_root()
    if setting == "off":
        if sys.platform != "linux":
            # Its supervisor finds what a job left behind by means of Linux: prctl(2) and /proc.
            raise SandboxUnavailable(
                f"running code needs Linux, also without a sandbox: {_ENDS}", hint=_ON_LINUX
            )
        return Off(scratch_root=root)
    failed = []
    for tried in _trials(setting, profile, root, bwrap, outside, memory):
        if tried.sandbox is not None:
            return tried.sandbox
        failed.append(tried.probe)
    raise SandboxUnavailable(
        "no sandbox works here: " + "; ".join(f"{probe.name}: {probe.detail}" for probe in failed),
        hint="; or ".join(dict.fromkeys(probe.remedy for probe in failed if probe.remedy)),
    )


def probes(
    profile: Profile | None = None,
    *,
    setting: str = "auto",
    scratch_root: Path | None = None,
    bwrap: Path | None = None,
    outside: Sequence[Path] = (),
) -> tuple[Probe, ...]:
    """What trying every variant that `setting` may mean shows, in the order of preference.

    Takes a fraction of a second. `off` is no variant to try.
    """
    root = scratch_root or default_scratch_root()
    return tuple(tried.probe for tried in _trials(setting, profile or Profile(), root, bwrap, outside, None))


def default_scratch_root() -> Path:
    """A private directory of this user's below the temporary directory.

    Raises EnvironmentFault if it is not.
    """
    path = Path(tempfile.gettempdir()).resolve() / f"dev-agent-{os.geteuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    # Anybody can make the name first, in a directory all can write to.
    private = status.st_uid == os.geteuid() and not status.st_mode & 0o077
    if not stat.S_ISDIR(status.st_mode) or not private:
        raise EnvironmentFault(f"{path} is not a private directory of yours", hint=f"remove {path}")
    return path


def _trials(
    setting: str,
    profile: Profile,
    root: Path,
    bwrap: Path | None,
    outside: Sequence[Path],
    memory: Path | None,
) -> Iterator[_Tried]:
    """Each variant that `setting` may mean, tried when its turn comes."""
    machine = os.uname().machine
    if sys.platform != "linux":
        yield _failed("confinement", 1, "needs Linux", _ON_LINUX)
        return
    if not seccomp.supported(machine):
        yield _failed("confinement", 1, f"no system-call filter for {machine}", "use x86_64 or aarch64")
        return
    if setting in {"auto", "bubblewrap"}:
        yield from _bubblewraps(profile, root, bwrap, outside, memory)
    if setting in {"auto", "landlock"}:
        yield _try_landlock(profile, root)


def _bubblewraps(
    profile: Profile, root: Path, bwrap: Path | None, outside: Sequence[Path], memory: Path | None
) -> Iterator[_Tried]:
    for candidate in binary.candidates(bwrap, outside):
        if isinstance(candidate, binary.Unfit):
            yield _failed(f"bubblewrap ({candidate.place})", 1, candidate.reason, candidate.remedy)
        else:
            yield _try(candidate, profile, root, memory)


def _failed(name: str, tier: int, detail: str, remedy: str) -> _Tried:
    return _Tried(probe=Probe(name=name, tier=tier, works=False, detail=detail, remedy=remedy), sandbox=None)


def _try_landlock(profile: Profile, root: Path) -> _Tried:
    abi = kernel.landlock_abi()
    if abi < OLDEST_ABI:
        there = f"this kernel offers ABI {abi}" if abi else "this kernel has none, or it is switched off"
        remedy = "use Linux 6.7 or later with landlock among its security modules (lsm=...,landlock)"
        return _failed("landlock", 2, f"ABI {OLDEST_ABI} is needed; {there}", remedy)
    sandbox = Landlock(profile, scratch_root=root, abi=abi)
    result = sandbox.run(Job(argv=("true",), cwd=Path("/"), limits=_TRIAL_LIMITS), Cancel())
    if result.how is not EndedHow.EXITED or result.code != 0:
        said = result.detail or f"the trial run ended with {result.how} {result.code}"
        return _failed("landlock", 2, said, "see which of its system calls this machine refuses")
    held = "files, sockets, signals" if abi >= WITH_SCOPES else "files and sockets"
    detail = f"ABI {abi} ({held}), scratch by copy, no namespaces"
    return _Tried(probe=Probe(name="landlock", tier=2, works=True, detail=detail), sandbox=sandbox)


def _try(candidate: binary.Binary, profile: Profile, root: Path, memory: Path | None) -> _Tried:
    name = f"bubblewrap ({candidate.origin})"
    setpriv = binary.find_setpriv()
    if os.geteuid() == 0 and setpriv is None:
        remedy = "install util-linux, or run dev-agent as an ordinary user"
        return _failed(name, 1, "run by root, a job needs setpriv to stop being root; there is none", remedy)
    known = _known(candidate, setpriv, profile, root, memory)

    def make(*, overlay: bool) -> Bubblewrap:
        return Bubblewrap(candidate, profile, scratch_root=root, setpriv=setpriv, overlay=overlay)

    if known is not None and known.worked():
        sandbox: Bubblewrap | None = make(overlay=_overlay_may_work(candidate))
        reason = ""
    else:
        sandbox, reason = _trial(make, root, overlay=_overlay_may_work(candidate))
    if sandbox is None:
        return _failed(name, 1, reason, explain(reason))
    if known is not None and sandbox.overlay is _overlay_may_work(candidate):
        sandbox.on_refusal = lambda said: _disappointed(known, said)
        if not known.worked():
            known.remember()
    detail = f"{candidate.path}, version {candidate.version_text}, scratch by {sandbox.describe()['scratch']}"
    return _Tried(probe=Probe(name=name, tier=1, works=True, detail=detail), sandbox=sandbox)


def _known(
    candidate: binary.Binary, setpriv: Path | None, profile: Profile, root: Path, memory: Path | None
) -> Remembered | None:
    """What is remembered of a trial with this program; None if the caller has no place for that."""
    if memory is None:
        return None
    programs = (candidate.path, *([setpriv] if setpriv else []), Path(sys.executable))
    return Remembered(memory, circumstances(programs=programs, profile=profile, scratch_root=root))


def _disappointed(known: Remembered, said: str) -> str:
    """A job could not be set up: what was remembered is forgotten. What to do about it."""
    known.forget()
    return explain(said)


def _overlay_may_work(candidate: binary.Binary) -> bool:
    return candidate.version >= binary.WITH_OVERLAY


def _trial(make: Callable[..., Bubblewrap], root: Path, *, overlay: bool) -> tuple[Bubblewrap | None, str]:
    """Run something small once with the real list, with an overlay first where there may be one."""
    sandbox = make(overlay=overlay)
    result = (
        _overlaid(sandbox, root) if overlay else sandbox.run(_trial_job(argv=("true",), mounts=()), Cancel())
    )
    if result.how is EndedHow.EXITED and result.code == 0:
        return sandbox, ""
    if overlay:
        return _trial(make, root, overlay=False)
    said = result.stderr.decode(errors="replace").strip()
    return None, result.detail or said or f"the trial run ended with {result.how} {result.code}"


def _overlaid(sandbox: Bubblewrap, root: Path) -> Ended:
    """Write to an overlay: root's job is somebody else, so that it can be mounted is not enough."""
    try:
        with ExitStack() as stack:
            # The smallest system directory there is for sure; nothing of it is read.
            source, ours = Path(__file__).parent, os.geteuid() == 0
            if ours:
                source = stack.enter_context(scratch.folder(root)) / "tree"
                source.mkdir()
            mount = Mount(kind=MountKind.SCRATCH, target=_OVERLAY, source=source, ours=ours)
            return sandbox.run(_trial_job(argv=("mkdir", f"{_OVERLAY}/new"), mounts=(mount,)), Cancel())
    except OSError as error:
        return Ended(how=EndedHow.UNAVAILABLE, detail=str(error))


def _trial_job(*, argv: tuple[str, ...], mounts: tuple[Mount, ...]) -> Job:
    return Job(argv=argv, cwd=Path("/"), mounts=mounts, limits=_TRIAL_LIMITS)


def explain(reason: str) -> str:
    """What to do about a trial that failed, by what bubblewrap said and what kind of machine this is."""
    if "setpriv" in reason:
        return "install the setpriv of util-linux (busybox's cannot change the user)"
    if (
        "uid map" in reason
        or "namespace" in reason
        or "ermission denied" in reason
        or "not permitted" in reason
    ):
        if _APPARMOR.exists() and _APPARMOR.read_text(encoding="ascii").strip() == "1":
            return (
                "AppArmor restricts user namespaces here: install the distribution's bubblewrap with its "
                "AppArmor profile (bwrap-userns-restrict), or in a CI job: "
                "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
            )
        if any(mark.exists() for mark in _CONTAINER_MARKS):
            return (
                "this container may not make namespaces: start it with --security-opt seccomp=unconfined "
                "--security-opt apparmor=unconfined (and --cap-add SYS_ADMIN if it runs as root)"
            )
        return (
            "allow user namespaces: sudo sysctl -w user.max_user_namespaces=15000, "
            "and on Debian kernels kernel.unprivileged_userns_clone=1"
        )
    return "run it by hand to see more; --sandbox=off runs without any confinement"
