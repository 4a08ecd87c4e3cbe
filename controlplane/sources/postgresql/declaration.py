"""What a database declares, put together: a grant for each login role, path and level. Pure."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from importlib.resources import files

from controlplane.sources.postgresql.catalog import Catalog, Line, read_catalog
from controlplane.sources.postgresql.privileges import Privilege, Privileges, login_roles, resource_of
from inscope.grant import Declaration, Grant, Link, LinkKind
from inscope.permission import Authority, Level, Permission

CATALOG = files(__package__).joinpath("catalog.sql").read_text("utf-8")
"""The questions that a database is asked, as a script for psql."""

LEVELS = {
    "SELECT": Level.READ,
    "USAGE": Level.LIST,
    "CONNECT": Level.LIST,
    "INSERT": Level.WRITE,
    "UPDATE": Level.WRITE,
    "DELETE": Level.WRITE,
    "TRUNCATE": Level.WRITE,
    "EXECUTE": Level.WRITE,
    "TEMPORARY": Level.WRITE,
}
"""By privilege; what is not here (REFERENCES, TRIGGER, CREATE, MAINTAIN) shapes what others may do."""

_ATTRIBUTES = {
    "createrole": "makes and changes roles",
    "bypassrls": "row level security does not apply to it",
    "replication": "reads everything, as a replica",
}
_ESCALATING = {
    "pg_execute_server_program": "runs programs on the server",
    "pg_read_server_files": "reads files of the server",
    "pg_write_server_files": "writes files of the server",
}


class NoCatalogError(ValueError):
    """The files are not what `catalog.sql` prints."""


def read_declaration(contents: Iterable[tuple[str, bytes]], server: str, now: float) -> Declaration:
    """From (name, content), of one or several databases of `server`.

    Raises:
        NoCatalogError: there is no role in any.
    """
    grants: list[Grant] = []
    links: dict[Link, None] = {}
    faults: list[str] = []
    seen = False
    for name, content in contents:
        catalog = read_catalog([(name, content)])
        seen = seen or bool(catalog.roles)
        faults += catalog.faults
        grants += _grants(catalog)
        links |= dict.fromkeys(_links(catalog))
    if not seen:
        why = "; ".join(faults[:3]) or "no role"
        raise NoCatalogError(f"nothing to import: {why} (is it what the script of `--query` printed?)")
    return Declaration(Authority.POSTGRESQL, server, now, tuple(grants), tuple(links), tuple(faults))


def _grants(catalog: Catalog) -> Iterator[Grant]:
    privileges, classes = Privileges(catalog), _classes(catalog)
    for role in login_roles(catalog):
        weight = _weight(catalog, privileges, role)
        if privileges.is_superuser(role):
            everything = (Permission(Authority.POSTGRESQL, catalog.database, "*", "*"),)
            yield Grant(
                Authority.POSTGRESQL, role, ("superuser",), catalog.database, Level.PERMISSIONS, everything, -1,
                weight=("everything on the server, and programs of it",),
            )  # fmt: skip
            continue
        groups: defaultdict[tuple[tuple[str, ...], Level, bool, bool], list[Privilege]] = defaultdict(list)
        for each in privileges.held_by(role):
            level = LEVELS.get(each.action, Level.PERMISSIONS)
            groups[each.path, level, each.set_role, each.through_public].append(each)
        for (path, level, set_role, public), held in groups.items():
            yield _grant(catalog, role, path, level, set_role, public, held, classes, weight)


def _grant(
    catalog: Catalog,
    role: str,
    path: tuple[str, ...],
    level: Level,
    set_role: bool,
    public: bool,
    held: list[Privilege],
    classes: dict[str, tuple[str, ...]],
    weight: tuple[str, ...],
) -> Grant:
    permissions = dict.fromkeys(
        Permission(Authority.POSTGRESQL, catalog.database, each.action, each.resource) for each in held
    )
    reached = dict.fromkeys(name for each in held for name in classes.get(each.resource, ()))
    limited = [f"only columns {', '.join(each.columns)} of {each.resource}" for each in held if each.columns]
    reasons = [f"reaches {name}" for name in reached] + limited + (["after SET ROLE"] if set_role else [])
    return Grant(
        Authority.POSTGRESQL,
        role,
        path,
        catalog.database,
        level,
        tuple(permissions),
        len(permissions),
        conditional=set_role or _row_secured(catalog, held),
        inherited="PUBLIC" if public else "",
        weight=(*reasons[:20], *(weight if level is Level.PERMISSIONS else ())),
    )


def _row_secured(catalog: Catalog, held: Iterable[Privilege]) -> bool:
    secured = {resource_of(line) for line in catalog.objects if line.rls}
    return any(each.resource in secured for each in held)


def _weight(catalog: Catalog, privileges: Privileges, role: str) -> tuple[str, ...]:
    line = catalog.roles[role]
    mine = [why for name, why in _ATTRIBUTES.items() if getattr(line, name)]
    member_of = {each.role for each in catalog.members if each.member == role}
    return (*mine, *(why for name, why in _ESCALATING.items() if name in member_of))


def _links(catalog: Catalog) -> Iterator[Link]:
    for each in catalog.members:
        how = "inherited" if each.inherit else "by SET ROLE"
        yield Link(LinkKind.ASSUMES, each.member, each.role, f"membership, {how}")


def _classes(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """What is in which table, by its columns' names and comments."""
    found = {}
    for line in catalog.objects:
        names = [name for name, pattern in CLASSES if any(pattern.search(text) for text in _texts(line))]
        if names:
            found[resource_of(line)] = tuple(names)
    return found


def _texts(line: Line) -> Iterator[str]:
    yield (line.comment or "").lower()
    for column in line.columns or ():
        yield column.name.lower()
        yield (column.comment or "").lower()


CLASSES = tuple(
    (each["name"], re.compile(each["pattern"]))
    for each in tomllib.loads(files(__package__).joinpath("classes.toml").read_text("utf-8"))["class"]
)
"""The classes that ship with inscope."""
