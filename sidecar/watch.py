"""One sidecar, wired: observers → judge → outbox → spool and stream, from start to the agent's end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sidecar import resident
from sidecar.fingerprint.cache import HashCache
from sidecar.fingerprint.describer import Describer
from sidecar.fingerprint.fingerprinter import Fingerprinter
from sidecar.fingerprint.hashing import Hasher
from sidecar.instance_folder import InstanceFolder
from sidecar.judge.local import LocalReference
from sidecar.log import Log
from sidecar.observe.kinds import Stance
from sidecar.observe.observer import Observer
from sidecar.observe.pipeline import stance_of
from sidecar.presence import Presence
from sidecar.report.join import Join
from sidecar.report.kept_reference import KeptReference
from sidecar.report.key_worker import KeyWorker
from sidecar.report.outbox import Outbox
from sidecar.report.reporter import Reporter
from sidecar.report.spool import Spool, SpoolLimits
from sidecar.settings import Settings

SETTLE_S = 3.0
"""Seconds after start at which the burst of an agent's start is over, and memory is returned."""

GIVE_BACK_S = 60.0
"""Seconds between later returns of memory."""


class End(Enum):
    """Why a sidecar ends."""

    AGENT_ENDED = "the agent ended"
    INIT_LOST = "inscope-init is gone and did not come back"
    TOLD_TO = "told to end"


@dataclass(frozen=True, slots=True)
class World:
    """Clocks, chance and the log, bound to the real ones by `__main__` only. `clock` never goes back."""

    wall: Callable[[], float]
    clock: Callable[[], float]
    chance: Callable[[], float]
    log: Log


class Watch:
    """Everything of one sidecar process."""

    def __init__(self, settings: Settings, join: Join, folder: InstanceFolder, world: World) -> None:
        self._settings = settings
        self._join = join
        self._folder = folder
        self._world = world
        self._spool = Spool(folder.spool, new_epoch, SpoolLimits(total=settings.spool_bytes))
        self._reporter = self._make_reporter(join)
        self._fingerprinter = Fingerprinter(
            Hasher(), Describer(), HashCache(), self._reporter.described, clock=world.clock
        )
        self._presence = Presence(self._reporter)
        self._observer = Observer(
            join.instance,
            settings.places.init_socket,
            folder.secret,
            self._fingerprinter,
            self._presence,
            world.log,
            stance=self._stance,
        )
        self._reporter.reference_swapped = self._observer.rejudge
        self._reporter.obstacle = self._observer.obstacle
        self._told_to = asyncio.Event()

    def _stance(self) -> Stance:
        return stance_of(self._reporter.mode, self._reporter.containment)

    def _make_reporter(self, join: Join) -> Reporter:
        world, kept = self._world, KeptReference(self._folder.reference, self._world.log)
        begin = kept.load() or LocalReference(join.mode, containment=join.containment)
        outbox = Outbox(acknowledged=self._spool.acknowledged, last=self._spool.last)
        loop = asyncio.get_running_loop()
        reporter = Reporter(join.instance, outbox, self._spool, loop, world.wall, world.log, begin)
        reporter.keep = kept.keep
        return reporter

    async def run(self, worker: KeyWorker | None, ready: Callable[[], None]) -> None:
        """Watch until there is nothing more to watch. `ready` is called when init may connect."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to.set)
        self._observer.open()
        ready()
        try:
            async with asyncio.TaskGroup() as tasks:
                background = [tasks.create_task(job) for job in self._jobs(worker)]
                await self._finish(await self._until_end())
                for task in background:
                    task.cancel()
        finally:
            self._observer.close()
            self._fingerprinter.close()
            self._spool.close()

    def _jobs(self, worker: KeyWorker | None) -> Iterable[Coroutine[Any, Any, None]]:
        return self._connect(worker), self._observer.run(), self._fingerprinter.describe_new(), _settle()

    async def _connect(self, worker: KeyWorker | None) -> None:
        """Import gRPC only now: init is already being listened to."""
        from sidecar.report.uplink import Uplink

        world = self._world
        uplink = Uplink(self._join, self._reporter, self._folder.credentials, world.wall, world.chance, world.log)
        await uplink.run(worker)

    async def _until_end(self) -> End:
        reasons = {
            asyncio.create_task(self._reporter.agent_ended.wait()): End.AGENT_ENDED,
            asyncio.create_task(self._told_to.wait()): End.TOLD_TO,
            asyncio.create_task(self._presence.lost_for(self._settings.lifetime.grace)): End.INIT_LOST,
        }
        done, pending = await asyncio.wait(reasons, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return min((reasons[task] for task in done), key=list(End).index)

    async def _finish(self, end: End) -> None:
        """Tell the rest, within bounds; what could not be told stays in the spool for the next sidecar."""
        told = self._reporter.drained
        match end:
            case End.AGENT_ENDED:
                told = self._reporter.goodbye_heard
            case End.INIT_LOST | End.TOLD_TO:
                self._world.log(f"{end.value}: ending")
                self._reporter.flush()
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), self._settings.lifetime.drain)
        over = told.is_set() and end is not End.TOLD_TO
        self._observer.release()
        if over:
            self._spool.destroy()
            self._folder.destroy()
        elif not told.is_set():
            self._world.log("not everything could be told; the rest is in the spool")


async def _settle() -> None:
    await asyncio.sleep(SETTLE_S)
    resident.settle()
    while True:
        await asyncio.sleep(GIVE_BACK_S)
        resident.give_back()


def new_epoch() -> str:
    """A name for a numbering that nobody else will choose."""
    return os.urandom(16).hex()
