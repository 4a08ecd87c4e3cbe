"""The socket that inscope-init connects to: one peer at a time, bounded in every direction.

The first connection wins. A later one, also to a later sidecar of the same state folder, must bring the first's secret:
the agent can reach the socket, but not impersonate its init.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import stat
from collections.abc import Sequence
from pathlib import Path

from sidecar.observe.admitted_init import AdmittedInit
from sidecar.observe.bodies import ModeBody
from sidecar.observe.encode import encode_mode, encode_patterns, encode_welcome
from sidecar.observe.init_listener import InitListener, credentials_of
from sidecar.observe.kinds import Stance
from sidecar.observe.packets import send
from sidecar.observe.protocol import PACKET_MAX
from sidecar.observe.records import HelloRecord
from sidecar.observe.secret import FirstSecret
from sidecar.observe.strangers import STRANGERS_MAX, Strangers, refuse

REST_S = 0.5
"""How long nobody is accepted after accepting failed."""


class InitChannel:
    """Serves one inscope-init.

    Args:
        path: of the socket; its folder keeps others out, its mode is `mode`.
        secret: remembers the first peer's.
        patterns: the watch list in wire form; `watch` replaces it.
        stance: what init is to do about acts that are not known; `become` changes it.
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
        stance: Stance = Stance.WATCHES,
        mode: int = 0o600,
    ) -> None:
        self._path = path
        self._listener = listener
        self._secret = secret
        self._patterns = tuple(patterns)
        self._survey = survey
        self._mode = mode
        self._stance = ModeBody(stance, 0)
        self._server: socket.socket | None = None
        self._init: AdmittedInit | None = None
        self._paused = False
        self._packet = bytearray(PACKET_MAX)
        self.strangers = Strangers(self._packet, self._greeted, listener.malformed)
        """Who has connected, and not said HELLO."""

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
        self.strangers.dismiss_all()
        self.release()

    def release(self) -> None:
        """Everything before BYE is durable: let init go."""
        if self._init is not None:
            self._init.drop()

    def watch(self, patterns: Sequence[bytes]) -> None:
        """Replace the watch list, now and for later connections."""
        self._patterns = tuple(patterns)
        if self._init is not None:
            self._init.tell(encode_patterns(self._patterns))

    def tell(self, packets: Sequence[bytes]) -> None:
        """Send these to the init that is connected, if any."""
        if self._init is not None:
            for packet in packets:
                self._init.tell(packet)

    def become(self, stance: Stance) -> int:
        """Tell init what to do about acts that are not known, now and when it connects; nothing where it knows. The
        generation that its MODE_IS brings back."""
        if stance != self._stance.stance:
            self._stance = ModeBody(stance, self._stance.generation + 1)
            self.tell([encode_mode(self._stance)])
        return self._stance.generation

    def pause(self) -> None:
        """Stop reading: what comes waits in the socket, then in init, which counts what it must drop."""
        self._paused = True
        if self._init is not None:
            self._init.pause()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        if self._init is not None:
            self._init.resume()

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
        self.strangers.take(connection)

    def _rest(self, server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(server.fileno())
        loop.call_later(REST_S, self._listen_again, server)

    def _listen_again(self, server: socket.socket) -> None:
        if self._server is server:
            asyncio.get_running_loop().add_reader(server.fileno(), self._accept)

    def _greeted(self, connection: socket.socket, hello: HelloRecord) -> None:
        refusal = self._refusal(hello)
        if refusal:
            refuse(connection, refusal)
        else:
            self._admit(connection, hello)

    def _refusal(self, hello: HelloRecord) -> str:
        if not self._secret.admits(hello.body.secret):
            return "another inscope-init was here first, and this one does not bring its secret"
        if self._init is not None and not self._init.gone:
            self._init.drain_if_gone()
        return "" if self._init is None or self._init.gone else "an inscope-init is connected already"

    def _admit(self, connection: socket.socket, hello: HelloRecord) -> None:
        resumed = self._secret.keep(hello.body.secret)
        welcome = encode_welcome(self._stance, survey=self._survey)
        if not (send(connection, welcome) and send(connection, encode_patterns(self._patterns))):
            connection.close()
            return
        self._init = AdmittedInit(connection, self._packet, self._listener)
        if not self._paused:
            self._init.resume()
        self._listener.connected(hello, credentials_of(connection), resumed=resumed)
