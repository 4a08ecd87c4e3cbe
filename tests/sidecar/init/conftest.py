"""The real binary, built where it is not up to date, and the small C programs that the tests run under it."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.init.build import FLAGS, SOURCES, build
from tests.fakes.init_peer import InitPeer
from tests.sidecar.init.observed import Observer

PROGRAMS = Path(__file__).parent / "programs"
MACHINE = platform.machine()


@pytest.fixture(scope="session")
def init() -> Path:
    """The path of inscope-init for this machine."""
    return build([MACHINE])[0]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile `programs/NAME.c` once, with other sources if given; by the build's flags, whose C library is ready."""
    folder = tmp_path_factory.mktemp("programs")
    folder.chmod(0o755)

    def compile_(name: str, *sources: Path) -> Path:
        output = folder / name
        if not output.exists():
            zig = [sys.executable, "-m", "ziglang", "cc", "-target", f"{MACHINE}-linux-musl", *FLAGS, f"-I{SOURCES}"]
            subprocess.run([*zig, "-o", output, PROGRAMS / f"{name}.c", *sources], check=True)
        return output

    return compile_


@pytest.fixture(scope="session")
def program(compiled: Callable[..., Path]) -> Callable[[str], str]:
    """The path of one of the small programs."""
    return lambda name: str(compiled(name))


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
