"""The command line in this process, against a fake control plane on a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane.cli.__main__ import main
from tests.fakes.operator import FakeOperator


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


Inscope = Callable[..., Ended]


@pytest.fixture
def operator() -> FakeOperator:
    return FakeOperator()


@pytest.fixture
def state(operator: FakeOperator, tmp_path: Path) -> Iterator[Path]:
    with operator.serving(tmp_path / "state") as folder:
        yield folder


@pytest.fixture
def inscope(state: Path, capsys: pytest.CaptureFixture[str]) -> Inscope:
    def run(*words: str) -> Ended:
        try:
            status = main([*words, "--state", str(state)])
        except SystemExit as ended:
            status = int(ended.code or 0)
        return Ended(status, *capsys.readouterr())

    return run
