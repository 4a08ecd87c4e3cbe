"""Connections that have not said HELLO: few, and not for long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sidecar.observe.encode import encode_refused
from sidecar.observe.packets import close_descriptors, receive, send
from sidecar.observe.protocol import MalformedPacketError, ProtocolVersionError
from sidecar.observe.records import HelloRecord, Record

HELLO_WITHIN_S = 5.0
"""A connection that has not said HELLO by then is closed."""

STRANGERS_MAX = 8
"""Connections that have not said HELLO yet. One more closes the oldest."""


@dataclass(frozen=True, slots=True)
class _Stranger:
    connection: socket.socket
    deadline: asyncio.TimerHandle


class Strangers:
    """Reads one packet from each.

    Args:
        buffer: what packets are read through.
        greeted: takes over a connection that said HELLO, as it should.
        malformed: told the reason where one did not.
    """

    def __init__(
        self,
        buffer: bytearray,
        greeted: Callable[[socket.socket, HelloRecord], None],
        malformed: Callable[[str], None],
    ) -> None:
        self._buffer = buffer
        self._greeted = greeted
        self._malformed = malformed
        self._strangers: dict[int, _Stranger] = {}

    def __len__(self) -> int:
        return len(self._strangers)

    def take(self, connection: socket.socket) -> None:
        """Wait for this one's HELLO."""
        if len(self) >= STRANGERS_MAX:
            self._dismiss(next(iter(self._strangers)))
        loop = asyncio.get_running_loop()
        number = connection.fileno()
        self._strangers[number] = _Stranger(connection, loop.call_later(HELLO_WITHIN_S, self._dismiss, number))
        loop.add_reader(number, self._read, number)

    def dismiss_all(self) -> None:
        """Close each."""
        for number in list(self._strangers):
            self._dismiss(number)

    def _dismiss(self, number: int) -> None:
        if number in self._strangers:
            self._let_go(number).close()

    def _let_go(self, number: int) -> socket.socket:
        stranger = self._strangers.pop(number)
        stranger.deadline.cancel()
        asyncio.get_running_loop().remove_reader(number)
        return stranger.connection

    def _read(self, number: int) -> None:
        connection = self._strangers[number].connection
        try:
            records = receive(connection, self._buffer)
        except ProtocolVersionError as error:
            refuse(self._let_go(number), str(error))
            self._malformed(str(error))
        except MalformedPacketError as error:
            self._dismiss(number)
            self._malformed(str(error))
        except OSError:
            self._dismiss(number)
        else:
            if records is not None:
                self._greet(number, records)

    def _greet(self, number: int, records: Sequence[Record]) -> None:
        match records:
            case [HelloRecord() as hello]:
                self._greeted(self._let_go(number), hello)
            case []:
                self._dismiss(number)
            case _:
                close_descriptors(records)
                self._dismiss(number)
                self._malformed("something other than one HELLO came first")


def refuse(connection: socket.socket, reason: str) -> None:
    """Say why, and hang up."""
    send(connection, encode_refused(reason))
    connection.close()
