"""Who is whom: what a role may do without asking (it inherits), and whom it may become (SET ROLE). Pure.

As the server does it (`acl.c`): privileges are those of every role reached over memberships that inherit; SET ROLE goes
over those that have the SET option (all of them before PostgreSQL 16), and gives what the new role has by inheriting.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from controlplane.sources.postgresql.catalog import Catalog, Line


@dataclass(frozen=True, slots=True)
class Reached:
    """A role whose privileges another has. `path` are the steps there, none to itself; `set_role`: only after that."""

    role: str
    path: tuple[str, ...]
    set_role: bool = False


class Roles:
    """The memberships of one server."""

    def __init__(self, catalog: Catalog) -> None:
        self._roles = catalog.roles
        self._memberships: defaultdict[str, list[Line]] = defaultdict(list)
        for line in sorted(catalog.members, key=lambda line: line.role):
            self._memberships[line.member].append(line)

    @property
    def logins(self) -> list[str]:
        """Those that somebody can be."""
        return sorted(name for name, role in self._roles.items() if role.login)

    def attribute(self, role: str, name: str) -> bool:
        """`superuser`, `createrole`, …: never inherited."""
        found = self._roles.get(role)
        return found is not None and bool(getattr(found, name))

    def inherited(self, role: str) -> list[Reached]:
        """Itself, and every role whose privileges it has at once; each by a shortest path."""
        return list(self._walk(role, (), set_role=False, over="inherit"))

    def assumable(self, role: str) -> list[Reached]:
        """The roles that it may SET ROLE to, without itself."""
        return [each for each in self._walk(role, (), set_role=True, over="set") if each.role != role]

    def reached(self, role: str) -> Iterator[Reached]:
        """Each role of whose privileges it can make use, once; those without SET ROLE first."""
        seen: set[str] = set()
        for each in self.inherited(role):
            seen.add(each.role)
            yield each
        for became in self.assumable(role):
            for each in self._walk(became.role, became.path, set_role=True, over="inherit"):
                if each.role not in seen:
                    seen.add(each.role)
                    yield each

    def administered(self, role: str) -> list[str]:
        """Roles that it may make anybody a member of."""
        return sorted({each.role for each in self._memberships.get(role, ()) if each.admin})

    def _walk(self, role: str, path: tuple[str, ...], *, set_role: bool, over: str) -> Iterator[Reached]:
        seen, waiting = {role}, deque([Reached(role, path, set_role)])
        word = "SET ROLE" if over == "set" else "member of"
        while waiting:
            here = waiting.popleft()
            yield here
            for line in self._memberships.get(here.role, ()):
                if getattr(line, over) and line.role not in seen:
                    seen.add(line.role)
                    # One SET ROLE leads there, however many memberships allow it.
                    step = (f"{word} {line.role}",) if over == "set" else (*here.path, f"{word} {line.role}")
                    waiting.append(Reached(line.role, step, set_role))
