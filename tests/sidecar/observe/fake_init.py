"""Speaks inscope-init's side of the protocol: messages as bytes, records, and a connection that sends them."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from sidecar.observe.decode import decode
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Flag, Kind
from sidecar.observe.protocol import MAGIC, PROTOCOL_VERSION
from sidecar.observe.records import HelloRecord, Record

SECRET = bytes(range(32))
AGENT = 100
INIT = 1
BOOT_NS = 5_000_000_000
WALL_NS = 1_700_000_000_000_000_000

_HEAD = HEADER.structs["head"].codec


def message(
    kind: int,
    struct_name: str,
    body: Sequence[object],
    strings: Sequence[bytes] = (),
    *,
    flags: int = 0,
    pid: int = AGENT,
    start: int = 50,
    ppid: int = INIT,
    time_ns: int = BOOT_NS,
    lost: int = 0,
    key: int = 0,
    ask: int = 0,
) -> bytes:
    """One message. `body` are the fields of the struct in order."""
    packed = HEADER.structs[struct_name].codec.pack(*body)
    tail = b"".join(len(text).to_bytes(2, "little") + text for text in strings)
    size = _HEAD.size + len(packed) + len(tail)
    return _HEAD.pack(size, kind, flags, lost, time_ns, start, pid, pid, ppid, key, ask) + packed + tail


def hello(secret: bytes = SECRET, *, version: int = PROTOCOL_VERSION, machine: int = 62, reads: int = 1) -> bytes:
    """A HELLO of an x86_64 init whose agent is `AGENT`."""
    body = (MAGIC, version, machine, 0, INIT, AGENT, 1000, reads, 1, WALL_NS, secret)
    return message(Kind.HELLO, "hello", body, [b"0.1", b"/srv", b"/bin", b"agent"], pid=INIT, ppid=0)


def hello_record(**options: int) -> HelloRecord:
    """The same, decoded."""
    (record,) = decode(hello(**options))  # type: ignore[arg-type]  # the integer options only
    assert isinstance(record, HelloRecord)
    return record


def file_body(
    inode: int = 7,
    *,
    device: int = 1,
    size: int = 10,
    nr: int = 59,
    argc: int = 0,
    ctime_ns: int = 0,
    writable: int = 0,
) -> tuple[int, ...]:
    """The fields of a file; one inode is one file."""
    return (device, inode, size, 0, ctime_ns, 0o100755, 0, nr, argc, writable)


def exec_message(
    path: bytes, argv: Sequence[bytes], *, cwd: bytes = b"/srv", inode: int = 7, flags: int = 0, **head: int
) -> bytes:
    """An exec of `path`."""
    body = file_body(inode, argc=len(argv))
    return message(Kind.EXEC, "file", body, [path, cwd, *argv], flags=flags, **head)


def open_message(path: bytes, open_flags: int = 0, *, nr: int = 257, inode: int = 9, **head: int) -> bytes:
    """An open of `path`."""
    return message(Kind.OPEN, "open", (nr, open_flags, 1, inode), [path], **head)


def address_body(
    address: bytes,
    port: int = 0,
    *,
    family: int = socket.AF_INET,
    kind: int = socket.SOCK_STREAM,
    nr: int = 42,
    inode: int = 33,
) -> tuple[object, ...]:
    """The fields of an address."""
    return (nr, 3, inode, family, kind, 0, port, len(address), address)


def call_body(nr: int, *args: int, arch: int = 0xC000003E, error: int = 0) -> tuple[int, ...]:
    """The fields of a call."""
    return (nr, arch, *args, *[0] * (6 - len(args)), error)


def counters_body(**counters: int) -> tuple[int, ...]:
    """The fields of the counters, 0 where not given."""
    return tuple(counters.get(name, 0) for name in HEADER.structs["counters"].fields)


def repeated_message(*repeats: tuple[int, int], count: int | None = None) -> bytes:
    """Known acts done again: each a key and how often. `count`: what the body says there are, where that is a lie."""
    body = message(Kind.REPEATED, "repeated", (len(repeats) if count is None else count,))
    entries = b"".join(HEADER.structs["repeat"].codec.pack(*repeat) for repeat in repeats)
    return (len(body) + len(entries)).to_bytes(4, "little") + body[4:] + entries


def bye_message(status: int = 0) -> bytes:
    """The agent's end."""
    return message(Kind.BYE, "exit", (status,))


def record(packed: bytes, fd: int = -1) -> Record:
    """A message decoded; with `fd`, flagged and attached."""
    if fd < 0:
        return decode(packed)[0]
    flagged = bytearray(packed)
    flagged[6] |= Flag.HAS_FD
    return decode(bytes(flagged), [fd])[0]


class FakeInit:
    """A connection to the sidecar's socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(5)
        self.socket.connect(str(path))

    def send(self, packet: bytes, fds: Sequence[int] = ()) -> None:
        """One packet, with descriptors."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([packet], rights)

    def receive(self) -> tuple[int, bytes]:
        """Kind and what follows the head of the next packet; (0, b"") at the end."""
        packet = self.socket.recv(1 << 16)
        return (int.from_bytes(packet[4:6], "little"), packet[_HEAD.size :]) if packet else (0, b"")

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def open_descriptors() -> set[str]:
    """Our own descriptors: equal sets before and after mean nothing leaked."""
    return set(os.listdir("/proc/self/fd"))
