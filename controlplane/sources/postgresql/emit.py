"""The grants that would have been enough: what a login role exercised, as a script for each database. Pure.

What cannot be told from a log is kept, and said so in a comment: pgaudit names a table that is updated once, whether
the statement reads it too or not, and tells nothing of sequences.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from controlplane.sources.postgresql.names import NotANameError, literal, parts, quoted
from inscope.grant import Grant
from inscope.permission import Authority, Permission

_ON_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")
_ON_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")
_ON_DATABASES = ("CONNECT", "TEMPORARY")
_MEMBER, _BECOMES = "member of ", "SET ROLE "


def least_privilege(role: str, used: Iterable[Permission], held: Iterable[Grant]) -> str:
    """Takes from `role` what it holds (by `held`) and gives back what it used, in one transaction for each database.

    Raises:
        NotANameError: what is to be granted is on something that has no name.
    """
    by_database: defaultdict[str, list[Permission]] = defaultdict(list)
    for permission in used:
        if permission.authority is Authority.POSTGRESQL:
            by_database[permission.service].append(permission)
    grants = [grant for grant in held if grant.authority is Authority.POSTGRESQL]
    return "".join(
        _script(role, database, permissions, [grant for grant in grants if grant.service == database])
        for database, permissions in sorted(by_database.items())
    )


def _script(role: str, database: str, used: list[Permission], held: list[Grant]) -> str:
    wrong = f"this is for the database {database}"
    guard = f"IF current_database() <>{literal(database)} THEN RAISE EXCEPTION USING MESSAGE ={literal(wrong)}; END IF;"
    lines = [
        f"-- What the role {_comment(role)} exercised in the database {_comment(database)}, and nothing else.",
        "-- To be run in that database, by an owner or a superuser.",
        "BEGIN;",
        f"DO{literal(f'BEGIN {guard} END')};",
        *_warnings(held),
        *_revokes(role, held),
        *_given(role, used, held),
        "COMMIT;",
        "",
    ]
    return "\n".join(lines) + "\n"


def _warnings(held: list[Grant]) -> Iterator[str]:
    paths = {grant.path for grant in held}
    if any("superuser" in path for path in paths):
        yield "-- It is, or may become, a superuser: no REVOKE binds one."
    if any("owner" in path for path in paths):
        yield "-- It owns objects, or inherits from who does: an owner may grant itself what it likes."
    if any(path[:1] == ("PUBLIC",) for path in paths):
        yield "-- What PUBLIC holds it keeps, with everybody else."


def _revokes(role: str, held: list[Grant]) -> Iterator[str]:
    name = quoted(role)
    groups = dict.fromkeys(
        step.removeprefix(_MEMBER).removeprefix(_BECOMES)
        for grant in held
        for step in grant.path[:1]
        if step.startswith((_MEMBER, _BECOMES))
    )
    if any("superuser" in grant.path and len(grant.path) == 1 for grant in held):
        yield f"ALTER ROLE {name} NOSUPERUSER;"
    for group in groups:
        # Where SET ROLE leads on over several memberships, the first of them is revoked by its own line.
        yield f"REVOKE {quoted(group)} FROM {name};"
    for schema in sorted({_schema(each) for grant in held for each in grant.permissions} - {""}):
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name};"
        yield f"REVOKE ALL ON ALL ROUTINES IN SCHEMA {schema} FROM {name};"
        yield f"REVOKE CREATE ON SCHEMA {schema} FROM {name};"


def _schema(permission: Permission) -> str:
    """The schema of what a permission is on, quoted; empty where it is on none, or on many."""
    if "*" in permission.resource or permission.action in _ON_DATABASES:
        return ""
    try:
        found = parts(permission.resource)
    except NotANameError:
        return ""
    return quoted(found[0]) if len(found) > 1 and found[0] != "pg_catalog" else ""


def _given(role: str, used: list[Permission], held: list[Grant]) -> Iterator[str]:
    name, schemas, tables = quoted(role), dict[str, None](), defaultdict[str, dict[str, None]](dict)
    for each in sorted(used):
        found = _named(each)
        if each.action in _ON_DATABASES and len(found) == 1:
            yield f"GRANT {each.action} ON DATABASE {quoted(each.service)} TO {name};"
        elif each.action in ("USAGE", "CREATE") and len(found) == 1:
            yield f"GRANT {each.action} ON SCHEMA {quoted(found[0])} TO {name};"
        elif each.action == "EXECUTE" and len(found) == 2:
            schemas[quoted(found[0])] = None
            yield from _routine(f"{quoted(found[0])}.{quoted(found[1])}", found, name)
        elif each.action in _ON_TABLES and len(found) == 2:
            schemas[quoted(found[0])] = None
            tables[".".join(map(quoted, found))][each.action] = None
        elif each.action in _ON_COLUMNS and len(found) == 3:
            schemas[quoted(found[0])] = None
            yield f"GRANT {each.action} ({quoted(found[2])}) ON {quoted(found[0])}.{quoted(found[1])} TO {name};"
        else:
            yield f"-- No grant gives this; whoever owns it, or an attribute of the role: {_comment(str(each))}"
    for table, actions in tables.items():
        yield from _table(table, actions, name, held)
    for schema in schemas:
        yield f"GRANT USAGE ON SCHEMA {schema} TO {name};"
    for sequence in sorted(_sequences(held)):
        yield f"GRANT USAGE ON SEQUENCE {sequence} TO {name}; -- no log tells of sequences"


def _sequences(held: list[Grant]) -> set[str]:
    """Those that it held: of what has two names, only they can be used."""
    usages = (each for grant in held for each in grant.permissions if each.action == "USAGE")
    named = (_named(each) for each in usages if "*" not in each.resource)
    return {".".join(map(quoted, found)) for found in named if len(found) == 2}


def _table(table: str, actions: dict[str, None], name: str, held: list[Grant]) -> Iterator[str]:
    """Whole where the whole was granted; where only columns were, those, for no log tells which were touched."""
    for action in actions:
        columns, whole = _granted(table, action, held)
        if whole or not columns:
            yield f"GRANT {action} ON {table} TO {name};"
        else:
            yield f"GRANT {action} ({', '.join(columns)}) ON {table} TO {name};"
    if {"UPDATE", "DELETE", "INSERT"} & set(actions) and "SELECT" not in actions:
        columns, whole = _granted(table, "SELECT", held)
        why = "-- a WHERE or RETURNING needs it, and the log does not tell"
        if whole:
            yield f"GRANT SELECT ON {table} TO {name}; {why}"
        elif columns:
            yield f"GRANT SELECT ({', '.join(columns)}) ON {table} TO {name}; {why}"


def _granted(table: str, action: str, held: list[Grant]) -> tuple[list[str], bool]:
    """The columns of `table` on which it was granted, quoted, and whether it was on the whole table."""
    columns, whole = dict[str, None](), False
    for permission in (each for grant in held for each in grant.permissions):
        if permission.action not in (action, "*"):
            continue
        if permission.resource == "*":
            whole = True
            continue
        try:
            found = tuple(map(quoted, parts(permission.resource)))
        except NotANameError:
            continue
        if ".".join(found[:2]) == table:
            whole = whole or len(found) == 2
            columns.update(dict.fromkeys(found[2:]))
    return list(columns), whole


def _routine(routine: str, found: tuple[str, ...], name: str) -> Iterator[str]:
    """All functions of that name: the log does not tell the types."""
    schema, function, to = literal(found[0]), literal(found[1]), literal(f" TO {name}")
    of_schema = f"(SELECT oid FROM pg_namespace WHERE nspname ={schema})"  # noqa: S608 - a constant, quoted by `literal`
    query = f"SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = {of_schema} AND proname ={function}"  # noqa: S608
    act = f"EXECUTE 'GRANT EXECUTE ON ROUTINE ' || r || {to};"
    loop = f"DECLARE r text; BEGIN FOR r IN {query} LOOP {act} END LOOP; END"
    yield f"-- EXECUTE on {_comment(routine)}, whatever its arguments"
    yield f"DO{literal(loop)};"


def _named(permission: Permission) -> tuple[str, ...]:
    try:
        return parts(permission.resource)
    except NotANameError:
        return ()


def _comment(text: str) -> str:
    """Nothing in it ends the line."""
    return text if text.isprintable() else repr(text)
