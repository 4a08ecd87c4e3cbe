"""What the attacks are after: programs, libraries, secrets, and listeners, each once allowed and once denied.

The allowed ones are learned from the benign run. What reaches a denied one is the proof that an attack succeeded.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from array import array
from contextlib import suppress
from pathlib import Path

from tests.bypass.attack import ATTACKS, Room
from tests.bypass.compiled import Compiled

TOKEN = "the-secret-itself"
"""What is in the file that nobody may read."""

BEGUN = "BEGUN"
"""Said by every attack when it begins: one whose program could not even start proves nothing."""

WON = "WON"
"""Said by an attack that can tell by itself that it succeeded."""

PYTHON = "/usr/bin/python3"
"""The system's, which any user may run; a virtual environment's may be in a folder closed to others."""

_SCRIPTS = {".py": PYTHON, ".sh": "/bin/sh"}


class Arena:
    """The folder and the sockets of one room's attacks; on one event loop at a time.

    Args:
        folder: on a short path, because sockets live in it; open to all users.
    """

    def __init__(self, folder: Path, room: Room, compiled: Compiled) -> None:
        self.folder = folder
        self.room = room
        self._compiled = compiled
        self._listeners: list[_Listener] = []
        self._targets()

    def command(self, attack: Path, *arguments: str) -> list[str]:
        """What runs an attack."""
        if attack.suffix == ".c":
            return [str(self._program(attack)), *arguments]
        script = self.folder / "attacks" / f"{attack.parent.name}-{attack.name}"
        if not script.exists():
            shutil.copy(attack, script)
        return [_SCRIPTS[attack.suffix], str(script), *arguments]

    def environment(self) -> dict[str, str]:
        """What an attack is given."""
        paths = {
            "ALLOWED": "allowed",
            "DENIED": "denied",
            "ALLOWED_LIBRARY": "allowed.so",
            "DENIED_LIBRARY": "denied.so",
            "ALLOWED_UNIX": "allowed.sock",
            "DENIED_UNIX": "denied.sock",
            "GIFT_UNIX": "gift.sock",
            "ALLOWED_SECRET": "home/.ssh/id_allowed",
            "SECRET": "home/.ssh/id_secret",
            "PROOF": "proof",
            "WORK": "work",
        }
        ports = {"ALLOWED_PORT": self._ports["allowed"], "DENIED_PORT": self._ports["denied"]}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder / "home"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ROOM": self.room,
            **{name: str(self.folder / path) for name, path in paths.items()},
            **{name: str(port) for name, port in ports.items()},
        }

    def reset(self) -> None:
        """As before the first run."""
        (self.folder / "proof").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "work", ignore_errors=True)
        _open_folder(self.folder / "work")
        self._fill()
        for listener in self._listeners:
            listener.reset()

    def attend(self) -> None:
        """Accept and drop whoever comes, from now on."""
        for listener in self._listeners:
            listener.attend()

    def leave(self) -> None:
        """Take what is left and accept no more."""
        for listener in self._listeners:
            listener.leave()

    def take(self) -> None:
        """Take who came where nobody attended."""
        for listener in self._listeners:
            listener.take()

    def reached(self, output: str) -> bool:
        """Whether the attack succeeded, as far as what it printed and did proves."""
        proof = (self.folder / "proof").exists()
        return proof or TOKEN in output or WON in output.split() or any(one.reached for one in self._listeners)

    def close(self) -> None:
        """End the listeners."""
        for listener in self._listeners:
            listener.close()

    # Inside.

    def _targets(self) -> None:
        for name in ("home", "home/.ssh", "attacks"):
            _open_folder(self.folder / name)
        for name in ("given.py", "given.sh"):
            shutil.copy(ATTACKS / name, self.folder / "attacks" / name)
        self._ports = {name: self._internet(denied=name == "denied") for name in ("allowed", "denied")}
        for name in ("allowed", "denied", "gift"):
            self._unix(name)

    def _fill(self) -> None:
        """The targets' files, which an attack may have changed."""
        compiled = self._compiled
        for name, source in (
            ("allowed", compiled.target("allowed")),
            ("denied", compiled.target("denied")),
            ("allowed.so", compiled.library(denied=False)),
            ("denied.so", compiled.library(denied=True)),
        ):
            _put(self.folder / name, source.read_bytes(), 0o755)
        _put(self.folder / "home/.ssh/id_secret", TOKEN.encode(), 0o666)
        _put(self.folder / "home/.ssh/id_allowed", b"nothing much", 0o666)

    def _program(self, attack: Path) -> Path:
        here = self.folder / "attacks" / f"{attack.parent.name}-{attack.stem}"
        if not here.exists():
            shutil.copy(self._compiled.attack(attack), here)
        return here

    def _internet(self, *, denied: bool) -> int:
        """TCP and UDP on one port of both loopback addresses; the port."""
        for _ in range(20):
            try:
                return self._internet_once(denied=denied)
            except OSError:  # somebody has one of the four
                continue
        raise RuntimeError("no port is free for TCP and UDP on both loopback addresses")

    def _internet_once(self, *, denied: bool) -> int:
        first = socket.create_server(("127.0.0.1", 0), backlog=4096)
        port = int(first.getsockname()[1])
        made = [first]
        try:
            made.append(socket.create_server(("::1", port), family=socket.AF_INET6, backlog=4096))
            for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
                made.append(socket.socket(family, socket.SOCK_DGRAM))
                made[-1].bind((host, port))
        except OSError:
            for one in made:
                one.close()
            raise
        self._listeners += [_Listener(one, denied=denied) for one in made]
        return port

    def _unix(self, name: str) -> None:
        path = self.folder / f"{name}.sock"
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        path.chmod(0o777)
        server.listen(4096)
        self._listeners.append((_Giver if name == "gift" else _Listener)(server, denied=name == "denied"))


class _Listener:
    """One listening socket, and whether anybody reached it."""

    def __init__(self, server: socket.socket, *, denied: bool) -> None:
        self._server = server
        self._denied = denied
        self.reached = False
        server.setblocking(False)

    def reset(self) -> None:
        self.take()
        self.reached = False

    def attend(self) -> None:
        asyncio.get_running_loop().add_reader(self._server.fileno(), self.take)

    def leave(self) -> None:
        asyncio.get_running_loop().remove_reader(self._server.fileno())
        self.take()

    def close(self) -> None:
        self._server.close()

    def take(self) -> None:
        with suppress(BlockingIOError):
            while True:
                self._take_one()

    def _take_one(self) -> None:
        if self._server.type == socket.SOCK_DGRAM:
            self._server.recv(64)
        else:
            self._met(self._server.accept()[0])
        self.reached = self._denied

    def _met(self, peer: socket.socket) -> None:
        peer.close()


class _Giver(_Listener):
    """Gives whoever comes a connected socket to somewhere else. What is sent over it is what counts."""

    def __init__(self, server: socket.socket, *, denied: bool) -> None:
        super().__init__(server, denied=denied)
        self._kept: list[socket.socket] = []

    def leave(self) -> None:
        super().leave()
        for one in self._kept:
            with one, suppress(BlockingIOError):
                self.reached |= bool(one.recv(64))
        self._kept.clear()

    def _met(self, peer: socket.socket) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            with peer, socket.create_connection(server.getsockname()) as given:
                peer.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [given.fileno()]))])
            kept, _ = server.accept()
        kept.setblocking(False)
        self._kept.append(kept)


def _open_folder(path: Path) -> None:
    path.mkdir(exist_ok=True)
    path.chmod(0o777)


def _put(path: Path, content: bytes, mode: int) -> None:
    """A new file: what still runs the old one, or holds it open, keeps it."""
    if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
        path.chmod(mode)
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.chmod(mode)
    fresh.replace(path)
