"""Who acted: processes by pid and start time, what each runs, and where it descends from.

Forks are not trapped. A process is first met at its first record, and until it execs it runs what its parent ran.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from inscope.observation import MAX_ANCESTRY, Ancestor
from sidecar.observe.bodies import Head

FileId = tuple[int, int]
"""(device, inode)"""

_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Process:
    """A process as of now. `label` names what it runs (empty: unknown), `lineage` its ancestors, nearest first."""

    pid: int
    start: int
    label: str
    image: FileId = (0, 0)
    lineage: tuple[Ancestor, ...] = ()

    @property
    def ancestry(self) -> tuple[Ancestor, ...]:
        """The process itself, then its ancestors: at most `MAX_ANCESTRY` in all."""
        return (Ancestor(self.pid, self.start, self.label), *self.lineage)


class ProcessTable:
    """Up to `capacity` processes. The dead are forgotten first, then whoever was not heard of for longest.

    A lineage is copied when a process is first met, so forgetting an ancestor takes nothing from its descendants.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._alive: OrderedDict[_Key, Process] = OrderedDict()
        self._dead: OrderedDict[_Key, Process] = OrderedDict()
        self._latest: dict[int, int] = {}
        self._expected: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._alive) + len(self._dead)

    def expect(self, pid: int, label: str) -> None:
        """Say what the process `pid` runs when it is first met: for the agent's first, which nobody known forked."""
        self._expected = {pid: label}

    def restore(self, processes: Iterable[Process]) -> None:
        """Take over what an earlier sidecar knew, oldest first."""
        for process in processes:
            earlier = self._latest.get(process.pid)
            if earlier is not None and earlier != process.start:
                self._bury((process.pid, earlier))
            self._latest[process.pid] = process.start
            self._put(process)

    def alive(self) -> tuple[Process, ...]:
        """Who is not known to be dead, whoever was heard of last first."""
        return tuple(reversed(self._alive.values()))

    def of(self, head: Head) -> Process:
        """The process that a record is about, met now if it is new."""
        start = head.start or self._latest.get(head.pid, 0)
        key = (head.pid, start)
        known = self._alive.get(key)
        if known is not None:
            self._alive.move_to_end(key)
            return known
        return self._dead.get(key) or self._meet(head.pid, start, head.ppid)

    def executed(self, process: Process, label: str, image: FileId) -> Process:
        """The process runs another program from now on."""
        return self._put(replace(process, label=label, image=image))

    def exited(self, head: Head) -> None:
        """The process is gone; its late records still find it for a while."""
        self._bury((head.pid, head.start or self._latest.get(head.pid, 0)))

    def _meet(self, pid: int, start: int, ppid: int) -> Process:
        earlier = self._latest.get(pid)
        if earlier is not None:
            self._bury((pid, earlier))
        parent = self._current(ppid)
        self._latest[pid] = start
        if parent is None:
            return self._put(Process(pid, start, self._expected.get(pid, "")))
        return self._put(Process(pid, start, parent.label, parent.image, parent.ancestry[: MAX_ANCESTRY - 1]))

    def _current(self, pid: int) -> Process | None:
        start = self._latest.get(pid)
        return None if start is None else self._alive.get((pid, start))

    def _put(self, process: Process) -> Process:
        key = (process.pid, process.start)
        if key in self._dead:
            # A record that came after the exit: tell what it ran, without bringing it back to life.
            self._dead[key] = process
            return process
        self._alive[key] = process
        self._alive.move_to_end(key)
        while len(self) > self._capacity:
            self._forget()
        return process

    def _bury(self, key: _Key) -> None:
        process = self._alive.pop(key, None)
        if process is not None:
            self._dead[key] = process

    def _forget(self) -> None:
        pid, start = (self._dead or self._alive).popitem(last=False)[0]
        if self._latest.get(pid) == start:
            del self._latest[pid]
