"""The guard itself: what an agent of the same user aims at init, its threads, its front and the sidecar."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.observe.syscall_numbers import call_name
from tests.fakes.init_peer import CONSTANTS, InitPeer, Message, encode, layout, patterns, welcome
from tests.sidecar.init.observed import Observer, eventually, lines
from tests.sidecar.init.test_unprivileged import NOBODY

pytestmark = pytest.mark.real

EPERM = 1
ENOSYS = 38
VERDICT = layout("verdict")


def allow(ask: int) -> bytes:
    return encode("VERDICT", VERDICT.pack(ask=ask, error=0))


@pytest.fixture
def enforcing(init: Path, folder: Path) -> Iterator[Observer]:
    """Runs commands under init where it enforces, with a sidecar that allows whatever is asked."""

    def begins(peer: InitPeer) -> bytes:
        return welcome(stance=CONSTANTS["ENFORCES"]) + patterns(())

    with InitPeer(folder / "init.sock", answer=begins, on_ask=allow) as peer:
        yield Observer(init, peer)


def name(message: Message) -> str:
    return call_name(0, message.body["nr"], message.body["arch"]).name


def at_guard(observer: Observer) -> list[Message]:
    return [message for message in observer.of("SYSCALL") if message.has("GUARD")]


def attack(observer: Observer, program: str, target: str) -> list[str]:
    """Aim everything at the pid that the shell word names; gives the calls that were refused, all others fail."""
    done = observer.run("sh", "-c", f'exec {program} "{target}" {int(signal.SIGCHLD)}')
    assert done.returncode == 0, done.stderr
    answers = [line.split() for line in lines(done)]
    assert {error for _, error in answers} == {str(EPERM)}, answers
    return sorted(call for call, _ in answers)


def test_init_is_out_of_reach_where_it_enforces(enforcing: Observer, program: Callable[[str], str]) -> None:
    tried = attack(enforcing, program("guardattack"), "$PPID")
    told = at_guard(enforcing)
    assert sorted(name(message) for message in told) == tried
    assert all(message.has("DENIED") for message in told)


THREAD = "$(ls /proc/$PPID/task | sed -n 2p)"


def test_a_thread_of_init_is_as_much_out_of_reach(enforcing: Observer, program: Callable[[str], str]) -> None:
    done = enforcing.run("sh", "-c", f"exec {program('guardattack')} {THREAD} 15")
    answers = dict(line.split() for line in lines(done))
    for call in ("kill", "tkill", "rt_sigqueueinfo", "prlimit64", "sched_setattr", "setpriority", "ptrace"):
        assert answers[call] == str(EPERM), call
    assert "prlimit64" in {name(message) for message in at_guard(enforcing)}


def test_the_sidecar_is_out_of_reach_where_it_can_be_named(enforcing: Observer, program: Callable[[str], str]) -> None:
    """The test itself is the sidecar. All that is refused is told, so none of it only failed by the kernel's rules."""
    tried = attack(enforcing, program("guardattack"), str(os.getpid()))
    assert sorted(name(message) for message in at_guard(enforcing)) == tried


def test_where_init_only_watches_it_is_told_and_goes_on(observer: Observer, program: Callable[[str], str]) -> None:
    done = observer.run("sh", "-c", f"exec {program('guardattack')} $PPID 0")
    assert lines(done) == ["pidfd_open 0", "kill 0"]
    assert [name(message) for message in at_guard(observer)] == ["pidfd_open", "kill"]
    assert not any(message.has("DENIED") for message in observer.of("SYSCALL"))


def test_what_the_agent_does_to_its_own_is_its_own_business(enforcing: Observer) -> None:
    """Nothing of it is told, and all of it works."""
    code = """
import os, resource, signal, subprocess, threading
child = subprocess.Popen(["sleep", "100"], process_group=0)
resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (64, 64))
os.sched_setaffinity(child.pid, os.sched_getaffinity(0))
os.setpriority(os.PRIO_PROCESS, child.pid, 5)
os.setpriority(os.PRIO_PGRP, child.pid, 6)
pidfd = os.pidfd_open(child.pid)
signal.pidfd_send_signal(pidfd, signal.SIGSTOP)
os.kill(child.pid, signal.SIGCONT)
os.killpg(child.pid, signal.SIGTERM)
print(child.wait())
signal.signal(signal.SIGUSR1, lambda *_: print("own"))
signal.raise_signal(signal.SIGUSR1)
signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
"""
    assert lines(enforcing.python(code)) == ["-15", "own", "own"]
    assert at_guard(enforcing) == []


def test_everybody_includes_the_sidecar(enforcing: Observer) -> None:
    """The signal would do no harm, should it be sent all the same."""
    code = """
import os, signal
try: os.kill(-1, signal.SIGCHLD)
except PermissionError as error: print(error.errno)
"""
    assert lines(enforcing.python(code)) == [str(EPERM)]
    (told,) = at_guard(enforcing)
    assert told.has("DENIED")


def test_the_agents_own_group_is_its_own_where_init_left_it(enforcing: Observer) -> None:
    """The front is in that group, and passes on what it gets."""
    enforcing.front = True
    code = """
import os, signal
signal.signal(signal.SIGUSR1, lambda *_: print("got it"))
os.kill(0, signal.SIGUSR1)
"""
    assert "got it" in lines(enforcing.python(code, start_new_session=True))
    assert at_guard(enforcing) == []


def test_inits_group_is_not_joined(enforcing: Observer) -> None:
    """Else a signal to one's own group would reach init, decided before it was joined."""
    enforcing.front = True
    code = """
import os
try: os.setpgid(0, os.getpgid(os.getppid()))
except PermissionError as error: print(error.errno)
"""
    assert lines(enforcing.python(code, start_new_session=True)) == [str(EPERM)]


SCOPED = """
import os
try: os.kill(os.getppid(), 0)
except PermissionError: print("out of scope")
"""


def test_the_kernels_own_wall_stands_where_it_has_one(enforcing: Observer) -> None:
    """Signal 0 is not trapped: it is the kernel that refuses."""
    printed = lines(enforcing.python(SCOPED))
    has = enforcing.of("HELLO")[0].body["mechanisms"] & CONSTANTS["M_LANDLOCK_SIGNAL"]
    assert printed == (["out of scope"] if has else [])


def test_no_wall_is_left_where_init_only_watches(observer: Observer) -> None:
    assert lines(observer.python(SCOPED)) == []


CLONE3 = """
import ctypes, os, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
arguments = (ctypes.c_uint64 * 8)(int(sys.argv[2], 0), 0, 0, 0, 17)
child = libc.syscall(int(sys.argv[1]), arguments, 64)
if child == 0: os._exit(0)
print(ctypes.get_errno() if child < 0 else 0)
thread = threading.Thread(target=print, args=["a thread"])
thread.start()
thread.join()
"""
NR_CLONE3 = "435"
NEWUTS = 0x04000000


def test_clone3_does_not_exist_where_init_enforces_and_threads_are_made_all_the_same(enforcing: Observer) -> None:
    done = enforcing.python(CLONE3, NR_CLONE3, "0")
    assert lines(done) == [str(ENOSYS), "a thread"]
    assert enforcing.calls(int(NR_CLONE3)) == []


def test_clone3_that_makes_no_namespace_is_not_told(observer: Observer) -> None:
    assert lines(observer.python(CLONE3, NR_CLONE3, "0")) == ["0", "a thread"]
    assert observer.calls(int(NR_CLONE3)) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="making a namespace needs root")
def test_clone3_that_makes_a_namespace_is_told_by_its_flags(observer: Observer) -> None:
    assert lines(observer.python(CLONE3, NR_CLONE3, hex(NEWUTS))) == ["0", "a thread"]
    (told,) = observer.calls(int(NR_CLONE3))
    assert told.body["args0"] == NEWUTS


def is_there(pid: int) -> bool:
    """And not only waits to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


LEAVES = "setsid sleep 1000 > /dev/null 2>&1 & echo $!"


def test_what_the_agent_leaves_behind_ends_with_it_where_init_enforces(enforcing: Observer) -> None:
    (left,) = lines(enforcing.run("sh", "-c", LEAVES))
    assert not is_there(int(left))


def test_what_the_agent_leaves_behind_goes_on_where_init_only_watches(observer: Observer) -> None:
    (left,) = lines(observer.run("sh", "-c", LEAVES))
    assert is_there(int(left))
    os.kill(int(left), signal.SIGKILL)


@pytest.mark.parametrize("front", [False, True])
def test_a_killed_init_takes_the_agent_with_it(enforcing: Observer, tmp_path: Path, front: bool) -> None:
    """Whoever may kill it: root in the container, where it is not PID 1, or somebody outside."""
    enforcing.front = front
    pids = tmp_path / "pids"
    command = f"setsid sleep 1000 & echo $! $$ $PPID > {pids}; wait"
    process = enforcing.start("sh", "-c", command)
    eventually(lambda: pids.exists() and len(pids.read_text().split()) == 3)
    child, agent, init = map(int, pids.read_text().split())
    os.kill(init, signal.SIGKILL)
    assert process.wait(10) == (125 if front else -signal.SIGKILL)
    eventually(lambda: not is_there(agent))
    if front:  # its own children, which the front inherits, end too; without it nothing of theirs is answered any more
        assert not is_there(child)
    else:
        os.kill(child, signal.SIGKILL)


LATER = """
import os, sys
print("ready", flush=True)
sys.stdin.readline()
os.execv("/bin/sh", ["sh", "-c", sys.argv[1]])
"""


@pytest.fixture
def switched(init: Path, folder: Path) -> Iterator[Observer]:
    """The mode is switched while the agent runs, so that the traps are the only wall."""
    with InitPeer(folder / "init.sock", on_ask=allow) as peer:
        yield Observer(init, peer)


def run_later(observer: Observer, command: str) -> list[str]:
    """Start where init only watches, and go on where it enforces."""
    process = observer.start(
        sys.executable, "-c", LATER, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdin
    assert process.stdout
    process.stdout.readline()
    observer.peer.send(encode("MODE", layout("mode").pack(stance=CONSTANTS["ENFORCES"], generation=7)))
    observer.peer.wait(lambda peer: any(m.body["generation"] == 7 for m in peer.of("MODE_IS")))
    output, _ = process.communicate(b"go on\n", timeout=20)
    assert process.returncode == 0
    return output.decode().splitlines()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM])
def test_the_traps_alone_are_enough(switched: Observer, program: Callable[[str], str], number: int) -> None:
    printed = run_later(switched, f"exec {program('guardattack')} $PPID {int(number)}")
    assert {line.split()[1] for line in printed} == {str(EPERM)}
    assert sorted(name(message) for message in at_guard(switched)) == sorted(line.split()[0] for line in printed)


def test_a_pidfd_reaches_whom_it_stands_for(switched: Observer) -> None:
    """Init sends the signal in the caller's place; nothing is told of it."""
    code = (
        "import os, signal, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '100'])\n"
        "pidfd = os.pidfd_open(child.pid)\n"
        "signal.pidfd_send_signal(pidfd, signal.SIGTERM)\n"
        "print(child.wait())\n"
        "try: signal.pidfd_send_signal(pidfd, signal.SIGTERM)\n"
        "except ProcessLookupError: print('gone')\n"
    )
    script = Path(switched.peer.path.parent, "script.py")
    script.write_text(code)
    assert run_later(switched, f"exec {sys.executable} {script}") == ["-15", "gone"]
    assert at_guard(switched) == []


def test_a_pidfd_that_is_exchanged_while_it_is_looked_at_never_reaches_the_guard(
    switched: Observer, program: Callable[[str], str]
) -> None:
    """A thread puts a folder of /proc of the sidecar in the descriptor's place. This test is the sidecar."""
    got: list[int] = []
    before = signal.signal(signal.SIGWINCH, lambda *_: got.append(1))
    try:
        printed = run_later(switched, f"exec {program('pidfdrace')} {os.getpid()} {int(signal.SIGWINCH)}")
    finally:
        signal.signal(signal.SIGWINCH, before)
    assert printed == ["2000 tries"]
    assert got == []


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's files in /proc cannot be written in any case")
def test_what_the_kernel_keeps_of_init_is_not_written_by_root(enforcing: Observer) -> None:
    done = enforcing.run(
        "sh", "-c", "echo 1000 > /proc/$PPID/oom_score_adj; echo 500 > /proc/$$/oom_score_adj && echo own"
    )
    assert lines(done) == ["own"]
    (told,) = (m for m in enforcing.of("OPEN") if m.has("DENIED"))
    assert told.strings[0].endswith(b"/oom_score_adj")


@pytest.mark.skipif(os.geteuid() != 0, reason="runs as another user, which needs root; as a user the others do")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_without_any_privilege_it_is_the_same(
    enforcing: Observer, program: Callable[[str], str], folder: Path, number: int
) -> None:
    own = shutil.copy(program("guardattack"), str(folder / "guardattack"))
    done = subprocess.run(
        [*NOBODY, "--", *enforcing.command("sh", "-c", f"exec {own} $PPID {int(number)}")],
        capture_output=True,
        timeout=30,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    assert {line.split()[1] for line in lines(done)} == {str(EPERM)}
    assert len(at_guard(enforcing)) == len(lines(done))


AS_PID_1 = ["unshare", "--pid", "--fork", "--mount-proc"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a namespace of processes needs root")
def test_as_pid_1_everybody_and_the_own_group_are_the_agents_to_signal(enforcing: Observer) -> None:
    """What init gets of it, it passes on or is not ended by; the sidecar has no number there."""
    code = """
import os, signal, subprocess
child = subprocess.Popen(["sleep", "100"], process_group=0)
signal.signal(signal.SIGUSR1, lambda *_: None)
os.kill(0, signal.SIGUSR1)
os.kill(-1, signal.SIGTERM)
print(child.wait())
try: os.kill(1, signal.SIGTERM)
except PermissionError as error: print(error.errno)
"""
    # SIGTERM to everybody leaves out the sender and PID 1
    command = enforcing.command(sys.executable, "-c", code)
    done = subprocess.run([*AS_PID_1, *command], capture_output=True, timeout=30, check=False)
    assert lines(done) == [str(-signal.SIGTERM), str(EPERM)], done.stderr
    assert [name(message) for message in at_guard(enforcing)] == ["kill"]
