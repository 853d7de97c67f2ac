"""The system-call filter of a job, as the bytes bubblewrap loads.

A classic-BPF program made by hand, so that no library is needed. Rules kept here:
- a call made with another architecture's table ends the process, and the x32 table is refused: their
  numbers mean other calls, so any list of numbers would be blind;
- the list in `syscalls` is refused, everything else stays allowed: the namespaces take things away, the
  filter keeps a job from getting new ones and from parts of the kernel a test suite has no business with;
- arguments are compared by the 32 bits the kernel itself looks at, so that a set high half is no way around;
- sockets: AF_UNIX, AF_INET and AF_INET6 (asyncio and multiprocessing need them; the network namespace is
  empty), AF_NETLINK for the routing family only (glibc's name look-up lists addresses with it). Not
  AF_VSOCK, AF_PACKET, AF_ALG;
- for a job that shares the host's namespaces (`shared`) the filter has to be the wall they would have been: no
  System V objects, no message queues, no settings of other processes, and no socket but a pair, unless the job
  has the network.

Format: `struct sock_filter` of include/uapi/linux/filter.h, `struct seccomp_data` of
include/uapi/linux/seccomp.h.
"""

from __future__ import annotations

import errno
import struct

from dev_agent.sandbox.syscalls import (
    CLONE,
    DENIED,
    IOCTL,
    MODES,
    ON_OTHERS,
    SHARED,
    SOCKET,
    SOCKETPAIR,
    Denied,
    Inspected,
)
from dev_agent.values import dataclass

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_ALLOW = 0x7FFF0000
_ERROR = 0x00050000
_KILL = 0x80000000

_NUMBER_AT = 0
_ARCH_AT = 4
_ARGUMENTS_AT = 16  # 64-bit little-endian words: the low half comes first

_X32_BIT = 0x40000000
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_SET_USER_ID = 0o4000
_CREATING = 0x400040  # O_CREAT, and the bit of O_TMPFILE that is its own
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6
_NETLINK = 16
_NETLINK_ROUTE = 0


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit: int
    has_x32: bool


_ARCHITECTURES = {
    "x86_64": _Architecture(0xC000003E, has_x32=True),
    "aarch64": _Architecture(0xC00000B7, has_x32=False),
}

Instruction = tuple[int, int, int, int]
"""code, jump if true, jump if false, k"""


def supported(machine: str) -> bool:
    """True if there is a filter for this `os.uname().machine`."""
    return machine in _ARCHITECTURES


def program(
    machine: str, allowed: frozenset[str] = frozenset(), *, shared: bool = False, network: bool = True
) -> bytes:
    """The filter for `machine`, without the calls in `allowed`.

    `shared`: the job has no namespaces of its own; then `network` says whether it may have sockets. Raises KeyError
    for an unknown architecture.
    """
    code = instructions(machine, allowed, shared=shared, network=network)
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def instructions(
    machine: str, allowed: frozenset[str] = frozenset(), *, shared: bool = False, network: bool = True
) -> list[Instruction]:
    """The same, before packing. Every block starts and ends with the call's number in the accumulator."""
    architecture = _ARCHITECTURES[machine]
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if architecture.has_x32:
        code += [(_AT_LEAST, 0, 1, _X32_BIT), _refuse(errno.EPERM)]
    for denied in _refused(allowed, shared=shared, network=network):
        number = _number(denied, machine)
        if number is not None:
            code += [(_EQUAL, 0, 1, number), _refuse(denied.error)]
    for call in ON_OTHERS if shared else ():
        code += _when(call, machine, _only_itself(call))
    code += _when(CLONE, machine, [(_ANY_BIT, 0, 1, _NEW_NAMESPACES), _refuse(errno.EPERM)])
    code += _when(IOCTL, machine, _none_of(_TERMINAL_INJECTION, errno.EPERM))
    code += _when(SOCKET, machine, _socket_families())
    code += _when(SOCKETPAIR, machine, _only((1,), errno.EAFNOSUPPORT))
    for call in MODES:
        code += _when(call, machine, _no_set_user_id(call))
    code.append((_RETURN, 0, 0, _ALLOW))
    return code


def _refused(allowed: frozenset[str], *, shared: bool, network: bool) -> list[Denied]:
    listed = [call for call in DENIED if call.name not in allowed]
    if shared:
        listed += SHARED
    if shared and not network:
        listed.append(Denied(SOCKET.name, SOCKET.x86_64, SOCKET.aarch64, errno.EACCES))
    return listed


def _number(call: Denied | Inspected, machine: str) -> int | None:
    return call.x86_64 if machine == "x86_64" else call.aarch64


def _refuse(error: int) -> Instruction:
    return (_RETURN, 0, 0, _ERROR | error)


def _argument(index: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * index)


def _when(call: Inspected, machine: str, body: list[Instruction]) -> list[Instruction]:
    """`body` with the call's argument loaded, if it is this call; falls through if `body` does."""
    number = _number(call, machine)
    if number is None:
        return []
    inner = [_argument(call.argument), *body, (_RETURN, 0, 0, _ALLOW)]
    return [(_EQUAL, 0, len(inner), number), *inner]


def _no_set_user_id(call: Inspected) -> list[Instruction]:
    """A writable mount is a host directory: a set-user-id file left there would outlive the sandbox."""
    check = [(_ANY_BIT, 0, 1, _SET_USER_ID), _refuse(errno.EPERM)]
    if call.flags is None:
        return check
    check = [_argument(call.argument), *check]
    return [_argument(call.flags), (_ANY_BIT, 0, len(check), _CREATING), *check]


def _only_itself(call: Inspected) -> list[Instruction]:
    """0 is the caller itself, in each of these calls."""
    check = _only((0,), errno.EPERM)
    return check if call.also is None else [*check, _argument(call.also), *check]


def _none_of(values: tuple[int, ...], error: int) -> list[Instruction]:
    return [item for value in values for item in ((_EQUAL, 0, 1, value), _refuse(error))]


def _only(values: tuple[int, ...], error: int) -> list[Instruction]:
    jumps: list[Instruction] = [
        (_EQUAL, len(values) - position, 0, value) for position, value in enumerate(values)
    ]
    return [*jumps, _refuse(error)]


def _socket_families() -> list[Instruction]:
    """Allow the plain families, and the routing protocol (third argument) of netlink."""
    netlink = [
        _argument(2),
        (_EQUAL, 0, 1, _NETLINK_ROUTE),
        (_RETURN, 0, 0, _ALLOW),
        _refuse(errno.EAFNOSUPPORT),
    ]
    return [
        (_EQUAL, 0, len(netlink), _NETLINK),
        *netlink,
        *_only(_FAMILIES, errno.EAFNOSUPPORT),
    ]
