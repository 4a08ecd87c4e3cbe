"""Signals for a caller that is held until a verdict: taken in time, and the call is made all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes.init_peer import CONSTANTS, InitPeer, Message, encode, layout, patterns, welcome
from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, lines

pytestmark = pytest.mark.real

INIT = Path(__file__).parents[3] / "sidecar" / "init"
VERDICT = layout("verdict")
NOBODYS_ASK = 0
EACCES = 13
RESTARTS, RESTARTS_ALWAYS, EINTR = 512, 513, 4


def verdict(ask: int, error: int = 0) -> bytes:
    return encode("VERDICT", VERDICT.pack(ask=ask, error=error))


@dataclass
class Holding:
    """Runs commands where init enforces. What `holds` says of is not answered before `release`; all else is allowed."""

    init: Path
    folder: Path
    holds: Callable[[Message], bool] = lambda message: False
    asked: list[int] = field(default_factory=list)
    released: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        begins = welcome(stance=CONSTANTS["ENFORCES"]) + patterns(())
        self.peer = InitPeer(self.folder / "init.sock", answer=lambda _: begins, on_ask=self._answer)
        self.observer = Observer(self.init, self.peer)

    def _answer(self, ask: int) -> bytes:
        record = next(m for m in reversed(self.peer.messages) if m.head["ask"] == ask)
        with self.changed:
            if self.released or not self.holds(record):
                return verdict(ask)
            self.asked.append(ask)
            self.changed.notify_all()
        return verdict(NOBODYS_ASK)

    def wait_for_asks(self, number: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.asked) >= number, 10), self.asked

    def release(self, error: int = 0) -> None:
        """Answer the last, and allow all that come."""
        with self.changed:
            self.released = True
            self.peer.send(verdict(self.asked[-1], error))


@pytest.fixture
def holding(init: Path, folder: Path) -> Iterator[Holding]:
    rig = Holding(init, folder)
    with rig.peer:
        yield rig


def connects(message: Message) -> bool:
    return message.kind == "CONNECT"


def execs_of(path: bytes) -> Callable[[Message], bool]:
    return lambda message: message.kind == "EXEC" and message.strings[0] == path


PREFACE = """
import os, signal, socket, subprocess, sys, time
server = socket.create_server(("127.0.0.1", 0))
client = socket.socket()
began = time.monotonic()
"""


def python(holding: Holding, code: str) -> subprocess.Popen[bytes]:
    return holding.observer.start(sys.executable, "-c", PREFACE + code, stdout=subprocess.PIPE)


def printed(process: subprocess.Popen[bytes]) -> list[str]:
    output, _ = process.communicate(timeout=20)
    return output.decode().splitlines()


def test_an_alarm_interrupts_a_held_connect(holding: Holding) -> None:
    holding.holds = connects
    code = """
def stop(*_): raise TimeoutError
signal.signal(signal.SIGALRM, stop)
signal.setitimer(signal.ITIMER_REAL, 0.1)
try: client.connect(server.getsockname())
except TimeoutError: print(time.monotonic() - began < 2)
"""
    assert printed(python(holding, code)) == ["True"]


def test_a_handler_that_restarts_its_calls_never_sees_an_error(holding: Holding) -> None:
    """Under a timer that is busier than the sidecar the call is made again (three times here), and succeeds."""
    holding.holds = connects
    code = """
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
client.connect(server.getsockname())
signal.setitimer(signal.ITIMER_REAL, 0)
print(client.getpeername() == server.getsockname())
"""
    process = python(holding, code)
    holding.wait_for_asks(3)
    holding.release()
    assert printed(process) == ["True"]


def test_an_exec_is_never_interrupted_as_far_as_its_caller_sees(holding: Holding) -> None:
    holding.holds = execs_of(b"/bin/echo")
    code = """
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
try: os.execv("/bin/echo", ["echo", "ran"])
except OSError as error: print(error.errno)
"""
    process = python(holding, code)
    holding.wait_for_asks(2)
    holding.release(EACCES)
    assert printed(process) == [str(EACCES)]


def test_sigterm_ends_a_held_caller_at_once(holding: Holding) -> None:
    holding.holds = connects
    process = python(holding, "print(os.getpid(), flush=True)\nclient.connect(server.getsockname())")
    assert process.stdout
    process.stdout.readline()
    holding.wait_for_asks(1)
    process.terminate()
    assert process.wait(3) == 128 + signal.SIGTERM


def test_a_stop_during_a_hold_stops_and_goes_on(holding: Holding) -> None:
    holding.holds = connects
    code = """
if os.fork() == 0:
    client.connect(server.getsockname())
    os._exit(7)
child, status = os.waitpid(-1, os.WUNTRACED)
print(os.WIFSTOPPED(status), flush=True)
os.kill(child, signal.SIGCONT)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    process = python(holding, code)
    holding.wait_for_asks(1)
    (record,) = (m for m in holding.peer.of("CONNECT") if m.head["ask"] == holding.asked[0])
    os.kill(record.head["pid"], signal.SIGSTOP)
    holding.wait_for_asks(2)
    holding.release()
    assert printed(process) == ["True", "7"]


def test_the_parent_of_a_vforked_child_waits_with_it(holding: Holding) -> None:
    holding.holds = execs_of(b"/bin/echo")
    process = python(holding, "print(subprocess.run(['/bin/echo', 'ran']).returncode)")
    holding.wait_for_asks(1)
    holding.release()
    assert printed(process) == ["ran", "0"]


def test_who_is_killed_while_held_leaves_no_hold(holding: Holding) -> None:
    """More callers than can be held, one after the other: each is gone at once."""
    holding.holds = connects
    code = """
for _ in range(300):
    child = os.fork()
    if child == 0:
        client.connect(server.getsockname())
    time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.wait()
print("done")
"""
    process = python(holding, code)
    assert printed(process) == ["done"]
    assert holding.observer.counters["expired"] == 0


@pytest.mark.slow
def test_a_busy_timer_does_not_put_off_the_refusal(holding: Holding) -> None:
    """Without a verdict the call is refused when its five seconds are over, counted from when it was first made."""
    holding.holds = connects
    code = """
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, False)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
try: client.connect(server.getsockname())
except PermissionError: print(4 < time.monotonic() - began < 8)
"""
    assert printed(python(holding, code)) == ["True"]


def status(pending: int = 0, shared: int = 0, threads: int = 1, **masks: int) -> str:
    rows = [f"Threads:\t{threads}", f"SigPnd:\t{pending:016x}", f"ShdPnd:\t{shared:016x}"]
    rows += [f"Sig{name}:\t{masks.get(name, 0):016x}" for name in ("Blk", "Ign", "Cgt")]
    return "Name:\tx\n" + "\n".join(rows) + "\n"


ALARM = 1 << signal.SIGALRM - 1
CHILD = 1 << signal.SIGCHLD - 1


@pytest.mark.parametrize(
    ("call", "text", "answer"),
    [
        ("connect", status(), 0),
        ("connect", status(pending=ALARM), RESTARTS),
        ("execve", status(pending=ALARM), RESTARTS_ALWAYS),
        ("mmap", status(shared=ALARM), RESTARTS_ALWAYS),
        ("connect", status(pending=ALARM, Blk=ALARM), 0),
        ("connect", status(pending=ALARM, Ign=ALARM), 0),
        ("connect", status(pending=CHILD), 0),
        ("connect", status(pending=CHILD, Cgt=CHILD), RESTARTS),
        ("connect", status(shared=ALARM, threads=2), EINTR),
        ("execve", status(shared=ALARM, threads=2), 0),
        ("execve", status(pending=ALARM, threads=2), RESTARTS_ALWAYS),
        ("connect", "nonsense", 0),
    ],
)
def test_what_a_held_caller_is_answered(compiled: Callable[..., Path], call: str, text: str, answer: int) -> None:
    checker = compiled("interruptcheck", INIT / "interrupt.c")
    done = subprocess.run([checker, str(NR[call])], input=text.encode(), stdout=subprocess.PIPE, check=True)
    assert lines(done) == [str(answer)]
