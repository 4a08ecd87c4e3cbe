"""Packets to records: what init may send is read exactly, anything else is one kind of error and leaks nothing."""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.observe.bodies import Repeat
from sidecar.observe.decode import decode
from sidecar.observe.kinds import Flag, Kind
from sidecar.observe.protocol import MalformedPacketError, ProtocolVersionError
from sidecar.observe.records import (
    NO_FD,
    ConnectRecord,
    CountersRecord,
    ExecRecord,
    HelloRecord,
    OpenRecord,
    RepeatedRecord,
    SurveyRecord,
)
from tests.sidecar.observe.fake_init import (
    address_body,
    bye_message,
    call_body,
    counters_body,
    exec_message,
    file_body,
    hello,
    message,
    open_message,
    repeated_message,
)

SAMPLES = [
    hello(),
    exec_message(b"/bin/git", [b"git", b"status"]),
    message(Kind.IMAGE, "file", file_body(), [b"/bin/dash"]),
    message(Kind.LOAD, "file", file_body(), [b"/lib/x.so"]),
    message(Kind.CODE_MEMORY, "call", call_body(9)),
    open_message(b"/etc/shadow"),
    message(Kind.CONNECT, "address", address_body(b"\x01\x02\x03\x04", 443)),
    message(Kind.BIND, "address", address_body(b"")),
    message(Kind.LISTEN, "address", address_body(b"\0" * 16, 80, family=socket.AF_INET6)),
    message(Kind.SYSCALL, "call", call_body(101, 16)),
    message(Kind.EXIT, "exit", (9,)),
    message(Kind.COUNTERS, "counters", counters_body(traps=5, lost_queue=2)),
    message(Kind.SURVEY, "survey", (1, 1, 1, 2), [b"/bin/a", b"/bin/b"]),
    message(Kind.PROCESS, "file", file_body(), [b"/bin/sh"], key=77),
    repeated_message((77, 3), (78, 1 << 40)),
    bye_message(256),
]


def test_each_kind_of_message_is_read() -> None:
    records = decode(b"".join(SAMPLES))
    assert [type(record).__name__ for record in records] == [
        "HelloRecord",
        "ExecRecord",
        "ImageRecord",
        "LoadRecord",
        "CodeMemoryRecord",
        "OpenRecord",
        "ConnectRecord",
        "BindRecord",
        "ListenRecord",
        "SyscallRecord",
        "ExitRecord",
        "CountersRecord",
        "SurveyRecord",
        "ProcessRecord",
        "RepeatedRecord",
        "ByeRecord",
    ]


def test_the_fields_are_where_the_header_puts_them() -> None:
    first, exec_, *_ = decode(b"".join(SAMPLES))
    assert isinstance(first, HelloRecord)
    assert (first.body.machine, first.body.agent, first.cwd, first.command) == (62, 100, b"/srv", (b"agent",))
    assert isinstance(exec_, ExecRecord)
    assert (exec_.head.pid, exec_.head.start, exec_.head.ppid, exec_.head.time_ns) == (100, 50, 1, 5_000_000_000)
    assert (exec_.path, exec_.cwd, exec_.argv, exec_.file.inode) == (b"/bin/git", b"/srv", (b"git", b"status"), 7)


def test_an_address_is_cut_to_its_length() -> None:
    (record,) = decode(message(Kind.CONNECT, "address", address_body(b"\x01\x02\x03\x04", 443)))
    assert isinstance(record, ConnectRecord)
    assert (record.address.address, record.address.port) == (b"\x01\x02\x03\x04", 443)


def test_descriptors_go_to_their_messages_in_order() -> None:
    plain = open_message(b"/a")
    one = message(Kind.LOAD, "file", file_body(), [b"/1"], flags=Flag.HAS_FD)
    two = message(Kind.LOAD, "file", file_body(), [b"/2"], flags=Flag.HAS_FD)
    records = decode(one + plain + two, [41, 42])
    assert [getattr(record, "fd", None) for record in records] == [41, None, 42]


def test_a_descriptor_that_the_kernel_could_not_deliver_is_missing() -> None:
    load = message(Kind.LOAD, "file", file_body(), [b"/1"], flags=Flag.HAS_FD)
    (record,) = decode(load, [], fds_cut=True)
    assert getattr(record, "fd", None) == NO_FD


def test_another_version_is_told_apart_from_nonsense() -> None:
    with pytest.raises(ProtocolVersionError) as caught:
        decode(hello(version=77)[:-30])
    assert caught.value.version == 77


LOAD = message(Kind.LOAD, "file", file_body(), [b"/1"])
OPEN = open_message(b"/etc/passwd")

MALFORMED = {
    "empty": b"",
    "cut head": OPEN[:10],
    "cut body": OPEN[:50],
    "cut string": OPEN[:-1],
    "size too small": b"\x05" + OPEN[1:],
    "size too large": b"\xff\xff" + OPEN[2:],
    "unknown kind": OPEN[:4] + b"\x63" + OPEN[5:],
    "a kind that only we send": message(Kind.WELCOME, "welcome", (1, 1, 1, 1, 0)),
    "unknown flags": message(Kind.OPEN, "open", (1, 0, 0, 0), [b"/"], flags=0x8000),
    "trailing bytes": OPEN + b"\0",
    "no string": message(Kind.OPEN, "open", (1, 0, 0, 0)),
    "three strings": message(Kind.OPEN, "open", (1, 0, 0, 0), [b"/", b"/", b"/"]),
    "a NUL in a string": open_message(b"/a\0b"),
    "strings without a place": message(Kind.EXIT, "exit", (0,), [b"x"]),
    "argc above its strings": message(Kind.EXEC, "file", file_body(argc=3), [b"/", b"/", b"x"]),
    "argc below its strings": message(Kind.EXEC, "file", file_body(argc=0), [b"/", b"/", b"x"]),
    "argc above its bound": message(Kind.EXEC, "file", file_body(argc=300), [b"/"] * 302),
    "survey count": message(Kind.SURVEY, "survey", (1, 1, 1, 5), [b"/"]),
    "address length": message(Kind.CONNECT, "address", (42, 3, 1, 2, 1, 0, 1, 129, b"")),
    "more repeats than it says": repeated_message((1, 1), (2, 1), count=1),
    "fewer repeats than it says": repeated_message((1, 1), count=2),
    "a repeat that is cut": message(Kind.REPEATED, "repeated", (1,), [b"12345"]),
    "wrong magic": hello().replace((0x53434E49).to_bytes(4, "little"), b"\0\0\0\0"),
    "a descriptor that is announced and missing": message(Kind.LOAD, "file", file_body(), [b"/"], flags=Flag.HAS_FD),
    "a descriptor where none belongs": message(Kind.OPEN, "open", (1, 0, 0, 0), [b"/"], flags=Flag.HAS_FD),
}


@pytest.mark.parametrize("packet", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_not_the_protocol_is_refused(packet: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        decode(packet)


def test_a_descriptor_too_many_is_refused() -> None:
    with pytest.raises(MalformedPacketError):
        decode(LOAD, [5])


@given(
    st.sampled_from(SAMPLES),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 400),
)
def test_damaged_packets_raise_one_error(packet: bytes, damage: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(packet)
    for position, value in damage:
        damaged[position % len(damaged)] = value
    with suppress(MalformedPacketError):
        decode(bytes(damaged[: max(0, len(damaged) - cut)]))


@given(st.binary(max_size=300), st.lists(st.integers(0, 9), max_size=4), st.booleans())
def test_noise_raises_one_error(packet: bytes, fds: list[int], fds_cut: bool) -> None:
    with suppress(MalformedPacketError):
        decode(packet, fds, fds_cut=fds_cut)


TEXT = st.binary(max_size=40).filter(lambda text: b"\0" not in text)


@given(st.lists(TEXT, max_size=8), TEXT, TEXT)
def test_strings_come_back_as_they_were(argv: list[bytes], path: bytes, cwd: bytes) -> None:
    (record,) = decode(exec_message(path, argv, cwd=cwd))
    assert isinstance(record, ExecRecord)
    assert (record.path, record.cwd, list(record.argv)) == (path, cwd, argv)


def test_the_longest_path_comes_back() -> None:
    (record,) = decode(open_message(b"/" + b"\xff" * 4095))
    assert isinstance(record, OpenRecord)
    assert len(record.path) == 4096


def test_counters_and_survey() -> None:
    counters, survey = decode(SAMPLES[11] + SAMPLES[12])
    assert isinstance(counters, CountersRecord)
    assert (counters.counters.traps, counters.counters.lost_queue) == (5, 2)
    assert isinstance(survey, SurveyRecord)
    assert survey.members == (b"/bin/a", b"/bin/b")


def test_keys_and_repeats() -> None:
    process, repeated = decode(SAMPLES[13] + SAMPLES[14])
    assert process.head.key == 77
    assert isinstance(repeated, RepeatedRecord)
    assert repeated.repeats == (Repeat(77, 3), Repeat(78, 1 << 40))


@given(st.lists(st.tuples(st.integers(0, (1 << 64) - 1), st.integers(0, (1 << 64) - 1)), max_size=40))
def test_repeats_come_back_as_they_were(repeats: list[tuple[int, int]]) -> None:
    (record,) = decode(repeated_message(*repeats))
    assert isinstance(record, RepeatedRecord)
    assert record.repeats == tuple(Repeat(*repeat) for repeat in repeats)


def test_decoding_opens_and_closes_nothing() -> None:
    reader, writer = os.pipe()
    try:
        with pytest.raises(MalformedPacketError):
            decode(OPEN + b"\0", [reader])
        os.fstat(reader)
    finally:
        os.close(reader)
        os.close(writer)
