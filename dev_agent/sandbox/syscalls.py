"""The system calls a job is refused, and their numbers.

The table is the policy: one row a call, with its number on x86_64 and on aarch64 (None where the
architecture has no such call) and the error the job sees. ENOSYS where programs try a newer call first and
fall back, EPERM where a refusal is what they have to hear.

Numbers: Linux `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`; from 424 on
all architectures share them.
"""

from __future__ import annotations

import errno

from dev_agent.values import dataclass


@dataclass(frozen=True, slots=True)
class Denied:
    """One refused call."""

    name: str
    x86_64: int | None
    aarch64: int | None
    error: int = errno.EPERM


OPTIONAL = frozenset({"memfd_create", "shmget"})
"""Refused because memory they take is in no process's account; a profile may allow them by name."""

DENIED: tuple[Denied, ...] = (
    # Looking into other processes, or at the kernel's side of them.
    Denied("ptrace", 101, 117),
    Denied("process_vm_readv", 310, 270),
    Denied("process_vm_writev", 311, 271),
    Denied("process_madvise", 440, 440),
    Denied("kcmp", 312, 272),
    Denied("pidfd_getfd", 438, 438),
    Denied("perf_event_open", 298, 241),
    Denied("userfaultfd", 323, 282),
    Denied("bpf", 321, 280),
    Denied("syslog", 103, 116),
    Denied("lookup_dcookie", 212, 18),
    # Rings carry operations past this very filter.
    Denied("io_uring_setup", 425, 425, errno.ENOSYS),
    Denied("io_uring_enter", 426, 426, errno.ENOSYS),
    Denied("io_uring_register", 427, 427, errno.ENOSYS),
    # Keys belong to the user, not to a namespace.
    Denied("keyctl", 250, 219),
    Denied("add_key", 248, 217),
    Denied("request_key", 249, 218),
    # New namespaces and mounts. clone3 hides its flags behind a pointer, so glibc has to fall back to clone,
    # whose flags `seccomp` looks at.
    Denied("unshare", 272, 97),
    Denied("setns", 308, 268),
    Denied("clone3", 435, 435, errno.ENOSYS),
    Denied("mount", 165, 40),
    Denied("umount2", 166, 39),
    Denied("pivot_root", 155, 41),
    Denied("chroot", 161, 51),
    Denied("open_tree", 428, 428),
    Denied("move_mount", 429, 429),
    Denied("fsopen", 430, 430),
    Denied("fsconfig", 431, 431),
    Denied("fsmount", 432, 432),
    Denied("fspick", 433, 433),
    Denied("mount_setattr", 442, 442),
    Denied("open_tree_attr", 467, 467),
    Denied("open_by_handle_at", 304, 265),
    Denied("fanotify_init", 300, 262),
    # The machine itself.
    Denied("kexec_load", 246, 104),
    Denied("kexec_file_load", 320, 294),
    Denied("init_module", 175, 105),
    Denied("finit_module", 313, 273),
    Denied("delete_module", 176, 106),
    Denied("reboot", 169, 142),
    Denied("swapon", 167, 224),
    Denied("swapoff", 168, 225),
    Denied("acct", 163, 89),
    Denied("quotactl", 179, 60),
    Denied("quotactl_fd", 443, 443),
    Denied("vhangup", 153, 58),
    Denied("settimeofday", 164, 170),
    Denied("clock_settime", 227, 112),
    Denied("ioperm", 173, None),
    Denied("iopl", 172, None),
    Denied("modify_ldt", 154, None),
    Denied("uselib", 134, None),
    # Memory outside of every process's account.
    Denied("memfd_create", 319, 279, errno.ENOSYS),
    Denied("memfd_secret", 447, 447, errno.ENOSYS),
    Denied("shmget", 29, 194, errno.ENOSYS),
    # Its mode hides behind a pointer; see the set-user-id rule in `seccomp`.
    Denied("openat2", 437, 437, errno.ENOSYS),
)

SHARED: tuple[Denied, ...] = (
    # Objects of the host's ipc namespace: whoever knows their number, or guesses it, has them.
    Denied("shmget", 29, 194, errno.ENOSYS),
    Denied("shmat", 30, 196, errno.ENOSYS),
    Denied("shmctl", 31, 195, errno.ENOSYS),
    Denied("semget", 64, 190, errno.ENOSYS),
    Denied("semop", 65, 193, errno.ENOSYS),
    Denied("semctl", 66, 191, errno.ENOSYS),
    Denied("semtimedop", 220, 192, errno.ENOSYS),
    Denied("msgget", 68, 186, errno.ENOSYS),
    Denied("msgsnd", 69, 189, errno.ENOSYS),
    Denied("msgrcv", 70, 188, errno.ENOSYS),
    Denied("msgctl", 71, 187, errno.ENOSYS),
    Denied("mq_open", 240, 180, errno.ENOSYS),
    Denied("mq_unlink", 241, 181, errno.ENOSYS),
    # Priorities and memory of processes that are not the job's.
    Denied("ioprio_set", 251, 30),
    Denied("migrate_pages", 256, 238),
    Denied("move_pages", 279, 239),
    Denied("process_mrelease", 448, 448),
)
"""Refused besides, where the host's ipc and pid namespaces are the job's too; no profile allows them there."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A call of which one argument decides; arguments count from 0.

    `flags`, where set, is the argument with the open flags: the mode counts only if they create a file, and
    is whatever was left in the register otherwise. `also` is a second argument that decides as the first does.
    """

    name: str
    x86_64: int | None
    aarch64: int | None
    argument: int
    flags: int | None = None
    also: int | None = None


CLONE = Inspected("clone", 56, 220, 0)
IOCTL = Inspected("ioctl", 16, 29, 1)
SOCKET = Inspected("socket", 41, 198, 0)
SOCKETPAIR = Inspected("socketpair", 53, 199, 0)

ON_OTHERS: tuple[Inspected, ...] = (
    # The first argument of setpriority is "a process" if it is 0; which one is the second.
    Inspected("setpriority", 141, 140, 0, also=1),
    Inspected("prlimit64", 302, 261, 0),
    Inspected("sched_setparam", 142, 118, 0),
    Inspected("sched_setscheduler", 144, 119, 0),
    Inspected("sched_setaffinity", 203, 122, 0),
    Inspected("sched_setattr", 314, 274, 0),
)
"""Calls that set something for any process of the user, the one that judges included: a limit of no processor time
ends it."""

MODES: tuple[Inspected, ...] = (
    Inspected("chmod", 90, None, 1),
    Inspected("fchmod", 91, 52, 1),
    Inspected("fchmodat", 268, 53, 2),
    Inspected("fchmodat2", 452, 452, 2),
    Inspected("creat", 85, None, 1),
    Inspected("open", 2, None, 2, flags=1),
    Inspected("openat", 257, 56, 3, flags=2),
    Inspected("mknod", 133, None, 1),
    Inspected("mknodat", 259, 33, 2),
)
"""Calls that can put the set-user-id bit on a file, and which argument is the mode."""
