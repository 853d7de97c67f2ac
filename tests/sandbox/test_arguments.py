"""The argument list is the policy, so it is compared as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev_agent.sandbox.arguments import Layout, Wiring, bubblewrap_arguments, host_layout
from dev_agent.sandbox.identity import Identity, ordinary
from dev_agent.sandbox.job import Job, Mount
from dev_agent.sandbox.mounts import in_order
from dev_agent.sandbox.profile import Profile
from tests.sandbox.lab import DATA, READ_ONLY, SCRATCH, TMPFS, WRITABLE

LAYOUT = Layout(links=(("usr/bin", "/bin"),), binds=(Path("/usr"), Path("/etc/ssl/certs")))
REPO = Path("/home/ann/repo")
MOUNTS = in_order(
    [
        Mount(kind=DATA, target=REPO / ".git"),
        Mount(kind=READ_ONLY, target=REPO / ".venv", source=REPO / ".venv"),
        Mount(kind=SCRATCH, target=REPO, source=Path("/state/slot")),
        Mount(kind=WRITABLE, target=Path("/cache"), source=Path("/state/cache")),
        Mount(kind=TMPFS, target=REPO / "build", size=1000),
    ]
)
ROOTS_JOB = Identity(uid=61184, gid=61184, changes=True)


class Held:
    """Numbers descriptors from 100 and remembers what is on them."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def __call__(self, data: bytes) -> int:
        self.data.append(data)
        return 99 + len(self.data)


def arguments(
    identity: Identity, copies: dict[Path, Path], held: Held, *, network: bool = False
) -> list[str]:
    job = Job(argv=("python", "-m", "pytest"), cwd=REPO, env={"ZED": "1"}, mounts=MOUNTS, network=network)
    wiring = Wiring(
        hold=held, status_fd=50, filter=b"filter", copies=copies, setpriv=Path("/usr/bin/setpriv")
    )
    return bubblewrap_arguments(job, MOUNTS, Profile(), LAYOUT, identity, wiring)


SYSTEM = """
--symlink usr/bin /bin
--ro-bind /usr /usr
--perms 0755 --dir /etc
--perms 0755 --dir /etc/ssl
--ro-bind /etc/ssl/certs /etc/ssl/certs
--perms 0444 --ro-bind-data 100 /etc/passwd
--perms 0444 --ro-bind-data 101 /etc/group
--perms 0444 --ro-bind-data 102 /etc/hosts
--perms 0444 --ro-bind-data 103 /etc/nsswitch.conf
--proc /proc --dev /dev
--perms 1777 --size 67108864 --tmpfs /dev/shm
--remount-ro /dev
--perms 1777 --size 268435456 --tmpfs /tmp
--perms 0755 --dir /home
"""
ENVIRONMENT = """
--clearenv
--setenv HOME /home/sandbox
--setenv LANG C.UTF-8
--setenv PATH /usr/local/bin:/usr/bin:/bin
--setenv PYTHONDONTWRITEBYTECODE 1
--setenv PYTHONSAFEPATH 1
--setenv TMPDIR /tmp
--setenv ZED 1
--seccomp 105
--chdir /home/ann/repo
--remount-ro /proc
--remount-ro /
--
"""


def test_the_list_for_an_ordinary_user_with_overlays() -> None:
    held = Held()
    assert (
        arguments(ordinary(), {}, held)
        == (
            """
        --cap-drop ALL --unshare-user --disable-userns --uid 1000 --gid 1000
        --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --unshare-net
        --hostname sandbox --die-with-parent --new-session --json-status-fd 50
        """
            + SYSTEM
            + """
        --perms 0700 --size 67108864 --tmpfs /home/sandbox
        --bind /state/cache /cache
        --perms 0755 --dir /home/ann
        --overlay-src /state/slot --tmp-overlay /home/ann/repo
        --perms 0444 --ro-bind-data 104 /home/ann/repo/.git
        --ro-bind /home/ann/repo/.venv /home/ann/repo/.venv
        --perms 0700 --size 1000 --tmpfs /home/ann/repo/build
        """
            + ENVIRONMENT
            + "python -m pytest"
        ).split()
    )
    assert b"sandbox:x:1000:1000:" in held.data[0]
    assert held.data[5] == b"filter"


def test_the_list_for_root_with_copies() -> None:
    held = Held()
    assert (
        arguments(ROOTS_JOB, {REPO: Path("/scratch/job-1/tree")}, held)
        == (
            """
        --cap-drop ALL --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --unshare-net
        --cap-add CAP_SETUID --cap-add CAP_SETGID --cap-add CAP_SETPCAP --cap-add CAP_DAC_READ_SEARCH
        --hostname sandbox --die-with-parent --new-session --json-status-fd 50
        """
            + SYSTEM
            + """
        --perms 0777 --size 67108864 --tmpfs /home/sandbox
        --bind /state/cache /cache
        --perms 0755 --dir /home/ann
        --bind /scratch/job-1/tree /home/ann/repo
        --perms 0444 --ro-bind-data 104 /home/ann/repo/.git
        --ro-bind /home/ann/repo/.venv /home/ann/repo/.venv
        --perms 0707 --size 1000 --tmpfs /home/ann/repo/build
        """
            + ENVIRONMENT
            + """
        /usr/bin/setpriv --reuid 61184 --regid 61184 --clear-groups --no-new-privs --bounding-set=-all
        --inh-caps=-all -- python -m pytest
        """
        ).split()
    )
    assert b"sandbox:x:61184:61184:" in held.data[0]


def test_the_network_brings_the_resolver_and_leaves_the_namespace_out() -> None:
    held = Held()
    with_network = arguments(ordinary(), {}, held, network=True)
    assert "--unshare-net" not in with_network
    at = with_network.index("/etc/resolv.conf")
    assert with_network[at - 1] == "--ro-bind-try"
    assert b"files dns" in held.data[3]


def test_a_command_cannot_become_an_option() -> None:
    job = Job(argv=("--bind", "/", "/"), cwd=Path("/"))
    wiring = Wiring(hold=Held(), status_fd=50, filter=b"", copies={})
    listed = bubblewrap_arguments(job, (), Profile(), LAYOUT, ordinary(), wiring)
    assert listed[listed.index("--") :] == ["--", "--bind", "/", "/"]


def test_this_hosts_layout_shows_the_system_and_what_the_profile_adds(tmp_path: Path) -> None:
    layout = host_layout([tmp_path, tmp_path / "missing"])
    assert layout.binds[0] == Path("/usr")
    assert layout.binds[-1] == tmp_path
    shown = {str(path) for path in layout.binds} | {path for _, path in layout.links}
    assert {"/bin", "/lib"} <= shown
    assert not {"/etc/passwd", "/etc/shadow", "/etc/resolv.conf", "/root", "/home", "/run"} & shown


@pytest.mark.parametrize("path", ["/etc", "/var", "/home", "/root", "/run", "/mnt", "/"])
def test_nothing_shown_contains_the_hosts_private_places(path: str) -> None:
    assert Path(path) not in host_layout().binds
