"""Programs executed: what an exec said, and what its image then turned out to be."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from inscope.behaviour import Contradiction, Exec
from sidecar.observe.actors import Actors
from sidecar.observe.bodies import Head
from sidecar.observe.drafts import Draft, open_file
from sidecar.observe.kinds import Flag
from sidecar.observe.known_acts import KnownActs
from sidecar.observe.processes import FileId, Process
from sidecar.observe.programs import Programs, StartedProgram
from sidecar.observe.records import NO_FD, ExecRecord, ImageRecord, ProcessRecord
from sidecar.observe.scribe import Scribe

_DENIED, _MISMATCH, _FAILED = int(Flag.DENIED), int(Flag.MISMATCH), int(Flag.FAILED)

_UNKNOWN: FileId = (0, 0)

_EXECS_KEPT = 512


@dataclass(frozen=True, slots=True)
class _Exec:
    """An exec whose image may yet turn out to be another. `before`: the process as it was until then."""

    before: Process
    draft: Draft
    started: StartedProgram
    parent: str
    argv: tuple[bytes, ...]
    cwd: bytes


class Execs:
    """Execs, and who runs what since. `close` takes a descriptor that no draft owns."""

    def __init__(
        self, actors: Actors, scribe: Scribe, programs: Programs, known: KnownActs, close: Callable[[int], None]
    ) -> None:
        self._actors = actors
        self._scribe = scribe
        self._programs = programs
        self._known = known
        self._close = close
        self._last: OrderedDict[tuple[int, int], _Exec] = OrderedDict()
        self._held: dict[int, Process] = {}

    def exec(self, record: ExecRecord) -> Sequence[Draft]:
        """A program is about to be executed."""
        process = self._actors.of(record.head)
        if not record.file.inode:
            # Nothing is there (a search along PATH), so nothing is executed. Should that change before the kernel
            # looks, the image at the next trap tells.
            if record.fd != NO_FD:
                self._close(record.fd)
            return ()
        if record.head.ask:
            process = self._actors.asked(process, record.head.ask)
        return self._start(record, process, self._programs.of(record))

    def introduced(self, record: ProcessRecord) -> None:
        """A fork runs what its parent runs; only where the parent is unknown does its image say more.

        A process whose exec was known, and only counted, runs what that exec started. Where only a sidecar before us
        knew it, the image is all there is to go by.
        """
        process = self._actors.of(record.head)
        ran, image = self._known.ran(record.head.key), (record.file.device, record.file.inode)
        counted = bool(record.head.key) and process.image != image
        if ran:
            self._actors.executed(process, ran.label, ran.image)
        elif record.path and (counted or not process.label):
            self._actors.executed(process, self._scribe.path(record.path), image)

    def _start(self, record: ExecRecord, process: Process, started: StartedProgram) -> Sequence[Draft]:
        behaviour, before = Exec(started.program, process.label), process
        image = _UNKNOWN if started.interpreted else (record.file.device, record.file.inode)
        if record.head.ask:  # until it is allowed, the process is who it was: to a sidecar that comes after us too
            process = replace(process, label=started.program.label, image=image)
            self._held[record.head.ask] = process
        elif not record.head.flags & _DENIED:
            process = self._actors.executed(process, started.program.label, image)
        observation = self._scribe.observation(record.head, process, behaviour)
        draft = Draft(observation, started.want, started.script, os.fsdecode(record.cwd))
        self._remember(process, _Exec(before, draft, started, behaviour.parent, record.argv, record.cwd))
        return (draft,)

    def _remember(self, process: Process, last: _Exec) -> None:
        key = (process.pid, process.start)
        self._last[key] = last
        self._last.move_to_end(key)
        if len(self._last) > _EXECS_KEPT:
            self._last.popitem(last=False)

    def decided(self, head: Head, *, allowed: bool) -> None:
        """The exec that the process is held for may happen, or not."""
        process, runs = self._actors.of(head), self._held.pop(head.ask, None)
        if not allowed:
            self._last.pop((process.pid, process.start), None)
        elif runs:
            self._actors.executed(process, runs.label, runs.image, head.ask)

    def image(self, record: ImageRecord) -> Sequence[Draft]:
        """What runs after an exec, where that says something new."""
        process = self._actors.of(record.head)
        counted = self._known.ran(record.head.key)
        if counted:
            return self._replaced(record, process, None, counted.label)
        last = self._last.get((process.pid, process.start))
        if record.head.flags & _FAILED and (not last or _runs(last.before, record)):
            self._failed(record, process, last)
            return ()
        if last and not record.head.flags & (_MISMATCH | _FAILED):
            if last.started.interpreted:
                return self._interpreter(record, process, last)
            if process.image == (record.file.device, record.file.inode):
                return self._again(record, process, last)
        return self._replaced(record, process, last, last.started.program.path if last else "?")

    def _failed(self, record: ImageRecord, process: Process, last: _Exec | None) -> None:
        """The process runs what it ran before. That it asked for the other program was told, and stays so."""
        if record.fd != NO_FD:
            self._close(record.fd)
        if last:
            self._actors.executed(process, last.before.label, last.before.image)
            del self._last[process.pid, process.start]

    def _interpreter(self, record: ImageRecord, process: Process, last: _Exec) -> Sequence[Draft]:
        """The interpreter of a script, which until now was only the name in its first line."""
        program = replace(last.started.program, path=self._scribe.path(record.path))
        process = self._actors.executed(process, process.label, (record.file.device, record.file.inode))
        observation = self._scribe.observation(record.head, process, Exec(program, last.parent))
        return (Draft(observation, open_file(record), after=last.draft),)

    def _again(self, record: ImageRecord, process: Process, last: _Exec) -> Sequence[Draft]:
        """The very file that was named, which the workload can write: hashed again, now that it runs and cannot
        change."""
        observation = self._scribe.observation(record.head, process, Exec(last.started.program, last.parent))
        return (Draft(observation, open_file(record), after=last.draft),)

    def _replaced(self, record: ImageRecord, process: Process, last: _Exec | None, claimed: str) -> Sequence[Draft]:
        """What runs is not what the exec claimed, or the record of that exec was lost."""
        parent = last.parent if last else process.label
        ran = self._programs.found(record, last.argv if last else (), last.cwd if last else b"/")
        process = self._actors.executed(process, ran.program.label, (record.file.device, record.file.inode))
        observation = self._scribe.observation(record.head, process, Exec(ran.program, parent))
        draft = Draft(observation, ran.want, ran.script, os.fsdecode(last.cwd if last else b"/"))
        if not record.head.flags & (_MISMATCH | _FAILED):
            return (draft,)
        contradiction = Contradiction(claimed, ran.program.path, parent)
        return (self._scribe.draft(record.head, process, contradiction), draft)


def _runs(process: Process, record: ImageRecord) -> bool:
    """Whether the image is the process's own. Init tells a failed exec by the stack, which two programs may share."""
    return process.image in (_UNKNOWN, (record.file.device, record.file.inode))
