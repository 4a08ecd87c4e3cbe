"""What one entry of the log says was done: by pgaudit's word, by the server's errors, by its connections. Pure.

pgaudit names the tables that really were touched (`pgaudit.log_relation`), through views and functions too, and with
`pgaudit.log_rows` how many rows. Of a COPY it names none: its statement does.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace

from controlplane.sources.postgresql.entry import Entry
from controlplane.sources.postgresql.grants import FILE, PROGRAM, ROLES, SERVER
from controlplane.sources.postgresql.sessions import Sessions
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority, Permission
from inscope.text import printable

_AUDIT = "AUDIT: "
_FIELDS = 9
MAX_CHARACTERS = 512

_INSUFFICIENT = "42501"
_LOGIN = re.compile(r"connection authorized: user=(?P<user>.+?) database=")
_DENIED = re.compile(r"(?:permission denied for|must be owner of) (?P<kind>[a-z ]+?) (?P<name>.+)\Z")
_DENIED_ROLE = re.compile(r'permission denied to set role "(?P<role>.+)"\Z')
_ACTIONS = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "EXECUTE"}
_OBJECT = r"(?:\"(?:[^\"]|\"\")+\"|[^\s\"().;,]+)"
_COPY = re.compile(rf"\s*copy\s+(?P<table>{_OBJECT}(?:\.{_OBJECT})?)\s*(?:\([^)]*\)\s*)?(?:from|to)\s", re.IGNORECASE)
_COPY_BEYOND = re.compile(r"\s*copy\b.*?\s(?:from|to)\s+(?:(?P<program>program)\s|')", re.IGNORECASE | re.DOTALL)
_CREATED = frozenset(
    f"CREATE {kind}"
    for kind in (
        "TABLE", "TABLE AS", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FUNCTION", "PROCEDURE", "AGGREGATE", "TYPE",
        "DOMAIN", "FOREIGN TABLE",
    )
) | {"SELECT INTO"}  # fmt: skip
_UNQUALIFIED = "the server's error does not say in which schema"
_BY_TEXT = "pgaudit names no table of a COPY: it is as the statement has it"


def told(entry: Entry, time: float, sessions: Sessions) -> Iterator[Exercise]:
    """Everything; `sessions` is what is known of each so far, and is kept."""
    who = Identity(
        Authority.POSTGRESQL,
        text(entry.user),
        credential=text(entry.session_id),
        address="" if entry.remote_host == "[local]" else text(entry.remote_host),
        port=entry.remote_port if 0 <= entry.remote_port <= 65_535 else 0,
        client=text(entry.application_name),
    )
    number = f"{entry.session_id}/{entry.line_num}"
    if entry.error_severity == "ERROR":
        sessions.failed(entry.session_id)
    if entry.message.startswith(_AUDIT):
        yield from _audited(entry, number, time, who, sessions)
    elif entry.state_code == _INSUFFICIENT:
        yield from _denied(entry, number, time, who, sessions)
    elif login := _LOGIN.match(entry.message):
        role = text(login["user"])
        yield Exercise(number, time, who, RoleAssumption(role, role, Means.LOGIN, Outcome.ALLOWED))


def _denied(entry: Entry, number: str, time: float, who: Identity, sessions: Sessions) -> Iterator[Exercise]:
    if role := _DENIED_ROLE.search(entry.message):
        taken = RoleAssumption(text(role["role"]), who.principal, Means.SET_ROLE, Outcome.DENIED)
        yield Exercise(number, time, who, taken)
    elif denied := _DENIED.search(entry.message):
        tag = entry.ps or entry.statement.lstrip().partition(" ")[0].upper()
        permission = Permission(
            Authority.POSTGRESQL, text(entry.dbname), _refused_action(tag, denied["kind"]), text(denied["name"])
        )
        acting = text(sessions.role(entry.session_id)) or who.principal
        yield Exercise(number, time, who, PermissionUse(permission, acting, Outcome.DENIED), weaker=_UNQUALIFIED)


def _refused_action(tag: str, kind: str) -> str:
    action = tag.removesuffix(" TABLE") if tag == "TRUNCATE TABLE" else tag
    match kind:
        case "schema":
            return "CREATE" if tag.startswith(("CREATE", "SELECT INTO")) else "USAGE"
        case "function" | "procedure":
            return "EXECUTE"
        case _ if action in _ACTIONS or tag.startswith(("ALTER", "DROP", "CREATE", "COMMENT", "GRANT", "REVOKE")):
            return action
        case "sequence":
            return "USAGE"
        case _:
            return "SELECT"


def _audited(entry: Entry, number: str, time: float, who: Identity, sessions: Sessions) -> Iterator[Exercise]:
    """`AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customers,"select …",<not logged>[,ROWS]`."""
    fields = next(csv.reader([entry.message.removeprefix(_AUDIT).replace("\n", " ")]), [])
    if len(fields) < _FIELDS:
        return
    kind, action, name, statement = fields[3], fields[4], fields[6], fields[7]
    rows = int(fields[9][:18]) if len(fields) > _FIELDS and fields[9].isdecimal() else -1
    acting = text(sessions.role(entry.session_id)) or who.principal
    if kind == "MISC" or (action == "SELECT" and not name):
        role = text(sessions.ran(entry.session_id, action, statement))
        if role:
            yield Exercise(number, time, who, RoleAssumption(role, who.principal, Means.SET_ROLE, Outcome.ALLOWED))
        return
    use = Exercise(
        number, time, who, PermissionUse(_used(entry, kind, action, name), acting, Outcome.ALLOWED), "", rows
    )
    if action == "COPY" and not name:
        yield from _copied(use, kind, statement)
    elif name or kind in ("DDL", "ROLE"):
        yield use


def _used(entry: Entry, kind: str, action: str, name: str) -> Permission:
    """In the words of grants: who creates a table uses CREATE on its schema."""
    resource = name
    if action == "TRUNCATE TABLE":
        action = "TRUNCATE"
    elif kind == "ROLE":
        # Whom such a statement names is in its text, which is not kept.
        resource = ROLES
    elif action in _CREATED and name:
        action, resource = "CREATE", _schema(name)
    elif action == "CREATE SCHEMA":
        action, resource = "CREATE", entry.dbname
    return Permission(Authority.POSTGRESQL, text(entry.dbname), text(action), text(resource))


def _copied(use: Exercise, kind: str, statement: str) -> Iterator[Exercise]:
    behaviour = use.behaviour
    if not isinstance(behaviour, PermissionUse):
        return
    permission = behaviour.permission
    if table := _COPY.match(statement):
        action = "SELECT" if kind == "READ" else "INSERT"
        touched = replace(permission, action=action, resource=text(table["table"]))
        # pgaudit says that it was no row, whatever it was.
        yield replace(use, behaviour=replace(behaviour, permission=touched), records=-1, weaker=_BY_TEXT)
    if beyond := _COPY_BEYOND.match(statement):
        touched = replace(permission, action=PROGRAM if beyond["program"] else FILE, resource=SERVER)
        yield replace(use, id=f"{use.id}/2", behaviour=replace(behaviour, permission=touched), records=-1)


def _schema(name: str) -> str:
    """The first identifier, quoted as it is."""
    match = re.match(_OBJECT, name)
    return match[0] if match else name


def text(value: str) -> str:
    """Bounded, and safe to keep."""
    return printable(value[:MAX_CHARACTERS])[:MAX_CHARACTERS]
