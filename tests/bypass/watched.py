"""One command under the real inscope-init with the real observer, and what came of it. No control plane is needed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from inscope.behaviour import Behaviour
from inscope.capability import Capability
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.reference import Entry, entries_of
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.init import binary
from sidecar.judge.local import LocalReference, countable, judge
from sidecar.observe.bodies import FileStat
from sidecar.observe.observer import Observer

SECONDS = 30
"""A run that takes longer hangs."""

GRACE_S = 1.0
"""How long after init's own end its last records may take."""

REVIVED_S = 0.2
"""How long whoever is stopped stays so."""

_OUTPUT_MAX = 1 << 20

Launch = Callable[[Sequence[str], Mapping[str, str]], Sequence[str]]
"""From a command and its environment to what starts it in some room."""


class HungError(Exception):
    """A run did not end; carries what it printed."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one command. `status` is None where init ended without telling the agent's."""

    output: str
    errors: str
    observations: tuple[Observation, ...]
    status: int | None
    lost: int
    seconds: float

    def entries(self) -> frozenset[Entry]:
        """What was needed for it: the reference that is learned from it."""
        return frozenset(entry for one in self.observations for entry in entries_of(one.behaviour))


class _Hashing:
    """Hashes small files where it stands."""

    async def identify(self, fd: int, file: FileStat, path: str) -> str:
        try:
            return sha256(os.pread(fd, 1 << 28, 0)).hexdigest()
        except OSError:
            return ""
        finally:
            os.close(fd)

    async def identify_path(self, path: str, cwd: str) -> str:
        file = Path(cwd, path)
        try:
            return sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
        except OSError:
            return ""


@dataclass(slots=True)
class _Sink:
    """Judges by a fixed reference, as the sidecar's reporter does by the one it was sent."""

    reference: LocalReference
    seen: list[Observation] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    end: asyncio.Event = field(default_factory=asyncio.Event)
    status: int | None = None

    def observed(self, observation: Observation) -> None:
        self.seen.append(observation)

    def repeated(self, observation: Observation, times: int) -> None:
        self.seen.append(observation)

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        return countable(behaviour, writable, self.reference)

    @property
    def mode(self) -> Mode:
        return self.reference.mode

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        return judge(behaviour, self.reference).verdict

    def in_force(self, generation: int) -> None:
        pass

    def surveyed(self, capability: Capability) -> None:
        pass

    def covered(self, coverage: SourceCoverage) -> None:
        for cause, count in coverage.lost.items():
            self.lost[f"{coverage.source}/{cause}"] = count

    def ended(self, status: int) -> None:
        self.status = status
        self.end.set()


async def watch(
    folder: Path, command: Sequence[str], environment: Mapping[str, str], reference: LocalReference, launch: Launch
) -> Run:
    """Run `command` in `folder` and judge it by `reference`. Raises `HungError`."""
    sink = _Sink(reference)
    path = folder / "init.sock"
    (folder / "secret").unlink(missing_ok=True)
    observer = Observer(
        InstanceId("i"), path, folder / "secret", _Hashing(), sink, lambda line: None, socket_mode=0o666
    )
    observer.open()
    watching = asyncio.create_task(observer.run())
    init = [str(binary()), "--socket", str(path), "--wait-ms", "10000", "--", *command]
    began = asyncio.get_running_loop().time()
    process = await asyncio.create_subprocess_exec(
        *launch(init, environment),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = await _until_end(process, sink, observer)
    finally:
        watching.cancel()
        observer.close()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    seconds = asyncio.get_running_loop().time() - began
    return Run(output, errors, tuple(sink.seen), sink.status, sum(sink.lost.values()), seconds)


async def _until_end(process: asyncio.subprocess.Process, sink: _Sink, observer: Observer) -> tuple[str, str]:
    reviving = asyncio.ensure_future(_revive(process.pid))
    reading = asyncio.gather(*(_read(stream) for stream in (process.stdout, process.stderr) if stream))
    try:
        async with asyncio.timeout(SECONDS):
            await _first(sink.end.wait(), process.wait())
            with suppress(TimeoutError):  # init was killed: what it had sent may still come
                await asyncio.wait_for(sink.end.wait(), GRACE_S)
            observer.release()
            await process.wait()
    except TimeoutError as error:
        raise HungError(f"did not end; what is left of it:\n{_told(process.pid)}") from error
    finally:
        reviving.cancel()
        _end(process.pid)
        output, errors = await reading
    return output, errors


async def _first(*events: object) -> None:
    tasks = [asyncio.ensure_future(event) for event in events]  # type: ignore[call-overload]  # coroutines, all of them
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


async def _read(stream: asyncio.StreamReader) -> str:
    """All of it; what an attack prints without end is cut."""
    parts: list[bytes] = []
    while part := await stream.read(1 << 16):
        if sum(map(len, parts)) < _OUTPUT_MAX:
            parts.append(part)
    return b"".join(parts).decode(errors="replace")


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    state: str
    parent: int
    session: int
    name: str


def _processes() -> list[_Process]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                before, _, after = (entry / "stat").read_text().rpartition(")")
                state, parent, _, session = after.split()[:4]
                found.append(_Process(int(entry.name), state, int(parent), int(session), before.partition("(")[2]))
    return found


def _of(root: int) -> list[_Process]:
    """The processes of a session that we began, and the descendants of its leader in others."""
    everybody = _processes()
    family = {root}
    while grown := {one.pid for one in everybody if one.parent in family} - family:
        family |= grown
    return [one for one in everybody if one.pid in family or one.session == root]


async def _revive(root: int) -> None:
    """An agent that stops init, or its group, hangs itself. Somebody outside who is patient lets it go on."""
    while True:
        await asyncio.sleep(REVIVED_S)
        for one in _of(root):
            if one.state == "T":
                with suppress(ProcessLookupError):
                    os.kill(one.pid, signal.SIGCONT)


def _end(root: int) -> None:
    """An attack may leave processes that hold our pipes open, or stopped ones."""
    for one in _of(root):
        with suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGKILL)


def _told(root: int) -> str:
    return "\n".join(f"{one.pid} {one.name} {one.state}" for one in _of(root))
