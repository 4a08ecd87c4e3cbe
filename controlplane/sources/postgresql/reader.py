"""PostgreSQL's JSON log (`log_destination = jsonlog`, 15 and later), what pgaudit writes into it above all.

pgaudit names the tables that really were touched (`pgaudit.log_relation`), through views and functions too, and with
`pgaudit.log_rows` how many rows. Without it a refused statement is still told by the server's own error.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from controlplane.sources.documents import Faults, records
from controlplane.sources.postgresql.levels import level_of
from controlplane.sources.tally import Tally
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.coverage import Source
from inscope.exercise import Exercise, Identity, LogCoverage
from inscope.permission import Authority, Permission
from inscope.text import printable

_AUDIT = "AUDIT: "
_FIELDS = 9
_LOGIN = re.compile(r"connection authorized: user=(?P<user>.+?) database=")
_DENIED = re.compile(r"permission denied for (?P<kind>[a-z ]+?) (?P<name>\S+)\Z")
_INSUFFICIENT = "42501"
_SET_ROLE = re.compile(r"\s*set\s+(?:session\s+|local\s+)?role\s+(?:to\s+)?\"?(?P<role>[^\s\";]+)", re.IGNORECASE)
_ACTIONS = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "EXECUTE"}
MAX_CHARACTERS = 512


class Entry(msgspec.Struct, frozen=True):
    """One entry of the log."""

    timestamp: str = ""
    user: str = ""
    dbname: str = ""
    session_id: str = ""
    line_num: int = 0
    remote_host: str = ""
    remote_port: int = 0
    application_name: str = ""
    error_severity: str = ""
    state_code: str = ""
    message: str = ""
    statement: str = ""


class PostgresReader:
    """Reads the log of one server, which its `HOST:PORT` names where several are watched."""

    def __init__(self, server: str = "") -> None:
        self._tally = Tally(Source.POSTGRESQL_LOG, server)
        self._entry = msgspec.json.Decoder(Entry)

    def read(self, source: BinaryIO) -> Iterator[Exercise]:
        """Everything that a file tells."""
        faults = Faults()
        for record in records(source, faults):
            yield from self.record(record)
        self._tally.malformed += faults.malformed + faults.cut

    def record(self, record: bytes) -> Iterator[Exercise]:
        """What one entry tells."""
        try:
            entry = self._entry.decode(record)
            time = _seconds(entry.timestamp)
            told = list(_told(entry, time)) if time is not None and entry.user else []
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, csv.Error):
            self._tally.malformed += 1
            return

        if time is None or not entry.user:
            self._tally.unknown("an entry of no session" if time is not None else "an entry without a time")
            return
        self._tally.event(time)
        if not told:
            self._tally.unknown(f"{entry.error_severity[:20]} {entry.message.partition(':')[0][:40]}")
        for each in told:
            if isinstance(each.behaviour, PermissionUse):
                permission = each.behaviour.permission
                self._tally.seen.add((permission.service, level_of(permission.action)))
            yield each

    def coverage(self) -> LogCoverage:
        """What was read so far."""
        return self._tally.coverage()


def _told(entry: Entry, time: float) -> Iterator[Exercise]:
    who = Identity(
        Authority.POSTGRESQL,
        _text(entry.user),
        credential=_text(entry.session_id),
        address="" if entry.remote_host == "[local]" else _text(entry.remote_host),
        port=entry.remote_port if 0 <= entry.remote_port <= 65_535 else 0,
        client=_text(entry.application_name),
    )
    number = f"{entry.session_id}/{entry.line_num}"
    if entry.message.startswith(_AUDIT):
        yield from _audited(entry, number, time, who)
    elif entry.state_code == _INSUFFICIENT and (denied := _DENIED.search(entry.message)):
        action = entry.statement.lstrip().partition(" ")[0].upper()
        known = action if action in _ACTIONS else "EXECUTE" if denied["kind"] == "function" else "USAGE"
        permission = Permission(Authority.POSTGRESQL, _text(entry.dbname), known, _text(denied["name"]))
        why = "the server's error does not say in which schema"
        yield Exercise(number, time, who, PermissionUse(permission, who.principal, Outcome.DENIED), weaker=why)
    elif login := _LOGIN.match(entry.message):
        role = _text(login["user"])
        yield Exercise(number, time, who, RoleAssumption(role, role, Means.LOGIN, Outcome.ALLOWED))


def _audited(entry: Entry, number: str, time: float, who: Identity) -> Iterator[Exercise]:
    """`AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.customers,"select …",<not logged>[,ROWS]`."""
    fields = next(csv.reader([entry.message.removeprefix(_AUDIT).replace("\n", " ")]), [])
    if len(fields) < _FIELDS:
        return
    kind, action, name, statement = fields[3], fields[4], fields[6], fields[7]
    rows = int(fields[9]) if len(fields) > _FIELDS and fields[9].isdecimal() else -1
    taken_on = _SET_ROLE.match(statement) if kind == "MISC" else None
    if taken_on and taken_on["role"].lower() != "none":
        role = _text(taken_on["role"])
        yield Exercise(number, time, who, RoleAssumption(role, who.principal, Means.SET_ROLE, Outcome.ALLOWED))
    elif kind != "MISC" and (name or kind in ("DDL", "ROLE")):
        # Whom a statement of DDL or about roles names is in its text, which is not kept.
        permission = Permission(Authority.POSTGRESQL, _text(entry.dbname), _text(action), _text(name))
        use = PermissionUse(permission, who.principal, Outcome.ALLOWED)
        yield Exercise(number, time, who, use, records=rows)


def _seconds(stamp: str) -> float | None:
    """`2026-11-25 20:00:00.123 UTC`; a log in another zone than UTC is not understood, for its names are ambiguous."""
    text, _, zone = stamp.rpartition(" ")
    if zone not in ("UTC", "GMT", "Etc/UTC"):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _text(value: str) -> str:
    return printable(value[:MAX_CHARACTERS])
