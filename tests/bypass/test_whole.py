"""An attack through the whole of `inscope run`: learned, ordered to enforce, attacked, told."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bypass.arena import BEGUN, Arena
from tests.bypass.attack import ATTACKS, Room
from tests.bypass.compiled import Compiled
from tests.e2e.installation import Installation

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture
def arena(open_folder: Path) -> Iterator[Arena]:
    folder = open_folder / "arena"
    folder.mkdir()
    made = Arena(folder, Room.ROOT, Compiled(open_folder))
    yield made
    made.close()


@pytest.fixture
def installed(open_folder: Path) -> Iterator[Installation]:
    made = Installation(open_folder / "state", open_folder / "workspace")
    yield made
    made.end()
    print(made.logs())


def ran(installed: Installation, arena: Arena, attack: Path, *arguments: str) -> str:
    """What it printed; whatever reached the listeners is counted."""
    arena.reset()
    environment = {**os.environ, **installed.environment, **arena.environment(), "PATH": os.environ["PATH"]}
    done: subprocess.CompletedProcess[str] = installed.run(*arena.command(attack, *arguments), env=environment)
    arena.take()
    return done.stdout


def test_what_was_learned_is_all_that_happens(installed: Installation, arena: Arena) -> None:
    attack = ATTACKS / "exec/fexecve.c"
    ran(installed, arena, attack, "benign")
    ordered = installed.inscope("mode", "agent", "enforce", "--force")
    assert ordered.returncode == 0, ordered.stdout + ordered.stderr
    output = ran(installed, arena, attack)
    assert BEGUN in output.split()
    assert not arena.reached(output)
    assert "/denied" in json.dumps(installed.ask("alerts", "agent"))
