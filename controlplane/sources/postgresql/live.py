"""Asking a running server: every database of it that the role may connect to, read-only and within time limits.

The questions are `catalog.sql`'s, one snapshot for each database. The role needs no right to any data, see
docs/postgresql.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import TextLoader

from controlplane.sources.postgresql.classes import SHIPPED, Classes
from controlplane.sources.postgresql.declaration import CATALOG, NoCatalogError, read_declaration
from inscope.grant import Declaration
from inscope.text import printable

CONNECT_S = 10
STATEMENT_S = 60

MAX_DATABASES = 1_000
MAX_BYTES = 256 << 20
"""Of what one database answers."""

_DATABASES = (
    "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
    " AND has_database_privilege(oid, 'CONNECT') ORDER BY datname"
)
_OPTIONS = (
    f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_S}s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=60s"
)


class NoServerError(Exception):
    """Nothing can be asked; the message says why, without the connection string."""


def read_server(conninfo: str, scope: str, now: float, classes: Classes = SHIPPED) -> Declaration:
    """Ask all databases. `conninfo` is libpq's; what it leaves out comes from its environment, password file and
    service file. A database that does not answer is a fault, and the rest is declared.

    Raises:
        NoServerError: the server cannot be reached, or none of its databases answered.
    """
    try:
        settings: dict[str, Any] = conninfo_to_dict(conninfo)
    except psycopg.Error as error:
        raise NoServerError("that is no connection string of libpq's") from error
    faults, texts = list[str](), list[tuple[str, bytes]]()
    for database in _databases(settings):
        try:
            texts.append((database, b"\n".join(_answers(settings, database))))
        except (psycopg.Error, OverflowError) as error:
            faults.append(f"database {printable(database)} was not read: {_reason(error)}")
    try:
        declaration = read_declaration(texts, scope, now, classes)
    except NoCatalogError as error:
        raise NoServerError("; ".join(faults) or str(error)) from error
    return Declaration(
        declaration.authority,
        declaration.scope,
        declaration.taken_at,
        declaration.grants,
        declaration.links,
        (*declaration.faults, *faults),
    )


def _databases(settings: dict[str, Any]) -> list[str]:
    try:
        with _connected(settings) as connection:
            found = [str(name) for (name,) in connection.execute(_DATABASES).fetchmany(MAX_DATABASES + 1)]
    except psycopg.Error as error:
        raise NoServerError(f"the server cannot be asked: {_reason(error)}") from error
    if len(found) > MAX_DATABASES:
        raise NoServerError(f"the server has more than {MAX_DATABASES:,} databases")
    return found


def _answers(settings: dict[str, Any], database: str) -> Iterator[bytes]:
    size = 0
    with _connected({**settings, "dbname": database}) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for question in _questions():
            cursor = connection.execute(question)
            for (line,) in cursor if cursor.description else ():
                answer = str(line).encode()
                size += len(answer)
                if size > MAX_BYTES:
                    raise OverflowError(f"it answered with more than {MAX_BYTES >> 20} MiB")
                yield answer


def _questions() -> Iterator[bytes]:
    for statement in CATALOG.split(";\n"):
        if statement.strip():
            yield statement.encode()


def _connected(settings: dict[str, Any]) -> psycopg.Connection[tuple[Any, ...]]:
    given = {"connect_timeout": CONNECT_S, "application_name": "inscope", **settings}
    options = f"{given.pop('options', '')} {_OPTIONS}".strip()
    connection = psycopg.connect(**given, options=options, client_encoding="UTF8")
    connection.adapters.register_loader("json", TextLoader)
    return connection


def _reason(error: Exception) -> str:
    return printable(" ".join(str(error).split())[:300])
