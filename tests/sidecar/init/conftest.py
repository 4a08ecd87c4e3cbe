"""The real binary, built where it is not up to date, and the small C programs that the tests run under it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.init.build import build
from tests.fakes.init_peer import InitPeer
from tests.sidecar.init.observed import Observer

PROGRAMS = Path(__file__).parent / "programs"
MACHINE = platform.machine()


@pytest.fixture(scope="session")
def init() -> Path:
    """The path of inscope-init for this machine."""
    return build([MACHINE])[0]


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Compile `programs/NAME.c` once and give its path."""
    folder = tmp_path_factory.mktemp("programs")
    folder.chmod(0o755)

    def compiled(name: str) -> str:
        output = folder / name
        if not output.exists():
            zig = [sys.executable, "-m", "ziglang", "cc", "-target", f"{MACHINE}-linux-musl", "-static", "-O1"]
            subprocess.run([*zig, "-o", str(output), str(PROGRAMS / f"{name}.c")], check=True)
        return str(output)

    return compiled


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short path for sockets, which any user may use."""
    path = tmp_path_factory.mktemp("s")
    path.chmod(0o777)
    for parent in path.parents[:2]:
        parent.chmod(0o755)
    return path


@pytest.fixture
def observer(init: Path, folder: Path) -> Iterator[Observer]:
    """Runs commands under init with a fake sidecar listening."""
    with InitPeer(folder / "init.sock") as peer:
        yield Observer(init, peer)
