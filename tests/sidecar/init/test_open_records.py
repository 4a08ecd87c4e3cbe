"""OPEN: only what matches, wherever it was opened from; the rest is counted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.init_peer import patterns
from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, flags, identity

pytestmark = pytest.mark.real


def named(observer: Observer, below: Path | str) -> list[str]:
    prefix = os.fsencode(f"{below}")
    return [os.fsdecode(m.strings[0]) for m in observer.of("OPEN") if m.strings[0].startswith(prefix)]


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")


def test_each_kind_of_pattern(observer: Observer, tmp_path: Path) -> None:
    names = ["p/in", "q/x.pem", "q/id_rsa", "q/not_id_rsa", ".ssh/known", "q/plain", "q/code.py"]
    files(tmp_path, *names)
    observer.peer.watch = (f"P{tmp_path}/p/".encode(), b"S.pem", b"Nid_rsa", b"I/.ssh/", b"W.py")
    code = (
        "import sys\nfor n in sys.argv[2:]: open(sys.argv[1] + '/' + n).close()\nopen(sys.argv[1] + '/q/code.py', 'a')"
    )
    observer.python(code, str(tmp_path), *names)
    expected = ["p/in", "q/x.pem", "q/id_rsa", ".ssh/known", "q/code.py"]
    assert named(observer, tmp_path) == [f"{tmp_path}/{name}" for name in expected]
    written = observer.of("OPEN")[-1]
    assert written.body["open_flags"] & os.O_WRONLY
    assert (written.body["device"], written.body["inode"]) == identity(tmp_path / "q/code.py")
    assert observer.counters["opens"] >= 2


def test_relative_paths_and_folders_by_descriptor(observer: Observer, tmp_path: Path) -> None:
    files(tmp_path, "below/secret")
    observer.peer.watch = (f"P{tmp_path}/below/".encode(),)
    code = """
import os
os.chdir("below")
for path in ("secret", "./secret", "../below/secret", ".././below//secret"):
    os.close(os.open(path, os.O_RDONLY))
folder = os.open("..", os.O_RDONLY)
os.close(os.open("below/secret", os.O_RDONLY, dir_fd=folder))
"""
    observer.python(code, cwd=tmp_path)
    assert named(observer, tmp_path) == [f"{tmp_path}/below/secret"] * 5


def test_detours_in_an_absolute_path(observer: Observer, tmp_path: Path) -> None:
    files(tmp_path, "a/secret")
    observer.peer.watch = (f"P{tmp_path}/a/".encode(),)
    detour = f"{tmp_path}/./a/..//a/secret"
    observer.python("import sys; open(sys.argv[1])", detour)
    assert named(observer, tmp_path) == [f"{tmp_path}/a/secret"]


def test_a_file_that_is_not_there_yet(observer: Observer, tmp_path: Path) -> None:
    observer.peer.watch = (b"W.so",)
    observer.python("import sys; open(sys.argv[1], 'w')", str(tmp_path / "new.so"))
    (record,) = observer.of("OPEN")
    assert (record.body["device"], record.body["inode"]) == (0, 0)
    assert record.body["open_flags"] & os.O_CREAT


def test_every_way_to_open(observer: Observer, tmp_path: Path) -> None:
    files(tmp_path, "x.key")
    observer.peer.watch = (b"S.key",)
    code = """
import ctypes, struct, sys
libc = ctypes.CDLL(None)
path = sys.argv[1].encode()
how = struct.pack("QQQ", 0, 0, 0)
numbers = dict(zip(("open", "creat", "openat", "openat2"), map(int, sys.argv[2:])))
if numbers["open"] >= 0: assert libc.syscall(numbers["open"], path, 0) >= 0
if numbers["creat"] >= 0: assert libc.syscall(numbers["creat"], path, 0o600) >= 0
assert libc.syscall(numbers["openat"], -100, path, 0) >= 0
assert libc.syscall(numbers["openat2"], -100, path, how, len(how)) >= 0
"""
    numbers = [NR.get(name, -1) for name in ("open", "creat", "openat", "openat2")]
    observer.python(code, str(tmp_path / "x.key"), *map(str, numbers))
    assert [m.body["nr"] for m in observer.of("OPEN")] == [nr for nr in numbers if nr >= 0]


def test_levels_off_and_all(observer: Observer, tmp_path: Path) -> None:
    files(tmp_path, "r", "w")
    code = "import os, sys; open(sys.argv[1] + '/r').read(); open(sys.argv[1] + '/w', 'w'); os.listdir(sys.argv[1])"
    observer.python(code, str(tmp_path), options=("--reads", "all", "--writes", "off"))
    assert named(observer, tmp_path) == [f"{tmp_path}/r", str(tmp_path)]
    observer.peer.messages.clear()
    observer.python(code, str(tmp_path), options=("--reads", "off", "--writes", "all"))
    assert named(observer, tmp_path) == [f"{tmp_path}/w"]
    observer.peer.messages.clear()
    observer.python(code, str(tmp_path), options=("--reads", "off", "--writes", "off"))
    assert observer.of("OPEN") == []
    assert observer.counters["opens"] == 0


def test_new_patterns_take_effect_in_a_running_agent(observer: Observer, tmp_path: Path) -> None:
    files(tmp_path, "later")
    with observer.start("sh", "-c", f"while cat {tmp_path}/later >/dev/null; do :; done 2>&-") as process:
        observer.peer.wait(lambda peer: any(m.kind == "EXEC" for m in peer.messages))
        assert named(observer, tmp_path) == []
        observer.peer.send(patterns([b"Nlater"]))
        observer.peer.wait(lambda peer: any(m.kind == "OPEN" for m in peer.messages))
        process.terminate()
    assert set(named(observer, tmp_path)) == {f"{tmp_path}/later"}


def test_a_path_at_the_end_of_memory_and_none_at_all(observer: Observer) -> None:
    observer.peer.watch = (b"Nhostname",)
    code = """
import ctypes, mmap, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.syscall.argtypes = [ctypes.c_long] * 4
page = libc.mmap(None, 12288, 3, 34, -1, 0)
libc.munmap(page + 8192, 4096)
def put(address, data): ctypes.memmove(address, data, len(data))
def opened(address): return libc.syscall(int(sys.argv[1]), -100, address, 0)
put(page + 4090, b"/etc/hostname\\0")     # over the border of two pages
assert opened(page + 4090) > 0
put(page + 8192 - 14, b"/etc/hostname\\0")  # up to the very end
assert opened(page + 8192 - 14) > 0
put(page + 8192 - 5, b"/etc/")            # without an end
assert opened(page + 8192 - 5) == -1 and ctypes.get_errno() == 14
assert opened(0) == -1 and ctypes.get_errno() == 14
"""
    observer.python(code, str(NR["openat"]))
    assert [m.strings[0] for m in observer.of("OPEN")] == [b"/etc/hostname"] * 2
    assert observer.counters["unreadable"] == 2


def test_a_path_that_fills_path_max(observer: Observer, tmp_path: Path) -> None:
    observer.peer.watch = (b"S.key",)
    path = str(tmp_path) + "/." * ((4095 - len(str(tmp_path)) - 6) // 2) + "/x.key"
    path = path.replace("/x.key", "/" + "x" * (4095 - len(path)) + "x.key")
    assert len(path) == 4095
    Path(tmp_path / os.path.basename(path)).write_text("x")
    observer.python("import sys; open(sys.argv[1])", path)
    (record,) = observer.of("OPEN")
    assert record.strings == [os.fsencode(tmp_path / os.path.basename(path))]
    assert flags(record) == set()


def test_what_is_longer_than_any_path_is_cut(observer: Observer) -> None:
    observer.peer.watch = (b"P/etc/",)
    observer.python("try: open('/etc/' + 'x' * 9000)\nexcept OSError: pass")
    cut = next(m for m in observer.of("OPEN") if "TRUNCATED" in flags(m))
    assert cut.strings[0].startswith(b"/etc/xxxx")
    assert len(cut.strings[0]) <= 4096


def test_bytes_of_a_name_are_kept_as_they_are(observer: Observer, tmp_path: Path) -> None:
    name = b"\xff\n\x1b[31m.key"
    (tmp_path / os.fsdecode(name)).write_text("x")
    observer.peer.watch = (b"S.key",)
    observer.python("import os; [open(n) for n in os.listdir(b'.')]", cwd=tmp_path)
    assert [m.strings[0] for m in observer.of("OPEN")] == [os.fsencode(tmp_path) + b"/" + name]


def test_a_fifo_and_a_device_hold_nobody_up(observer: Observer, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.key")
    observer.peer.watch = (b"S.key",)
    observer.python("import os, sys; os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)", str(tmp_path / "f.key"))
    (record,) = observer.of("OPEN")
    assert record.body["inode"] == os.stat(tmp_path / "f.key").st_ino
