"""The connection of the inscope-init that was let in: its packets become records until it has said BYE."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Sequence

from sidecar.observe.init_listener import InitListener
from sidecar.observe.packets import close_descriptors, receive, send
from sidecar.observe.protocol import MalformedPacketError
from sidecar.observe.records import ByeRecord, HelloRecord, Record

TURN_RECORDS = 512
"""Records after which the loop gets a turn, so that a flooding peer starves nobody."""


class AdmittedInit:
    """Reads `connection` through `buffer`, and tells the listener, until it is gone; that is told last."""

    def __init__(self, connection: socket.socket, buffer: bytearray, listener: InitListener) -> None:
        self._connection = connection
        self._buffer = buffer
        self._listener = listener
        self._reading = False
        self._said_bye = False
        self.gone = False

    def resume(self) -> None:
        """Read, from now on."""
        if not self._reading and not self.gone:
            self._reading = True
            asyncio.get_running_loop().add_reader(self._connection.fileno(), self._read)

    def pause(self) -> None:
        """Stop reading."""
        if self._reading:
            self._reading = False
            asyncio.get_running_loop().remove_reader(self._connection.fileno())

    def tell(self, packet: bytes) -> None:
        """Send it a packet; one that cannot be told is dropped."""
        if not self.gone and not send(self._connection, packet):
            self.drop()

    def drop(self) -> None:
        """Hang up."""
        if self.gone:
            return
        self.pause()
        self.gone = True
        self._connection.close()
        self._listener.disconnected()

    def drain_if_gone(self) -> None:
        """A peer that hung up is only noticed when its last packets are read: at most what its socket buffer holds."""
        poll = select.poll()
        poll.register(self._connection, 0)
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            while not self.gone and self._read_packet():
                pass

    def _read(self) -> None:
        budget = TURN_RECORDS
        while budget > 0 and self._reading:
            count = self._read_packet()
            if not count:
                return
            budget -= count

    def _read_packet(self) -> int:
        """Hand on one packet; gives its records, 0 where nothing more can be read now."""
        try:
            records = self._received()
            _require_no_hello(records or ())
        except MalformedPacketError as error:
            self.drop()
            self._listener.malformed(str(error))
            return 0
        except OSError:
            records = ()
        if records is None:
            return 0
        if not records:
            self.drop()
            return 0
        self._hand_on(records)
        return len(records)

    def _received(self) -> Sequence[Record] | None:
        """An init that went without reading our last message is told of by an error, once; its packets come after."""
        try:
            return receive(self._connection, self._buffer)
        except ConnectionResetError:
            return receive(self._connection, self._buffer)

    def _hand_on(self, records: Sequence[Record]) -> None:
        if self._said_bye:
            close_descriptors(records)
            return
        self._said_bye = isinstance(records[-1], ByeRecord)
        self._listener.received(records)


def _require_no_hello(records: Sequence[Record]) -> None:
    if any(isinstance(record, HelloRecord) for record in records):
        close_descriptors(records)
        raise MalformedPacketError("a second HELLO", 0)
