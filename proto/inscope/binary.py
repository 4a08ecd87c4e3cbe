"""What describes a hash to a reader: never its identity, which is the sha256 alone (a build-id can be forged)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

MAX_NEEDED = 512
"""NEEDED entries kept; real libraries have under a hundred."""

MAX_NAME = 4096
"""Characters of one name out of a file: a path's bound."""

ELF_MAGIC = b"\x7fELF"


class Linkage(StrEnum):
    """How an executable finds its code. `MALFORMED` has the ELF magic and no sound structure behind it."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    NOT_ELF = "not-elf"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class ElfDescription:
    """What the file says of itself; its author's word."""

    linkage: Linkage
    build_id: str = ""
    soname: str = ""
    needed: tuple[str, ...] = ()
    interpreter: str = ""


@dataclass(frozen=True, slots=True)
class Binary:
    """A description with the hash it belongs to, the generalised or real path it was met at, and its size in bytes."""

    sha256: str
    path: str
    size: int
    elf: ElfDescription


NOT_ELF = ElfDescription(Linkage.NOT_ELF)
MALFORMED = ElfDescription(Linkage.MALFORMED)
