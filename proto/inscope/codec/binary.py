"""Descriptions of binaries to the wire and back."""

from __future__ import annotations

from inscope.binary import MAX_NEEDED, Binary, ElfDescription, Linkage
from inscope.codec.bounds import items, member, reject, sha256, text
from inscope.v1 import sidecar_pb2 as pb

MAX_SIZE = 2**63 - 1
"""Bytes of the largest file there can be, and what a database's 64-bit column holds."""


def binary_to_wire(binary: Binary) -> pb.BinaryDetail:
    elf = binary.elf
    return pb.BinaryDetail(
        sha256=bytes.fromhex(binary.sha256),
        path=binary.path,
        build_id=elf.build_id,
        soname=elf.soname,
        needed=elf.needed,
        interpreter=elf.interpreter,
        linkage=elf.linkage,
        size=binary.size,
    )


def binary_from_wire(wire: pb.BinaryDetail) -> Binary:
    digest = sha256(wire.sha256, "binary.sha256")
    if not digest:
        reject("binary.sha256", "missing")
    if wire.size > MAX_SIZE:
        reject("binary.size", "beyond 63 bits")
    return Binary(digest, text(wire.path, "binary.path"), wire.size, _elf_from_wire(wire))


def _elf_from_wire(wire: pb.BinaryDetail) -> ElfDescription:
    return ElfDescription(
        member(Linkage, wire.linkage, "binary.linkage"),
        text(wire.build_id, "binary.build_id"),
        text(wire.soname, "binary.soname"),
        items(wire.needed, lambda name: text(name, "binary.needed"), "binary.needed", MAX_NEEDED),
        text(wire.interpreter, "binary.interpreter"),
    )
