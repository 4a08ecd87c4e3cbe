"""The gate before a new image: what runs is what was judged, whoever swaps it; nobody else notices the gate."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.init_peer import CONSTANTS, InitPeer, Message, patterns, verdict, welcome
from tests.sidecar.init.observed import Observer, eventually, flags, identity, lines

pytestmark = pytest.mark.real

SH = identity(shutil.which("sh") or "/bin/sh")

Judge = Callable[[Message], bool | None]
Enforced = Callable[[Judge], Observer]

MARK = slice(9, 10)
"""A byte of an ELF header that means nothing to the kernel; ours is `o` in a program that is refused."""


@pytest.fixture
def enforced(init: Path, folder: Path) -> Iterator[Enforced]:
    """Runs commands under init where it enforces what the test judges."""
    peers: list[InitPeer] = []

    def observer(judges: Judge) -> Observer:
        answer = lambda _: welcome(stance=CONSTANTS["ENFORCES"]) + patterns(())  # noqa: E731 - the fixture's one line
        peers.append(InitPeer(folder / "init.sock", answer=answer, judges=judges))
        return Observer(init, peers[-1])

    yield observer
    for peer in peers:
        peer.close()


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all")


def all_may(_: Message) -> bool:
    return True


def but_others(message: Message) -> bool:
    return message.content[MARK] != b"o"


def make(path: Path, source: str, status: int, mark: bytes = b"\0") -> Path:
    """A program that exits with this status."""
    image = bytearray(Path(source).read_bytes())
    at = image.index(b"EXIT WITH: ") + 12
    image[at : at + 4] = status.to_bytes(4, "little")
    image[MARK] = mark
    path.write_bytes(image)
    path.chmod(0o755)
    return path


def counts(done: subprocess.CompletedProcess[bytes]) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", done.stdout.decode())}


@pytest.mark.parametrize("mode", ["link", "rename", "thread", "process", "descriptor", "content"])
def test_what_is_swapped_after_the_verdict_never_runs(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path, mode: str
) -> None:
    make(tmp_path / "claimed", program("exits"), 0)
    make(tmp_path / "other", program("exits"), 77, b"o")
    shutil.copy(tmp_path / "claimed", tmp_path / "content")
    ran = counts(enforced(but_others).run(program("raceexec"), mode, "1000", cwd=tmp_path, timeout=120))
    assert ran["other"] == 0
    assert sum(ran.values()) == 1000  # how many win their own race is the scheduler's; each has an end


def test_short_programs_from_many_threads_all_end_well(enforced: Enforced, program: Callable[[str], str]) -> None:
    observer = enforced(all_may)
    done = observer.run(program("spawnstorm"), program("exits"), "8", "125")
    assert lines(done) == ["1000"]
    assert observer.of("EXIT")[-1].body["status"] == 0


def test_an_exec_that_fails_is_not_traced_for_long(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF" + b"\0" * 60)
    broken.chmod(0o755)
    done = enforced(all_may).run(program("failexec"), str(broken), "200")
    assert lines(done) == ["200 failed, fired, traced by 0"]


def test_the_first_exec_of_many_threads_at_once_ends_the_others(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF" + b"\0" * 60)
    broken.chmod(0o755)
    done = enforced(all_may).run(program("threadstorm"), program("exits"), str(broken), "150")
    assert lines(done) == ["150 of 150"]


def test_an_exec_by_another_thread(enforced: Enforced, program: Callable[[str], str], tmp_path: Path) -> None:
    ends = make(tmp_path / "ends", program("exits"), 7)
    assert enforced(all_may).run(program("threadexec"), str(ends)).returncode == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="runs as another user, which needs root; root itself can trace all")
def test_who_cannot_be_traced_executes_nothing(enforced: Enforced, program: Callable[[str], str], folder: Path) -> None:
    tries, ends = (shutil.copy(program(name), str(folder / name)) for name in ("unseizable", "exits"))
    command = [*NOBODY, "--", *enforced(all_may).command(tries, ends)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False, cwd="/")
    assert lines(done) == ["traced 13 undumpable 13"]


def test_stops_around_an_exec_are_seen_by_the_parent(enforced: Enforced, program: Callable[[str], str]) -> None:
    done = enforced(all_may).run(program("stopexec"), "/bin/sleep", "40")
    assert lines(done) == ["40 stopped 40 continued 40 well"]


def test_the_agent_itself_stops_and_continues(enforced: Enforced) -> None:
    observer = enforced(all_may)
    done = observer.run("sh", "-c", "(sleep 0.2; kill -CONT $$) & kill -STOP $$; echo on; exec /bin/echo end")
    assert done.stdout == b"on\nend\n"


def test_a_script_runs_by_the_interpreter_that_was_asked_for(enforced: Enforced, tmp_path: Path) -> None:
    script = scripts(tmp_path)
    observer = enforced(all_may)
    done = observer.run("sh", "-c", f"{script}; sh {tmp_path}/inner; {sys.executable} -c 'print(3)'")
    assert done.stdout == b"inner\ninner\n3\n"
    (image,) = (m for m in observer.of("IMAGE") if m.fd == SH and not_sh(m, observer))
    assert image.head["ask"]
    assert flags(image) == {"HAS_FD"}


def scripts(folder: Path) -> Path:
    """A script whose interpreter is a script; gives its path."""
    (folder / "inner").write_text("#!/bin/sh\necho inner\n")
    (folder / "outer").write_text(f"#!{folder}/inner\n")
    for name in ("inner", "outer"):
        (folder / name).chmod(0o755)
    return folder / "outer"


def not_sh(image: Message, observer: Observer) -> bool:
    """Whether it is what became of an exec of something else."""
    execs = [m for m in observer.of("EXEC") if m.head["pid"] == image.head["pid"]]
    return all(m.fd != SH for m in execs)


def test_a_refused_interpreter_dies_before_it_begins(enforced: Enforced, tmp_path: Path) -> None:
    script = scripts(tmp_path)

    def judge(message: Message) -> bool:
        return not (message.kind == "IMAGE" and message.head["ppid"] != os.getpid() and message.fd == SH and script_ran)

    script_ran = True
    code = f"import subprocess; print(subprocess.run([{str(script)!r}], capture_output=True))"
    done = enforced(judge).run(sys.executable, "-c", code)
    assert b"returncode=-9, stdout=b''" in done.stdout


def test_what_has_no_name_is_executed_too(enforced: Enforced, program: Callable[[str], str], tmp_path: Path) -> None:
    make(tmp_path / "ends", program("exits"), 5)
    code = f"""
import os
os.chdir({str(tmp_path)!r})
def status(start):
    pid = os.fork()
    if pid == 0:
        start()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
fd = os.memfd_create("payload")
os.write(fd, open("ends", "rb").read())
print(status(lambda: os.execve(fd, ["payload"], {{}})))
deleted = os.open("ends", os.O_PATH)
os.unlink("ends")
print(status(lambda: os.execve(deleted, ["deleted"], {{}})))
"""
    assert lines(enforced(all_may).python(code)) == ["5", "5"]


def test_no_trace_of_the_gate_is_left(enforced: Enforced) -> None:
    done = enforced(all_may).run("sh", "-c", "grep TracerPid /proc/self/status; cat /proc/self/comm")
    assert done.stdout == b"TracerPid:\t0\ncat\n"


def test_what_is_stopped_at_the_gate_ends_with_init(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path
) -> None:
    """Nobody answers for the image that is about to run, and init is killed."""
    slow = make(tmp_path / "slow", program("exits"), 0)
    observer = enforced(lambda message: None if message.kind == "IMAGE" and message.fd == identity(slow) else True)
    init = observer.start("sh", "-c", f"{slow}; echo ran >{tmp_path}/ran")
    observer.peer.wait(lambda peer: any(m.kind == "IMAGE" and m.fd == identity(slow) for m in peer.messages))
    (held,) = (m.head["pid"] for m in observer.of("IMAGE") if m.fd == identity(slow))
    init.kill()
    init.wait()
    eventually(lambda: not Path(f"/proc/{held}").exists() or "Z" in Path(f"/proc/{held}/stat").read_text())
    assert not (tmp_path / "ran").exists()


def test_who_is_at_the_gate_when_the_mode_is_switched_off_goes_on(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path
) -> None:
    slow = make(tmp_path / "slow", program("exits"), 6)
    observer = enforced(lambda message: None if message.kind == "IMAGE" and message.fd == identity(slow) else True)
    with observer.start(str(slow)) as init:
        observer.peer.wait(lambda peer: any(m.kind == "IMAGE" for m in peer.messages))
        observer.peer.tell()
        (image,) = observer.of("IMAGE")
        observer.peer.send(verdict(image, allowed=False))
        assert init.wait(20) == 6


def test_the_parent_sees_a_kill_at_the_gate(enforced: Enforced, program: Callable[[str], str], tmp_path: Path) -> None:
    slow = make(tmp_path / "slow", program("exits"), 0)
    observer = enforced(lambda message: None if message.kind == "IMAGE" and message.fd == identity(slow) else True)
    with observer.start(str(slow)) as init:
        observer.peer.wait(lambda peer: any(m.kind == "IMAGE" for m in peer.messages))
        os.kill(observer.of("IMAGE")[0].head["pid"], signal.SIGKILL)
        assert init.wait(20) == 128 + signal.SIGKILL
