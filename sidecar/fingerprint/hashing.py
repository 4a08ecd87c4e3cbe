"""sha256 of open files, off the event loop, in slices: a small file never waits behind a huge one.

What is hashed is what the descriptor refers to, so what is hashed is what runs. Reads are positional, because the file
offset belongs to whoever passed the descriptor.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import threading
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from queue import Empty, SimpleQueue

from sidecar.fingerprint.cache import FileKey, key_of


class HashOutcome(StrEnum):
    """Why there is a hash or none."""

    HASHED = "hashed"
    TOO_LARGE = "too-large"
    NOT_REGULAR = "not-regular"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Hashed:
    """The sha256 in hex with the state of the file it belongs to; empty and None unless the outcome is `HASHED`."""

    outcome: HashOutcome
    sha256: str = ""
    key: FileKey | None = None


@dataclass(frozen=True, slots=True)
class HashLimits:
    """Sizes in bytes. `attempts` is how often a file that changes under the reader is read."""

    largest: int = 4 << 30
    slice: int = 4 << 20
    buffer: int = 256 << 10
    attempts: int = 2
    waiting: int = 256


DEFAULT_LIMITS = HashLimits()


Steps = Generator[None, None, Hashed]


def hash_steps(descriptor: int, limits: HashLimits, buffer: bytearray) -> Steps:
    """Hash the file behind `descriptor`, pausing after each slice. Returns the outcome; never raises OSError."""
    try:
        for _ in range(limits.attempts):
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                return Hashed(HashOutcome.NOT_REGULAR)
            if before.st_size > limits.largest:
                return Hashed(HashOutcome.TOO_LARGE)
            digest = yield from _digest(descriptor, before.st_size, limits, buffer)
            if digest and key_of(os.fstat(descriptor)) == key_of(before):
                return Hashed(HashOutcome.HASHED, digest, key_of(before))
    except OSError:
        return Hashed(HashOutcome.UNREADABLE)
    return Hashed(HashOutcome.CHANGED)


def _digest(descriptor: int, size: int, limits: HashLimits, buffer: bytearray) -> Generator[None, None, str]:
    """The sha256 of exactly `size` bytes; empty where the file turned out shorter."""
    sha256, view, offset, pause_at = hashlib.sha256(), memoryview(buffer), 0, limits.slice
    while offset < size:
        read = os.preadv(descriptor, [view[: size - offset]], offset)
        if not read:
            return ""
        sha256.update(view[:read])
        offset += read
        if offset >= pause_at:
            pause_at += limits.slice
            yield
    return sha256.hexdigest()


@dataclass(frozen=True, slots=True)
class _Job:
    descriptor: int
    steps: Steps
    answer: asyncio.Future[Hashed]
    loop: asyncio.AbstractEventLoop


class Hasher:
    """One worker thread that takes turns between the files it was given. Bounded: `hash` waits while too many wait."""

    def __init__(self, limits: HashLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = bytearray(limits.buffer)
        self._inbox: SimpleQueue[_Job | None] = SimpleQueue()
        self._room = asyncio.Semaphore(limits.waiting)
        self._thread = threading.Thread(target=self._work, name="hasher", daemon=True)
        self._thread.start()

    async def hash(self, descriptor: int) -> Hashed:
        """Hash an open file. Takes over `descriptor`: only the thread that reads it may close it."""
        async with self._room:
            loop = asyncio.get_running_loop()
            steps = hash_steps(descriptor, self._limits, self._buffer)
            job = _Job(descriptor, steps, loop.create_future(), loop)
            self._inbox.put(job)
            return await job.answer

    def close(self) -> None:
        """End the thread; files that wait are answered `UNREADABLE`."""
        self._inbox.put(None)
        self._thread.join()

    def _work(self) -> None:
        turns: deque[_Job] = deque()
        while self._collect(turns):
            job = turns.popleft()
            try:
                next(job.steps)
            except StopIteration as end:
                _finish(job, end.value)
            else:
                turns.append(job)
        for job in turns:
            _finish(job, Hashed(HashOutcome.UNREADABLE))

    def _collect(self, turns: deque[_Job]) -> bool:
        """Take in what has arrived, waiting where there is nothing to do; False when it is time to end."""
        try:
            while job := self._inbox.get(block=not turns):
                turns.append(job)
        except Empty:
            return True
        return False


def _finish(job: _Job, hashed: Hashed) -> None:
    os.close(job.descriptor)
    try:
        job.loop.call_soon_threadsafe(_answer, job.answer, hashed)
    except RuntimeError:
        return  # the loop is closed: nobody waits any more


def _answer(answer: asyncio.Future[Hashed], hashed: Hashed) -> None:
    if not answer.done():
        answer.set_result(hashed)
