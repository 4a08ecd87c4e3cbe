"""What a role may do, as the server decides: own grants, roles it inherits, PUBLIC, predefined roles. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from controlplane.sources.postgresql.catalog import PUBLIC, Catalog, Line, unquoted

_ALL_DATA = {
    "pg_read_all_data": (("table", "SELECT"), ("sequence", "SELECT"), ("schema", "USAGE")),
    "pg_write_all_data": (("table", "INSERT"), ("table", "UPDATE"), ("table", "DELETE"), ("sequence", "UPDATE"),
                          ("sequence", "USAGE"), ("schema", "USAGE")),
}  # fmt: skip
"""Predefined roles that give privileges on everything (PostgreSQL documentation, "Predefined Roles")."""


@dataclass(frozen=True, slots=True)
class Privilege:
    """`action` on `resource` (`schema.name`, a schema, or a database), by `path`: roles from the holder to the grantee.

    `set_role`: only after SET ROLE. `columns` are those that it is limited to; none: all.
    """

    kind: str
    action: str
    resource: str
    path: tuple[str, ...]
    set_role: bool = False
    columns: tuple[str, ...] = ()
    through_public: bool = False


def resource_of(line: Line) -> str:
    """How an object is named."""
    return f"{line.schema}.{line.name}" if line.schema else line.name


class Privileges:
    """The grants of one database, by grantee."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._granted: defaultdict[str, list[tuple[Line, str, tuple[str, ...]]]] = defaultdict(list)
        for line in catalog.objects:
            for grantee, privilege in line.acl or ():
                self._granted[unquoted(grantee)].append((line, privilege, ()))
            for (grantee, privilege), columns in _by_columns(line).items():
                self._granted[grantee].append((line, privilege, columns))
        self._roles_of: defaultdict[str, list[Line]] = defaultdict(list)
        for member in catalog.members:
            self._roles_of[member.member].append(member)

    def held_by(self, role: str) -> Iterator[Privilege]:
        """Everything that `role` may do but by being a superuser."""
        for name, path, set_role in self._reached(role):
            yield from self._of(name, path, set_role)
            for kind, action in _ALL_DATA.get(name, ()):
                for line in self._catalog.objects:
                    if line.kind == kind:
                        yield Privilege(kind, action, resource_of(line), path, set_role)
        for privilege in self._of(PUBLIC, ("PUBLIC",), False):
            yield Privilege(
                privilege.kind, privilege.action, privilege.resource, ("PUBLIC",), False, privilege.columns, True
            )

    def is_superuser(self, role: str) -> bool:
        """To whom no grant matters."""
        found = self._catalog.roles.get(role)
        return found is not None and found.superuser

    def may(self, role: str, action: str, resource: str, kind: str = "table") -> bool:
        """Whether `role` has it as it is, without SET ROLE and on the whole object."""
        return self.is_superuser(role) or any(
            each.action == action
            and each.kind == kind
            and each.resource == resource
            and not each.set_role
            and not each.columns
            for each in self.held_by(role)
        )

    def _of(self, grantee: str, path: tuple[str, ...], set_role: bool) -> Iterator[Privilege]:
        for line, privilege, columns in self._granted.get(grantee, ()):
            yield Privilege(line.kind, privilege, resource_of(line), path, set_role, columns)

    def _reached(self, role: str) -> Iterator[tuple[str, tuple[str, ...], bool]]:
        """The role itself and those it is a member of, each once, the way without SET ROLE first."""
        seen: set[str] = set()
        waiting: deque[tuple[str, tuple[str, ...], bool]] = deque([(role, (f"grants to {role}",), False)])
        later: deque[tuple[str, tuple[str, ...], bool]] = deque()
        while waiting or later:
            name, path, set_role = waiting.popleft() if waiting else later.popleft()
            if name in seen:
                continue
            seen.add(name)
            yield name, path, set_role
            for each in self._roles_of.get(name, ()):
                step = (*path[:-1], f"member of {each.role}", f"grants to {each.role}")
                if each.inherit and not set_role:
                    waiting.append((each.role, step, False))
                elif each.set:
                    later.append((each.role, step, True))


def _by_columns(line: Line) -> dict[tuple[str, str], tuple[str, ...]]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for column in line.columns or ():
        for grantee, privilege in column.acl or ():
            found[unquoted(grantee), privilege].append(column.name)
    return {key: tuple(names) for key, names in found.items()}


def login_roles(catalog: Catalog) -> Iterable[str]:
    """Those that somebody can be."""
    return sorted(name for name, role in catalog.roles.items() if role.login)
