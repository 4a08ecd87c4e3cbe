"""Whoever the init channel tells: the port that `init_channel.py` needs, and `pipeline.py` fills."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sidecar.observe.records import HelloRecord, Record

_CREDENTIALS = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    """SO_PEERCRED of the connection: in our pid namespace, pid 0 where it is not visible. For people, not for trust."""

    pid: int
    uid: int
    gid: int


def credentials_of(connection: socket.socket) -> PeerCredentials:
    """Who connected, by the kernel's account."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return PeerCredentials(*_CREDENTIALS.unpack(raw))


class InitListener(Protocol):
    """Gets what the channel receives, on the event loop; must not block."""

    def connected(self, hello: HelloRecord, peer: PeerCredentials, *, resumed: bool) -> None:
        """Init was accepted. `resumed`: it had been accepted before, by this sidecar or an earlier one."""
        ...

    def received(self, records: Sequence[Record]) -> None:
        """The records of one packet; the listener owns their descriptors. A ByeRecord is the last that comes."""
        ...

    def malformed(self, reason: str) -> None:
        """Something was not the protocol, and its connection was dropped."""
        ...

    def disconnected(self) -> None:
        """The accepted connection ended, without BYE or after `release`."""
        ...
