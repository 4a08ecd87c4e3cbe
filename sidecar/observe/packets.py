"""One packet off the socket, with its descriptors, which are owned by its records or closed; and one onto it."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Sequence

from sidecar.observe.decode import decode
from sidecar.observe.protocol import FDS_MAX, MalformedPacketError
from sidecar.observe.records import NO_FD, Record, descriptor_of

_INT = array.array("i").itemsize


def receive(connection: socket.socket, buffer: bytearray) -> Sequence[Record] | None:
    """The records of the next packet, read through `buffer`; none at the end, None where nothing has come yet.

    Raises:
        MalformedPacketError: it is not the protocol. Its descriptors are closed.
        OSError: the connection broke.
    """
    try:
        size, ancillary, flags, _ = connection.recvmsg_into(
            [buffer], socket.CMSG_SPACE(FDS_MAX * _INT), socket.MSG_CMSG_CLOEXEC
        )
    except (BlockingIOError, InterruptedError):
        return None
    descriptors = _descriptors(ancillary)
    try:
        if flags & socket.MSG_TRUNC:
            raise MalformedPacketError(f"more than {len(buffer)} bytes", len(buffer))
        if not size:
            close_all(descriptors)
            return ()
        return decode(bytes(buffer[:size]), descriptors, fds_cut=bool(flags & socket.MSG_CTRUNC))
    except MalformedPacketError:
        close_all(descriptors)
        raise


def send(connection: socket.socket, packet: bytes) -> bool:
    """Send a packet at once; False where the peer is gone, or does not read what it was sent before."""
    try:
        connection.send(packet, socket.MSG_NOSIGNAL)
    except OSError:
        return False
    return True


def close_descriptors(records: Sequence[Record]) -> None:
    """Close what came with records that nobody will look at."""
    close_all([fd for fd in map(descriptor_of, records) if fd != NO_FD])


def close_all(descriptors: Sequence[int]) -> None:
    """Close each."""
    for descriptor in descriptors:
        os.close(descriptor)


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % _INT])
    return found.tolist()
