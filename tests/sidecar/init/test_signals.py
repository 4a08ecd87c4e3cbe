"""Signals reach the command once, as if init were not there; and no death leaves the command hanging."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sidecar.init.observed import Observer, eventually

pytestmark = pytest.mark.real

COUNTING = """
import os, signal, sys, time
counts = {}
def note(number, frame):
    counts[number] = counts.get(number, 0) + 1
for name in sys.argv[2].split(","):
    signal.signal(getattr(signal, name), note)
open(sys.argv[1], "w").write(str(os.getpid()))
until = time.monotonic() + 20
while signal.SIGTERM not in counts and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.15)  # for a second delivery, if there is one
print(sorted((signal.Signals(n).name, c) for n, c in counts.items()))
"""


def counting(init: Path, ready: Path, names: str, *options: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [init, *options, "--", sys.executable, "-c", COUNTING, str(ready), names],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    eventually(lambda: ready.exists() and bool(ready.read_text()))
    return process


def output(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=20)
    return text.strip()


@pytest.mark.parametrize("option", ["--front", "--wait-ms"])
def test_a_signal_to_init_reaches_the_command_once(init: Path, tmp_path: Path, option: str) -> None:
    options = ["--front"] if option == "--front" else []
    process = counting(init, tmp_path / "ready", "SIGUSR1,SIGHUP,SIGWINCH,SIGTERM", *options)
    for number in (signal.SIGUSR1, signal.SIGHUP, signal.SIGWINCH, signal.SIGTERM):
        process.send_signal(number)
    assert output(process) == "[('SIGHUP', 1), ('SIGTERM', 1), ('SIGUSR1', 1), ('SIGWINCH', 1)]"


def test_a_signal_to_the_whole_group_reaches_the_command_once(init: Path, tmp_path: Path) -> None:
    process = counting(init, tmp_path / "ready", "SIGUSR1,SIGUSR2,SIGTERM", "--front")
    for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM):
        os.killpg(process.pid, number)
        time.sleep(0.05)  # two of a kind at once are one
    assert output(process) == "[('SIGTERM', 1), ('SIGUSR1', 1), ('SIGUSR2', 1)]"


def test_a_signal_from_the_command_to_its_group_comes_back_once(init: Path, tmp_path: Path) -> None:
    code = (
        "import os, signal, time; n = []; signal.signal(signal.SIGTERM, lambda *_: n.append(1)); "
        "os.kill(0, signal.SIGTERM); time.sleep(0.3); print(len(n))"
    )
    done = subprocess.run(
        [init, "--front", "--", sys.executable, "-c", code], capture_output=True, start_new_session=True, timeout=20
    )
    assert (done.stdout, done.returncode) == (b"1\n", 0)


def test_a_burst_of_alternating_targets_is_counted_right(init: Path, tmp_path: Path) -> None:
    process = counting(init, tmp_path / "ready", "SIGUSR1,SIGTERM", "--front")
    for turn in range(10):
        (os.killpg if turn % 2 else os.kill)(process.pid, signal.SIGUSR1)
        time.sleep(0.03)
    process.terminate()
    assert output(process) == "[('SIGTERM', 1), ('SIGUSR1', 10)]"


def test_stopping_and_continuing_the_front_shows_to_its_parent(init: Path, tmp_path: Path) -> None:
    process = counting(init, tmp_path / "ready", "SIGTERM", "--front")
    agent = int((tmp_path / "ready").read_text())
    os.kill(agent, signal.SIGSTOP)
    pid, status = os.waitpid(process.pid, os.WUNTRACED)
    assert (pid, os.WSTOPSIG(status)) == (process.pid, signal.SIGSTOP)
    process.send_signal(signal.SIGCONT)
    process.terminate()
    assert output(process) == "[('SIGTERM', 1)]"


def test_a_tstp_to_the_front_stops_the_command_first(init: Path, tmp_path: Path) -> None:
    process = subprocess.Popen([init, "--front", "--", "sh", "-c", "touch $0; exec sleep 100", tmp_path / "on"])
    eventually((tmp_path / "on").exists)
    process.send_signal(signal.SIGTSTP)
    pid, status = os.waitpid(process.pid, os.WUNTRACED)
    assert (pid, os.WIFSTOPPED(status)) == (process.pid, True)
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait(10)


def test_killing_the_front_kills_the_command(init: Path, tmp_path: Path) -> None:
    process = counting(init, tmp_path / "ready", "SIGTERM", "--front")
    agent = int((tmp_path / "ready").read_text())
    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    eventually(lambda: not Path(f"/proc/{agent}").exists())


def supervisor_of(agent: int) -> int:
    stat = Path(f"/proc/{agent}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def test_killing_the_supervisor_kills_the_command_and_says_so(init: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [init, "--front", "--", "sh", "-c", "echo $$ > $0; exec sleep 100", tmp_path / "pid"], stderr=subprocess.PIPE
    )
    eventually(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    agent = int((tmp_path / "pid").read_text())
    os.kill(supervisor_of(agent), signal.SIGKILL)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 125
    assert b"supervising process" in errors
    eventually(lambda: not Path(f"/proc/{agent}").exists())


@pytest.mark.parametrize("front", [False, True])
def test_a_command_killed_before_it_started_leaves_nothing(init: Path, folder: Path, front: bool) -> None:
    """While init waits for a sidecar, the child that will become the command is there already."""
    options = ["--socket", str(folder / "nobody"), "--wait-ms", "20000", *(["--front"] if front else [])]
    process = subprocess.Popen([init, *options, "--", "sleep", "100"])

    def supervisor() -> int:
        """The one with threads, which are started after all trial children are gone."""
        family = [process.pid, *children(process.pid)]
        return next((pid for pid in family if len(os.listdir(f"/proc/{pid}/task")) >= 3), 0)

    eventually(lambda: len(children(supervisor())) == 1)
    waited = supervisor()
    os.kill(children(waited)[0], signal.SIGKILL)
    assert process.wait(10) == (-signal.SIGKILL if front else 137)
    eventually(lambda: not Path(f"/proc/{waited}").exists())


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def test_a_broken_pipe_is_the_commands_own(init: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" --front -- yes | head -1; echo ${PIPESTATUS[0]}', init], capture_output=True, timeout=10
    )
    assert done.stdout == b"y\n141\n"


def test_with_hangups_ignored_the_command_ignores_them(init: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGHUP))"
    done = subprocess.run(["nohup", init, "--front", "--", sys.executable, "-c", code], capture_output=True, timeout=10)
    assert done.stdout == b"1\n"


def test_signals_that_interrupt_calls_do_not_break_spawning(observer: Observer) -> None:
    """A 1 kHz timer interrupts held calls; each is made again or goes on, and every child ends well."""
    code = """
import os, signal, subprocess, threading
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
failed = []
def spawn():
    for _ in range(15):
        if subprocess.run(["sh", "-c", "echo x | cat"], stdout=subprocess.PIPE).stdout != b"x\\n":
            failed.append(1)
threads = [threading.Thread(target=spawn) for _ in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
signal.setitimer(signal.ITIMER_REAL, 0)
assert not failed
"""
    observer.python(code)
    assert len([m for m in observer.of("EXEC") if m.strings[0].endswith(b"/cat")]) == 90
