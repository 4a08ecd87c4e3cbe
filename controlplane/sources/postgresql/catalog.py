"""What `catalog.sql` printed, as types: roles, memberships, and who was granted what on which object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from inscope.text import printable

PUBLIC = "-"
"""How the server writes the grantee that is everybody."""

MAX_LINES = 1_000_000
MAX_FAULTS = 1_000


class Column(msgspec.Struct, frozen=True):
    """A column, with what is granted on it alone."""

    name: str = ""
    comment: str | None = None
    acl: list[tuple[str, str]] | None = None


class Line(msgspec.Struct, frozen=True):
    """One line, of any kind."""

    kind: str
    name: str = ""
    schema: str = ""
    comment: str | None = None
    acl: list[tuple[str, str]] | None = None
    columns: list[Column] | None = None
    rls: bool = False
    definer: bool = False
    role: str = ""
    member: str = ""
    superuser: bool = False
    inherit: bool = True
    set: bool = True
    login: bool = False
    createrole: bool = False
    bypassrls: bool = False
    replication: bool = False


@dataclass(slots=True)
class Catalog:
    """One database. `objects` are what has an access list; `faults` what was not understood, one sentence each."""

    database: str = ""
    roles: dict[str, Line] = field(default_factory=dict)
    members: list[Line] = field(default_factory=list)
    objects: list[Line] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_catalog(files: Iterable[tuple[str, bytes]]) -> Catalog:
    """From (name, content)."""
    catalog = Catalog()
    decoder = msgspec.json.Decoder(Line)
    for name, content in files:
        for number, text in enumerate(content.splitlines(), 1):
            if not text.startswith(b"{"):
                continue  # what psql says besides: SET
            if number > MAX_LINES:
                catalog.faults.append(f"{name}: more than {MAX_LINES:,} lines: the rest is left out")
                break
            try:
                _take(catalog, decoder.decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                if len(catalog.faults) < MAX_FAULTS:
                    catalog.faults.append(printable(f"{name}, line {number}: {error}"))
    return catalog


def _take(catalog: Catalog, line: Line) -> None:
    match line.kind:
        case "role":
            catalog.roles[unquoted(line.name)] = line
        case "member":
            catalog.members.append(line)
        case "database":
            catalog.database = line.name
            catalog.objects.append(line)
        case "schema" | "table" | "sequence" | "function":
            catalog.objects.append(line)
        case other:
            catalog.faults.append(printable(f"a line about a {other[:40]}, which is unknown"))


def unquoted(name: str) -> str:
    """A role as it is called: the server quotes those whose names are not plain."""
    return name[1:-1].replace('""', '"') if name.startswith('"') and name.endswith('"') and len(name) > 1 else name
