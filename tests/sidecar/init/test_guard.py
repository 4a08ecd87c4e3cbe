"""The guard itself: what an agent of the same user aims at init, its threads, its front and the sidecar."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.observe.syscall_numbers import call_name
from tests.fakes.init_peer import CONSTANTS, InitPeer, Message, encode, layout, welcome
from tests.sidecar.init.observed import Observer, eventually, lines

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
        return welcome(stance=CONSTANTS["ENFORCES"])

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


def test_the_sidecar_is_out_of_reach_where_it_can_be_named(
    enforcing: Observer, program: Callable[[str], str]
) -> None:
    """The test itself is the sidecar. All that is refused is told, so none of it only failed by the kernel's rules."""
    tried = attack(enforcing, program("guardattack"), str(os.getpid()))
    assert sorted(name(message) for message in at_guard(enforcing)) == tried
