"""What the references say was used, in the terms in which capabilities are surveyed: paths, folders, names, ports.

Read back from the entries' canonical text (`inscope.reference.entries_of` writes it). Every entry counts as use,
whatever its standing: what happened once was not "never".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from inscope.reference import ARROW, Dimension, Entry

_PROGRAM = re.compile(
    r"(?P<hash>unhashed|sha256:[0-9a-f]{64}) (?P<path>.*?)"
    r"(?: \+ (?P<script_hash>unhashed|sha256:[0-9a-f]{64}) (?P<script>.*))?\Z",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class InventoriedProgram:
    """An inventory's program, read back. `script` is empty where nothing was interpreted; hashes may be `unhashed`."""

    hash: str
    path: str
    script_hash: str
    script: str


def read_program(value: str) -> InventoriedProgram | None:
    """The program that `inscope.reference.program_value` wrote; None where it did not."""
    match = _PROGRAM.match(value)
    if not match:
        return None
    return InventoriedProgram(match["hash"], match["path"], match["script_hash"] or "", match["script"] or "")


@dataclass(slots=True)
class Used:
    """Sets of what was used at least once. `programs` and `libraries` are paths, `binaries` are (path, hash).

    `scripts` are inventory values of interpreted programs, `generated` folders that code was made in, `secrets` paths,
    `destinations` and `listeners` as the envelope writes them, `calls` names.
    """

    programs: set[str] = field(default_factory=set)
    binaries: set[tuple[str, str]] = field(default_factory=set)
    scripts: set[str] = field(default_factory=set)
    libraries: set[str] = field(default_factory=set)
    generated: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    destinations: set[str] = field(default_factory=set)
    listeners: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)


def used(entries: Iterable[Entry]) -> Used:
    """What `entries` say was used."""
    found = Used()
    for entry in entries:
        note = _NOTES.get(entry.dimension)
        if note:
            note(found, entry)
    return found


def _note_program(found: Used, entry: Entry) -> None:
    program = read_program(entry.value)
    if program is None:
        return
    found.programs.add(program.path)
    found.binaries.add((program.path, program.hash))
    if program.script_hash:
        found.scripts.add(entry.value)


def _note_generated(found: Used, entry: Entry) -> None:
    found.generated.add(entry.value.rpartition(ARROW)[2].rstrip("/") or "/")


def _note_secret(found: Used, entry: Entry) -> None:
    found.secrets.add(entry.value.partition(ARROW)[2])


def _note_call(found: Used, entry: Entry) -> None:
    found.calls.add(call_name(entry))


def call_name(entry: Entry) -> str:
    """The name of the call in a syscall entry (`PROGRAM → NAME(DETAIL)`)."""
    return entry.value.rpartition(ARROW)[2].partition("(")[0]


_NOTES: dict[Dimension, Callable[[Used, Entry], None]] = {
    Dimension.PROGRAM: _note_program,
    Dimension.LIBRARY: lambda found, entry: found.libraries.add(entry.label),
    Dimension.GENERATED_CODE: _note_generated,
    Dimension.SECRET_READ: _note_secret,
    Dimension.DESTINATION: lambda found, entry: found.destinations.add(entry.value),
    Dimension.LISTENER: lambda found, entry: found.listeners.add(entry.value),
    Dimension.SYSCALL: _note_call,
}
