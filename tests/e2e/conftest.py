"""A fresh installation for each test, on a path short enough for sockets; its logs are shown where a test fails."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Installation


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="inscope-"))
    installation = Installation(folder / "state", folder / "work")
    try:
        yield installation
    finally:
        installation.end()
        print(installation.logs())
        shutil.rmtree(folder, ignore_errors=True)
