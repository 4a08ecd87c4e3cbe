"""Opens in enforce: the file that was judged is the file that is delivered, by whatever name it was asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inscope.behaviour import Access, Behaviour, Contradiction, Open, subject_of
from inscope.verdict import Verdict
from tests.sidecar.observe.test_enforced import Enforced, Refuses

pytestmark = pytest.mark.real


def nothing(_: Behaviour) -> bool:
    return False


def any_secret(behaviour: Behaviour) -> bool:
    return isinstance(behaviour, Open) and behaviour.secret


def named(name: str) -> Refuses:
    return lambda behaviour: any_secret(behaviour) and subject_of(behaviour).endswith(name)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "vault" / "denied.pem"
    path.parent.mkdir()
    path.write_text("TOP SECRET")
    return path


TRY = """
import os, sys
def attempt(name, act):
    try: print(name, act())
    except OSError as error: print(name, error.strerror)
def read(path, **more):
    fd = os.open(path, os.O_RDONLY, **more)
    try: return os.read(fd, 99).decode()
    finally: os.close(fd)
secret = sys.argv[1]
folder = os.path.dirname(secret)
"""


async def python(enforced: Enforced, code: str, *arguments: object) -> list[str]:
    return (await enforced.run(sys.executable, "-c", TRY + code, *map(str, arguments))).splitlines()


async def test_a_refused_secret_cannot_be_read_by_any_name(tmp_path: Path, secret: Path) -> None:
    (tmp_path / "link").symlink_to(secret)
    (tmp_path / "folder").symlink_to(secret.parent)
    (tmp_path / "loop").symlink_to("/proc/self/cwd/vault/denied.pem")
    os.link(secret, tmp_path / "hard")
    code = """
attempt("name", lambda: read(secret))
attempt("link", lambda: read("link"))
attempt("folder", lambda: read("folder/denied.pem"))
attempt("hard link", lambda: read("hard"))
attempt("root", lambda: read("/proc/self/root" + secret))
attempt("thread", lambda: read("/proc/thread-self/root" + secret))
attempt("cwd", lambda: read("/proc/self/cwd/link"))
attempt("link to cwd", lambda: read("loop"))
attempt("own number", lambda: read(f"/proc/{os.getpid()}/root" + secret))
handle = os.open("hard", os.O_PATH)
attempt("handle", lambda: read(f"/proc/self/fd/{handle}"))
attempt("dev", lambda: read(f"/dev/fd/{handle}"))
attempt("folder handle", lambda: read("denied.pem", dir_fd=os.open(folder, os.O_PATH)))
os.chdir("/proc/self")
attempt("from proc", lambda: read("root" + secret))
attempt("from cwd", lambda: read("cwd/../.." + secret))
os.chdir(folder)
attempt("here", lambda: read("denied.pem"))
os.rename("denied.pem", "plain.txt")
attempt("renamed", lambda: read("plain.txt"))
attempt("read and write", lambda: os.open("plain.txt", os.O_RDWR))
"""
    enforced = Enforced(tmp_path, any_secret)
    out = await python(enforced, code, secret)
    assert len(out) == code.count("attempt")
    assert [line for line in out if not line.endswith(("Permission denied", "symbolic links"))] == []
    assert {Path(subject_of(one)).name for one in enforced.denied()} >= {"denied.pem", "hard", "plain.txt"}


async def test_what_is_allowed_is_opened_as_asked(tmp_path: Path, secret: Path) -> None:
    code = """
import fcntl
fd = os.open(secret, os.O_RDONLY | os.O_CLOEXEC)
print(os.read(fd, 99).decode(), os.get_inheritable(fd), os.readlink(f"/proc/self/fd/{fd}") == secret)
os.set_inheritable(fd, True)
fd = os.open(secret, os.O_RDWR | os.O_APPEND | os.O_NONBLOCK)
flags = fcntl.fcntl(fd, fcntl.F_GETFL)
print(bool(flags & os.O_APPEND), bool(flags & os.O_NONBLOCK), flags & os.O_ACCMODE)
plain = open("plain", "w"); plain.write("plain"); plain.close()
fd = os.open("plain", os.O_RDONLY); print(os.read(fd, 9).decode(), fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)
open("plain", "w").close(); print(os.path.getsize("plain"))
attempt("not there", lambda: os.open("nothing", os.O_RDONLY))
attempt("there", lambda: os.open("plain", os.O_RDWR | os.O_CREAT | os.O_EXCL))
os.symlink("plain", "l")
attempt("a link", lambda: os.open("l", os.O_RDONLY | os.O_NOFOLLOW))
attempt("a folder", lambda: os.open(".", os.O_WRONLY))
attempt("no folder", lambda: os.open("plain", os.O_RDONLY | os.O_DIRECTORY))
attempt("below a file", lambda: os.open("plain/x", os.O_RDONLY))
attempt("bad folder", lambda: os.open("plain", os.O_RDONLY, dir_fd=99))
attempt("empty", lambda: os.open("", os.O_RDONLY))
attempt("long", lambda: os.open("x" * 5000, os.O_RDONLY))
print(open("/dev/null").read() == "", open("/proc/self/comm").read().strip() != "")
sys.stdout.flush()
open("/dev/stdout", "w").write("through a link\\n")
os.symlink("/dev/stdout", "log")
open("log", "w").write("through two\\n")
open("/dev/fd/1", "w").write("by number\\n")
"""
    assert await python(Enforced(tmp_path, nothing), code, secret) == [
        "TOP SECRET False True",
        "True True 2",
        "plain 0",
        "0",
        "not there No such file or directory",
        "there File exists",
        "a link Too many levels of symbolic links",
        "a folder Is a directory",
        "no folder Not a directory",
        "below a file Not a directory",
        "bad folder Bad file descriptor",
        "empty No such file or directory",
        "long File name too long",
        "True True",
        "through a link",
        "through two",
        "by number",
    ]


async def test_a_full_table_of_files_is_an_error_and_not_a_hang(tmp_path: Path, secret: Path) -> None:
    code = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
attempt("many", lambda: [os.open(secret, os.O_RDONLY) for _ in range(40)])
"""
    assert await python(Enforced(tmp_path, nothing), code, secret) == ["many Too many open files"]


async def test_a_link_to_what_may_be_read_does_not_let_read_what_may_not(tmp_path: Path, secret: Path) -> None:
    code = """
attempt("its own", lambda: read("own.pem"))
os.unlink("own.pem"); os.symlink(secret, "own.pem")
attempt("the other's", lambda: read("own.pem"))
"""
    (tmp_path / "own.pem").write_text("own")
    enforced = Enforced(tmp_path, named("denied.pem"))
    assert await python(enforced, code, secret) == ["its own own", "the other's Permission denied"]


async def test_a_hard_link_to_a_secret_that_nobody_opened_yet(tmp_path: Path, secret: Path) -> None:
    """What the survey has listed is known by its number."""
    code = """
import time
os.link(secret, "harmless")
until = time.monotonic() + 5
while time.monotonic() < until:
    try: read("harmless")
    except PermissionError: print("refused"); break
"""
    os.link(secret, tmp_path / "own.pem")
    enforced = Enforced(tmp_path, any_secret)
    assert await python(enforced, code, secret) == ["refused"]
    assert {Path(subject_of(one)).name for one in enforced.denied()} == {"harmless"}


async def test_memory_of_processes_is_not_opened_for_writing(tmp_path: Path, secret: Path) -> None:
    code = """
attempt("own", lambda: os.open("/proc/self/mem", os.O_RDWR))
attempt("by number", lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_WRONLY))
attempt("by thread", lambda: os.open(f"/proc/self/task/{os.getpid()}/mem", os.O_RDWR))
os.chdir("/proc")
attempt("from proc", lambda: os.open("self/mem", os.O_RDWR))
attempt("read", lambda: os.open("/proc/self/mem", os.O_RDONLY) > 0)
"""
    enforced = Enforced(tmp_path, nothing)
    out = await python(enforced, code, secret)
    assert out[-1] == "read True"
    assert [line for line in out[:-1] if not line.endswith("Permission denied")] == []
    assert {one.access for one in enforced.denied() if isinstance(one, Open)} >= {Access.WRITE}


async def test_a_lease_on_a_file_holds_nobody_up(tmp_path: Path, secret: Path) -> None:
    code = """
import fcntl, signal
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open("leased", os.O_RDWR | os.O_CREAT)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
attempt("leased", lambda: read("leased"))
attempt("other", lambda: read("/etc/hostname") != "")
"""
    out = await python(Enforced(tmp_path, nothing), code, secret)
    assert out[1] == "other True"


async def test_a_path_that_changes_meanwhile_never_opens_the_secret(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    (tmp_path / "file.pek").write_text("harmless")
    (tmp_path / "file.pem").write_text("TOP SECRET")
    enforced = Enforced(tmp_path, any_secret)
    flipped = str(tmp_path / "file.pe")
    assert await enforced.run(program("flipopen"), flipped + "k", flipped + "m", "2000") == "0\n"
    assert enforced.denied()


async def test_who_keeps_a_secret_that_only_the_kernel_opened_dies(
    tmp_path: Path, program: Callable[[str], str]
) -> None:
    """Contained, not prevented: the pointer was changed between judging a FIFO and opening it."""
    os.mkfifo(tmp_path / "file.pek")
    (tmp_path / "file.pem").write_text("TOP SECRET")
    enforced = Enforced(tmp_path, any_secret)
    flipped = str(tmp_path / "file.pe")
    out = await enforced.run(program("flipopen"), flipped + "k", flipped + "m", "1000", "hold")
    print(f"contained: held a secret behind a FIFO's name until {out.split()[-1:]} ms, status {enforced.status}")
    told = [one for one in enforced.seen if isinstance(one.behaviour, Contradiction)]
    assert enforced.status == -9 or out == "0\n"
    assert [one.verdict for one in told] == [Verdict.KILL] * (enforced.status == -9)
