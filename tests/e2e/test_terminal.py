"""Job control through a run: the keys, the shell's jobs, and a shell of its own inside, in a real terminal."""

from __future__ import annotations

import shlex
import sys

import pytest

from tests.e2e.installation import INSCOPE, Installation, eventually
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.real

BASH = ["bash", "--norc", "--noprofile", "-i"]


def shell(installed: Installation) -> Terminal:
    """An interactive shell that knows `inscope` and has a control plane already."""
    installed.ask("workloads")
    environment = {**installed.environment, "PS1": "ready> ", "HISTFILE": "", "TERM": "dumb"}
    terminal = Terminal(BASH, env=environment, cwd=installed.workspace)
    terminal.expect("ready> ")
    terminal.type(f'inscope() {{ {shlex.join(INSCOPE)} "$@"; }}\n')
    terminal.expect("ready> ")
    return terminal


def to_foreground(terminal: Terminal, line: str) -> None:
    """Type a line and wait until its job has the terminal: a key pressed before that is the shell's."""
    shell = terminal.foreground()
    terminal.type(line + "\n")
    eventually(lambda: terminal.foreground() != shell)


def watched(command: str) -> str:
    return f"{shlex.join(INSCOPE)} run --name agent -- {command}\n"


SLEEPER = f'{shlex.quote(sys.executable)} -c \'import time; print("sleeping" + "!", flush=True); time.sleep(100)\''


def test_ctrl_c_interrupts_the_command_and_nothing_else(installed: Installation) -> None:
    with shell(installed) as terminal:
        terminal.type(watched(SLEEPER))
        terminal.expect("sleeping!\r\n")
        terminal.type("\x03")
        terminal.expect("ready> ")
        terminal.type("echo status $?\n")
        terminal.expect("status 130")


def test_ctrl_z_stops_the_job_and_fg_brings_it_back(installed: Installation) -> None:
    with shell(installed) as terminal:
        terminal.type(watched(SLEEPER))
        terminal.expect("sleeping!\r\n")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        terminal.expect("ready> ")
        terminal.type("jobs\n")
        terminal.expect("Stopped")
        to_foreground(terminal, "fg")
        terminal.type("\x03")
        terminal.expect("ready> ")
        terminal.type("echo after $?\n")
        terminal.expect("after 130")


def test_a_job_in_the_background_that_reads_the_terminal_is_stopped(installed: Installation) -> None:
    with shell(installed) as terminal:
        terminal.type("set -b\n")  # the shell tells what becomes of jobs at once
        terminal.expect("ready> ")
        terminal.type(watched("cat").rstrip("\n") + " &\n")
        terminal.expect("Stopped")
        to_foreground(terminal, "fg")
        terminal.type("typed\n")
        terminal.expect("typed\r\ntyped\r\n")
        terminal.type("\x04")
        terminal.expect("ready> ")


def test_an_interactive_shell_inside_has_job_control_of_its_own(installed: Installation) -> None:
    with shell(installed) as terminal:
        terminal.type("PS1='inside> ' " + watched(" ".join(BASH)))
        terminal.expect("inside> ")
        to_foreground(terminal, "sleep 100")
        terminal.type("\x1a")
        terminal.expect("Stopped")
        to_foreground(terminal, "fg")
        terminal.type("\x03")
        terminal.expect("inside> ")
        terminal.type("exit 9\n")
        terminal.expect("ready> ")
        terminal.type("echo ended $?\n")
        terminal.expect("ended 9")
