"""What a role may do, as the server decides: own grants, roles that it inherits, PUBLIC, predefined roles. Pure.

`may` answers what `has_table_privilege` and its kin answer; the tests hold them against each other on a real server.
"""

from __future__ import annotations

from collections import defaultdict

from controlplane.sources.postgresql.catalog import PUBLIC, Catalog, Line
from controlplane.sources.postgresql.roles import Roles

Key = tuple[str, str]
"""Of an object: its kind, and its resource; of a function with its types, `schema.name(integer)`."""

ALL_DATA = {
    "pg_read_all_data": frozenset({("table", "SELECT"), ("sequence", "SELECT"), ("schema", "USAGE")}),
    "pg_write_all_data": frozenset(
        {
            ("table", "INSERT"), ("table", "UPDATE"), ("table", "DELETE"), ("sequence", "UPDATE"),
            ("schema", "USAGE"),
        }
    ),
    "pg_maintain": frozenset({("table", "MAINTAIN")}),
}  # fmt: skip
"""Predefined roles that have a privilege on everything of a kind (PostgreSQL documentation, "Predefined Roles")."""


def key_of(line: Line) -> Key:
    """An object's key."""
    return line.kind, f"{line.resource}({line.arguments})" if line.kind == "function" else line.resource


class Privileges:
    """The access lists of one database, to be asked."""

    def __init__(self, catalog: Catalog) -> None:
        self.roles = Roles(catalog)
        self._granted: dict[Key, frozenset[tuple[str, str]]] = {}
        self._columns: defaultdict[Key, dict[str, frozenset[tuple[str, str]]]] = defaultdict(dict)
        for line in catalog.objects:
            key = key_of(line)
            self._granted[key] = frozenset((grantee, privilege) for grantee, privilege, _ in line.acl or ())
            for column in line.columns or ():
                if column.acl:
                    granted = frozenset((grantee, privilege) for grantee, privilege, _ in column.acl)
                    self._columns[key][column.name] = granted
        self._inherited: dict[str, frozenset[str]] = {}

    def may(self, role: str, privilege: str, kind: str, resource: str, column: str = "") -> bool:
        """Whether `role` may without SET ROLE; a column's privilege is that of its table or its own."""
        if self.roles.attribute(role, "superuser"):
            return True
        mine = self._mine(role)
        key = (kind, resource)
        if any((name, privilege) in self._granted.get(key, ()) for name in mine):
            return True
        if any((kind, privilege) in ALL_DATA.get(name, ()) for name in mine):
            return True
        return bool(column) and any((name, privilege) in self._columns[key].get(column, ()) for name in mine)

    def _mine(self, role: str) -> frozenset[str]:
        if role not in self._inherited:
            names = (each.role for each in self.roles.inherited(role))
            self._inherited[role] = frozenset((*names, PUBLIC))
        return self._inherited[role]
