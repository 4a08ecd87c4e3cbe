"""Keeps the resident set small: a sidecar is paid for by every pod.

Most of what start-up touches is never touched again: the text of modules, symbol tables, unwind tables. Once settled,
garbage is collected, what is left is taken out of the collector's sight, free heap goes back to the kernel, and clean
pages of mapped libraries are let go; those that are used come back from the page cache by themselves (minor faults).
`bench/sidecar_memory.py` measures what that leaves.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_M_ARENA_MAX = -8
_M_TRIM_THRESHOLD = -1
_MADV_DONTNEED = mmap.MADV_DONTNEED
_LIBRARY = re.compile(r"/[^/]+\.so(\.[0-9]+)*\Z")
_EXECUTABLE = os.path.realpath("/proc/self/exe")

_libc = ctypes.CDLL(None)
_madvise = _libc.madvise
_madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


_GC_THRESHOLD = 10_000
"""New containers between collections. Records make many that die at once and few cycles; Python's 700 costs a tenth."""


def prepare_heap() -> None:
    """Before threads start: two heaps for all of them, free memory returned early. Does nothing without glibc."""
    mallopt = getattr(_libc, "mallopt", None)
    if mallopt:
        mallopt(_M_ARENA_MAX, 2)
        mallopt(_M_TRIM_THRESHOLD, 256 << 10)


def settle() -> None:
    """Once, after start-up: what lives now is taken to live for good, and pages are given back."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    give_back()


def give_back() -> None:
    """Return what start-up, or a burst, left behind. A few milliseconds; safe at any time.

    Where our own mappings cannot be read they stay: observing goes on in more memory.
    """
    trim = getattr(_libc, "malloc_trim", None)
    if trim:
        trim(0)
    with suppress(OSError):
        for mapping in list(clean_mappings(Path("/proc/self/smaps").read_text().splitlines())):
            _madvise(mapping.start, mapping.size, _MADV_DONTNEED)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A range of addresses, in bytes."""

    start: int
    size: int


def clean_mappings(smaps: Iterable[str]) -> Iterator[Mapping]:
    """Mappings of loaded objects of which no page differs from the file, out of the lines of `/proc/PID/smaps`.

    They are not writable, so no page can come to differ, and libraries are never unloaded here, so the addresses stay
    theirs: dropping their pages loses nothing. Relocated read-only data is private and dirty, and is left alone.
    """
    candidate: Mapping | None = None
    for line in smaps:
        field, _, rest = line.partition(" ")
        if not field.endswith(":"):
            candidate = _readonly_file(field, rest.split())
        elif (
            candidate
            and field in ("Private_Dirty:", "Shared_Dirty:", "Anonymous:", "Locked:")
            and rest.strip() != "0 kB"
        ):
            candidate = None
        elif candidate and field == "VmFlags:":
            yield candidate
            candidate = None


def _readonly_file(addresses: str, fields: list[str]) -> Mapping | None:
    """The mapping of a head line `START-END PERMS OFFSET DEV INODE PATH`, if it is a candidate."""
    permissions, path = fields[0], fields[-1]
    if permissions not in ("r-xp", "r--p") or not (_LIBRARY.search(path) or path == _EXECUTABLE):
        return None
    start, _, end = addresses.partition("-")
    return Mapping(int(start, 16), int(end, 16) - int(start, 16))
