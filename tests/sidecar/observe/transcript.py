"""A translator, and what became of the records that it was fed. Hashes are the fake's: a file's content is its name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from inscope.behaviour import (
    Behaviour,
    Program,
    Script,
)
from inscope.workload import InstanceId
from sidecar.normalise.paths import default_generaliser
from sidecar.observe.drafts import Draft
from sidecar.observe.facts import Fact
from sidecar.observe.identities import Identities
from sidecar.observe.images import Images
from sidecar.observe.kinds import Level
from sidecar.observe.known_acts import KnownActs
from sidecar.observe.patterns import default_watch_list
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.translate import Translator
from sidecar.observe.wall_clock import Clocks
from tests.sidecar.observe.fake_fingerprinter import FakeFingerprinter, hash_of
from tests.sidecar.observe.fake_init import (
    AGENT,
    BOOT_NS,
    WALL_NS,
    exec_message,
    hello_record,
    record,
)


class Transcript:
    """A translator, and what became of the records that it was fed."""

    def __init__(
        self,
        *,
        resumed: bool = False,
        reads: int = Level.WATCHED,
        machine: int = 62,
        process_log: ProcessLog | None = None,
    ) -> None:
        self.contents: dict[int, tuple[str, bytes]] = {}
        self.known = KnownActs(lambda _behaviour, _writable: True)
        self.translator = Translator(
            InstanceId("i"),
            hello_record(reads=reads, machine=machine),
            Clocks(WALL_NS, BOOT_NS),
            resumed=resumed,
            generaliser=default_generaliser(),
            watch_list=default_watch_list(),
            ephemeral_from=32768,
            images=Images(self.look, resolve=str),
            known=self.known,
            process_log=process_log or ProcessLog(Path("/nonexistent/processes"), lambda _: None),
        )
        self.unhashed = 0
        self.identities = Identities(FakeFingerprinter(), self.count)

    def count(self) -> None:
        self.unhashed += 1

    def look(self, fd: int) -> tuple[str, bytes]:
        return self.contents[fd]

    def file(self, real: str, beginning: bytes = b"\x7fELF") -> int:
        """A descriptor of a file with that real name and beginning."""
        fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self.contents[fd] = (real, beginning)
        return fd

    def facts(self, packed: bytes, fd: int = -1) -> Sequence[Fact]:
        return self.translator.translate(record(packed, fd))

    async def behaviours(self, packed: bytes, fd: int = -1) -> list[Behaviour]:
        found = []
        for fact in self.facts(packed, fd):
            if isinstance(fact, Draft) and fact.wants:
                self.identities.starts(fact)
                completed = await self.identities.complete(fact)
                found += [completed.behaviour] if completed else []
            elif isinstance(fact, Draft):
                found.append(fact.observation.behaviour)
        return found

    async def run(self, path: str, *argv: bytes, pid: int = AGENT, ppid: int = 1, inode: int = 7) -> list[Behaviour]:
        """The process execs a plain binary at `path`."""
        packed = exec_message(path.encode(), argv or (path.encode(),), pid=pid, ppid=ppid, inode=inode)
        return await self.behaviours(packed, self.file(path))


def program(path: str, script: Script | None = None) -> Program:
    return Program(path, hash_of(path), script)
