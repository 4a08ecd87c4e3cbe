"""What is in force for each workload, pinned up once for all the streams that read it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from controlplane.loop.batch import InForce
from controlplane.serve.loop_thread import LoopThread
from inscope.workload import Workload


class Board:
    """Streams watch a workload, and whoever changes it announces that. Lives in the event loop's thread."""

    def __init__(self, thread: LoopThread) -> None:
        self._thread = thread
        self._watchers: defaultdict[Workload, set[asyncio.Event]] = defaultdict(set)
        self._pinned: dict[Workload, InForce] = {}
        self._announcements = 0

    @contextmanager
    def watching(self, workload: Workload) -> Iterator[asyncio.Event]:
        """An event that is set at every announcement, and at first."""
        event = asyncio.Event()
        event.set()
        self._watchers[workload].add(event)
        try:
            yield event
        finally:
            self._watchers[workload].discard(event)
            if not self._watchers[workload]:
                del self._watchers[workload]
                self._pinned.pop(workload, None)

    def announce(self, workloads: Iterable[Workload]) -> None:
        """The reference or the mode of these has changed."""
        self._announcements += 1
        for workload in workloads:
            self._pinned.pop(workload, None)
            for event in self._watchers.get(workload, ()):
                event.set()

    async def in_force(self, workload: Workload) -> InForce:
        """What is in force now; asked of the loop once per announcement however many streams there are.

        An answer that an announcement may have overtaken is given (its watchers will ask again) and not pinned.
        """
        pinned = self._pinned.get(workload)
        if pinned is not None:
            return pinned
        asked_at = self._announcements
        answer = await self._thread.call(lambda loop: loop.in_force(workload))
        if asked_at == self._announcements and workload in self._watchers:
            self._pinned[workload] = answer
        return answer
