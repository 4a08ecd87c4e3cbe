"""Messages as a sidecar would send them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from inscope.behaviour import Behaviour, Connect, Protocol
from inscope.codec import behaviour_to_wire
from inscope.v1 import sidecar_pb2 as pb
from inscope.v1 import words_pb2

NOW = 1_700_000_000.0
CONTACT = Connect("db.internal", 5432, Protocol.TCP, "/usr/bin/python3")


def column(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


def definition(number: int, behaviour: Behaviour = CONTACT, time: float = NOW, **fields: object) -> pb.Definition:
    return pb.Definition(
        id=number,
        behaviour=behaviour_to_wire(behaviour),
        time=time,
        verdict=words_pb2.VERDICT_ALLOW,
        **fields,  # type: ignore[arg-type]  # whatever the test wants to send
    )


def batch(
    sequence: int,
    definitions: Sequence[pb.Definition] = (),
    rows: Sequence[tuple[int, int, int]] | None = None,
    **fields: object,
) -> pb.Batch:
    """`rows` are (id, count, milliseconds after NOW); by default each definition once."""
    rows = [(each.id, 1, 0) for each in definitions] if rows is None else rows
    return pb.Batch(
        sequence=sequence,
        definitions=definitions,
        ids=column(*(row[0] for row in rows)),
        counts=column(*(row[1] for row in rows)),
        last_ms=column(*(row[2] for row in rows)),
        base_time=NOW,
        **fields,  # type: ignore[arg-type]  # whatever the test wants to send
    )


def hello(epoch: str = "e1", protocol: int = 1) -> pb.SidecarMessage:
    return pb.SidecarMessage(hello=pb.Hello(version="0.1.0", protocol=protocol, epoch=epoch, clock=NOW))
