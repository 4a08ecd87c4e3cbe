"""What the flags of an open ask for."""

from __future__ import annotations

import os

from inscope.behaviour import Access


def accesses_of(call: str, flags: int) -> tuple[Access, ...]:
    """Reading, writing, both or neither (O_PATH). Creating and truncating is writing.

    The flags used have the same values on x86_64 and aarch64 (asm-generic/fcntl.h).
    """
    if call == "creat":
        return (Access.WRITE,)
    if flags & os.O_PATH:
        return ()
    mode = flags & os.O_ACCMODE
    if mode == os.O_WRONLY:
        return (Access.WRITE,)
    if mode == os.O_RDONLY and not flags & (os.O_CREAT | os.O_TRUNC):
        return (Access.READ,)
    return (Access.READ, Access.WRITE)
