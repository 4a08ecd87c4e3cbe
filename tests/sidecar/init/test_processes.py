"""Init's duties towards processes: it reaps, it may be PID 1, and it leaves nobody with a dead listener."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sidecar.init.observed import Observer, eventually

pytestmark = pytest.mark.real

root = pytest.mark.skipif(os.geteuid() != 0, reason="a pid namespace needs root here")
NAMESPACE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def test_orphans_are_reaped_and_their_end_is_told(observer: Observer) -> None:
    code = """
import os, time
child = os.fork()
if child == 0:
    if os.fork() == 0:
        time.sleep(0.05)
        print(os.getpid(), os.getppid(), flush=True)
        os._exit(3)
    os._exit(0)
os.waitpid(child, 0)
time.sleep(0.3)
"""
    orphan, parent = map(int, observer.python(code).stdout.split())
    assert parent == observer.of("HELLO")[0].body["pid"]
    told = {m.head["pid"]: m for m in observer.of("EXIT")}
    assert os.waitstatus_to_exitcode(told[orphan].body["status"]) == 3
    assert told[orphan].head["start"] > 0
    assert not Path(f"/proc/{orphan}").exists()


def test_nothing_is_left_of_a_quick_agent(init: Path) -> None:
    done = subprocess.run(
        [init, "--front", "--", "sh", "-c", "echo $PPID"], capture_output=True, check=True, start_new_session=True
    )
    supervisor = int(done.stdout)
    assert not Path(f"/proc/{supervisor}").exists()


OUTLIVING = """
import os, sys, time
if os.fork() == 0:
    for _ in range(500):
        if os.path.exists(sys.argv[1] + "/go"):
            break
        time.sleep(0.01)
    import ctypes
    result = ctypes.CDLL(None, use_errno=True).syscall(425, 8, 0), ctypes.get_errno()
    pid = os.posix_spawn("/bin/true", ["true"], {})
    os.waitpid(pid, 0)
    open(sys.argv[1] + "/done", "w").write(f"{result}")
    os._exit(0)
"""


@pytest.mark.parametrize("front", [False, True])
def test_what_outlives_the_agent_goes_on(init: Path, folder: Path, front: bool) -> None:
    options = ["--front"] if front else []
    done = subprocess.run([init, *options, "--", sys.executable, "-c", OUTLIVING, folder], timeout=10, check=False)
    assert done.returncode == 0
    (folder / "go").touch()
    eventually((folder / "done").exists)
    eventually(lambda: bool((folder / "done").read_text()))
    assert (folder / "done").read_text() == "(-1, 1)"  # io_uring stays denied
    eventually(lambda: not processes_of(init, str(folder)))


def processes_of(init: Path, word: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0] == os.fsencode(init) and os.fsencode(word) in words:
            found.append(int(entry.parent.name))
    return found


def test_calls_held_at_the_agents_end_are_answered(init: Path, folder: Path) -> None:
    """Children in the middle of trapped calls when init hands the listener over: none hangs, none fails."""
    code = """
import os, sys
for n in range(4):
    if os.fork() == 0:
        for _ in range(2000):
            os.close(os.open("/etc/hostname", os.O_RDONLY))
        open(f"{sys.argv[1]}/{n}", "w")
        os._exit(0)
"""
    for turn in range(5):
        place = folder / str(turn)
        place.mkdir()
        subprocess.run([init, "--", sys.executable, "-c", code, place], check=True, timeout=10)
        eventually(lambda place=place: len(os.listdir(place)) == 4)  # type: ignore[misc]  # bound in the loop on purpose


@root
def test_as_pid_one_it_reaps_everything(observer: Observer) -> None:
    code = (
        "for i in 1 2 3 4 5; do sh -c 'sleep 0.0$0 & exit 0' $i; done; sleep 0.4; ps -o pid,stat,comm -e; echo $$ $PPID"
    )
    done = subprocess.run(
        [*NAMESPACE, *observer.command("sh", "-c", code)], capture_output=True, timeout=20, check=True
    )
    assert b"Z" not in b"".join(line.split()[1] for line in done.stdout.splitlines()[1:-1])
    assert done.stdout.split()[-1] == b"1"
    assert observer.of("HELLO")[0].body["pid"] == 1
    assert len(observer.of("EXIT")) >= 6


@root
@pytest.mark.parametrize(("code", "status"), [("exit 5", 5), ("kill -TERM $$", 143)])
def test_as_pid_one_it_ends_as_the_agent_does(init: Path, code: str, status: int) -> None:
    done = subprocess.run([*NAMESPACE, init, "--", "sh", "-c", code], check=False, timeout=20, capture_output=True)
    assert done.returncode == status


@root
def test_as_pid_one_it_passes_a_termination_on(init: Path, tmp_path: Path) -> None:
    code = "trap 'exit 7' TERM; touch $0; while :; do sleep 0.01; done"
    with subprocess.Popen([*NAMESPACE, init, "--", "sh", "-c", code, tmp_path / "on"]) as process:
        eventually((tmp_path / "on").exists)
        (inner,) = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        os.kill(inner, signal.SIGTERM)
        assert process.wait(10) == 7


@root
def test_as_pid_one_it_cannot_be_killed_traced_or_read_from_within(
    observer: Observer, program: Callable[[str], str], folder: Path
) -> None:
    tool = shutil.copy(program("attack"), folder / "attack")
    prefix = [*NAMESPACE, "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"]
    command = [*prefix, *observer.command(str(tool))]
    done = subprocess.run(command, capture_output=True, timeout=20, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [b"ptrace", b"refused", b"memory", b"refused", b"alive"]


def test_many_threads_spawn_at_once(observer: Observer) -> None:
    code = """
import subprocess, threading
def spawn():
    for _ in range(25):
        subprocess.run(["/bin/true"], check=True)
threads = [threading.Thread(target=spawn) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
"""
    observer.python(code)
    execs = [m for m in observer.of("EXEC") if m.strings[0] == b"/bin/true"]
    assert len(execs) == len({(m.head["pid"], m.head["start"]) for m in execs}) == 200
    assert observer.of("IMAGE") == []


def test_a_process_that_forks_without_a_word_is_introduced(observer: Observer) -> None:
    code = """
import os
if os.fork() == 0:
    if os.fork() == 0:
        os.execv("/bin/true", ["true"])
    os.wait()
    os._exit(0)
os.wait()
"""
    observer.python(code)
    execed = observer.of("EXEC")[-1]
    assert execed.head["ppid"] in {m.head["pid"] for m in observer.of("PROCESS")}
