"""gRPC's own lines: the first is said, those that follow are counted and said once."""

from __future__ import annotations

import os

from controlplane.serve.native_log import MAX_LINE, QUIET, Repeats, relay

FAILED = "I1123 03:39:48.7060   23315 ssl_transport_security.cc:2563] Handshake failed with error {}"
ELSEWHERE = "E1123 03:39:48.7060   23315 server.cc:7] out of ideas"


def test_the_first_line_is_said_and_the_next_are_counted_until_it_was_quiet() -> None:
    repeats = Repeats()
    said = [repeats.hear(FAILED.format(number), now=float(number)) for number in range(1_001)]
    assert said == ["gRPC: Handshake failed with error 0 (ssl_transport_security.cc:2563)"] + [None] * 1_000
    assert (repeats.due(QUIET - 1), repeats.patience(QUIET - 1)) == ([], 1.0)
    assert repeats.due(QUIET) == [
        "gRPC: 1,000 more, last: Handshake failed with error 1000 (ssl_transport_security.cc:2563)"
    ]


def test_a_flood_that_goes_on_is_said_once_a_minute_and_one_that_ended_is_forgotten() -> None:
    repeats = Repeats()
    repeats.hear(FAILED.format(0), 0.0)
    repeats.hear(FAILED.format(1), 1.0)
    assert len(repeats.due(QUIET)) == 1
    assert repeats.hear(FAILED.format(2), QUIET + 1) is None
    assert len(repeats.due(2 * QUIET)) == 1
    assert repeats.due(3 * QUIET) == []
    assert repeats.patience(3 * QUIET) is None
    assert repeats.hear(FAILED.format(3), 3 * QUIET + 1) is not None


def test_other_lines_and_other_places_are_said() -> None:
    repeats = Repeats()
    repeats.hear(FAILED.format(0), 0.0)
    assert repeats.hear(ELSEWHERE, 1.0) == "gRPC: out of ideas (server.cc:7)"
    assert [repeats.hear("Fatal: what now?", now) for now in (1.0, 2.0)] == ["Fatal: what now?"] * 2


def relayed(raw: bytes) -> list[str]:
    """What is said of `raw`, written to the pipe by somebody who then closes it."""
    source, sink = os.pipe()
    os.write(sink, raw)
    os.close(sink)
    said: list[str] = []
    relay(source, said.append, clock=lambda: 0.0)
    os.close(source)
    return said


def test_what_was_counted_is_said_at_the_end_at_the_latest() -> None:
    lines = "\n".join(FAILED.format(number) for number in range(3))
    assert [line.partition(" (")[0] for line in relayed(lines.encode())] == [
        "gRPC: Handshake failed with error 0", "gRPC: 2 more, last: Handshake failed with error 2"
    ]  # fmt: skip


def test_what_is_no_line_is_bounded_and_no_byte_of_it_reaches_the_terminal_raw() -> None:
    assert relayed(b"\x1b[2J\xff\n\nlast") == ["\\x1b[2J\\xff", "", "last"]
    assert [len(line) for line in relayed(b"x" * (MAX_LINE - 4_096))] == [MAX_LINE - 4_096]
