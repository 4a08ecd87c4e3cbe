"""A real program without a compiler: the smallest static ELF file that says a line and ends, for x86_64 and aarch64."""

from __future__ import annotations

import platform
import struct

MESSAGE = b"helper: installed\n"
BASE = 0x400000
HEADERS = 64 + 56


def hello_program(machine: str = "") -> bytes:
    """The file's bytes for `machine` (as `platform.machine()` has it; default: this one).

    Raises:
        ValueError: another machine.
    """
    match machine or platform.machine():
        case "x86_64":
            return _file(62, _x86_64())
        case "aarch64":
            return _file(183, _aarch64())
        case other:
            raise ValueError(f"no program for {other}")


def _file(elf_machine: int, code: bytes) -> bytes:
    """An ELF header and one loadable segment, read and execute, that holds the whole file (System V ABI, chapter 4)."""
    size = HEADERS + len(code)
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header = struct.pack("<HHIQQQIHHHHHH", 2, elf_machine, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return ident + header + segment + code


def _x86_64() -> bytes:
    """write(1, MESSAGE, len); exit(0)."""
    after_lea = b"\xba" + struct.pack("<I", len(MESSAGE)) + b"\x0f\x05" + b"\xb8\x3c\0\0\0" + b"\x31\xff" + b"\x0f\x05"
    before = b"\xb8\x01\0\0\0" + b"\xbf\x01\0\0\0" + b"\x48\x8d\x35" + struct.pack("<i", len(after_lea))
    return before + after_lea + MESSAGE


def _aarch64() -> bytes:
    """The same, in 32-bit words."""

    def move(register: int, value: int) -> int:
        return 0xD2800000 | value << 5 | register

    call, address = 0xD4000001, 0x10000000 | (7 * 4 >> 2) << 5 | 1  # adr x1: the message follows seven words on
    words = [move(0, 1), address, move(2, len(MESSAGE)), move(8, 64), call, move(0, 0), move(8, 93), call]
    return struct.pack(f"<{len(words)}I", *words) + MESSAGE
