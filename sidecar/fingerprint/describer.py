"""Has files described by a short-lived process, and believes it no more than the files it reads.

One process at a time, started when there is something to do and ended when there was nothing for a while. A file that
kills it, or that it does not answer for in time, is malformed, and the next file gets a new process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable

from inscope.binary import ELF_MAGIC, MALFORMED, NOT_ELF, ElfDescription
from sidecar.fingerprint.answer import MAX_ANSWER, decode
from sidecar.interpreter import module_command

Start = Callable[[socket.socket], int]
"""Starts a worker on its end of a socket pair and gives its process id."""


def start_worker(theirs: socket.socket) -> int:
    """Run `python -m sidecar.fingerprint.worker` with nothing but the socket and standard error."""
    command = module_command("sidecar.fingerprint.worker", str(theirs.fileno()))
    return os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, 2, 1)],
    )


class Describer:
    """Describes one file after the other.

    `patience_s` is wall time for one file, generous because the worker bounds its own processor time; `idle_s` is how
    long a worker without work is kept.
    """

    def __init__(self, start: Start = start_worker, patience_s: float = 10.0, idle_s: float = 5.0) -> None:
        self._start = start
        self._patience_s = patience_s
        self._idle_s = idle_s
        self._turn = asyncio.Lock()
        self._worker: _Worker | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._number = 0

    async def describe(self, descriptor: int) -> ElfDescription:
        """Describe an open file; the caller keeps the descriptor. Never raises for what the file holds."""
        if not is_elf(descriptor):
            return NOT_ELF
        async with self._turn:
            if self._idle:
                self._idle.cancel()
            try:
                return await self._ask(descriptor)
            except (OSError, TimeoutError, ValueError, EOFError):
                self.close()
                return MALFORMED
            finally:
                self._idle = asyncio.get_running_loop().call_later(self._idle_s, self.close)

    async def _ask(self, descriptor: int) -> ElfDescription:
        self._worker = self._worker or _Worker(self._start)
        self._number += 1
        async with asyncio.timeout(self._patience_s):
            return await self._worker.ask(self._number, descriptor)

    def close(self) -> None:
        """End the worker, where there is one."""
        if self._idle:
            self._idle.cancel()
        if self._worker:
            self._worker.end()
            self._worker = None


def is_elf(descriptor: int) -> bool:
    """Whether an open file begins like an ELF file."""
    try:
        return os.pread(descriptor, len(ELF_MAGIC), 0) == ELF_MAGIC
    except OSError:
        return False


class _Worker:
    def __init__(self, start: Start) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.set_inheritable(True)
        with theirs:
            self._pid = start(theirs)
        self._socket = ours

    async def ask(self, number: int, descriptor: int) -> ElfDescription:
        socket.send_fds(self._socket, [number.to_bytes(8, "little")], [descriptor])
        answer = await asyncio.get_running_loop().sock_recv(self._socket, MAX_ANSWER)
        if not answer:
            raise EOFError("the worker ended")
        return decode(answer, number)

    def end(self) -> None:
        self._socket.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
