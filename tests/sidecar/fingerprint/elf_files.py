"""ELF files made by hand, so that each lie is one argument."""

from __future__ import annotations

import struct

BASE = 0x1000
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_NOTE = 1, 2, 3, 4


def elf(
    needed=("libc.so.6",), soname="libx.so.1", interpreter="/lib/ld.so", build_id=b"\xab" * 20, segments=None, **lies
) -> bytes:
    """A 64-bit little-endian shared object. `lies` replace fields: phnum, phoff, strtab, tags (raw bytes)."""
    strings = b"\0"
    offsets = {}
    for name in (*needed, soname):
        offsets[name] = len(strings)
        strings += name.encode() + b"\0"
    tags = b"".join(struct.pack("<QQ", 1, offsets[name]) for name in needed)
    tags += struct.pack("<QQ", 14, offsets[soname])
    count = 4 if segments is None else len(segments)
    body_at = 64 + 56 * count
    interp = interpreter.encode() + b"\0"
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id
    tags_size = len(tags) + 32
    strings_at = body_at + len(interp) + len(note) + tags_size
    tags += struct.pack("<QQ", 5, lies.get("strtab", BASE + strings_at)) + struct.pack("<QQ", 0, 0)
    tags = lies.get("tags", tags)
    body = interp + note + tags.ljust(tags_size, b"\0") + strings
    if segments is None:
        note_at = body_at + len(interp)
        segments = [
            (_PT_LOAD, 0, BASE, body_at + len(body)),
            (_PT_DYNAMIC, note_at + len(note), 0, tags_size),
            (_PT_INTERP, body_at, 0, len(interp)),
            (_PT_NOTE, note_at, 0, len(note)),
        ]
    headers = b"".join(
        struct.pack("<IIQQQQQQ", kind, 5, at, addr, addr, size, size, 8) for kind, at, addr, size in segments
    )
    head = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    head += struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, lies.get("phoff", 64), lies.get("shoff", 0), 0, 64, 56,
        lies.get("phnum", len(segments)), 64, lies.get("shnum", 0), lies.get("shstrndx", 0),
    )  # fmt: skip
    return head + headers + body
