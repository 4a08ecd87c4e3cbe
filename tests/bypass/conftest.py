"""One arena per room, for all attacks."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sidecar.init.build import build
from tests.bypass.arena import Arena
from tests.bypass.attack import Room
from tests.bypass.compiled import Compiled
from tests.bypass.rooms import launcher, unavailable
from tests.bypass.trial import Trials


@contextmanager
def _open_folder() -> Iterator[Path]:
    """A short path that every user may use."""
    folder = Path(tempfile.mkdtemp(prefix="bypass-"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _trials(room: Room, compiled: Compiled) -> Iterator[Trials]:
    with _open_folder() as folder:
        arena_folder = folder / "arena"
        arena_folder.mkdir()
        arena_folder.chmod(0o777)
        arena = Arena(arena_folder, room, compiled)
        try:
            yield Trials(arena, launcher(room, arena_folder, compiled))
        finally:
            arena.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A short path that every user may use."""
    with _open_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def trials_in() -> Iterator[Callable[[Room], Trials]]:
    """Gives a room's trials; skips where there is no such room."""
    build([platform.machine()])
    made: dict[Room, Trials] = {}
    with ExitStack() as stack:
        compiled = Compiled(stack.enter_context(_open_folder()))

        def trials(room: Room) -> Trials:
            if unavailable(room):
                pytest.skip(unavailable(room))
            if room not in made:
                made[room] = stack.enter_context(_trials(room, compiled))
            return made[room]

        yield trials
