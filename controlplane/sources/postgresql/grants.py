"""A grant for each login role, path and level of one database. Pure.

What a grantee holds is worked out once, and shared by all who reach it: a thousand members of one group cost no more
than their paths.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from controlplane.sources.postgresql.catalog import PUBLIC, Catalog, Line
from controlplane.sources.postgresql.classes import Classes, reasons
from controlplane.sources.postgresql.levels import level_of
from controlplane.sources.postgresql.privileges import ALL_DATA
from controlplane.sources.postgresql.roles import Reached, Roles
from inscope.grant import Grant
from inscope.permission import Authority, Level, Permission
from inscope.text import printable

MAX_LITERAL = 5_000
"""Permissions of one grant that are named one by one; of more, each schema is one pattern."""

MAX_REASONS = 20
"""Reasons that weigh, of one grant."""

OWNED = ("ALTER *", "DROP *", "COMMENT", "CREATE INDEX", "CREATE TRIGGER", "CREATE RULE", "CREATE POLICY", "REINDEX")
"""Commands that are an owner's, whatever was granted."""

PROGRAM, FILE = "COPY PROGRAM", "COPY FILE"
SERVER = "the server"
"""What those two are done on."""

_COPIES = {"pg_execute_server_program": PROGRAM, "pg_read_server_files": FILE, "pg_write_server_files": FILE}
_ROLE_COMMANDS = ("CREATE ROLE", "ALTER ROLE", "DROP ROLE")
ROLES = "roles"

_WEIGHTS = tomllib.loads(files(__package__).joinpath("weights.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class _Group:
    """What a grantee holds of one level. `schema` is what USAGE of is needed for it; `secured`: by row level security.
    `tail` is what its path ends with.
    """

    level: Level
    schema: str
    secured: bool
    tail: str
    permissions: tuple[Permission, ...]
    weight: tuple[str, ...]


class Grants:
    """Of one database."""

    def __init__(self, catalog: Catalog, classes: Classes) -> None:
        self._catalog = catalog
        self._roles = Roles(catalog)
        self._superusers = {name for name, role in catalog.roles.items() if role.superuser}
        self._classes = {line.resource: classes.of(line) for line in catalog.objects if line.kind == "table"}
        self._groups = self._all_groups()
        self._usable = {grantee: _schemas(groups) for grantee, groups in self._groups.items()}

    def __iter__(self) -> Iterator[Grant]:
        for role in self._roles.logins:
            yield from self._of(role)

    def _of(self, role: str) -> Iterator[Grant]:
        if role in self._superusers:
            yield self._everything(role, ("superuser",), conditional=False)
            return
        reached = [*self._roles.reached(role)]
        usable = self._usable.get(PUBLIC, frozenset()).union(
            *(self._usable.get(each.role, frozenset()) for each in reached)
        )
        bypasses = self._roles.attribute(role, "bypassrls")
        for each in reached:
            if each.set_role and each.role in self._superusers:
                yield self._everything(role, (*each.path, "superuser"), conditional=True)
                continue
            yield from self._through(role, each, usable, bypasses=bypasses)
            yield from self._itself(role, each)
        yield from self._through(role, Reached(PUBLIC, ("PUBLIC",)), usable, bypasses=bypasses)

    def _everything(self, role: str, path: tuple[str, ...], *, conditional: bool) -> Grant:
        return Grant(
            Authority.POSTGRESQL, _text(role), path, self._catalog.database, Level.PERMISSIONS,
            (self._permission("*", "*"),), -1, conditional=conditional,
            weight=("everything on the server, and programs of it (source: roles)",),
        )  # fmt: skip

    def _itself(self, role: str, each: Reached) -> Iterator[Grant]:
        """What a role's attributes give, and its memberships: not through access lists."""
        if each.path == () or each.set_role:  # attributes are not inherited
            mine = [why for name, why in _WEIGHTS["attribute"].items() if self._roles.attribute(each.role, name)]
            commands = _ROLE_COMMANDS if self._roles.attribute(each.role, "createrole") else ()
            if mine:
                patterns = tuple(self._permission(command, ROLES) for command in commands)
                yield self._grant(role, each, "attributes", patterns or (self._permission("BYPASS", SERVER),), mine)
        admin = self._roles.administered(each.role)
        if admin:
            patterns = (self._permission("GRANT ROLE", ROLES), self._permission("REVOKE ROLE", ROLES))
            why = f"makes anybody a member of {', '.join(admin[:3])} (source: roles)"
            yield self._grant(role, each, "admin option", patterns, [why])
        if each.role in _COPIES:
            pattern = (self._permission(_COPIES[each.role], SERVER),)
            yield self._grant(role, each, "predefined role", pattern, [_WEIGHTS["predefined"][each.role]])

    def _grant(self, role: str, each: Reached, tail: str, patterns: tuple[Permission, ...], weight: list[str]) -> Grant:
        return Grant(
            Authority.POSTGRESQL, _text(role), (*map(_text, each.path), tail), self._catalog.database,
            Level.PERMISSIONS, patterns, len(patterns), conditional=each.set_role,
            weight=tuple(_text(why) for why in weight[:MAX_REASONS]),
        )  # fmt: skip

    def _through(self, role: str, each: Reached, usable: frozenset[str], *, bypasses: bool) -> Iterator[Grant]:
        together: defaultdict[tuple[Level, tuple[str, ...], bool], list[_Group]] = defaultdict(list)
        for group in self._groups.get(each.role, ()):
            tails: tuple[str, ...] = (group.tail,) if each.role != PUBLIC else ()
            if group.secured and not bypasses:
                tails += ("row level security",)
            if group.schema and group.schema not in usable:
                tails += ("no USAGE of the schema",)
            together[group.level, tails, len(tails) > 1 or (each.role == PUBLIC and bool(tails))].append(group)
        for (level, tails, limited), groups in together.items():
            permissions = tuple(permission for group in groups for permission in group.permissions)
            path = (*each.path, *tails)
            yield Grant(
                Authority.POSTGRESQL,
                _text(role),
                tuple(map(_text, path)),
                self._catalog.database,
                level,
                permissions if len(permissions) <= MAX_LITERAL else _generalised(permissions),
                -1 if any("*" in permission.resource for permission in permissions) else len(permissions),
                conditional=each.set_role or limited or (tails[:1] != () and tails[0].startswith("default")),
                inherited="PUBLIC" if each.role == PUBLIC else "",
                weight=tuple(dict.fromkeys(why for group in groups for why in group.weight))[:MAX_REASONS],
            )

    # What each grantee holds ----------------------------------------------------------------------------------------

    def _all_groups(self) -> dict[str, list[_Group]]:
        held: defaultdict[str, defaultdict[tuple[Level, str, bool, str], list[Permission]]] = defaultdict(
            lambda: defaultdict(list)
        )
        weights: defaultdict[tuple[str, tuple[Level, str, bool, str]], dict[str, None]] = defaultdict(dict)
        for line in self._catalog.objects:
            for grantee, tail, secured, permission, why in self._held(line):
                key = (level_of(permission.action), _needed(line), secured, tail)
                held[grantee][key].append(permission)
                weights[grantee, key].update(dict.fromkeys(why))
        return {
            grantee: [
                _Group(level, schema, secured, tail, tuple(dict.fromkeys(permissions)), tuple(weights[grantee, key]))
                for key, permissions in groups.items()
                for level, schema, secured, tail in (key,)
            ]
            for grantee, groups in held.items()
        }

    def _held(self, line: Line) -> Iterator[tuple[str, str, bool, Permission, tuple[str, ...]]]:
        """By grantee: what its path ends with, whether rows are secured, and the permission with its reasons."""
        if line.kind == "default":
            for grantee, privilege, _ in line.acl or ():
                tail = f"default privileges of {line.owner}{f' in {line.schema}' if line.schema else ''}"
                yield grantee, tail, False, self._permission(privilege, f"{line.schema or '*'}.*"), ()
            return
        why = tuple(self._why(line))
        for grantee, privilege, _ in line.acl or ():
            secured = line.rls and (line.forced or grantee != line.owner)
            yield grantee, f"grants to {grantee}", secured, self._permission(privilege, line.resource), why
        for column in line.columns or ():
            for grantee, privilege, _ in column.acl or ():
                only = tuple(reasons(line, self._classes[line.resource], frozenset({column.name})))
                permission = self._permission(privilege, f"{line.resource}.{column.name}")
                yield grantee, f"grants to {grantee}", line.rls, permission, only
        if line.owner and line.kind in ("table", "sequence", "function", "schema"):
            for command in OWNED if line.kind == "table" else OWNED[:3]:
                yield line.owner, "owner", False, self._permission(command, line.resource), why
        for grantee, kinds in ALL_DATA.items():
            for kind, privilege in kinds:
                if kind == line.kind:
                    yield grantee, "predefined role", line.rls, self._permission(privilege, line.resource), why

    def _why(self, line: Line) -> Iterator[str]:
        if line.kind == "table":
            yield from reasons(line, self._classes[line.resource])
        if line.definer and line.owner in self._superusers:
            yield f"{line.resource} does what the superuser {line.owner} may (source: definer)"[:200]
        if line.extension in _WEIGHTS["extension"]:
            yield _WEIGHTS["extension"][line.extension]
        if line.wrapper in _WEIGHTS["extension"]:
            yield _WEIGHTS["extension"][line.wrapper]

    def _permission(self, action: str, resource: str) -> Permission:
        return Permission(Authority.POSTGRESQL, _text(self._catalog.database), action, _text(resource))


def _needed(line: Line) -> str:
    """The schema without whose USAGE a grant is of no use; empty where there is none."""
    return line.schema if line.kind in ("table", "sequence", "function") and line.schema != "pg_catalog" else ""


def _schemas(groups: list[_Group]) -> frozenset[str]:
    """The schemas of which they have USAGE."""
    return frozenset(
        permission.resource
        for group in groups
        if group.level is Level.LIST and not group.schema
        for permission in group.permissions
        if permission.action == "USAGE"
    )


def _generalised(permissions: tuple[Permission, ...]) -> tuple[Permission, ...]:
    """One pattern for each schema and privilege."""
    return tuple(
        dict.fromkeys(
            Permission(each.authority, each.service, each.action, f"{each.resource.rpartition('.')[0] or '*'}.*")
            for each in permissions
        )
    )[:MAX_LITERAL]


def _text(value: str) -> str:
    return printable(value[:512])
