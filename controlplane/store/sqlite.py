"""The store in one SQLite file: WAL, one writer, strict tables, and a commit is on the disk before it is acknowledged.

A `SqliteStore` may be handed to another thread, but only one thread may use it at a time.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from controlplane.store import columns, declared, rows
from controlplane.store.migrations import MIGRATIONS
from controlplane.store.port import (
    InstanceRow,
    JoinTokenRow,
    LogDay,
    ModeChange,
    Order,
    StoreError,
    WorkloadRow,
)
from controlplane.store.sqlite_faults import translated
from inscope.alert import Alert
from inscope.behaviour import Behaviour
from inscope.binary import Binary
from inscope.capability import Capability, CapabilityKind
from inscope.containment import Containment
from inscope.denial import Denial
from inscope.exercise import LogCoverage
from inscope.finding import Finding
from inscope.grant import Declaration
from inscope.reference import Entry, Evidence, ReferenceKind
from inscope.workload import InstanceId, Workload

BUSY_SECONDS = 2.0
"""How long a second process that reads the file may delay a write before it is an error."""

_HASHES_PER_QUERY = 500  # SQLite takes at most 999 parameters in its oldest supported builds


class SqliteStore:
    """`controlplane.store.port.Store` over one connection. Build one with `open_store`."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self._db = connection
        self._path = path

    def transaction(self) -> AbstractContextManager[None]:
        """Group writes: all kept, or none where the block raises."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self._path):
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with translated(self._path):
                self._db.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise

    def _rollback(self) -> None:
        if self._db.in_transaction:  # a full disk makes SQLite roll back by itself
            with translated(self._path):
                self._db.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """The caller's transaction, or one of its own."""
        if self._db.in_transaction:
            with translated(self._path):
                yield self._db
        else:
            with self._transaction(), translated(self._path):
                yield self._db

    def _rows(self, sql: str, *parameters: str | float) -> list[sqlite3.Row]:
        with translated(self._path):
            return self._db.execute(sql, parameters).fetchall()

    def workloads(self) -> list[WorkloadRow]:
        with translated(self._path):
            return [columns.read_workload(row) for row in self._rows("SELECT * FROM workload ORDER BY workload")]

    def workload(self, workload: Workload) -> WorkloadRow | None:
        with translated(self._path):
            found = self._rows("SELECT * FROM workload WHERE workload = ?", str(workload))
            return columns.read_workload(found[0]) if found else None

    def put_workload(self, row: WorkloadRow) -> None:
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO workload VALUES (?, ?, ?, ?, ?)",
                (str(row.workload), row.mode, row.first_seen, row.last_seen, rows.modes_text(row.apart)),
            )

    def instances(self, workload: Workload) -> list[InstanceRow]:
        with translated(self._path):
            found = self._rows("SELECT * FROM instance WHERE workload = ? ORDER BY number", str(workload))
            return [columns.read_instance(row) for row in found]

    def instance(self, instance: InstanceId) -> InstanceRow | None:
        with translated(self._path):
            found = self._rows("SELECT * FROM instance WHERE id = ?", instance)
            return columns.read_instance(found[0]) if found else None

    def put_instance(self, row: InstanceRow) -> None:
        with self._writing() as db:
            db.execute(columns.PUT_INSTANCE, columns.instance_columns(row))

    def entries(self, workload: Workload) -> dict[Entry, Evidence]:
        with translated(self._path):
            found = self._rows("SELECT * FROM entry WHERE workload = ?", str(workload))
            return dict(columns.read_entry(row) for row in found)

    def put_entries(self, workload: Workload, entries: Mapping[Entry, Evidence]) -> None:
        name = str(workload)
        with self._writing() as db:
            db.executemany(columns.PUT_ENTRY, [columns.entry_columns(name, *item) for item in entries.items()])

    def versions(self, workload: Workload) -> dict[ReferenceKind, int]:
        with translated(self._path):
            found = self._rows("SELECT kind, version FROM version WHERE workload = ?", str(workload))
            return {ReferenceKind(row["kind"]): row["version"] for row in found}

    def put_versions(self, workload: Workload, versions: Mapping[ReferenceKind, int]) -> None:
        values = [(str(workload), kind, version) for kind, version in versions.items()]
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO version VALUES (?, ?, ?)", values)

    def capabilities(self, workload: Workload) -> dict[CapabilityKind, Capability]:
        with translated(self._path):
            found = self._rows("SELECT * FROM capability WHERE workload = ?", str(workload))
            held = [columns.read_capability(row) for row in found]
            return {capability.kind: capability for capability in held}

    def put_capability(self, workload: Workload, capability: Capability) -> None:
        members = rows.strings(sorted(capability.members))
        values = (str(workload), capability.kind, members, capability.surveyed_at, capability.complete)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO capability VALUES (?, ?, ?, ?, ?)", values)

    def findings(self, workload: Workload) -> list[Finding]:
        with translated(self._path):
            found = self._rows("SELECT * FROM finding WHERE workload = ? ORDER BY position", str(workload))
            return [columns.read_finding(row) for row in found]

    def put_findings(self, workload: Workload, findings: Iterable[Finding]) -> None:
        values = [columns.finding_columns(position, finding) for position, finding in enumerate(findings)]
        with self._writing() as db:
            db.execute("DELETE FROM finding WHERE workload = ?", (str(workload),))
            db.executemany(f"INSERT INTO finding VALUES ({_marks(15)})", values)  # noqa: S608 - only question marks

    def next_number(self, series: str) -> int:
        with self._writing() as db:
            row = db.execute(
                "INSERT INTO series VALUES (?, 1) ON CONFLICT DO UPDATE SET number = number + 1 RETURNING number",
                (series,),
            ).fetchone()
            return int(row[0])

    def alert(self, alert_id: str) -> Alert | None:
        with translated(self._path):
            found = self._rows("SELECT * FROM alert WHERE id = ?", alert_id)
            return columns.read_alert(found[0]) if found else None

    def alerts(self, workload: Workload | None = None, since: float = 0.0) -> list[Alert]:
        with translated(self._path):
            if workload is None:
                found = self._rows("SELECT * FROM alert WHERE last_seen >= ? ORDER BY number", since)
            else:
                found = self._rows(
                    "SELECT * FROM alert WHERE workload = ? AND last_seen >= ? ORDER BY number", str(workload), since
                )
            return [columns.read_alert(row) for row in found]

    def put_alert(self, alert: Alert) -> None:
        with self._writing() as db:
            db.execute(columns.PUT_ALERT, columns.alert_columns(alert))

    def mode_changes(self, workload: Workload) -> list[ModeChange]:
        with translated(self._path):
            found = self._rows("SELECT * FROM mode_change WHERE workload = ? ORDER BY number", str(workload))
            return [columns.read_mode_change(row) for row in found]

    def add_mode_change(self, change: ModeChange) -> None:
        with self._writing() as db:
            db.execute(columns.ADD_MODE_CHANGE, columns.mode_change_columns(change))

    def denials(self, workload: Workload) -> dict[Behaviour, Denial]:
        with translated(self._path):
            found = self._rows("SELECT * FROM denial WHERE workload = ?", str(workload))
            held = [columns.read_denial(row) for row in found]
            return {denial.behaviour: denial for denial in held}

    def put_denials(self, workload: Workload, denials: Iterable[Denial]) -> None:
        values = [columns.denial_columns(str(workload), denial) for denial in denials]
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO denial VALUES (?, ?, ?, ?, ?, ?)", values)

    def drop_denials(self, workload: Workload, last_seen_before: float) -> int:
        with self._writing() as db:
            return db.execute(
                "DELETE FROM denial WHERE workload = ? AND last_seen < ?", (str(workload), last_seen_before)
            ).rowcount

    def containments(self, workload: Workload) -> dict[str, Containment]:
        with translated(self._path):
            found = self._rows("SELECT instance, containment FROM containment WHERE workload = ?", str(workload))
            return {row["instance"]: Containment(row["containment"]) for row in found}

    def put_containment(self, workload: Workload, instance: str, containment: Containment) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM containment WHERE workload = ? AND instance = ?", (str(workload), instance))
            if containment is not Containment.FREE:
                db.execute("INSERT INTO containment VALUES (?, ?, ?)", (str(workload), instance, containment))

    def orders(self, workload: Workload) -> list[Order]:
        with translated(self._path):
            found = self._rows("SELECT * FROM ordered WHERE workload = ? ORDER BY number", str(workload))
            return [columns.read_order(row) for row in found]

    def add_order(self, order: Order) -> None:
        values = (str(order.workload), order.time, order.act, order.instance, order.by, order.reason)
        with self._writing() as db:
            db.execute(
                "INSERT INTO ordered (workload, time, act, instance, by, reason) VALUES (?, ?, ?, ?, ?, ?)", values
            )

    def binaries(self, sha256s: Iterable[str]) -> dict[str, Binary]:
        wanted = list(dict.fromkeys(sha256s))
        slices = [wanted[at : at + _HASHES_PER_QUERY] for at in range(0, len(wanted), _HASHES_PER_QUERY)]
        with translated(self._path):
            found = [
                columns.read_binary(row)
                for some in slices
                for row in self._rows(f"SELECT * FROM binary WHERE sha256 IN ({_marks(len(some))})", *some)  # noqa: S608 - only question marks
            ]
        return {binary.sha256: binary for binary in found}

    def put_binaries(self, binaries: Iterable[Binary]) -> None:
        values = [columns.binary_columns(binary) for binary in binaries]
        with self._writing() as db:
            db.executemany(f"INSERT OR REPLACE INTO binary VALUES ({_marks(8)})", values)  # noqa: S608 - only question marks

    def declarations(self) -> list[Declaration]:
        with translated(self._path):
            found = self._rows("SELECT * FROM declaration ORDER BY authority, scope")
            return [columns.read_declaration(row, self._grants(row["authority"], row["scope"])) for row in found]

    def _grants(self, authority: str, scope: str) -> list[sqlite3.Row]:
        sql = "SELECT held FROM declared_grant WHERE authority = ? AND scope = ? ORDER BY position"
        return self._rows(sql, authority, scope)

    def put_declaration(self, declaration: Declaration) -> None:
        where = (declaration.authority, declaration.scope)
        with self._writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO declaration VALUES (?, ?, ?, ?, ?)", columns.declaration_columns(declaration)
            )
            db.execute("DELETE FROM declared_grant WHERE authority = ? AND scope = ?", where)
            numbered = enumerate(declaration.grants)
            values = [(*where, position, declared.grant_text(grant)) for position, grant in numbered]
            db.executemany("INSERT INTO declared_grant VALUES (?, ?, ?, ?)", values)

    def logs(self) -> list[LogCoverage]:
        with translated(self._path):
            return [columns.read_log(row) for row in self._rows("SELECT * FROM log ORDER BY source, scope")]

    def put_log(self, coverage: LogCoverage) -> None:
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", columns.log_columns(coverage))

    def log_days(self, workload: Workload) -> list[LogDay]:
        with translated(self._path):
            found = self._rows("SELECT * FROM log_day WHERE workload = ? ORDER BY first_seen, id", str(workload))
            return [columns.read_log_day(row) for row in found]

    def put_log_day(self, day: LogDay) -> None:
        values = (str(day.workload), day.id, day.first_seen, day.last_seen, day.events, day.lost)
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO log_day VALUES (?, ?, ?, ?, ?, ?)", values)

    def take_events(self, log: str, ids: Iterable[str]) -> set[str]:
        taken = set()
        with self._writing() as db:
            for each in ids:
                number = columns.event_number(log, each)
                if db.execute("INSERT OR IGNORE INTO taken_event VALUES (?)", (number,)).rowcount:
                    taken.add(each)
        return taken

    def put_join_token(self, row: JoinTokenRow) -> None:
        values = (row.token_sha256, str(row.workload), row.instance, row.mode, row.issued, row.expires)
        with self._writing() as db:
            db.execute(columns.PUT_JOIN_TOKEN, values)

    def take_join_token(self, token_sha256: str, now: float) -> JoinTokenRow | None:
        with self._writing() as db:
            row = db.execute(
                "DELETE FROM join_token WHERE token_sha256 = ? AND expires > ? RETURNING *", (token_sha256, now)
            ).fetchone()
            return columns.read_join_token(row) if row else None

    def join_tokens(self, workload: Workload) -> list[JoinTokenRow]:
        with translated(self._path):
            found = self._rows("SELECT * FROM join_token WHERE workload = ? ORDER BY issued", str(workload))
            return [columns.read_join_token(row) for row in found]

    def drop_join_tokens(self, token_sha256s: Iterable[str]) -> None:
        values = [(digest,) for digest in token_sha256s]
        with self._writing() as db:
            db.executemany("DELETE FROM join_token WHERE token_sha256 = ?", values)

    def scratch_copy(self) -> SqliteStore:
        with translated(self._path):
            copy = _connect(":memory:")
            self._db.backup(copy)
            return SqliteStore(copy, ":memory:")

    def close(self) -> None:
        with translated(self._path):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.close()


def open_store(path: Path | str) -> SqliteStore:
    """Open or create the file, private to its owner, and bring its schema up to date. `:memory:` works as in SQLite.

    Raises:
        StoreError: it cannot be opened, is damaged, or was written by a newer inscope.
    """
    name = str(path)
    if name != ":memory:":
        _create_private(Path(path))
    with translated(name):
        connection = _connect(name)
        try:
            _migrate(connection, name)
        except BaseException:
            connection.close()
            raise
        return SqliteStore(connection, name)


def _create_private(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as fault:
        raise StoreError(f"the store {path}: it cannot be opened: {fault.strerror}") from fault


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # acknowledged means on the disk
    return connection


def _migrate(connection: sqlite3.Connection, name: str) -> None:
    applied = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if applied > len(MIGRATIONS):
        raise StoreError(
            f"the store {name} was written by a newer inscope (its schema is {applied}, this one knows "
            f"{len(MIGRATIONS)}): upgrade, or use another state folder"
        )
    for number, script in enumerate(MIGRATIONS[applied:], applied + 1):
        connection.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT;")


def _marks(number: int) -> str:
    return ", ".join("?" * number)
