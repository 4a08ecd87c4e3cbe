"""The SQLite store: the suite for all stores, and what is particular to a file."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.store.migrations import MIGRATIONS
from controlplane.store.port import JoinTokenRow, Store, StoreError, WorkloadRow
from controlplane.store.sqlite import SqliteStore, open_store
from inscope.behaviour import OWN_LISTENER, Connect, Protocol
from inscope.mode import Mode
from inscope.reference import Dimension, Entry, Evidence, ReferenceKind, entries_of
from inscope.workload import InstanceId, Workload
from tests.conformance.store import GIT, SEEN, StoreSuite, W, alert_of
from tests.controlplane.acts import sha


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "inscope.db"


class TestSqliteConforms(StoreSuite):
    @pytest.fixture
    def store(self, path: Path) -> Iterator[Store]:
        store = open_store(path)
        yield store
        store.close()


def test_what_was_kept_is_there_after_reopening(path: Path) -> None:
    store = open_store(path)
    store.put_alert(alert_of(1))
    store.next_number("AL")
    store.close()
    again = open_store(path)
    assert again.alerts() == [alert_of(1)]
    assert again.next_number("AL") == 2


def test_what_was_committed_survives_a_crash(path: Path, tmp_path: Path) -> None:
    store = open_store(path)
    store.put_entries(W, {GIT: SEEN})
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for part in tmp_path.glob("inscope.db*"):  # the files as a crash leaves them: nothing was closed
        shutil.copy(part, crashed)
    assert open_store(crashed / path.name).entries(W) == {GIT: SEEN}


def test_the_file_is_private(path: Path) -> None:
    open_store(path).put_workload(WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0))
    modes = {part.name: stat.S_IMODE(part.stat().st_mode) for part in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_a_commit_waits_for_the_disk(path: Path) -> None:
    store = open_store(path)
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_file_of_a_newer_version_is_refused_with_the_reason(path: Path) -> None:
    open_store(path).close()
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    raw.close()
    with pytest.raises(StoreError, match="newer inscope"):
        open_store(path)


def test_a_token_from_before_its_issue_was_kept_was_issued_ten_minutes_before_it_expires(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1;")
    raw.execute("INSERT INTO join_token VALUES (?, ?, 'i', 'observe', 700.0)", (sha("t"), str(W)))
    raw.commit()
    raw.close()
    assert open_store(path).join_tokens(W) == [
        JoinTokenRow(sha("t"), W, InstanceId("i"), Mode.OBSERVE, issued=100.0, expires=700.0)
    ]


def test_loopback_destinations_of_before_become_the_class_of_own_listeners_where_one_listened(path: Path) -> None:
    of_before = MIGRATIONS[: next(at for at, script in enumerate(MIGRATIONS) if "<own>" in script)]
    learned = {
        "a": ("listener 0/tcp", "destination 127.0.0.1:40000/tcp", "destination [::1]:50000/tcp"),
        "b": ("destination 127.0.0.1:40000/tcp",),
        "c": ("listener 0/tcp", "destination 10.0.0.1:40000/tcp", "destination 127.0.0.1:8080/tcp"),
    }
    raw = sqlite3.connect(path)
    raw.executescript(f"{';'.join(of_before)}; PRAGMA user_version = {len(of_before)};")
    for workload, entries in learned.items():
        raw.execute("INSERT INTO version VALUES (?, 'envelope', 7)", (f"local/Process/{workload}",))
        for entry in entries:
            row = (f"local/Process/{workload}", *entry.split())
            raw.execute("INSERT INTO entry VALUES (?, ?, ?, '', 1, 2, 3, 1, '[]', 'init', 'learned')", row)
    raw.commit()
    raw.close()
    store = open_store(path)
    own = entries_of(Connect(OWN_LISTENER, 0, Protocol.TCP, "/p"))[0]
    for workload, expected in (("a", 6), ("b", None), ("c", None)):
        of = Workload.parse(f"local/Process/{workload}")
        found = store.entries(of).get(own)
        assert (found and found.count) == expected
        assert store.versions(of)[ReferenceKind.ENVELOPE] == (8 if expected else 7)


def test_a_file_that_is_no_database_is_refused_with_the_reason(path: Path) -> None:
    path.write_bytes(b"this is not a database, however long it is" * 100)
    with pytest.raises(StoreError, match="damaged or not a database"):
        open_store(path)


def test_a_folder_that_is_missing_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened: No such file"):
        open_store(tmp_path / "missing" / "inscope.db")


def test_a_row_that_was_edited_is_a_store_error(path: Path) -> None:
    store = open_store(path)
    store.put_alert(alert_of(1))
    for column, value in (("behaviour", '["exec"]'), ("behaviour", "{"), ("verdict", "maybe"), ("agent", "[]")):
        with store.transaction():
            store._db.execute(f"UPDATE alert SET {column} = ?", (value,))
        with pytest.raises(StoreError, match="damaged"):
            store.alerts()


def test_a_full_disk_keeps_nothing_of_the_change_and_the_store_goes_on(path: Path) -> None:
    store = open_store(path)
    store.put_entries(W, {GIT: SEEN})
    _fill(store)
    many = {Entry(Dimension.FILE_WRITTEN, f"/data/{'x' * 2000}/{number}"): SEEN for number in range(200)}
    with pytest.raises(StoreError, match="no room left"):
        _put_both(store, many)
    assert store.workload(W) is None
    assert store.entries(W) == {GIT: SEEN}
    store._db.execute("PRAGMA max_page_count = 1000000")
    store.put_entries(W, many)
    assert len(store.entries(W)) == 201


def _put_both(store: SqliteStore, entries: dict[Entry, Evidence]) -> None:
    with store.transaction():
        store.put_workload(WorkloadRow(W, Mode.DETECT, 1.0, 2.0))
        store.put_entries(W, entries)


def _fill(store: SqliteStore) -> None:
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")


def test_a_second_writer_is_told_who_is_in_the_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controlplane.store.sqlite.BUSY_SECONDS", 0.0)
    first, second = open_store(path), open_store(path)
    with first.transaction(), pytest.raises(StoreError, match="another process is writing"):
        second.put_workload(WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0))
    second.put_workload(WorkloadRow(W, Mode.OBSERVE, 1.0, 2.0))


def test_the_store_can_be_handed_to_another_thread(path: Path) -> None:
    store = open_store(path)
    worker = threading.Thread(target=store.put_entries, args=(W, {GIT: SEEN}))
    worker.start()
    worker.join()
    assert store.entries(W) == {GIT: SEEN}


def test_text_with_every_kind_of_character_is_kept(path: Path) -> None:
    store = open_store(path)
    entry = Entry(Dimension.FILE_WRITTEN, "/a\0b\x1b[31m\"'→𝄞", "label\0")
    store.put_entries(W, {entry: Evidence(1.0, 2.0, 1, 1, ("i\0", '"'), "init")})
    assert list(store.entries(W).items()) == [(entry, Evidence(1.0, 2.0, 1, 1, ("i\0", '"'), "init"))]
