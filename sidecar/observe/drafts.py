"""Observations that still lack a hash, and how they are completed. Pure: who hashes is `identities.py`."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from inscope.behaviour import Exec, Load, Script, Sha256
from inscope.observation import Observation
from sidecar.normalise.script_ref import Source
from sidecar.observe.bodies import FileStat
from sidecar.observe.records import NO_FD, ImageRecord, LoadRecord


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file by the descriptor that came with a record (`NO_FD`: seen a moment ago). Whoever holds it owns `fd`.

    `path` is the file's name for people and for checking that our file system is the agent's.
    """

    fd: int
    file: FileStat
    path: str


Want = OpenFile | Source


def open_file(record: ImageRecord | LoadRecord) -> OpenFile:
    """The file that a record came with."""
    return OpenFile(record.fd, record.file, os.fsdecode(record.path))


@dataclass(slots=True, eq=False)
class Draft:
    """An observation and what must be hashed for it.

    Attributes:
        observation: complete but for its hashes.
        program: gives the sha256 of an Exec's program or a Load; None where there is nothing to hash.
        script: gives the sha256 of an Exec's script, all of them together.
        cwd: the folder that relative files are relative to, `os.fsdecode`d.
        after: an earlier draft of the same exec: this one takes over its script's hash, and says nothing new if the
            program's hash is the same.
        key: of the act, to init; 0 where it tells the act each time.
        completed: the result, kept for a draft that comes `after` this one.
    """

    observation: Observation
    program: Want | None = None
    script: tuple[Want, ...] = ()
    cwd: str = "/"
    after: Draft | None = None
    key: int = 0
    completed: Observation | None = None

    @property
    def wants(self) -> tuple[Want, ...]:
        """Everything that must be hashed."""
        return (self.program, *self.script) if self.program is not None else self.script

    @property
    def descriptors(self) -> int:
        """How many files it holds open until they are hashed."""
        return sum(isinstance(want, OpenFile) and want.fd != NO_FD for want in self.wants)

    def complete(self, program: Sha256, script: Sha256) -> Observation | None:
        """The observation with its hashes; None where it only repeats the draft before it."""
        before = _exec_of(self.after)
        if before and before.program.script:
            script = before.program.script.sha256
        self.completed = replace(self.observation, behaviour=_with_hashes(self.observation, program, script))
        after = _exec_of(self)
        return None if before and after and before.program.sha256 == after.program.sha256 else self.completed


def _exec_of(draft: Draft | None) -> Exec | None:
    behaviour = draft.completed.behaviour if draft and draft.completed else None
    return behaviour if isinstance(behaviour, Exec) else None


def _with_hashes(observation: Observation, program: Sha256, script: Sha256) -> Exec | Load:
    match observation.behaviour:
        case Exec() as started:
            known = started.program.script
            hashed = Script(known.origin, known.name, script) if known else None
            return replace(started, program=replace(started.program, sha256=program, script=hashed))
        case Load() as load:
            return replace(load, sha256=program)
        case other:
            raise TypeError(f"{type(other).__name__} has no hash")
