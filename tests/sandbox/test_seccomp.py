"""The filter: by running refused calls confined, and for both architectures by interpreting it."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dev_agent.sandbox import seccomp
from dev_agent.sandbox.syscalls import (
    CLONE,
    DENIED,
    IOCTL,
    MODES,
    ON_OTHERS,
    OPTIONAL,
    SHARED,
    SOCKET,
    SOCKETPAIR,
)
from tests.sandbox.lab import Lab, python_job

MACHINES = ("x86_64", "aarch64")
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL = 0x7FFF0000, 0x80000000
MACHINE = os.uname().machine
NATIVE = {call.name: call.x86_64 if MACHINE == "x86_64" else call.aarch64 for call in DENIED}


def judge(
    machine: str,
    number: int,
    *arguments: int,
    arch: int | None = None,
    shared: bool = False,
    network: bool = True,
) -> int:
    """What the kernel would do: a classic-BPF machine with the five instructions that the filter has."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, AUDIT[machine] if arch is None else arch, 0, *padded)
    code = list(struct.iter_unpack("<HBBI", seccomp.program(machine, shared=shared, network=network)))
    accumulator, at = 0, 0
    for _ in range(len(code)):
        operation, yes, no, k = code[at]
        at += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif operation == 0x06:
            return int(k)
        else:
            holds = {0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k)}[operation]
            at += yes if holds else no
    raise AssertionError("the filter has no end")


def refused(error: int) -> int:
    return 0x00050000 | error


def number_of(call: object, machine: str) -> int | None:
    found = getattr(call, machine)
    assert found is None or isinstance(found, int)
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_of_the_list_is_refused(machine: str) -> None:
    for call in DENIED:
        number = number_of(call, machine)
        if number is not None:
            assert judge(machine, number) == refused(call.error), call.name


@pytest.mark.law
@given(
    st.sampled_from(MACHINES),
    st.integers(0, 600),
    st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6),
)
def test_any_other_call_is_allowed_whatever_its_arguments(
    machine: str, number: int, arguments: list[int]
) -> None:
    """No number outside of the tables is touched."""
    listed = {number_of(call, machine) for call in (*DENIED, *MODES, CLONE, IOCTL, SOCKET, SOCKETPAIR)}
    if number not in listed:
        assert judge(machine, number, *arguments) == ALLOW


@pytest.mark.law
@given(st.sampled_from(MACHINES), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_another_architecture_ends_the_process(machine: str, number: int, arch: int) -> None:
    """Whatever the number means over there."""
    if arch != AUDIT[machine]:
        assert judge(machine, number, arch=arch) == KILL


@given(st.integers(0, 600))
def test_the_x32_table_is_refused_as_a_whole(number: int) -> None:
    assert judge("x86_64", 0x40000000 | number) == refused(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_clone_may_make_processes_and_threads_but_no_namespaces(machine: str) -> None:
    number = number_of(CLONE, machine)
    assert number is not None
    assert judge(machine, number, 17) == ALLOW
    assert judge(machine, number, 0x3D0F00) == ALLOW  # the flags of a thread
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert judge(machine, number, bit | 17) == refused(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("high", [0, 1 << 32, 1 << 63])
def test_the_high_half_of_an_argument_is_no_way_around(machine: str, high: int) -> None:
    ioctl, socket = number_of(IOCTL, machine), number_of(SOCKET, machine)
    assert ioctl is not None
    assert socket is not None
    for request in (0x5412, 0x541C):
        assert judge(machine, ioctl, 0, high | request) == refused(errno.EPERM)
    assert judge(machine, ioctl, 0, high | 0x5413) == ALLOW
    assert judge(machine, socket, high | 40) == refused(errno.EAFNOSUPPORT)


@pytest.mark.parametrize("machine", MACHINES)
def test_socket_families(machine: str) -> None:
    socket, pair = number_of(SOCKET, machine), number_of(SOCKETPAIR, machine)
    assert socket is not None
    assert pair is not None
    verdicts: Mapping[tuple[int, int], int] = {
        (1, 0): ALLOW,
        (2, 6): ALLOW,
        (10, 6): ALLOW,
        (16, 0): ALLOW,
        (16, 12): refused(errno.EAFNOSUPPORT),  # netfilter
        (17, 0): refused(errno.EAFNOSUPPORT),  # packet
        (38, 0): refused(errno.EAFNOSUPPORT),  # alg
        (40, 0): refused(errno.EAFNOSUPPORT),  # vsock
    }
    for (family, protocol), verdict in verdicts.items():
        assert judge(machine, socket, family, 1, protocol) == verdict
    assert judge(machine, pair, 1) == ALLOW
    assert judge(machine, pair, 2) == refused(errno.EAFNOSUPPORT)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_refused_besides_to_a_job_that_shares_the_hosts_namespaces(machine: str) -> None:
    socket, pair = number_of(SOCKET, machine), number_of(SOCKETPAIR, machine)
    assert socket is not None
    assert pair is not None
    for call in SHARED:
        number = number_of(call, machine)
        assert number is not None
        assert judge(machine, number, shared=True) == refused(call.error), call.name
    for family in range(50):
        assert judge(machine, socket, family, shared=True, network=False) == refused(errno.EACCES)
    assert judge(machine, socket, 2, shared=True, network=True) == ALLOW
    assert judge(machine, pair, 1, shared=True, network=False) == ALLOW


def test_no_profile_opens_the_hosts_own_shared_memory() -> None:
    assert judge("x86_64", 29, shared=True) == refused(errno.ENOSYS)
    with_all = seccomp.instructions("x86_64", OPTIONAL, shared=True)
    assert (0x15, 0, 1, 29) in with_all


@pytest.mark.parametrize("machine", MACHINES)
def test_a_job_may_set_limits_and_priorities_of_itself_only(machine: str) -> None:
    for call in ON_OTHERS:
        number = number_of(call, machine)
        assert number is not None
        assert judge(machine, number, 0, 0, shared=True) == ALLOW, call.name
        assert judge(machine, number, 4711, 0, shared=True) == refused(errno.EPERM), call.name
        assert judge(machine, number, 4711, 0) == ALLOW, call.name
        if call.also is not None:
            assert judge(machine, number, 0, 4711, shared=True) == refused(errno.EPERM), call.name


@pytest.mark.parametrize("machine", MACHINES)
def test_the_set_user_id_bit_counts_only_where_a_mode_does(machine: str) -> None:
    for call in MODES:
        number = number_of(call, machine)
        if number is None:
            continue
        arguments = [0] * 6
        arguments[call.argument] = 0o4755
        if call.flags is not None:
            assert judge(machine, number, *arguments) == ALLOW, call.name
            arguments[call.flags] = os.O_CREAT | os.O_WRONLY
        assert judge(machine, number, *arguments) == refused(errno.EPERM), call.name
        arguments[call.argument] = 0o2755
        assert judge(machine, number, *arguments) == ALLOW, call.name


def test_allowed_calls_are_left_out_and_nothing_else() -> None:
    allowed = seccomp.instructions("x86_64", OPTIONAL)
    assert len(seccomp.instructions("x86_64")) - len(allowed) == 2 * len(OPTIONAL)


def test_architectures_without_a_filter_are_not_supported() -> None:
    assert seccomp.supported("x86_64")
    assert not seccomp.supported("riscv64")


CALLS = """
    import ctypes, errno
    libc = ctypes.CDLL(None, use_errno=True)
    for name, number in {calls!r}.items():
        ctypes.set_errno(0)
        result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
        print(name, errno.errorcode.get(ctypes.get_errno(), "OK") if result == -1 else "OK")
"""
# Without privileges these do something else than what the filter answers, so they show that it is the filter.
TELLING = ("ptrace", "kcmp", "userfaultfd", "io_uring_setup", "keyctl", "unshare", "clone3", "memfd_create")


def errors(stdout: bytes) -> dict[str, str]:
    return dict(line.split() for line in stdout.decode().splitlines())


def test_refused_calls_confined(lab: Lab) -> None:
    calls = {name: number for name, number in NATIVE.items() if number is not None}
    ended = lab.python(CALLS.format(calls=calls))
    expected = {call.name: errno.errorcode[call.error] for call in DENIED if call.name in calls}
    assert errors(ended.stdout) == expected, ended


def test_the_same_calls_without_the_filter(namespaced: Lab) -> None:
    calls = {name: NATIVE[name] for name in TELLING}
    job = python_job(CALLS.format(calls=calls))
    with_filter, without_it = (
        errors(namespaced.run(job).stdout),
        errors(namespaced.run(job, drop=("--seccomp *",)).stdout),
    )
    different = {name for name in TELLING if with_filter[name] != without_it[name]}
    # A kernel may be built without one or the other.
    assert len(different) >= 6, (with_filter, without_it)


def test_typing_into_a_terminal(namespaced: Lab) -> None:
    number = IOCTL.x86_64 if MACHINE == "x86_64" else IOCTL.aarch64
    job = python_job(f"""
        import ctypes, errno
        libc = ctypes.CDLL(None, use_errno=True)
        for request in (0x5412, 0x100005412, 0x541C):
            assert libc.syscall(ctypes.c_long({number}), ctypes.c_long(1), ctypes.c_long(request), b"x") == -1
            print(request, errno.errorcode[ctypes.get_errno()])
    """)
    assert set(errors(namespaced.run(job, drop=("--seccomp *",)).stdout).values()) == {"ENOTTY"}
    assert set(errors(namespaced.run(job).stdout).values()) == {"EPERM"}


@pytest.mark.skipif(MACHINE != "x86_64", reason="the 32-bit gate of x86")
def test_the_32_bit_gate_of_the_kernel(namespaced: Lab) -> None:
    job = python_job("""
        import ctypes, mmap, os
        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid there); int 0x80; ret
        address = ctypes.addressof(ctypes.c_char.from_buffer(code))
        print(ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid(), flush=True)
    """)
    plain = namespaced.run(job, drop=("--seccomp *",))
    if plain.stdout != b"True\n":
        pytest.skip("this kernel has no 32-bit gate")
    ended = namespaced.run(job)
    assert (ended.signal, ended.stdout) == (31, b"")


def test_what_test_suites_need_still_works(namespaced: Lab) -> None:
    ended = namespaced.python("""
        import asyncio, multiprocessing, os, pty, socket, subprocess, sys, threading

        async def talk():
            server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
            await asyncio.open_connection(*server.sockets[0].getsockname())
            process = await asyncio.create_subprocess_exec("true")
            return await process.wait()

        def square(number, queue):
            queue.put(number * number)

        print(asyncio.run(talk()))
        queue = multiprocessing.get_context("fork").Queue()
        process = multiprocessing.get_context("fork").Process(target=square, args=(7, queue))
        process.start()
        print(queue.get())
        process.join()
        thread = threading.Thread(target=print, args=("thread",))
        thread.start()
        thread.join()
        socket.socketpair()
        print(socket.getaddrinfo("localhost", 80)[0][4][0] in ("127.0.0.1", "::1"))
        print(subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip())
        pty.openpty()
        os.chmod(os.open("/tmp/x", os.O_CREAT), 0o755)
        print(os.path.expanduser("~"))
    """)
    assert ended.stdout.decode().split() == ["0", "49", "thread", "True", "sandbox", "/home/sandbox"], ended
