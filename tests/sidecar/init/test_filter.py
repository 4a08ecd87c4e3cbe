"""The filter as a function of the call, run by a small interpreter of classic BPF: for calls that no test makes."""

from __future__ import annotations

import os
import platform
import socket
import struct
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sidecar.init.numbers import NR

INIT = Path(__file__).parents[3] / "sidecar" / "init"
NATIVE = 0xC000003E if platform.machine() == "x86_64" else 0xC00000B7
NOTIFY, ALLOW = 0x7FC00000, 0x7FFF0000
OFF, WATCHED, ALL = 0, 1, 2

Filter = Callable[..., bool]
words = st.integers(0, 2**64 - 1)
Program = list[tuple[int, int, int, int]]


def run(program: Program, data: bytes) -> int:
    """Classic BPF, the instructions that seccomp programs are made of."""
    accumulator, at = 0, 0
    for _ in range(len(program)):
        code, yes, no, k = program[at]
        at += 1
        match code:
            case 0x20:  # LD W ABS
                (accumulator,) = struct.unpack_from("=I", data, k)
            case 0x54:  # AND K
                accumulator &= k
            case 0x15:  # JEQ K
                at += yes if accumulator == k else no
            case 0x35:  # JGE K
                at += yes if accumulator >= k else no
            case 0x45:  # JSET K
                at += yes if accumulator & k else no
            case 0x06:  # RET K
                return k
            case _:
                raise AssertionError(f"instruction {code:#x}")
    raise AssertionError("no end")


@pytest.fixture(scope="session")
def notified(compiled: Callable[..., Path]) -> Filter:
    dumper = compiled("filterdump", INIT / "filter.c")

    @cache
    def program(reads: int, writes: int, sockets: bool) -> Program:
        done = subprocess.run(
            [dumper, str(reads), str(writes), str(int(sockets))], check=True, capture_output=True, text=True
        )
        return [tuple(map(int, line.split())) for line in done.stdout.splitlines()]  # type: ignore[misc]  # always four

    def decide(
        nr: int, *args: int, arch: int = NATIVE, reads: int = WATCHED, writes: int = WATCHED, sockets: bool = False
    ) -> bool:
        values = [a & 0xFFFFFFFFFFFFFFFF for a in (*args, *[0] * (6 - len(args)))]
        verdict = run(program(reads, writes, sockets), struct.pack("=IIQ6Q", nr & 0xFFFFFFFF, arch, 0, *values))
        assert verdict in (NOTIFY, ALLOW)
        return verdict == NOTIFY

    return decide


@given(nr=st.integers(0, 2**32 - 1), arch=st.integers(0, 2**32 - 1), args=st.tuples(*[words] * 6))
def test_any_other_abi_is_notified(notified: Filter, nr: int, arch: int, args: tuple[int, ...]) -> None:
    if arch != NATIVE:
        assert notified(nr, *args, arch=arch)
    if platform.machine() == "x86_64":
        assert notified(nr | 0x40000000, *args)


# read, write, close, poll or ppoll, fork and vfork, exit: x86_64 has them all, aarch64 those below
NEVER = [0, 1, 3, 7, 57, 58, 60] if platform.machine() == "x86_64" else [57, 62, 63, 64, 73, 93]
CLONE = 56 if platform.machine() == "x86_64" else 220
NAMESPACES = 0x7E020000
KILL, TGKILL, FCNTL, PRLIMIT = (62, 234, 72, 302) if platform.machine() == "x86_64" else (129, 131, 25, 261)


@given(nr=st.sampled_from(NEVER), args=st.tuples(*[words] * 6), level=st.sampled_from([OFF, WATCHED, ALL]))
def test_what_programs_do_all_the_time_passes(notified: Filter, nr: int, args: tuple[int, ...], level: int) -> None:
    assert not notified(nr, *args, reads=level, writes=level)


@given(flags=words)
def test_a_clone_only_with_namespaces(notified: Filter, flags: int) -> None:
    assert notified(CLONE, flags) == bool(flags & NAMESPACES)


@given(args=st.tuples(*[words] * 6))
def test_only_executable_mappings(notified: Filter, args: tuple[int, ...]) -> None:
    executable = bool(args[2] & 4)
    for name in ("mmap", "mprotect", "pkey_mprotect"):
        assert notified(NR[name], *args) == executable
    assert notified(NR["shmat"], *args) == bool(args[2] & 0o100000)


@given(pointer=words, flags=words)
def test_sends_that_carry_an_address_or_data_with_the_handshake(notified: Filter, pointer: int, flags: int) -> None:
    fast = bool(flags & 0x20000000)
    assert notified(NR["sendto"], 3, 0, 0, flags, pointer, 16) == (pointer != 0 or fast)
    assert notified(NR["sendmsg"], 3, 0, flags) == fast


@pytest.mark.parametrize("pointer", [1, 1 << 32, 1 << 63])
def test_both_halves_of_a_pointer_count(notified: Filter, pointer: int) -> None:
    assert notified(NR["sendto"], 3, 0, 0, 0, pointer, 16)


@given(
    family=st.integers(0, 50),
    kind=st.integers(0, 15),
    extra=st.sampled_from([0, 0o2000000, 0o4000]),
    protocol=st.sampled_from([0, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_SCTP, 256, 262]),
)
def test_sockets_other_than_plain_streams(notified: Filter, family: int, kind: int, extra: int, protocol: int) -> None:
    internet = family in (socket.AF_INET, socket.AF_INET6)
    stream = internet and kind == socket.SOCK_STREAM and protocol in (0, socket.IPPROTO_TCP, 262)
    quiet = stream or family in (socket.AF_UNIX, socket.AF_NETLINK)
    assert notified(NR["socket"], family, kind | extra, protocol) == (not quiet)
    assert notified(NR["socket"], family, kind | extra, protocol, sockets=True)


def opens(flags: int) -> str:
    if flags & (3 | os.O_CREAT | os.O_TRUNC):
        return "write"
    return "folder" if flags & os.O_DIRECTORY else "read"


@given(
    flags=st.lists(st.sampled_from([1, 2, 3, os.O_CREAT, os.O_TRUNC, os.O_DIRECTORY, os.O_CLOEXEC, os.O_PATH]))
    .map(sum)
    .map(lambda flags: flags & 0xFFFFFFFF),
    reads=st.sampled_from([OFF, WATCHED, ALL]),
    writes=st.sampled_from([OFF, WATCHED, ALL]),
)
def test_opens_by_their_flags_and_the_levels(notified: Filter, flags: int, reads: int, writes: int) -> None:
    expected = {"write": writes != OFF, "read": reads != OFF, "folder": reads == ALL}[opens(flags)]
    assert notified(NR["openat"], -100, 0, flags, reads=reads, writes=writes) == expected
    assert notified(NR["openat2"], -100, 0, 0, 24, reads=reads, writes=writes) == (reads != OFF or writes != OFF)
    if "creat" in NR:
        assert notified(NR["creat"], 0, flags, reads=reads, writes=writes) == (writes != OFF)


@given(option=st.integers(0, 100), value=words)
def test_the_decisive_options_of_prctl(notified: Filter, option: int, value: int) -> None:
    hides = option == 4 and value & 0xFFFFFFFF == 0
    assert notified(NR["prctl"], option, value) == (option in (35, 22) or hides)


@given(persona=st.integers(0, 2**32 - 1))
def test_the_decisive_flag_of_personality(notified: Filter, persona: int) -> None:
    assert notified(NR["personality"], persona) == (persona != 0xFFFFFFFF and bool(persona & 0x0400000))


def test_what_is_always_notified(notified: Filter) -> None:
    always = "execve execveat connect bind listen memfd_create ptrace seccomp bpf io_uring_setup mount setns unshare"
    for name in [*always.split(), "chroot", "setuid", "capset", "userfaultfd"]:
        assert notified(NR[name]), name


@given(target=words, number=st.integers(0, 70))
def test_signals_that_end_somebody(notified: Filter, target: int, number: int) -> None:
    """Go's threads interrupt each other by SIGURG (23) all the time; 32 and 33 are the C library's."""
    counts = number not in (0, 23)
    assert notified(KILL, target, number) == counts
    assert notified(TGKILL, target, target, number) == (counts and number < 34)


@given(command=st.integers(0, 2000), number=st.integers(0, 70))
def test_a_descriptor_that_is_to_send_a_deadly_signal(notified: Filter, command: int, number: int) -> None:
    assert notified(FCNTL, 5, command, number) == (command == 10 and number not in (0, 29) and number < 34)


@given(target=st.integers(0, 2**32 - 1))
def test_limits_of_others_only(notified: Filter, target: int) -> None:
    assert notified(PRLIMIT, target, 7, 0x7FFF, 0) == (target != 0)
