"""What the references say was used, in the terms in which capabilities are surveyed: paths, folders, names, ports.

Read back from the entries' canonical text (`inscope.entry_text`). Every entry counts as use,
whatever its standing: what happened once was not "never".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from inscope.entry_text import read_call, read_generated, read_program, read_sides
from inscope.reference import Dimension, Entry


@dataclass(slots=True)
class Used:
    """Sets of what was used at least once. `programs` and `libraries` are paths, `binaries` are (path, sha256).

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
    found.binaries.add((program.path, program.sha256))
    if program.interpreted:
        found.scripts.add(entry.value)


def _note_generated(found: Used, entry: Entry) -> None:
    found.generated.add(read_generated(entry.value)[1])


def _note_secret(found: Used, entry: Entry) -> None:
    found.secrets.add(read_sides(entry.value)[1])


def _note_call(found: Used, entry: Entry) -> None:
    found.calls.add(read_call(entry.value).name)


_NOTES: dict[Dimension, Callable[[Used, Entry], None]] = {
    Dimension.PROGRAM: _note_program,
    Dimension.LIBRARY: lambda found, entry: found.libraries.add(entry.label),
    Dimension.GENERATED_CODE: _note_generated,
    Dimension.SECRET_READ: _note_secret,
    Dimension.DESTINATION: lambda found, entry: found.destinations.add(entry.value),
    Dimension.LISTENER: lambda found, entry: found.listeners.add(entry.value),
    Dimension.SYSCALL: _note_call,
}
