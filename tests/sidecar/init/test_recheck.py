"""Loads in enforce: judged at the mapping, looked at again, and what raced the judgement is killed."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inscope.behaviour import Behaviour, CodeMemory, Contradiction, Exec, Load, Syscall, subject_of
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from tests.sidecar.observe.test_enforced import Enforced, Refuses

pytestmark = pytest.mark.real

TRY = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
R, RW, RX, SHARED, PRIVATE, ANONYMOUS = 1, 3, 5, 1, 2, 32
FAILED = 2**64 - 1
good, evil = sys.argv[1:3]
def attempt(name, act):
    ctypes.set_errno(0)
    try: result = act()
    except OSError as error: result = error.strerror
    else: result = "failed: " + os.strerror(ctypes.get_errno()) if result in (FAILED, -1) else "done"
    print(name, result, flush=True)
def mapped(fd, prot=RX, flags=PRIVATE, size=4096): return libc.mmap(None, size, prot, flags, fd, 0)
def opened(path, flags=os.O_RDONLY): return os.open(path, flags)
"""


def nothing(_: Behaviour) -> bool:
    return False


def loads(name: str) -> Refuses:
    return lambda behaviour: isinstance(behaviour, Load) and subject_of(behaviour).endswith(name)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.so"
    shutil.copy("/bin/true", path)
    return path


@pytest.fixture
def evil(tmp_path: Path) -> Path:
    path = tmp_path / "evil.so"
    path.write_bytes(b"EVIL" + bytes(8188))
    return path


async def python(enforced: Enforced, code: str, *arguments: object) -> list[str]:
    return (await enforced.run(sys.executable, "-c", TRY + code, *map(str, arguments))).splitlines()


async def test_a_refused_library_is_not_mapped_by_any_call(tmp_path: Path, good: Path, evil: Path) -> None:
    code = """
attempt("good", lambda: mapped(opened(good)))
attempt("mmap", lambda: mapped(opened(evil)))
attempt("shared", lambda: mapped(opened(evil), RX, SHARED))
at = mapped(opened(evil), R)
attempt("mprotect", lambda: libc.mprotect(at, 4096, RX))
attempt("pkey_mprotect", lambda: libc.syscall(int(sys.argv[3]), ctypes.c_long(at), 4096, RX, -1))
os.link(evil, "innocent.so")
attempt("by handle", lambda: mapped(opened(evil)))
"""
    enforced = Enforced(tmp_path, loads("evil.so"))
    number = 329 if os.uname().machine == "x86_64" else 288
    assert await python(enforced, code, good, evil, number) == [
        "good done",
        "mmap failed: Permission denied",
        "shared failed: Permission denied",
        "mprotect failed: Permission denied",
        "pkey_mprotect failed: Permission denied",
        "by handle failed: Permission denied",
    ]


async def test_what_is_being_written_does_not_become_code(tmp_path: Path, good: Path, evil: Path) -> None:
    code = """
fd = opened(good, os.O_RDWR)
attempt("open for writing", lambda: mapped(fd))
window = mapped(fd, RW, SHARED)
os.close(fd)
attempt("mapped for writing", lambda: mapped(opened(good)))
at = mapped(opened(good), R)
attempt("mprotect", lambda: libc.mprotect(at, 4096, RX))
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.munmap(window, 4096)
attempt("afterwards", lambda: mapped(opened(good)))
attempt("writing to code", lambda: opened(good, os.O_RDWR))
memory = os.memfd_create("m"); os.write(memory, b"x" * 4096)
attempt("memory file", lambda: mapped(memory))
os.unlink(good)
attempt("another of its name", lambda: opened(good, os.O_RDWR | os.O_CREAT))
"""
    assert await python(Enforced(tmp_path, nothing), code, good, evil) == [
        "open for writing failed: Text file busy",
        "mapped for writing failed: Text file busy",
        "mprotect failed: Text file busy",
        "afterwards done",
        "writing to code Text file busy",
        "memory file failed: Text file busy",
        "another of its name done",
    ]


@pytest.mark.parametrize("call", ["mapped(opened(good))", "libc.mprotect(mapped(opened(good), R), 4096, RX)"])
async def test_who_begins_to_write_while_it_is_judged_is_found(
    tmp_path: Path, good: Path, evil: Path, call: str
) -> None:
    writers = []

    def begin_to_write(behaviour: Behaviour) -> bool:
        if loads("good.so")(behaviour):
            writers.append(os.open(good, os.O_RDWR))
        return False

    try:
        out = await python(Enforced(tmp_path, begin_to_write), f'attempt("call", lambda: {call})', good, evil)
    finally:
        for writer in writers:
            os.close(writer)
    assert (out, bool(writers)) == (["call failed: Text file busy"], True)


@pytest.mark.slow
async def test_more_code_than_can_be_told_apart_is_refused_and_the_alien_is_still_found(
    tmp_path: Path, program: Callable[[str], str], good: Path, evil: Path
) -> None:
    code = """
import subprocess
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
refused = 0
for number in range(8300):
    name = f"{number}.so"
    with open(name, "wb") as file: file.write(b"code")
    fd = opened(name)
    at = mapped(fd)
    os.close(fd)
    if at == FAILED: refused += 1
    else: libc.munmap(at, 4096)
print(0 < refused < 1000)
print(subprocess.run([sys.argv[3], good, evil, "3000"]).returncode)
"""
    good_first = (program("racemap"), str(good), str(good), "1")
    enforced = Enforced(tmp_path, loads("evil.so"))
    enforced.patience_s = 150.0
    lines = await python(
        enforced, f"import subprocess; subprocess.run({good_first!r})" + code, good, evil, good_first[0]
    )
    assert ("True" in lines, lines[-1]) == (True, "-9")


async def test_code_that_raced_its_judgement_dies_with_its_process(
    tmp_path: Path, program: Callable[[str], str], good: Path, evil: Path
) -> None:
    enforced = Enforced(tmp_path, loads("evil.so"))
    out = await enforced.run(program("racemap"), str(good), str(evil), "3000")
    lines = out.splitlines()
    assert lines[0] != "never", "the race was not won once: nothing was tested"
    lived_ms = float(lines[-1]) if len(lines) > 1 else 0.0
    print(f"contained: after {lines[0]}, and lived on for {lived_ms} ms")
    assert enforced.status == -9
    killed = [one for one in enforced.seen if one.verdict is Verdict.KILL]
    assert [type(one.behaviour) for one in killed] == [Contradiction]
    assert lived_ms < 200


class Switched(Enforced):
    """Observed, until the agent executes /bin/true."""

    def __init__(self, folder: Path, refuses: Refuses) -> None:
        super().__init__(folder, refuses)
        self.mode = Mode.OBSERVE

    def observed(self, observation: Observation) -> None:
        super().observed(observation)
        started = observation.behaviour
        if self.mode is Mode.OBSERVE and isinstance(started, Exec) and started.program.path.endswith("/true"):
            self.mode = Mode.ENFORCE
            self.observer.rejudge()


async def test_what_ran_before_it_was_enforced_runs_on(tmp_path: Path, good: Path, evil: Path) -> None:
    code = """
import select, subprocess, time
attempt("while watched", lambda: mapped(opened(evil)))
child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE)
subprocess.run(["/bin/true"])
try:
    while True: subprocess.run(["/bin/uname"], stdout=subprocess.DEVNULL)
except PermissionError: print("enforced", flush=True)
until = time.monotonic() + 1.3  # everybody is looked at once in a second
while time.monotonic() < until:
    select.select([], [], [], 0.05)
    mapped(opened(good))
attempt("refused", lambda: mapped(opened(evil)))
child.communicate(b"the child too\\n")
"""
    enforced = Switched(tmp_path, lambda one: subject_of(one).endswith(("evil.so", "/uname")))
    out = await python(enforced, code, good, evil)
    assert [one.behaviour for one in enforced.seen if one.verdict is Verdict.KILL] == []
    assert out == ["while watched done", "enforced", "refused failed: Permission denied", "the child too"]


async def test_memory_becomes_code_only_where_that_is_known(tmp_path: Path, good: Path, evil: Path) -> None:
    code = """
attempt("anonymous", lambda: mapped(-1, 7, PRIVATE | ANONYMOUS))
at = mapped(-1, RW, PRIVATE | ANONYMOUS)
attempt("mprotect", lambda: libc.mprotect(at, 4096, RX))
libc.shmat.restype = ctypes.c_void_p
segment = libc.shmget(0, 4096, 0o1600)
attempt("shmat", lambda: libc.shmat(segment, None, 0o100000))
libc.shmctl(segment, 0, None)
"""
    enforced = Enforced(tmp_path, lambda one: isinstance(one, CodeMemory))
    assert await python(enforced, code, good, evil) == [
        "anonymous failed: Permission denied",
        "mprotect failed: Permission denied",
        "shmat failed: Permission denied",
    ]


async def test_nobody_makes_itself_unreadable_or_another_user(tmp_path: Path, good: Path, evil: Path) -> None:
    code = """
attempt("dumpable", lambda: libc.prctl(4, 0, 0, 0, 0))
attempt("still dumpable", lambda: libc.prctl(3, 0, 0, 0, 0) - 1)
attempt("setuid", lambda: os.setuid(os.getuid()))
attempt("setresgid", lambda: os.setresgid(os.getgid(), os.getgid(), os.getgid()))
attempt("personality", lambda: libc.personality(0x0400000))
"""
    enforced = Enforced(tmp_path, lambda one: isinstance(one, Syscall))
    out = await python(enforced, code, good, evil)
    assert [line for line in out if not line.endswith(("denied", "permitted"))] == ["still dumpable done"]
