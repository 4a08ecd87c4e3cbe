"""Acts that are refused by the real inscope-init, on real processes: what does not happen, what the caller sees."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from inscope.behaviour import Behaviour, Connect, Exec
from inscope.capability import Capability
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.init import binary
from sidecar.observe.bodies import FileStat
from sidecar.observe.observer import Observer

pytestmark = pytest.mark.real

Refuses = Callable[[Behaviour], bool]


class Hashing:
    """Hashes small files where it stands."""

    async def identify(self, fd: int, file: FileStat, path: str) -> str:
        try:
            return sha256(os.pread(fd, 1 << 28, 0)).hexdigest()
        finally:
            os.close(fd)

    async def identify_path(self, path: str, cwd: str) -> str:
        file = Path(cwd, path)
        return sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


class Enforced:
    """One command under init in enforce, where `refuses` says what is out of reference."""

    patience_s = 30.0

    def __init__(self, folder: Path, refuses: Refuses) -> None:
        self.folder = folder
        self.refuses = refuses
        self.mode = Mode.ENFORCE
        self.seen: list[Observation] = []
        self.end = asyncio.Event()
        self.status = -1
        self.generations: list[int] = []

    def observed(self, observation: Observation) -> None:
        self.seen.append(observation)

    def repeated(self, observation: Observation, times: int) -> None:
        self.seen += [observation] * times

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        return not self.refuses(behaviour)

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        return Verdict.DENY if self.refuses(behaviour) else Verdict.ALLOW

    def in_force(self, generation: int) -> None:
        self.generations.append(generation)

    def surveyed(self, capability: Capability) -> None:
        pass

    def covered(self, coverage: SourceCoverage) -> None:
        pass

    def ended(self, status: int) -> None:
        self.status = os.waitstatus_to_exitcode(status)
        self.end.set()

    async def run(self, *command: str) -> str:
        """What the command printed; the time limit is the test's proof that nothing hangs."""
        path = self.folder / "init.sock"
        self.observer = observer = Observer(InstanceId("i"), path, self.folder / "secret", Hashing(), self, print)
        observer.open()
        watching = asyncio.create_task(observer.run())
        init = await asyncio.create_subprocess_exec(
            str(binary()), "--socket", str(path), "--", *command, cwd=self.folder, stdout=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(self.patience_s):
                await self.end.wait()
                observer.release()
                output, _ = await init.communicate()
        finally:
            watching.cancel()
            observer.close()
            if init.returncode is None:
                init.kill()
        return output.decode()

    def denied(self) -> list[Behaviour]:
        return [one.behaviour for one in self.seen if one.verdict is Verdict.DENY]


def execs(path: str) -> Refuses:
    return lambda behaviour: isinstance(behaviour, Exec) and behaviour.program.path.endswith(path)


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def test_a_refused_exec_fails_with_eacces_and_an_allowed_one_runs(tmp_path: Path) -> None:
    enforced = Enforced(tmp_path, execs("/uname"))
    out = await enforced.run("/bin/sh", "-c", "/bin/uname; echo $?; /bin/echo fine")
    assert out == "126\nfine\n"
    (denied,) = enforced.denied()
    assert isinstance(denied, Exec)


async def test_who_was_refused_an_exec_is_still_who_it_was(tmp_path: Path) -> None:
    enforced = Enforced(tmp_path, execs("/uname"))
    code = """
import os
try: os.execv("/bin/uname", ["uname"])
except PermissionError: os.execv("/bin/echo", ["echo", "still here"])
"""
    assert await enforced.run(*python(code)) == "still here\n"
    parents = [one.behaviour.parent for one in enforced.seen if isinstance(one.behaviour, Exec)]
    assert all("uname" not in parent for parent in parents)


async def test_a_refused_connect_does_not_reach_the_listener(tmp_path: Path) -> None:
    code = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    server.setblocking(False)
    with socket.socket() as client:
        try: client.connect(server.getsockname())
        except PermissionError as error: print(error.errno)
    try: server.accept(); print("reached")
    except BlockingIOError: print("alone")
"""
    enforced = Enforced(tmp_path, lambda behaviour: isinstance(behaviour, Connect))
    assert await enforced.run(*python(code)) == "13\nalone\n"


async def test_many_short_programs_in_enforce_run_as_they_should(tmp_path: Path) -> None:
    enforced = Enforced(tmp_path, execs("/never"))
    out = await enforced.run("/bin/sh", "-c", "for i in $(seq 60); do /bin/echo $i | /bin/cat; done")
    assert out.split() == [str(number) for number in range(1, 61)]
    assert enforced.generations == [0]
