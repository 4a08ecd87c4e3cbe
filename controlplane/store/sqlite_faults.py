"""What SQLite's errors mean to the one who runs the control plane, translated in this one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from controlplane.store.port import StoreError

_ADVICE = {
    "SQLITE_FULL": "there is no room left for it; nothing of this change was kept: free some space on that disk",
    "SQLITE_BUSY": "another process is writing to it: only one control plane may own a state folder",
    "SQLITE_LOCKED": "another process is writing to it: only one control plane may own a state folder",
    "SQLITE_CORRUPT": "it is damaged: restore a copy, or move it away to start with empty references",
    "SQLITE_NOTADB": "it is damaged or not a database of inscope: restore a copy, or move it away",
    "SQLITE_READONLY": "it may not be written: check the permissions of the file and of its folder",
    "SQLITE_CANTOPEN": "it cannot be opened: check that the folder exists and may be written",
    "SQLITE_IOERR": "the disk refused to read or write it; nothing of this change was kept",
    "SQLITE_TOOBIG": "a value is too big for it; nothing of this change was kept",
    "SQLITE_CONSTRAINT": "a value breaks its rules; nothing of this change was kept",
}


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn whatever SQLite raises within into a `StoreError` that names the file and what to do."""
    try:
        yield
    except ValueError as fault:  # a row that is not what we write: `rows`, an enum or a workload refused it
        raise StoreError(f"the store {path}: {_ADVICE['SQLITE_CORRUPT']} ({fault})") from fault
    except sqlite3.Error as fault:
        raise StoreError(f"the store {path}: {_advice(fault)} ({fault})") from fault
    except OverflowError as fault:
        raise StoreError(f"the store {path}: {_ADVICE['SQLITE_TOOBIG']} ({fault})") from fault


def _advice(fault: sqlite3.Error) -> str:
    name = getattr(fault, "sqlite_errorname", "")  # absent on errors that Python itself raises
    known = [advice for prefix, advice in _ADVICE.items() if name.startswith(prefix)]
    return known[0] if known else "it could not be used"
