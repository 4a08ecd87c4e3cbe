"""SYSCALL: the calls that are numbers only, what is denied, and foreign ABIs."""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import Callable

import pytest

from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, flags

pytestmark = pytest.mark.real

CALL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.argtypes = [ctypes.c_long] * 7
libc.syscall.restype = ctypes.c_long
def call(nr, *args):
    ctypes.set_errno(0)
    result = libc.syscall(nr, *args, *[0] * (6 - len(args)))
    return result, ctypes.get_errno()
"""

ALWAYS = [
    ("memfd_create", [0, 0]), ("ptrace", [16, 0, 0, 0]), ("process_vm_readv", [1, 0, 0, 0, 0, 0]),
    ("seccomp", [2, 0, 0]), ("mount", [0, 0, 0, 0, 0]), ("setns", [-1, 0]), ("unshare", [0]), ("chroot", [0]),
    ("bpf", [99, 0, 0]), ("keyctl", [99]), ("userfaultfd", [0xFFFF]), ("setuid", [-1 & 0xFFFFFFFF]), ("capset", [0, 0]),
]  # fmt: skip


def test_each_decisive_call_is_recorded_with_its_arguments(observer: Observer) -> None:
    code = CALL + "import json\nfor nr, args in json.loads(sys.argv[1]): call(nr, *args)"
    import json

    observer.python(code, json.dumps([(NR[name], args) for name, args in ALWAYS]))
    for name, args in ALWAYS:
        (record,) = observer.calls(NR[name])
        assert [record.body[f"args{i}"] for i in range(len(args))] == [a & 0xFFFFFFFFFFFFFFFF for a in args], name
        assert record.body["error"] == 0
        assert flags(record) == set()


def test_only_the_decisive_options_of_prctl_and_personality(observer: Observer) -> None:
    code = (
        CALL
        + """
prctl, personality = map(int, sys.argv[1:])
call(prctl, 15, ctypes.addressof(ctypes.create_string_buffer(b"name")))  # PR_SET_NAME
call(prctl, 3); call(prctl, 4, 1)                                         # PR_GET_DUMPABLE, PR_SET_DUMPABLE to 1
call(personality, 0xffffffff); call(personality, 0x0040000)               # query, ADDR_NO_RANDOMIZE
call(prctl, 35, 99); call(prctl, 22, 99); call(personality, 0x0400000); call(prctl, 4, 0)
"""
    )
    observer.python(code, str(NR["prctl"]), str(NR["personality"]))
    assert [m.body["args0"] for m in observer.calls(NR["prctl"])] == [35, 22, 4]
    assert [m.body["args0"] for m in observer.calls(NR["personality"])] == [0x0400000]
    assert observer.counters["undumpable"] == 1


def test_io_uring_is_denied_in_every_mode(observer: Observer) -> None:
    done = observer.python(CALL + "print(*call(int(sys.argv[1]), 8, 0))", str(NR["io_uring_setup"]))
    assert done.stdout.split() == [b"-1", str(errno.EPERM).encode()]
    (record,) = observer.calls(NR["io_uring_setup"])
    assert flags(record) == {"DENIED"}
    assert record.body["error"] == errno.EPERM


def test_an_agent_that_wants_its_own_listener_is_counted(observer: Observer) -> None:
    code = (
        CALL
        + """
import struct
program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7fff0000))
fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 1, ctypes.addressof(program)))
print(*call(int(sys.argv[1]), 1, 8, ctypes.addressof(fprog)))
print(*call(int(sys.argv[1]), 1, 0, ctypes.addressof(fprog)))
"""
    )
    done = observer.python(code, str(NR["seccomp"]))
    assert done.stdout.splitlines() == [f"-1 {errno.EBUSY}".encode(), b"0 0"]  # a filter without a listener is fine
    assert observer.counters["busy"] == 1


X86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="i386 and x32 are ABIs of x86_64")


@X86_64
def test_calls_of_i386_are_seen_as_foreign_and_go_on(observer: Observer, program: Callable[[str], str]) -> None:
    done = observer.run(program("int80"))
    if b"no i386" in done.stdout:
        pytest.skip("this kernel has no i386 emulation")
    assert done.stdout.split() == [b"getpid", b"ok", b"io_uring", str(errno.EPERM).encode()]
    foreign = [m for m in observer.of("SYSCALL") if "FOREIGN" in flags(m)]
    assert {m.body["arch"] for m in foreign} == {0x40000003}
    assert [(m.body["nr"], flags(m)) for m in foreign] == [(20, {"FOREIGN"}), (425, {"FOREIGN", "DENIED"})]
    assert observer.counters["repeats"] >= 99


@X86_64
def test_calls_of_x32_are_seen_as_foreign(observer: Observer) -> None:
    code = CALL + "print(call(0x40000000 | 39)); print(*call(0x40000000 | 425, 8, 0))"
    done = observer.python(code)
    assert done.stdout.splitlines()[1] == f"-1 {errno.EPERM}".encode()
    foreign = [m for m in observer.of("SYSCALL") if "FOREIGN" in flags(m)]
    assert [m.body["nr"] & 0xFFFFFFFF for m in foreign] == [0x40000000 | 39, 0x40000000 | 425]
    assert {m.body["arch"] for m in foreign} == {0xC000003E}


def test_a_process_that_hides_its_memory_is_a_counted_loss(observer: Observer) -> None:
    """Root reads it all the same; anybody else cannot, and says so."""
    code = CALL + "call(int(sys.argv[1]), 4, 0)\ntry: open('/etc/secret-of-test')\nexcept OSError: pass\n"
    code += "import socket; socket.socket().connect_ex(('127.0.0.1', 1))"
    observer.peer.watch = (b"P/etc/secret",)
    observer.python(code, str(NR["prctl"]))
    assert observer.counters["undumpable"] == 1
    if os.geteuid() == 0:
        assert len(observer.of("OPEN")) == 1
    else:
        assert observer.counters["unreadable"] >= 1
