"""Starts the process that makes the key and the signing request, and takes what it made.

It is started as early as possible, so that its imports overlap with ours.
"""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress

from sidecar.interpreter import module_command

MAX_ANSWER = 64 << 10


class KeyMakingError(Exception):
    """The worker made no key: the installation is at fault, the message holds what it wrote."""


class KeyWorker:
    """A running `sidecar.report.key_maker`."""

    def __init__(self) -> None:
        """Start it; nothing is awaited."""
        self._output, theirs = os.pipe()
        command = module_command("sidecar.report.key_maker")
        try:
            self._pid = os.posix_spawn(
                command[0],
                command,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, theirs, 1),
                ],
            )
        finally:
            os.close(theirs)

    async def key_and_request(self) -> tuple[bytes, bytes]:
        """The key (PEM) and the signing request (DER).

        Raises:
            KeyMakingError: the worker failed.
        """
        try:
            answer = await _read_all(self._output)
        finally:
            os.close(self._output)
            with suppress(ChildProcessError):
                os.waitpid(self._pid, 0)  # noqa: ASYNC222 -- its output has ended, so it is ending now
        try:
            fields = json.loads(answer)
            return fields["key"].encode(), bytes.fromhex(fields["csr"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyMakingError(f"no key was made (see the lines above): {error}") from error


async def _read_all(descriptor: int) -> bytes:
    """Read a pipe to its end without a thread."""
    os.set_blocking(descriptor, False)
    loop, collected = asyncio.get_running_loop(), b""
    while len(collected) <= MAX_ANSWER:
        readable = asyncio.Event()
        loop.add_reader(descriptor, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(descriptor)
        piece = os.read(descriptor, MAX_ANSWER)
        if not piece:
            break
        collected += piece
    return collected
