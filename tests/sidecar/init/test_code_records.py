"""LOAD and CODE_MEMORY: whatever becomes executable, by whatever call, once for each process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.init_peer import Message
from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, flags, identity

pytestmark = pytest.mark.real

CALLS = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
R, RW, RX, SHARED, PRIVATE, ANONYMOUS = 1, 3, 5, 1, 2, 32
def loaded(fd, prot=RX, flags=PRIVATE, size=4096): return libc.mmap(None, size, prot, flags, fd, 0)
"""


def loads_of(observer: Observer, path: str | Path) -> list[Message]:
    return [m for m in observer.of("LOAD") if (m.body["device"], m.body["inode"]) == identity(path)]


def test_a_library_is_loaded_with_its_file(observer: Observer, tmp_path: Path) -> None:
    library = tmp_path / "libx.so"
    shutil.copy("/bin/true", library)
    observer.python(CALLS + "loaded(os.open(sys.argv[1], os.O_RDONLY))", str(library))
    (load,) = loads_of(observer, library)
    assert load.strings == [str(library).encode()]
    assert load.fd == identity(library)
    assert load.body["nr"] == NR["mmap"]


def test_the_same_file_is_loaded_once_for_each_process(observer: Observer, tmp_path: Path) -> None:
    library = tmp_path / "libx.so"
    shutil.copy("/bin/true", library)
    code = CALLS + "fd = os.open(sys.argv[1], os.O_RDONLY)\nfor _ in range(5): loaded(fd)\n"
    code += "pid = os.fork()\nif pid == 0:\n    loaded(fd); loaded(fd); os._exit(0)\nos.wait()\n"
    observer.python(code, str(library))
    loads = loads_of(observer, library)
    assert len({m.head["pid"] for m in loads}) == len(loads) == 2
    assert [m.fd is not None for m in loads] == [True, False]
    assert loads[1].strings == [str(library).encode()]
    assert observer.counters["repeats"] == 5


def test_another_image_in_the_same_process_loads_anew(observer: Observer) -> None:
    observer.run("sh", "-c", "exec env true")
    libc = [m for m in observer.of("LOAD") if b"libc" in m.strings[0]]
    assert len(libc) == 3
    assert len({m.head["pid"] for m in libc}) == 1


def test_a_changed_library_is_another(observer: Observer, tmp_path: Path) -> None:
    library = tmp_path / "libx.so"
    shutil.copy("/bin/true", library)
    code = CALLS + "fd = os.open(sys.argv[1], os.O_RDWR)\nloaded(fd)\nos.pwrite(fd, b'x', 100)\nloaded(fd)"
    observer.python(code, str(library))
    assert [m.fd is not None for m in loads_of(observer, library)] == [True, True]


def test_memory_files_and_unlinked_files_are_passed_by_descriptor(observer: Observer, tmp_path: Path) -> None:
    code = """
fd = os.memfd_create("hidden")
os.write(fd, b"\\x7fELF" + bytes(4092))
loaded(fd)
path = sys.argv[1]
fd = os.open(path, os.O_RDWR | os.O_CREAT)
os.write(fd, b"code" * 1024)
os.unlink(path)
loaded(fd)
"""
    observer.python(CALLS + code, str(tmp_path / "gone"))
    hidden, gone = [m for m in observer.of("LOAD") if m.strings[0].endswith(b"(deleted)")]
    assert hidden.strings == [b"/memfd:hidden (deleted)"]
    assert hidden.content.startswith(b"\x7fELF")
    assert gone.content.startswith(b"codecode")


def test_anonymous_executable_memory_once_for_each_call(observer: Observer) -> None:
    code = """
for _ in range(20):
    a = loaded(-1, 7, PRIVATE | ANONYMOUS)
b = loaded(-1, RW, PRIVATE | ANONYMOUS)
for _ in range(20):
    libc.mprotect(b, 4096, RX); libc.mprotect(b, 4096, RW)
"""
    observer.python(CALLS + code)
    by_map, by_protect = observer.of("CODE_MEMORY")
    assert (by_map.body["nr"], by_protect.body["nr"]) == (NR["mmap"], NR["mprotect"])
    assert by_map.body["args2"] == 7
    assert observer.counters["repeats"] == 38


def test_a_file_made_executable_after_mapping_is_loaded(observer: Observer, tmp_path: Path) -> None:
    library = tmp_path / "libx.so"
    shutil.copy("/bin/true", library)
    code = "a = loaded(os.open(sys.argv[1], os.O_RDONLY), R, PRIVATE, 8192)\nlibc.mprotect(a + 4096, 4096, RX)"
    observer.python(CALLS + code, str(library))
    (load,) = loads_of(observer, library)
    assert load.body["nr"] == NR["mprotect"]
    assert load.fd == identity(library)
    assert observer.of("CODE_MEMORY") == []


def test_one_call_over_several_mappings_shows_each(observer: Observer, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.so", "b.so")]
    for path in paths:
        shutil.copy("/bin/true", path)
    code = """
base = loaded(-1, R, PRIVATE | ANONYMOUS, 4 * 4096)
for i, path in enumerate(sys.argv[1:]):
    libc.mmap(base + 4096 * i, 4096, R, PRIVATE | 16, os.open(path, os.O_RDONLY), 0)
assert libc.mprotect(base, 4 * 4096, RX) == 0
"""
    observer.python(CALLS + code, *map(str, paths))
    assert [len(loads_of(observer, path)) for path in paths] == [1, 1]
    assert len(observer.of("CODE_MEMORY")) == 1


def test_shared_memory_attached_executable(observer: Observer) -> None:
    code = """
i = libc.shmget(0, 4096, 0o1600)
libc.shmat.restype = ctypes.c_void_p
libc.shmat(i, None, 0o100000)
libc.shmctl(i, 0, None)
"""
    observer.python(CALLS + code)
    (record,) = observer.of("CODE_MEMORY")
    assert record.body["nr"] == NR["shmat"]


def test_a_library_run_through_the_loader_shows_as_a_mapping(observer: Observer, tmp_path: Path) -> None:
    maps = subprocess.run(["sh", "-c", "cat /proc/self/maps"], capture_output=True, text=True, check=True).stdout
    loader = next(line.split()[-1] for line in maps.splitlines() if "/ld-" in line)
    tool = tmp_path / "tool"
    shutil.copy("/bin/true", tool)
    tool.chmod(0o644)
    observer.run(loader, str(tool))
    (load,) = loads_of(observer, tool)
    assert load.fd == identity(tool)
    assert observer.of("EXEC")[0].fd == identity(loader)


def test_a_thread_with_descriptors_of_its_own(
    observer: Observer, program: Callable[[str], str], tmp_path: Path
) -> None:
    """After unshare(CLONE_FILES) a number means another file in each thread."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for path in (ours, theirs):
        shutil.copy("/bin/true", path)
    observer.run(program("ownfiles"), str(ours), str(theirs))
    (load,) = [m for m in observer.of("LOAD") if m.strings[0] in (str(ours).encode(), str(theirs).encode())]
    assert load.strings[0] == str(theirs).encode()
    assert load.head["tid"] != load.head["pid"]


def test_a_bad_descriptor_is_no_load(observer: Observer) -> None:
    done = observer.python(CALLS + "print(loaded(99), ctypes.get_errno())")
    assert done.stdout.split()[1] == b"9"
    assert all(flags(m) <= {"HAS_FD"} for m in observer.of("LOAD"))


def test_python_itself_loads_its_libraries_and_no_others(observer: Observer) -> None:
    """What the record says is what the process's own map says."""
    done = observer.python("import ssl, sqlite3; print(open('/proc/self/maps').read())")
    fields = [line.split(None, 5) for line in done.stdout.decode().splitlines()]
    mapped = {f[5] for f in fields if len(f) == 6 and "x" in f[1] and f[5].startswith("/")}
    named = {os.fsdecode(m.strings[0]) for m in observer.of("LOAD")}
    assert named == mapped - {os.path.realpath(sys.executable)}
