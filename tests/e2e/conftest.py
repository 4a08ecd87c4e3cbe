"""Fresh installations, on a path short enough for sockets; its logs are shown where a test fails."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.installation import Installation


@contextmanager
def an_installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="inscope-"))
    installation = Installation(folder / "state", folder / "work")
    try:
        yield installation
    finally:
        installation.end()
        print(installation.logs())
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def installed() -> Iterator[Installation]:
    with an_installation() as installation:
        yield installation


@pytest.fixture(scope="module")
def shared() -> Iterator[Installation]:
    """For tests that look at a command and not at what is learned of it: they need no control plane of their own."""
    with an_installation() as installation:
        installation.ask("workloads")
        yield installation
