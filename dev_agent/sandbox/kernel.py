"""The kernel calls of tier 2 that Python has no function for, by ctypes. Standard library only.

Rules kept here: every call that fails raises OSError with its name; a number or a layout stands beside the header
it is from. Nothing is decided here; `confine` calls these in the order that is safe, in a process of its own.
"""

from __future__ import annotations

import ctypes
import os
import struct
from enum import IntFlag

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_ASK_VERSION = 1
_PATH_BENEATH = 1

# include/uapi/linux/prctl.h
_SET_SECCOMP, _CAPBSET_DROP = 22, 24
_SET_NO_NEW_PRIVS, _CAP_AMBIENT = 38, 47
_AMBIENT_CLEAR_ALL = 4
_MODE_FILTER = 2
_CAPABILITIES_3 = 0x20080522  # include/uapi/linux/capability.h
_MOST_CAPABILITIES = 64


class Access(IntFlag):
    """What Landlock lets do with files (include/uapi/linux/landlock.h); the ABI that brought it where not 1."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13  # 2
    TRUNCATE = 1 << 14  # 3
    IOCTL_DEV = 1 << 15  # 5


READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
WRITE = ~(Access.MAKE_CHAR | Access.MAKE_BLOCK | Access.IOCTL_DEV)
DEVICE = Access.READ_FILE | Access.WRITE_FILE | Access.TRUNCATE | Access.IOCTL_DEV
_OF_FILES = Access.EXECUTE | Access.READ_FILE | DEVICE
_TCP = 0b11  # bind and connect, ABI 4
_SCOPES = 0b11  # abstract unix sockets and signals, ABI 6


def landlock_abi() -> int:
    """The version of Landlock this kernel offers; 0 if none, or if it is switched off."""
    libc = ctypes.CDLL(None, use_errno=True)
    found = int(libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), _ASK_VERSION))
    return max(found, 0)


def handled(abi: int) -> Access:
    """All file rights an ABI knows: what no rule gives is denied."""
    known = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5)
    return Access((1 << known) - 1)


class Ruleset:
    """A Landlock rule set in the making. `tcp` says whether TCP is denied."""

    def __init__(self, abi: int, *, tcp: bool) -> None:
        self._handled = handled(abi)
        attributes = struct.pack("<QQ", self._handled, _TCP if tcp else 0)
        if abi >= 6:
            attributes += struct.pack("<Q", _SCOPES)
        self._fd = _call(_CREATE_RULESET, attributes, len(attributes), 0)

    def allow(self, path: str, access: Access) -> None:
        """Allow `access` to a file, or to a directory and all below it. Raises OSError if there is none."""
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(f"/proc/self/fd/{opened}"):  # noqa: PTH112 - starts fast without pathlib
                access &= _OF_FILES
            rule = struct.pack("<Qi", access & self._handled, opened)
            _call(_ADD_RULE, self._fd, _PATH_BENEATH, rule, 0)
        finally:
            os.close(opened)

    def enforce(self) -> None:
        """Hold this thread and all it starts to the rules, for good. Needs no_new_privs."""
        _call(_RESTRICT_SELF, self._fd, 0)
        os.close(self._fd)


def no_new_privileges() -> None:
    """No program that is started from here on gets more than we have."""
    _prctl(_SET_NO_NEW_PRIVS, 1)


def give_up_capabilities() -> None:
    """All of them, for good; the bounding set only where we may (as root), which is where it matters."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_MOST_CAPABILITIES):
        # EPERM: an ordinary user, whom no_new_privs keeps from getting any. EINVAL: the kernel has no more.
        if libc.prctl(_CAPBSET_DROP, ctypes.c_ulong(capability), *[ctypes.c_ulong(0)] * 3) != 0:
            break
    _prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    header, none = struct.pack("<Ii", _CAPABILITIES_3, 0), bytes(24)
    if libc.capset(header, none) != 0:
        raise _error("capset")


def load_filter(program: bytes) -> None:
    """Hold this thread and all it starts to a classic-BPF program. Needs no_new_privs."""
    held = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
    buffer = ctypes.create_string_buffer(described, len(described))
    _prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(buffer))


def _prctl(option: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *padded) != 0:
        raise _error(f"prctl {option}")


def _call(number: int, *arguments: int | bytes) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    passed = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = int(libc.syscall(ctypes.c_long(number), *passed))
    if result < 0:
        raise _error(f"system call {number}")
    return result


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
