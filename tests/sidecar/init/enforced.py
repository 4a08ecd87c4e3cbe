"""Running a command under the real inscope-init in enforce: a fake sidecar refuses what a test says."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import EACCES
from pathlib import Path

from tests.fakes.init_peer import CONSTANTS, LAYOUTS, InitPeer, Message, encode, layout, patterns, welcome
from tests.sidecar.init.observed import Observer, lines

VERDICT = layout("verdict")
Refuses = Callable[[Message], bool]


def port_of(message: Message) -> int:
    """Of a CONNECT, BIND or LISTEN; 0 for others."""
    return int(message.body.get("port", 0))


def to_port(port: int) -> Refuses:
    """Refuse whatever is done at this port."""
    return lambda message: port_of(message) == port


def nothing(message: Message) -> bool:
    """Refuse nothing."""
    return False


@dataclass
class Enforced(Observer):
    """`options` are init's. What asks is judged by `refuses`, and only asks when it is not known."""

    options: tuple[str, ...] = ()

    def shell(self, *command: str, seconds: float = 30) -> list[str]:
        """The lines that a command printed; it must end well, and in time."""
        done = self.run(*command, options=self.options, timeout=seconds)
        assert done.returncode == 0, done.stderr.decode()
        return lines(done)

    def shell_with(self, inherited: socket.socket, *command: str) -> list[str]:
        """The same for a command that finds this socket open."""
        inherited.set_inheritable(True)
        done = self.run(*command, options=self.options, pass_fds=[inherited.fileno()])
        assert done.returncode == 0, done.stderr.decode()
        return lines(done)

    def code(self, code: str, *argv: object, seconds: float = 30) -> list[str]:
        """The lines that Python code printed."""
        return self.shell(sys.executable, "-c", code, *map(str, argv), seconds=seconds)


@contextmanager
def enforcing(
    init: Path, folder: Path, refuses: Refuses, options: tuple[str, ...] = (), stance: str = "ENFORCES"
) -> Iterator[Enforced]:
    """A sidecar that has init enforce from the start."""
    greeting = welcome(stance=CONSTANTS[stance]) + patterns(())
    with InitPeer(folder / "init.sock", answer=lambda _: greeting) as peer:

        def judge(ask: int) -> bytes:
            record = next(m for m in reversed(peer.messages) if m.head["ask"] == ask)
            return encode("VERDICT", VERDICT.pack(ask=ask, error=EACCES if refuses(record) else 0))

        peer.on_ask = judge
        yield Enforced(init, peer, options=options)


def order(peer: InitPeer, stance: str, generation: int) -> None:
    """Send a MODE, and wait until it is in force."""
    peer.send(encode("MODE", LAYOUTS["mode"].pack(stance=CONSTANTS[stance], generation=generation)))
    peer.wait(lambda p: any(m.kind == "MODE_IS" and m.body["generation"] == generation for m in p.messages))


@contextmanager
def listener(family: int = socket.AF_INET, backlog: int = 128) -> Iterator[tuple[socket.socket, int]]:
    """A TCP listener outside of init, and its port."""
    with socket.socket(family) as server:
        server.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        server.listen(backlog)
        yield server, server.getsockname()[1]


@contextmanager
def accepting() -> Iterator[int]:
    """The port of a listener that takes and closes whatever comes."""
    with listener() as (server, port):

        def accept() -> None:
            with suppress(OSError):  # the end
                while True:
                    server.accept()[0].close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield port
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def reached(server: socket.socket) -> bool:
    """Whether anybody connected to this listener."""
    server.setblocking(False)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True
