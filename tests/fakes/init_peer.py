"""A small sidecar for driving the real inscope-init: it listens, welcomes, hands patterns over and keeps what comes.

It reads the layout of the messages from `protocol.h` by itself, so that it checks the sidecar's own decoder rather than
sharing its mistakes.
"""

from __future__ import annotations

import array
import errno
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HEADER = Path(__file__).parents[2] / "sidecar" / "init" / "protocol.h"
WIDTHS = {"uint8_t": "B", "uint16_t": "H", "uint32_t": "I", "uint64_t": "Q", "int32_t": "i", "int64_t": "q"}

TEXT = re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)
CONSTANTS = {name: int(value) for name, value in re.findall(r"INSCOPE_(\w+) = (\d+)", TEXT)}
DEFINES = {name: int(value, 0) for name, value in re.findall(r"#define INSCOPE_(\w+) (\w+)", TEXT)}

BODIES = {
    "HELLO": "hello",
    "WELCOME": "welcome",
    "PATTERNS": "patterns",
    "EXEC": "file",
    "IMAGE": "file",
    "LOAD": "file",
    "CODE_MEMORY": "call",
    "OPEN": "open",
    "CONNECT": "address",
    "BIND": "address",
    "LISTEN": "address",
    "SYSCALL": "call",
    "EXIT": "exit",
    "COUNTERS": "counters",
    "SURVEY": "survey",
    "BYE": "exit",
    "PROCESS": "file",
    "MODE_IS": "mode",
    "REPEATED": "repeated",
    "ACTOR": "actor",
    "KNOWN": "known",
    "MODE": "mode",
}
KINDS = {CONSTANTS[name]: name for name in [*BODIES, "REFUSED"]}


@dataclass(frozen=True)
class Layout:
    """One struct of the header: packed, native order."""

    form: struct.Struct
    names: tuple[str, ...]

    def unpack(self, data: bytes) -> dict[str, Any]:
        values = iter(self.form.unpack_from(data))
        return dict(zip(self.names, values, strict=True))

    def pack(self, **values: Any) -> bytes:
        return self.form.pack(*(values.get(name, 0) for name in self.names))


def layout(name: str) -> Layout:
    match = re.search(r"struct inscope_" + name + r" \{(.*?)\n\};", TEXT, re.DOTALL)
    assert match, name
    fields = re.findall(r"(\w+) (\w+)(?:\[(\d+)\])?;", match[1])
    form = "=" + "".join(f"{count}s" if count else WIDTHS[kind] for kind, _, count in fields)
    if name == "call":  # args[6] is an array of words
        form = form.replace("6s", "6Q")
        names = [n for _, f, c in fields for n in ([f"args{i}" for i in range(int(c))] if c else [f])]
        return Layout(struct.Struct(form), tuple(names))
    return Layout(struct.Struct(form), tuple(field_name for _, field_name, _ in fields))


HEAD = layout("head")
REPEAT = layout("repeat")
KNOWN_ACT = layout("known_act")
LAYOUTS = {body: layout(body) for body in set(BODIES.values())}


@dataclass(frozen=True)
class Message:
    """One decoded message. `fd` is what came with it: (st_dev, st_ino) of the passed file, or None."""

    kind: str
    head: dict[str, Any]
    body: dict[str, Any]
    strings: list[bytes]
    fd: tuple[int, int] | None
    content: bytes = b""
    repeats: tuple[tuple[int, int], ...] = ()

    def has(self, flag: str) -> bool:
        return bool(self.head["flags"] & CONSTANTS[flag])


def strings_of(tail: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(tail):
        (size,) = struct.unpack_from("=H", tail, at)
        assert at + 2 + size <= len(tail), "a string runs over the end of its message"
        found.append(tail[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def decode(packet: bytes, fds: list[int]) -> list[Message]:
    """All messages of a packet; the descriptors are looked at and closed."""
    messages, at = [], 0
    while at < len(packet):
        head = HEAD.unpack(packet[at : at + HEAD.form.size])
        data = packet[at + HEAD.form.size : at + head["size"]]
        assert head["size"] >= HEAD.form.size
        assert len(data) == head["size"] - HEAD.form.size
        kind = KINDS[head["kind"]]
        body = LAYOUTS[BODIES[kind]]
        identity, content = None, b""
        if head["flags"] & CONSTANTS["HAS_FD"]:
            fd = fds.pop(0)
            st = os.fstat(fd)
            identity, content = (st.st_dev, st.st_ino), os.pread(fd, 16, 0)
            os.close(fd)
        tail = data[body.form.size :]
        repeats = tuple(REPEAT.form.iter_unpack(tail)) if kind == "REPEATED" else ()
        strings = [] if repeats else strings_of(tail)
        messages.append(Message(kind, head, body.unpack(data), strings, identity, content, repeats))
        at += head["size"]
    assert not fds, "descriptors without messages"
    return messages


def encode(kind: str, body: bytes = b"", strings: Iterable[bytes] = ()) -> bytes:
    tail = body + b"".join(struct.pack("=H", len(text)) + text for text in strings)
    return HEAD.pack(size=HEAD.form.size + len(tail), kind=CONSTANTS[kind]) + tail


def welcome(
    survey: bool = False, version: int = DEFINES["PROTOCOL_VERSION"], stance: int = CONSTANTS["WATCHES"]
) -> bytes:
    body = LAYOUTS["welcome"]
    return encode("WELCOME", body.pack(magic=DEFINES["MAGIC"], version=version, survey=int(survey), stance=stance))


def patterns(texts: Iterable[bytes]) -> bytes:
    listed = list(texts)
    return encode("PATTERNS", LAYOUTS["patterns"].pack(count=len(listed)), listed)


def actor_of(told: Message, number: int) -> bytes:
    """What the process of a record runs."""
    head = told.head
    fields = {"since_ns": head["time_ns"], "start": head["start"], "pid": head["pid"], "actor": number}
    return encode("ACTOR", LAYOUTS["actor"].pack(**fields))


def mode(stance: int, generation: int) -> bytes:
    """What init is to do from now on."""
    return encode("MODE", LAYOUTS["mode"].pack(stance=stance, generation=generation))


def known(acts: dict[int, int], generation: int = 0, last: bool = True) -> bytes:
    """Acts that are known from now on: the number after each key."""
    body = LAYOUTS["known"].pack(generation=generation, last=int(last), count=len(acts))
    return encode("KNOWN", body + b"".join(KNOWN_ACT.pack(key=key, actor=actor) for key, actor in acts.items()))


def verdict(asked: Message, *, allowed: bool) -> bytes:
    """The answer to a record that asks."""
    return encode("VERDICT", layout("verdict").pack(ask=asked.head["ask"], error=0 if allowed else errno.EACCES))


@dataclass
class InitPeer:
    """Listens at `path` in a thread of its own. `close_on_bye`: let init go as soon as it has said goodbye.

    `on_ask` gives what it says to a record that asks for a verdict; `judges` says whether it may happen (None: no
    answer)."""

    path: Path
    watch: tuple[bytes, ...] = ()
    survey: bool = False
    close_on_bye: bool = True
    messages: list[Message] = field(default_factory=list)
    packets: list[int] = field(default_factory=list)
    answer: Callable[[InitPeer], bytes] = lambda peer: welcome(peer.survey) + patterns(peer.watch)
    reading: threading.Event = field(default_factory=threading.Event)
    on_ask: Callable[[int], bytes] | None = None
    judges: Callable[[Message], bool | None] | None = None

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.connection: socket.socket | None = None
        self.told = 0
        self.reading.set()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.path.unlink(missing_ok=True)
        self.listener.bind(str(self.path))
        self.path.chmod(0o777)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def __enter__(self) -> InitPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.reading.set()
        for each in (self.listener, self.connection):
            if each is not None:
                with suppress(OSError):  # the other end closed it
                    each.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.connection = connection
                self._listen(connection)
                self.connection = None

    def _listen(self, connection: socket.socket) -> None:
        while True:
            self.reading.wait()
            try:
                packet, ancillary, _, _ = connection.recvmsg(DEFINES["PACKET_MAX"], socket.CMSG_SPACE(4 * 64))
            except OSError:
                return
            if not packet:
                return
            fds = array.array("i")
            for _, _, data in ancillary:
                fds.frombytes(data)
            fresh = decode(packet, list(fds))
            with self.changed:
                self.messages += fresh
                self.packets.append(len(packet))
                self.changed.notify_all()
            if fresh[0].kind == "HELLO":
                connection.send(self.answer(self))
            for asked in (message.head["ask"] for message in fresh if self.on_ask):
                if asked and self.on_ask:
                    connection.send(self.on_ask(asked))
            self._judge(connection, fresh)
            if fresh[-1].kind == "BYE" and self.close_on_bye:
                return

    def _judge(self, connection: socket.socket, fresh: list[Message]) -> None:
        for message in fresh:
            allowed = self.judges(message) if self.judges and message.head["ask"] else None
            if allowed is not None:
                with suppress(OSError):  # init is gone
                    connection.send(verdict(message, allowed=allowed))

    def send(self, packet: bytes) -> None:
        assert self.connection
        self.connection.send(packet)

    def tell(self, *packets: bytes) -> None:
        """Send these, and wait until init has taken them in: the stance that follows is acknowledged."""
        self.told += 1
        told = self.told
        for packet in packets:
            self.send(packet)
        self.send(encode("MODE", LAYOUTS["mode"].pack(stance=CONSTANTS["WATCHES"], generation=told)))
        self.wait(lambda p: any(m.kind == "MODE_IS" and m.body["generation"] == told for m in p.messages))

    def of(self, kind: str) -> list[Message]:
        with self.changed:
            return [m for m in self.messages if m.kind == kind]

    def wait(self, condition: Callable[[InitPeer], bool], seconds: float = 10) -> None:
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition(self):
                left = deadline - time.monotonic()
                assert left > 0, f"never came; got {[m.kind for m in self.messages]}"
                self.changed.wait(left)
