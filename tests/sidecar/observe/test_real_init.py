"""The observer with the real inscope-init on the other end, watching real processes."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from inscope.behaviour import (
    OWN_LISTENER,
    Access,
    Behaviour,
    Connect,
    Contradiction,
    Exec,
    Listen,
    Load,
    Open,
    Protocol,
    ScriptOrigin,
)
from inscope.capability import Capability
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.init import binary
from sidecar.observe.bodies import FileStat
from sidecar.observe.observer import Observer

pytestmark = pytest.mark.real


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


class Watched:
    """One command under init, and everything that was seen of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: list[Observation] = []
        self.capabilities: list[Capability] = []
        self.coverage: dict[Source, SourceCoverage] = {}
        self.end = asyncio.Event()
        self.status = -1

    def observed(self, observation: Observation) -> None:
        self.seen.append(observation)

    def repeated(self, observation: Observation, times: int) -> None:
        self.seen += [observation] * times

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        return True

    mode = Mode.OBSERVE

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        return Verdict.ALLOW

    def in_force(self, generation: int) -> None:
        pass

    def surveyed(self, capability: Capability) -> None:
        self.capabilities.append(capability)

    def covered(self, coverage: SourceCoverage) -> None:
        self.coverage[coverage.source] = coverage

    def ended(self, status: int) -> None:
        self.status = status
        self.end.set()

    async def run(self, *command: str) -> list[Behaviour]:
        path = self.folder / "init.sock"
        observer = Observer(InstanceId("i"), path, self.folder / "secret", Hashing(), self, print)
        observer.open()
        watching = asyncio.create_task(observer.run())
        init = await asyncio.create_subprocess_exec(
            str(binary()), "--socket", str(path), "--", *command, cwd=self.folder
        )
        try:
            async with asyncio.timeout(30):
                await self.end.wait()
                observer.release()
                await init.wait()
        finally:
            watching.cancel()
            observer.close()
            if init.returncode is None:
                init.kill()
        return [observation.behaviour for observation in self.seen]


def one(behaviours: list[Behaviour], wanted: Callable[[Behaviour], bool]) -> Behaviour:
    found = [behaviour for behaviour in behaviours if wanted(behaviour)]
    assert found, behaviours
    return found[0]


async def test_a_grandchild_of_silent_forks_descends_from_the_agent(tmp_path: Path) -> None:
    code = """
import os
for _ in range(3):
    if child := os.fork():
        os.waitpid(child, 0)
        os._exit(0)
os.execv("/bin/true", ["true"])
"""
    (tmp_path / "agent.py").write_text(code)
    behaviours = await Watched(tmp_path).run(sys.executable, "agent.py")
    agent = one(behaviours, lambda one: isinstance(one, Exec))
    assert isinstance(agent, Exec)
    true = one(behaviours, lambda one: isinstance(one, Exec) and one.program.path == os.path.realpath("/bin/true"))
    assert isinstance(true, Exec)
    assert true.parent == agent.program.label


async def test_a_python_agent_is_seen_in_full(tmp_path: Path) -> None:
    code = """
import ctypes, socket, subprocess
open("made.py", "w").close()
open(".netrc").close()
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
subprocess.run(["./tool"], check=True)
"""
    (tmp_path / "agent.py").write_text(code)
    (tmp_path / ".netrc").write_text("machine x")
    (tmp_path / "tool").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "tool").chmod(0o755)
    watched = Watched(tmp_path)
    behaviours = await watched.run(sys.executable, "agent.py")

    agent = one(behaviours, lambda one: isinstance(one, Exec))
    assert isinstance(agent, Exec)
    assert agent.program.script
    assert (agent.program.script.origin, agent.program.script.sha256) == (
        ScriptOrigin.FILE,
        sha256(code.encode()).hexdigest(),
    )
    assert agent.program.sha256 == sha256(Path(sys.executable).read_bytes()).hexdigest()
    me = agent.program.label

    tool = one(behaviours, lambda one: isinstance(one, Exec) and one.program.path == os.path.realpath("/bin/sh"))
    assert isinstance(tool, Exec)
    assert tool.parent == me
    assert tool.program.sha256 == sha256(Path("/bin/sh").read_bytes()).hexdigest()
    assert tool.program.script
    assert tool.program.script.sha256 == sha256((tmp_path / "tool").read_bytes()).hexdigest()

    library = one(behaviours, lambda one: isinstance(one, Load) and "/_ctypes." in one.path)
    assert isinstance(library, Load)
    assert (len(library.sha256), library.program, library.writer) == (64, me, "")

    opens = [behaviour for behaviour in behaviours if isinstance(behaviour, Open) and behaviour.program == me]
    assert {(Path(found.path).name, found.access, found.secret) for found in opens} >= {
        ("made.py", Access.WRITE, False),
        (".netrc", Access.READ, True),
    }
    assert Listen("127.0.0.1", 0, Protocol.TCP, me) in behaviours
    assert Connect(OWN_LISTENER, 0, Protocol.TCP, me) in behaviours
    assert not [behaviour for behaviour in behaviours if isinstance(behaviour, Contradiction)]
    assert watched.status == 0
    assert watched.coverage[Source.INIT].losses == {}


async def test_the_lineage_is_that_of_the_processes(tmp_path: Path) -> None:
    shell = os.path.realpath("/bin/sh")
    watched = Watched(tmp_path)
    await watched.run("/bin/sh", "-c", "/bin/sh -c '/usr/bin/id -u; true'; true")
    (last,) = [
        observation
        for observation in watched.seen
        if isinstance(observation.behaviour, Exec) and observation.behaviour.program.path == "/usr/bin/id"
    ]
    assert [ancestor.label for ancestor in last.ancestry] == ["/usr/bin/id", f"{shell} -c", f"{shell} -c"]


@pytest.mark.parametrize("failure", ["ENOEXEC", "E2BIG", "EFAULT"])
async def test_a_process_whose_exec_failed_keeps_its_name(tmp_path: Path, failure: str) -> None:
    code = """
import ctypes, os, sys
failure = sys.argv[1]
try:
    if failure == "ENOEXEC":
        os.execv("./broken", ["broken"])
    elif failure == "E2BIG":
        os.execv("/bin/true", ["true", "x" * (1 << 18)])
    else:
        ctypes.CDLL(None).execve(b"/bin/true", 8, None)
except OSError:
    pass
open("made.py", "w").close()
os.execv("/bin/true", ["true"])
"""
    (tmp_path / "agent.py").write_text(code)
    (tmp_path / "broken").write_bytes(b"\x7fELF" + b"\0" * 60)
    (tmp_path / "broken").chmod(0o755)
    behaviours = await Watched(tmp_path).run(sys.executable, "agent.py", failure)
    agent, attempt, last = (behaviour for behaviour in behaviours if isinstance(behaviour, Exec))
    me = agent.program.label
    assert attempt.parent == last.parent == me
    (made,) = (one for one in behaviours if isinstance(one, Open) and one.path.endswith("/made.py"))
    assert made.program == me
    assert not [one for one in behaviours if isinstance(one, Contradiction)]


async def test_the_exit_status_is_told(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    await watched.run("/bin/sh", "-c", "exit 7")
    assert os.waitstatus_to_exitcode(watched.status) == 7


@pytest.mark.parametrize(("command", "status"), [("/no/such", 127), ("/", 126)])
async def test_a_command_that_could_not_start_has_an_exit_status_too(tmp_path: Path, command: str, status: int) -> None:
    watched = Watched(tmp_path)
    await watched.run(command)
    assert os.waitstatus_to_exitcode(watched.status) == status


async def test_a_connect_that_lives_long_enough_is_reconciled(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        code = f"import socket, time; s = socket.create_connection(('127.0.0.1', {port})); time.sleep(0.5)"
        await watched.run(sys.executable, "-c", code)
    assert LossCause.UNRECONCILED not in watched.coverage[Source.SOCKETS].losses
    assert not [one for one in watched.seen if isinstance(one.behaviour, Contradiction)]


async def test_thousands_of_acts_are_seen_or_counted(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    await watched.run(sys.executable, "-c", "for _ in range(10000): open('x.py', 'w').close()")
    seen = sum(isinstance(one.behaviour, Open) and one.behaviour.path.endswith("/x.py") for one in watched.seen)
    lost = sum(watched.coverage[Source.INIT].losses.values())
    assert seen <= 10_000 <= seen + lost
