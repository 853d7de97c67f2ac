"""The argument list for bubblewrap: this list is the confinement.

Bubblewrap promises nothing by itself, so every line here has a reason, and the order matters:

    namespaces and identity, then the system's own directories (read-only), /proc and /dev and the in-memory
    directories, then the job's mounts from the outside in, then environment and filter, and last of all `/`
    itself read-only: until then it is a writable file system of half the machine's memory.

Pure: what the host looks like comes in as a `Layout`, descriptors through `hold`, so a test can compare
lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dev_agent.sandbox import environment
from dev_agent.sandbox.identity import Identity
from dev_agent.sandbox.job import Job, Mount, MountKind
from dev_agent.sandbox.mounts import enclosing
from dev_agent.sandbox.profile import Profile
from dev_agent.values import dataclass

_ROOT_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
# What linking, time, character sets and TLS look up. Not passwd, hosts or resolv.conf: they tell about the
# host.
_ETC = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/alternatives",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
)
_RESOLVER = "/etc/resolv.conf"

Hold = Callable[[bytes], int]
"""Keeps bytes readable on a descriptor that bubblewrap inherits, and returns its number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """The host's own directories: `links` are (target, path) as for `ln -s`, `binds` are shown read-only."""

    links: tuple[tuple[str, str], ...]
    binds: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wiring:
    """What the run around the list provides.

    `copies` are the private copies of scratch sources, by target; scratch mounts without one use an overlay.
    `filter` is the system-call filter. `setpriv` is where it is found, needed if the identity changes.
    """

    hold: Hold
    status_fd: int
    filter: bytes
    copies: Mapping[Path, Path]
    setpriv: Path | None = None


def host_layout(extra: Sequence[Path] = ()) -> Layout:
    """Look at this host. `extra` are more host paths to show, from the profile; missing ones are left out."""
    links, binds = [], [Path("/usr")]
    for name in _ROOT_LINKS:
        path = Path("/", name)
        if path.is_symlink():
            links.append((str(path.readlink()), str(path)))
        elif path.is_dir():
            binds.append(path)
    binds += [path for path in (*map(Path, _ETC), *extra) if path.exists()]
    return Layout(links=tuple(links), binds=tuple(binds))


def bubblewrap_arguments(
    job: Job, mounts: Sequence[Mount], profile: Profile, layout: Layout, identity: Identity, wiring: Wiring
) -> list[str]:
    """Everything after `bwrap`, `--` and the command included.

    `mounts` are the job's, in order and checked.
    """
    tree = _Tree()
    return [
        *_namespaces(job, identity, wiring),
        *_system(job, profile, layout, identity, wiring, tree),
        *[argument for mount in mounts for argument in _mount(mount, mounts, identity, wiring, tree)],
        *_environment(job),
        *("--seccomp", str(wiring.hold(wiring.filter))),
        *("--chdir", str(job.cwd)),
        # /proc/sys is the kernel's configuration: mounted fresh it is as writable as the caller is powerful.
        *("--remount-ro", "/proc"),
        *("--remount-ro", "/"),
        "--",
        *_become(identity, wiring),
        *job.argv,
    ]


class _Tree:
    """Which directories the sandbox's own root already has.

    Bubblewrap would make the others with mode 0700.
    """

    def __init__(self) -> None:
        self._made: set[Path] = {Path("/")}

    def parents(self, target: Path) -> list[str]:
        arguments: list[str] = []
        for parent in reversed(target.parents):
            if parent not in self._made:
                arguments += ["--perms", "0755", "--dir", str(parent)]
                self._made.add(parent)
        return arguments

    def add(self, *paths: Path) -> None:
        self._made.update(paths)


def _namespaces(job: Job, identity: Identity, wiring: Wiring) -> list[str]:
    arguments = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if not job.network:
        arguments.append("--unshare-net")
    if identity.changes:
        # What setpriv needs to become somebody without any, and what it takes to enter a working directory that
        # belongs to that somebody alone. setpriv gives them up for good.
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_DAC_READ_SEARCH"):
            arguments += ["--cap-add", capability]
        arguments = ["--cap-drop", "ALL", *arguments]
    else:
        inside = ["--uid", str(identity.uid), "--gid", str(identity.gid)]
        arguments = ["--cap-drop", "ALL", "--unshare-user", "--disable-userns", *inside, *arguments]
    return [
        *arguments,
        *("--hostname", "sandbox"),
        "--die-with-parent",
        # A session of its own has no terminal to push input into.
        "--new-session",
        *("--json-status-fd", str(wiring.status_fd)),
    ]


def _system(
    job: Job, profile: Profile, layout: Layout, identity: Identity, wiring: Wiring, tree: _Tree
) -> list[str]:
    arguments: list[str] = []
    for target, link in layout.links:
        arguments += ["--symlink", target, link]
        tree.add(Path(link))
    for shown in layout.binds:
        arguments += [*tree.parents(shown), "--ro-bind", str(shown), str(shown)]
        tree.add(shown)
    if job.network:
        arguments += [*tree.parents(Path(_RESOLVER)), "--ro-bind-try", _RESOLVER, _RESOLVER]
    for name, content in _etc(identity, network=job.network):
        path = Path("/etc", name)
        descriptor = str(wiring.hold(content.encode()))
        arguments += [*tree.parents(path), "--perms", "0444", "--ro-bind-data", descriptor, str(path)]
    # The directory belongs to root there; the job is the only other user that exists.
    home_mode = "0777" if identity.changes else "0700"
    home = Path(environment.HOME)
    arguments += [
        *("--proc", "/proc", "--dev", "/dev"),
        *("--perms", "1777", "--size", str(profile.shm_bytes), "--tmpfs", "/dev/shm"),  # noqa: S108
        *("--remount-ro", "/dev"),
        *("--perms", "1777", "--size", str(profile.tmp_bytes), "--tmpfs", environment.TMP),
        *tree.parents(home),
        *("--perms", home_mode, "--size", str(profile.home_bytes), "--tmpfs", str(home)),
    ]
    tree.add(Path("/tmp"), home)  # noqa: S108
    return arguments


def _etc(identity: Identity, *, network: bool) -> tuple[tuple[str, str], ...]:
    """Made-up tables, so that the host's accounts and names stay the host's."""
    uid, gid, home = identity.uid, identity.gid, environment.HOME
    passwd = (
        f"root:x:0:0:root:/:/usr/sbin/nologin\nsandbox:x:{uid}:{gid}:sandbox:{home}:/bin/sh\n"
        "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
    )
    names = "files dns" if network else "files"
    return (
        ("passwd", passwd),
        ("group", f"root:x:0:\nsandbox:x:{gid}:\nnogroup:x:65534:\n"),
        ("hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n"),
        ("nsswitch.conf", f"passwd: files\ngroup: files\nshadow: files\nhosts: {names}\n"),
    )


def _mount(
    mount: Mount, mounts: Sequence[Mount], identity: Identity, wiring: Wiring, tree: _Tree
) -> list[str]:
    around = enclosing(mount, mounts)
    arguments: list[str] = []
    if around is None or around.kind is MountKind.TMPFS or _is_overlay(around, wiring):
        arguments = tree.parents(mount.target)
    tree.add(*mount.target.parents, mount.target)
    target, source = str(mount.target), str(mount.source)
    permissions = _octal(mount.permissions, identity)
    match mount.kind:
        case MountKind.READ_ONLY:
            return [*arguments, "--ro-bind", source, target]
        case MountKind.WRITABLE:
            return [*arguments, "--bind", source, target]
        case MountKind.SCRATCH if _is_overlay(mount, wiring):
            # The top of an overlay is bubblewrap's, and so root's where root runs it.
            opened = ["--chmod", "0777", target] if identity.changes else []
            return [*arguments, "--overlay-src", source, "--tmp-overlay", target, *opened]
        case MountKind.SCRATCH:
            return [*arguments, "--bind", str(wiring.copies[mount.target]), target]
        case MountKind.TMPFS:
            return [*arguments, "--perms", permissions, "--size", str(mount.size), "--tmpfs", target]
        case MountKind.DATA:
            descriptor = str(wiring.hold(mount.data))
            return [*arguments, "--perms", permissions, "--ro-bind-data", descriptor, target]


def _is_overlay(mount: Mount, wiring: Wiring) -> bool:
    return mount.kind is MountKind.SCRATCH and mount.target not in wiring.copies


def _octal(mode: int, identity: Identity) -> str:
    if identity.changes:
        # Made by root for a job that is somebody else: what its owner may do, the job has to be able to.
        mode |= (mode & 0o700) >> 6
    return f"{mode:04o}"


def _environment(job: Job) -> list[str]:
    arguments = ["--clearenv"]
    for name, value in environment.complete(job.env).items():
        arguments += ["--setenv", name, value]
    return arguments


def _become(identity: Identity, wiring: Wiring) -> list[str]:
    if not identity.changes:
        return []
    return [
        str(wiring.setpriv),
        *("--reuid", str(identity.uid), "--regid", str(identity.gid), "--clear-groups"),
        *("--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--"),
    ]
