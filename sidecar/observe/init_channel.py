"""The socket that inscope-init connects to: one peer at a time, bounded in every direction.

The first connection wins. A later one, also to a later sidecar of the same state folder, must bring the first's secret:
the agent can reach the socket, but not impersonate its init.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sidecar.observe.encode import encode_patterns, encode_refused, encode_welcome
from sidecar.observe.packets import close_descriptors, receive
from sidecar.observe.protocol import PACKET_MAX, MalformedPacketError, ProtocolVersionError
from sidecar.observe.records import ByeRecord, HelloRecord, Record
from sidecar.observe.secret import FirstSecret

TURN_RECORDS = 512
"""Records after which the loop gets a turn, so that a flooding peer starves nobody."""

HELLO_WITHIN_S = 5.0
"""A connection that has not said HELLO by then is closed."""

STRANGERS_MAX = 8
"""Connections that have not said HELLO yet. One more closes the oldest."""

REST_S = 0.5
"""How long nobody is accepted after accepting failed."""

_CREDENTIALS = struct.Struct("iII")


@dataclass(frozen=True, slots=True)
class PeerCredentials:
    """SO_PEERCRED of the connection: in our pid namespace, pid 0 where it is not visible. For people, not for trust."""

    pid: int
    uid: int
    gid: int


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


class _Stranger:
    """A connection that has not said HELLO."""

    __slots__ = ("connection", "deadline")

    def __init__(self, connection: socket.socket, deadline: asyncio.TimerHandle) -> None:
        self.connection = connection
        self.deadline = deadline


class InitChannel:
    """Serves one inscope-init.

    Args:
        path: of the socket; its folder keeps others out, its mode is `mode`.
        secret: remembers the first peer's.
        patterns: the watch list in wire form; `watch` replaces it.
        survey: whether to ask what the container holds.
    """

    def __init__(
        self,
        path: Path,
        listener: InitListener,
        secret: FirstSecret,
        patterns: Sequence[bytes],
        *,
        survey: bool = True,
        mode: int = 0o600,
    ) -> None:
        self._path = path
        self._listener = listener
        self._secret = secret
        self._patterns = tuple(patterns)
        self._survey = survey
        self._mode = mode
        self._server: socket.socket | None = None
        self._peer: socket.socket | None = None
        self._strangers: dict[int, _Stranger] = {}
        self._paused = False
        self._said_bye = False
        self._packet = bytearray(PACKET_MAX)

    def open(self) -> None:
        """Listen.

        Raises:
            OSError: the path cannot be bound: it is taken by something that is not a socket, or its folder is missing.
        """
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISSOCK(self._path.lstat().st_mode):
                self._path.unlink()
        server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            server.bind(str(self._path))
            self._path.chmod(self._mode)
            server.listen(STRANGERS_MAX)
        except OSError:
            server.close()
            raise
        self._server = server
        asyncio.get_running_loop().add_reader(server.fileno(), self._accept)

    def close(self) -> None:
        """Stop listening and drop everybody."""
        if self._server is not None:
            asyncio.get_running_loop().remove_reader(self._server.fileno())
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)
        for number in list(self._strangers):
            self._dismiss(number)
        self._drop_peer()

    def release(self) -> None:
        """Everything before BYE is durable: let init go."""
        self._drop_peer()

    def watch(self, patterns: Sequence[bytes]) -> None:
        """Replace the watch list, now and for later connections."""
        self._patterns = tuple(patterns)
        if self._peer is not None and not self._send(self._peer, encode_patterns(self._patterns)):
            self._drop_peer()

    def pause(self) -> None:
        """Stop reading: what comes waits in the socket, then in init, which counts what it must drop."""
        if not self._paused and self._peer is not None:
            asyncio.get_running_loop().remove_reader(self._peer.fileno())
        self._paused = True

    def resume(self) -> None:
        """Read again."""
        if self._paused and self._peer is not None:
            asyncio.get_running_loop().add_reader(self._peer.fileno(), self._read_peer)
        self._paused = False

    # Strangers.

    def _accept(self) -> None:
        if self._server is None:
            return
        try:
            connection, _ = self._server.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # our descriptors ran out: listen again in a while instead of spinning
            self._rest(self._server)
            return
        connection.setblocking(False)
        if len(self._strangers) >= STRANGERS_MAX:
            self._dismiss(next(iter(self._strangers)))
        loop = asyncio.get_running_loop()
        number = connection.fileno()
        self._strangers[number] = _Stranger(connection, loop.call_later(HELLO_WITHIN_S, self._dismiss, number))
        loop.add_reader(number, self._read_stranger, number)

    def _rest(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(server.fileno())
        loop.call_later(REST_S, self._listen_again, server)

    def _listen_again(self, server: socket.socket) -> None:
        if self._server is server:
            asyncio.get_running_loop().add_reader(server.fileno(), self._accept)

    def _dismiss(self, number: int) -> None:
        stranger = self._strangers.pop(number, None)
        if stranger is not None:
            self._forget(number, stranger)
            stranger.connection.close()

    def _forget(self, number: int, stranger: _Stranger) -> None:
        stranger.deadline.cancel()
        asyncio.get_running_loop().remove_reader(number)

    def _read_stranger(self, number: int) -> None:
        connection = self._strangers[number].connection
        try:
            records = receive(connection, self._packet)
        except ProtocolVersionError as error:
            self._refuse(number, str(error))
            self._listener.malformed(str(error))
        except (MalformedPacketError, OSError) as error:
            self._dismiss(number)
            if isinstance(error, MalformedPacketError):
                self._listener.malformed(str(error))
        else:
            if records is not None:
                self._greet(number, records)

    def _greet(self, number: int, records: Sequence[Record]) -> None:
        first = records[0] if records else None
        if not isinstance(first, HelloRecord) or len(records) > 1:
            close_descriptors(records)
            self._dismiss(number)
            if records:
                self._listener.malformed("something other than one HELLO came first")
            return
        refusal = self._refusal(first)
        if refusal:
            self._refuse(number, refusal)
        else:
            self._admit(number, first)

    def _refusal(self, hello: HelloRecord) -> str:
        if not self._secret.admits(hello.body.secret):
            return "another inscope-init was here first, and this one does not bring its secret"
        if self._peer is not None:
            self._drain_if_gone(self._peer)
        return "an inscope-init is connected already" if self._peer is not None else ""

    def _refuse(self, number: int, reason: str) -> None:
        self._send(self._strangers[number].connection, encode_refused(reason))
        self._dismiss(number)

    def _admit(self, number: int, hello: HelloRecord) -> None:
        stranger = self._strangers.pop(number)
        self._forget(number, stranger)
        connection = stranger.connection
        resumed = self._secret.keep(hello.body.secret)
        welcome = encode_welcome(survey=self._survey)
        if not (self._send(connection, welcome) and self._send(connection, encode_patterns(self._patterns))):
            connection.close()
            return
        self._peer = connection
        self._said_bye = False
        if not self._paused:
            asyncio.get_running_loop().add_reader(number, self._read_peer)
        self._listener.connected(hello, _credentials(connection), resumed=resumed)

    # The peer.

    def _read_peer(self) -> None:
        budget = TURN_RECORDS
        while budget > 0 and self._peer is not None and not self._paused:
            count = self._read_packet(self._peer)
            if not count:
                return
            budget -= count

    def _read_packet(self, peer: socket.socket) -> int:
        """Hand on one packet; gives its records, 0 where nothing more can be read now."""
        try:
            records = self._received(peer)
            _require_no_hello(records or ())
        except MalformedPacketError as error:
            self._drop_peer()
            self._listener.malformed(str(error))
            return 0
        except OSError:
            records = []
        if records is None:
            return 0
        if not records:
            self._drop_peer()
            return 0
        self._hand_on(records)
        return len(records)

    def _received(self, peer: socket.socket) -> Sequence[Record] | None:
        """An init that went without reading our last message is told of by an error, once; its packets come after."""
        try:
            return receive(peer, self._packet)
        except ConnectionResetError:
            return receive(peer, self._packet)

    def _hand_on(self, records: Sequence[Record]) -> None:
        if self._said_bye:
            close_descriptors(records)
            return
        self._said_bye = isinstance(records[-1], ByeRecord)
        self._listener.received(records)

    def _drain_if_gone(self, peer: socket.socket) -> None:
        """A peer that hung up is only noticed when its last packets are read: at most what its socket buffer holds."""
        poll = select.poll()
        poll.register(peer, 0)
        if any(events & select.POLLHUP for _, events in poll.poll(0)):
            while self._peer is peer and self._read_packet(peer):
                pass

    def _drop_peer(self) -> None:
        if self._peer is None:
            return
        if not self._paused:
            asyncio.get_running_loop().remove_reader(self._peer.fileno())
        self._peer.close()
        self._peer = None
        self._listener.disconnected()

    def _send(self, connection: socket.socket, packet: bytes) -> bool:
        try:
            connection.send(packet, socket.MSG_NOSIGNAL)
        except OSError:
            return False
        return True


def _require_no_hello(records: Sequence[Record]) -> None:
    if any(isinstance(record, HelloRecord) for record in records):
        close_descriptors(records)
        raise MalformedPacketError("a second HELLO", 0)


def _credentials(connection: socket.socket) -> PeerCredentials:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return PeerCredentials(*_CREDENTIALS.unpack(raw))
