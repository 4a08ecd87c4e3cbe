"""EXEC and IMAGE: what was named, what really runs, and nothing for what could not run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.init_peer import DEFINES
from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, eventually, flags, identity

pytestmark = pytest.mark.real

SH = identity(shutil.which("sh") or "/bin/sh")


def test_an_exec_names_the_file_the_folder_and_the_arguments(observer: Observer, tmp_path: Path) -> None:
    observer.run("sh", "-c", "/bin/echo 'a b' '' ü; exit 0", cwd=tmp_path)
    first, second = observer.of("EXEC")
    assert first.strings[1:] == [str(tmp_path).encode(), b"sh", b"-c", "/bin/echo 'a b' '' ü; exit 0".encode()]
    assert (first.body["device"], first.body["inode"]) == first.fd == SH
    assert second.strings == [b"/bin/echo", str(tmp_path).encode(), b"/bin/echo", b"a b", b"", "ü".encode()]
    assert second.content.startswith(b"\x7fELF")
    assert second.body["argc"] == 4
    assert second.head["ppid"] == first.head["pid"]
    assert second.body["nr"] == NR["execve"]
    st = os.stat("/bin/echo")
    expected = (st.st_size, st.st_mtime_ns, st.st_ctime_ns, st.st_mode, st.st_uid)
    assert tuple(second.body[k] for k in ("size", "mtime_ns", "ctime_ns", "mode", "owner")) == expected


def test_the_head_identifies_the_process(observer: Observer) -> None:
    code = "import os; print(os.getpid(), os.getppid(), open('/proc/self/stat').read().rpartition(')')[2].split()[19])"
    pid, ppid, start = observer.python(code).stdout.split()
    exec_ = observer.of("EXEC")[0]
    hello, bye = observer.of("HELLO")[0], observer.of("BYE")[0]
    assert (exec_.head["pid"], exec_.head["tid"]) == (int(pid), int(pid))
    assert (exec_.head["ppid"], exec_.head["start"]) == (int(ppid), int(start))
    assert (hello.body["agent"], hello.body["pid"]) == (int(pid), int(ppid))
    assert bye.head["pid"] == int(pid)
    assert observer.of("EXIT")[0].head["start"] == int(start)


def test_a_relative_path_is_made_absolute(observer: Observer, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    shutil.copy("/bin/true", tmp_path / "tool")
    observer.run("sh", "-c", "cd below; .././tool x; exit 0", cwd=tmp_path)
    record = observer.of("EXEC")[1]
    assert record.strings[0] == str(tmp_path / "tool").encode()
    assert record.fd == identity(tmp_path / "tool")


def test_a_failing_search_leaves_nothing(observer: Observer, tmp_path: Path) -> None:
    code = """
import os, sys
for path in ("/no/such", "/etc/passwd/x", "/tmp", sys.argv[1], "/dev/null", "x" * 300, ""):
    try:
        os.execv(path, ["x"])
    except OSError:
        pass
os.environ["PATH"] = "/no:/nowhere:/bin:/usr/bin"
os.posix_spawnp("true", ["true"], os.environ)
os.wait()
os.execvp("true", ["true"])
"""
    (tmp_path / "plain").write_text("no execute bit")
    observer.python(code, str(tmp_path / "plain"))
    named = [m.strings[0] for m in observer.of("EXEC")][1:]
    assert [Path(n.decode()).name for n in named] == ["true", "true"]
    assert observer.of("IMAGE") == []


def test_a_script_shows_its_interpreter(observer: Observer, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\necho done\n")
    script.chmod(0o755)
    done = observer.run(str(script), "argument")
    assert done.stdout == b"done\n"
    (exec_,) = observer.of("EXEC")
    (image,) = observer.of("IMAGE")
    assert exec_.fd == identity(script)
    assert exec_.content.startswith(b"#!/bin/sh")
    assert image.fd == SH
    assert image.strings == [os.path.realpath("/bin/sh").encode()]
    assert "MISMATCH" not in flags(image)
    assert image.head["pid"] == exec_.head["pid"]


def test_a_swapped_file_shows_as_a_mismatch(observer: Observer, program: Callable[[str], str], tmp_path: Path) -> None:
    """A thread swaps two links while another execs: whatever was named, what ran must be known."""
    shutil.copy("/bin/true", tmp_path / "claimed")
    shutil.copy(program("trapping"), tmp_path / "other")
    observer.run(program("swap"), str(tmp_path), "400")
    execs = {m.head["pid"]: m for m in observer.of("EXEC")[1:]}
    images = {m.head["pid"]: m for m in observer.of("IMAGE")}
    other = identity(tmp_path / "other")
    ran = {m.head["pid"] for m in observer.calls(NR["memfd_create"])}  # only `other` makes that call
    assert ran, "the other was never run"
    for pid in ran:
        shown = images[pid] if pid in images else execs[pid]
        assert (shown.body["device"], shown.body["inode"]) == other
    for image in images.values():
        assert "MISMATCH" in flags(image)


def test_a_chain_of_execs_in_one_process(observer: Observer) -> None:
    observer.run("env", "nice", "-n", "1", "sh", "-c", "exec true")
    names = [Path(m.strings[0].decode()).name for m in observer.of("EXEC")]
    assert names == ["env", "nice", "sh", "true"]
    assert len({m.head["pid"] for m in observer.of("EXEC")}) == 1
    assert observer.of("IMAGE") == []


def test_a_failed_exec_shows_the_old_image_as_old(observer: Observer, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF" + b"\0" * 60)
    broken.chmod(0o755)
    code = f"""
import os, threading
def attempt():
    try:
        os.execv({str(broken)!r}, ["x"])
    except OSError:
        pass
    open("/etc/hostname").close()
attempt()
t = threading.Thread(target=attempt); t.start(); t.join()
for _ in range(10):
    open("/etc/hostname").close()
"""
    observer.python(code)
    assert [m.strings[0] for m in observer.of("EXEC")][1:] == [str(broken).encode()] * 2
    # The thread's own failure is not told from an exec under way.
    (image,) = observer.of("IMAGE")
    assert (image.body["device"], image.body["inode"]) == identity(sys.executable)
    assert flags(image) - {"HAS_FD"} == {"FAILED"}


def test_an_exec_by_descriptor(observer: Observer, tmp_path: Path) -> None:
    code = """
import os, sys
fd = os.memfd_create("payload")
os.write(fd, open("/bin/true", "rb").read())
os.execve(fd, ["payload"], {})
"""
    observer.python(code)
    record = observer.of("EXEC")[1]
    assert record.body["nr"] == NR["execveat"]
    assert record.content.startswith(b"\x7fELF")
    assert record.strings[0] == b"/memfd:payload (deleted)"
    assert observer.of("IMAGE") == []


def test_proc_self_means_the_caller(observer: Observer) -> None:
    observer.python('import os; os.execv("/proc/self/exe", ["python3", "-c", "open(\'/etc/hostname\')"])')
    record = observer.of("EXEC")[1]
    assert (record.body["device"], record.body["inode"]) == identity(sys.executable)
    assert observer.of("IMAGE") == []


def test_a_link_into_proc_self_does_not_name_init(observer: Observer, tmp_path: Path) -> None:
    """Init opening the link would find itself. It does not follow it, and the image tells the truth."""
    (tmp_path / "link").symlink_to("/proc/self/exe")
    code = f'import os; os.execv({str(tmp_path / "link")!r}, ["python3", "-c", "open(\\"/etc/hostname\\")"])'
    observer.python(code)
    assert all(m.fd != identity(observer.init) for m in [*observer.of("EXEC"), *observer.of("IMAGE")])
    (image,) = observer.of("IMAGE")
    assert (image.body["device"], image.body["inode"]) == identity(sys.executable)
    assert "MISMATCH" in flags(image)


def test_arguments_are_bounded_and_say_so(observer: Observer) -> None:
    observer.python('import os; os.execv("/bin/true", ["true"] + ["x"] * 1000)')
    many = observer.of("EXEC")[1]
    assert (many.body["argc"], len(many.strings)) == (DEFINES["ARGV_ITEMS_MAX"], 2 + DEFINES["ARGV_ITEMS_MAX"])
    assert "TRUNCATED" in flags(many)


def test_a_huge_argument_is_cut(observer: Observer) -> None:
    observer.python('import os; os.execv("/bin/true", ["true", "y" * 100000, "z"])')
    cut = observer.of("EXEC")[1]
    assert "TRUNCATED" in flags(cut)
    assert sum(map(len, cut.strings[2:])) <= DEFINES["ARGV_MAX"]
    assert cut.strings[3].startswith(b"yyyy")


def test_arguments_up_to_the_end_of_memory(observer: Observer, program: Callable[[str], str]) -> None:
    """Strings and pointer arrays that end where a mapping ends, or begin where none is."""
    observer.run(program("edges"))
    good, unreadable = observer.of("EXEC")[1:]
    assert good.strings[0] == b"/bin/true"
    assert good.strings[2:] == [b"edge", b"last"]
    assert flags(good) <= {"HAS_FD"}
    assert "UNREADABLE" in flags(unreadable)
    assert observer.counters["unreadable"] >= 1


def test_names_that_are_not_utf8_and_very_long(observer: Observer, tmp_path: Path) -> None:
    deep = os.fsencode(tmp_path)
    while len(deep) + 201 < 4000:
        deep += b"/" + b"\xff\x01\x1b" + b"d" * 197
    os.makedirs(deep)
    path = deep + b"/" + b"t" * (4094 - len(deep))
    assert len(path) == 4095
    copy_into(deep, os.path.basename(path))
    code = "import os, sys; p = os.fsencode(sys.argv[1]); os.execv(p, [b'x\\xfe'])"
    observer.python(code, os.fsdecode(path))
    record = observer.of("EXEC")[1]
    assert record.strings[0] == path
    assert record.strings[2] == b"x\xfe"
    assert record.fd is not None


def copy_into(folder: bytes, name: bytes) -> None:
    """A path that long can only be written by way of its folder's descriptor."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    shutil.copy(b"/bin/true", os.fsencode(f"/proc/self/fd/{fd}/") + name)
    os.close(fd)


def test_an_image_that_cannot_be_read_is_still_recorded(init: Path, observer: Observer, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to run something as another user that cannot read it")
    tool = tmp_path / "secretive"
    shutil.copy("/bin/true", tool)
    tool.chmod(0o711)
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    unprivileged = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    subprocess.run([*unprivileged, *observer.command(str(tool))], check=True, timeout=20)
    (record,) = observer.of("EXEC")
    assert flags(record) == {"UNREADABLE"}
    assert (record.body["device"], record.body["inode"]) == identity(tool)
    assert record.body["writable"] == 0


def test_a_file_is_passed_again_only_after_a_while(observer: Observer) -> None:
    observer.run("sh", "-c", "for i in 1 2 3 4 5; do /bin/true; done")
    passed = [m.fd is not None for m in observer.of("EXEC") if m.strings[0] == b"/bin/true"]
    assert passed[0]
    assert passed.count(True) <= 2  # a slow machine takes more than the second after which it is passed again


def test_a_changed_file_is_passed_at_once(observer: Observer, tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    shutil.copy("/bin/true", tool)
    observer.run("sh", "-c", f"{tool}; cp /bin/echo {tool}; {tool}")
    records = [m for m in observer.of("EXEC") if m.strings[0] == str(tool).encode()]
    assert [m.fd is not None for m in records] == [True, True]
    assert [m.body["size"] for m in records] == [os.stat("/bin/true").st_size, os.stat("/bin/echo").st_size]


def test_the_callers_root_is_where_its_paths_begin(observer: Observer, program: Callable[[str], str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    tool = program("trapping")
    code = f"import os; os.chroot({os.path.dirname(tool)!r}); os.chdir('/'); os.execv('/trapping', ['trapping'])"
    observer.python(code)
    record = observer.of("EXEC")[1]
    assert record.strings[0] == b"/trapping"
    assert record.fd == identity(tool)
    assert observer.of("IMAGE") == []


def test_a_thread_that_is_not_the_leader_can_exec(observer: Observer, program: Callable[[str], str]) -> None:
    observer.run(program("threadexec"), program("trapping"))
    record = observer.of("EXEC")[1]
    assert record.head["tid"] != record.head["pid"]
    after = observer.calls(NR["memfd_create"])[0]
    assert (after.head["pid"], after.head["start"]) == (record.head["pid"], record.head["start"])
    assert observer.of("IMAGE") == []


def test_an_unlinked_program_is_known_by_its_file(observer: Observer, tmp_path: Path) -> None:
    tool = tmp_path / "gone"
    shutil.copy("/bin/sleep", tool)
    process = observer.start("sh", "-c", f"{tool} 0.2 & sleep 0.1; rm {tool}; wait")
    process.wait(20)
    eventually(lambda: bool(observer.of("BYE")))
    assert any(m.strings[0] == str(tool).encode() and m.fd for m in observer.of("EXEC"))


def test_programs_hidden_behind_others_are_still_compared(
    observer: Observer, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Hundreds exec something else than was named and make no call: each is looked at before it is forgotten."""
    shutil.copy(program("silent"), tmp_path / "silent")
    (tmp_path / "link").symlink_to("/proc/self/exe")  # init sees no file there; the kernel runs `silent`
    observer.run(str(tmp_path / "silent"), str(tmp_path / "link"), "700")
    mismatched = {m.head["pid"] for m in observer.of("IMAGE") if "MISMATCH" in flags(m)}
    assert len(mismatched) >= 700 - 512
