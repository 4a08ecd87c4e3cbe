"""Job control: what the terminal and the shell do to a command, they do to it under `--front`."""

from __future__ import annotations

import fcntl
import os
import select
import shlex
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.sidecar.init.observed import eventually

pytestmark = pytest.mark.real

BASH = ["bash", "--norc", "--noprofile", "-i"]
ENVIRONMENT = {**os.environ, "PS1": "ready> ", "HISTFILE": "", "TERM": "dumb"}


@pytest.fixture
def shell(init: Path, folder: Path) -> Iterator[Terminal]:
    """An interactive bash in which `x COMMAND` runs a command under init."""
    with Terminal(BASH, env=ENVIRONMENT, cwd=folder) as terminal:
        terminal.expect("ready> ")
        terminal.type(f'x() {{ {shlex.quote(str(init))} --front -- "$@"; }}\n')
        terminal.expect("ready> ")
        yield terminal


def foreground(terminal: Terminal, line: str) -> None:
    """Type a line and wait until its job has the terminal."""
    before = terminal.foreground()
    terminal.type(line + "\n")
    eventually(lambda: terminal.foreground() != before)


def python(code: str) -> str:
    return f"x {shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def appears(terminal: Terminal, text: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while text not in terminal.screen and time.monotonic() < deadline:
        if select.select([terminal._master], [], [], 0.05)[0]:
            terminal.screen += os.read(terminal._master, 65536).decode(errors="replace")
    return text in terminal.screen


def stop(terminal: Terminal, prompt: str = "ready> ") -> None:
    """Ctrl-Z; "Stopped " and not "Stopped(SIGSTOP)": by the same signal as without.

    The terminal throws away what is typed before the shell has it again (as without init), so it is asked until it
    answers.
    """
    terminal.type("\x1a")
    terminal.expect("Stopped ")
    terminal.expect(prompt)
    answered = len(terminal.screen)
    for turn in range(10):
        word = f"{answered}.{turn}"
        terminal.type(f'echo ba"ck" {word}\n')
        if appears(terminal, f"back {word}\r\n", 1):
            break
    terminal.expect(f"back {word}\r\n")
    terminal.expect(prompt)


SLEEP = "import time; print('on'+'!', flush=True); time.sleep(100)"


def test_ctrl_c_interrupts(shell: Terminal) -> None:
    shell.type(python(SLEEP) + "\n")
    shell.expect("on!\r\n")
    shell.type("\x03")
    shell.expect("ready> ")
    shell.type("echo status $?\n")
    shell.expect("status 130")


def test_ctrl_c_is_delivered_once(shell: Terminal, folder: Path) -> None:
    code = (
        "import signal, time; n = []; signal.signal(2, lambda *_: n.append(1)); print('on'+'!', flush=True); "
        "time.sleep(0.6); print('count', len(n))"
    )
    shell.type(python(code) + "\n")
    shell.expect("on!\r\n")
    shell.type("\x03")
    shell.expect("count 1\r\n")


def test_ctrl_z_fg_and_bg(shell: Terminal) -> None:
    shell.type(python(SLEEP) + "\n")
    shell.expect("on!\r\n")
    stop(shell)
    shell.type("bg\n")
    shell.expect("ready> ")
    shell.type("jobs\n")
    shell.expect("Running")
    foreground(shell, "fg")
    shell.type("\x03")
    shell.expect("ready> ")
    shell.type("echo status $?\n")
    shell.expect("status 130")


def test_ctrl_z_and_fg_many_times(shell: Terminal) -> None:
    """Each time once the program runs again: a key before that is thrown away, without init as well."""
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGCONT, lambda *_: os.write(1, b'run'+b'ning!\\n'))\n"
        "print('on'+'!', flush=True)\nwhile True: time.sleep(1)"
    )
    shell.type(python(code) + "\n")
    shell.expect("on!\r\n")
    for _ in range(10):
        stop(shell)
        shell.type("fg\n")
        shell.expect("running!\r\n")
    shell.type("\x03")
    shell.expect("ready> ")


def test_a_background_job_that_reads_is_stopped_by_the_terminal(shell: Terminal) -> None:
    shell.type("set -b; x cat &\n")
    shell.expect("Stopped")
    foreground(shell, "fg")
    shell.type("typed\n")
    shell.expect("typed\r\ntyped\r\n")
    shell.type("\x04")
    shell.expect("ready> ")


def test_a_background_job_that_writes_is_stopped_under_tostop(shell: Terminal) -> None:
    shell.type("stty tostop; set -b; x sh -c 'echo w\"ritten\"' &\n")
    shell.expect("Stopped")
    shell.type("fg\n")
    shell.expect("written\r\n")
    shell.expect("ready> ")


def test_a_killed_job_is_a_killed_job(shell: Terminal, init: Path) -> None:
    shell.type("set -b; x sleep 100 & sleep 0.3; kill %1\n")
    shell.expect("Terminated")
    shell.type(f"{shlex.quote(str(init))} --front -- sleep 100 & sleep 0.3; kill -9 $!\n")
    shell.expect("Killed")


def test_a_shell_inside_has_its_own_jobs(shell: Terminal) -> None:
    shell.type("PS1='in''side> ' x " + shlex.join(BASH) + "\n")
    shell.expect("inside> ")
    shell.type(python(SLEEP).removeprefix("x ") + "\n")
    shell.expect("on!\r\n")
    stop(shell, "inside> ")
    foreground(shell, "fg")
    shell.type("\x03")
    shell.expect("inside> ")
    shell.type("exit 9\n")
    shell.expect("ready> ")
    shell.type("echo ended $?\n")
    shell.expect("ended 9")


def test_a_shell_inside_can_suspend_itself(shell: Terminal) -> None:
    shell.type("PS1='in''side> ' x " + shlex.join(BASH) + "\n")
    shell.expect("inside> ")
    shell.type("suspend\n")
    shell.expect("Stopped")
    shell.expect("ready> ")
    shell.type("fg\n")
    shell.type('echo in"side again"\n')
    shell.expect("inside again")
    shell.type("exit\n")
    shell.expect("ready> ")


def test_a_pipeline_in_a_job_stops_and_continues_as_one(shell: Terminal) -> None:
    """Ctrl-Z only when both ends have started: a vfork that it catches in the middle hangs, without init as well."""
    started = "import os, sys; os.write(2, b'on' + b'!\\n'); [print(l, end='', flush=True) for l in sys.stdin]"
    shell.type(f"{python(started)} | {python(started)}\n")
    shell.expect("on!\r\n")
    shell.expect("on!\r\n")
    stop(shell)
    foreground(shell, "fg")
    shell.type("through\n")
    shell.expect("through\r\n")  # the terminal's echo
    shell.expect("through\r\n")
    shell.type("\x04")
    shell.expect("ready> ")


def test_a_new_window_size_is_told(shell: Terminal) -> None:
    code = (
        "import signal; signal.signal(signal.SIGWINCH, lambda *_: print('resized'+'!')); "
        "print('on'+'!', flush=True); signal.pause()"
    )
    shell.type(python(code) + "\n")
    shell.expect("on!\r\n")
    fcntl.ioctl(shell._master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    shell.expect("resized!")


WAITING = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGHUP, lambda *_: (open(sys.argv[1], 'w').write('hung up'), sys.exit(0)))\n"
    "print('on'+'!', flush=True)\ntime.sleep(30)"
)


@pytest.mark.parametrize("leader", [False, True])
def test_a_closed_terminal_hangs_the_command_up(init: Path, folder: Path, leader: bool) -> None:
    """In the shell's job the shell and the kernel do it; where the front leads the session, it has to."""
    told = folder / "told"
    command = [str(init), "--front", "--", sys.executable, "-c", WAITING, str(told)]
    terminal = Terminal(command if leader else BASH, env=ENVIRONMENT)
    with terminal:
        if not leader:
            terminal.expect("ready> ")
            terminal.type(shlex.join(command) + "\n")
        terminal.expect("on!\r\n")
        os.close(terminal._master)
        terminal._master = os.open("/dev/null", os.O_RDWR)  # for the terminal's own end
        eventually(told.exists)


def test_a_stopped_job_is_hung_up_when_its_shell_is_killed(shell: Terminal, folder: Path) -> None:
    """The kernel does it for a job that no shell is left for; here the supervisor has to."""
    shell.type(python(f"import os; print(os.getpid(), file=open('{folder}/pid', 'w'), flush=True); " + SLEEP) + "\n")
    shell.expect("on!\r\n")
    agent = (folder / "pid").read_text().strip()
    stop(shell)
    shell.process.kill()
    eventually(lambda: not Path(f"/proc/{agent}").exists())


def test_keys_work_where_the_front_leads_the_session(init: Path) -> None:
    with Terminal([str(init), "--front", "--", sys.executable, "-c", SLEEP]) as terminal:
        terminal.expect("on!\r\n")
        terminal.type("\x03")
        assert terminal.process.wait(10) == -signal.SIGINT


def test_keys_work_where_init_is_the_session_without_a_front(init: Path) -> None:
    with Terminal([str(init), "--", sys.executable, "-c", SLEEP]) as terminal:
        terminal.expect("on!\r\n")
        terminal.type("\x03")
        assert terminal.process.wait(10) == 128 + signal.SIGINT
