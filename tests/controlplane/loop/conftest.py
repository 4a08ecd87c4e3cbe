"""A loop over a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane.loop import Loop
from controlplane.store.sqlite import SqliteStore, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = open_store(tmp_path / "inscope.db")
    yield store
    store.close()


@pytest.fixture
def loop(store: SqliteStore) -> Loop:
    return Loop(store)
