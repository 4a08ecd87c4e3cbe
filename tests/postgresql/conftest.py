"""One server for all tests of this folder; where it is not installed, the tests say how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import an_installation
from tests.e2e.installation import Installation
from tests.postgresql.server import Server, programs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.postgresql)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL with pgaudit: apt-get install postgresql postgresql-15-pgaudit")
    running = Server(binaries)
    running.start()
    yield running
    running.end()


@pytest.fixture
def installed() -> Iterator[Installation]:
    with an_installation() as installation:
        yield installation
