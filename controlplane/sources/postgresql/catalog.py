"""What `catalog.sql` printed, as types: roles, memberships, and who was granted what on which object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from inscope.text import printable

PUBLIC = ""
"""The grantee that is everybody."""

DATABASE_OWNER = "pg_database_owner"
"""A role whose one member is implied: the owner of the database in which one is (PostgreSQL 14 and later)."""

MAX_LINES = 1_000_000
MAX_FAULTS = 1_000

OBJECTS = frozenset({"database", "schema", "table", "sequence", "function", "server", "default"})

Acl = list[tuple[str, str, bool]]
"""Grantee, privilege, and whether it may be granted on."""


class Column(msgspec.Struct, frozen=True):
    """A column, with what is granted on it alone."""

    name: str = ""
    comment: str | None = None
    acl: Acl | None = None


class Line(msgspec.Struct, frozen=True):
    """One line, of any kind. Names of objects are quoted as the server quotes them (`quote_ident`), those of roles and
    databases are as they are.

    `forced`: row level security holds for the owner too. `arguments` are a function's types.
    """

    kind: str
    name: str = ""
    schema: str = ""
    owner: str = ""
    comment: str | None = None
    acl: Acl | None = None
    columns: list[Column] | None = None
    rls: bool = False
    forced: bool = False
    arguments: str = ""
    definer: bool = False
    extension: str | None = None
    wrapper: str = ""
    role: str = ""
    member: str = ""
    admin: bool = False
    superuser: bool = False
    inherit: bool = True
    set: bool = True
    login: bool = False
    createrole: bool = False
    createdb: bool = False
    bypassrls: bool = False
    replication: bool = False

    @property
    def resource(self) -> str:
        """How a permission names it, and pgaudit: `schema.name`; a schema, a server, a database by its name."""
        return f"{self.schema}.{self.name}" if self.schema else self.name


@dataclass(slots=True)
class Catalog:
    """One database. `objects` are what has an access list; `faults` what was not understood, one sentence each."""

    database: str = ""
    roles: dict[str, Line] = field(default_factory=dict)
    members: list[Line] = field(default_factory=list)
    objects: list[Line] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Keep it, of few."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(printable(text))


def read_catalogs(files: Iterable[tuple[str, bytes]]) -> list[Catalog]:
    """From (name, content): a catalog for each database. A file may hold several, each begun by its database."""
    found: list[Catalog] = []
    decoder = msgspec.json.Decoder(Line)
    for name, content in files:
        catalog = Catalog()
        found.append(catalog)
        for number, text in enumerate(content.splitlines(), 1):
            if not text.startswith(b"{"):
                continue  # what psql says besides: SET
            if number > MAX_LINES:
                catalog.fault(f"{name}: more than {MAX_LINES:,} lines: the rest is left out")
                break
            try:
                line = decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                catalog.fault(f"{name}, line {number}: {error}")
                continue
            if line.kind == "database" and catalog.database:
                catalog = Catalog()
                found.append(catalog)
            _take(catalog, line)
    for catalog in found:
        _imply(catalog)
    return found


def _take(catalog: Catalog, line: Line) -> None:
    if line.kind == "role":
        catalog.roles[line.name] = line
    elif line.kind == "member":
        catalog.members.append(line)
    elif line.kind not in OBJECTS:
        catalog.fault(f"a line about a {line.kind[:40]}, which is unknown")
    elif "*" in line.resource and line.kind != "default":
        catalog.fault(f"{line.kind} {line.resource[:200]}: a name with * could not be told from a pattern: left out")
    else:
        catalog.database = line.name if line.kind == "database" else catalog.database
        catalog.objects.append(line)


def _imply(catalog: Catalog) -> None:
    owner = next((line.owner for line in catalog.objects if line.kind == "database"), "")
    if owner and DATABASE_OWNER in catalog.roles:
        # Nobody can SET ROLE to it: membership is only implied where privileges are asked for.
        catalog.members.append(Line("member", role=DATABASE_OWNER, member=owner, set=False))
