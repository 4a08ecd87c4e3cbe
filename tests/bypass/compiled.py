"""The C programs of the attacks, compiled when they are needed by the compiler that inscope-init is built with."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

from sidecar.init.build import FLAGS
from tests.bypass.attack import ATTACKS

TARGETS = Path(__file__).parent / "targets"

_COMPILER = (sys.executable, "-m", "ziglang", "cc", "-target", f"{platform.machine()}-linux-musl")


class Compiled:
    """Programs and libraries in `folder`, each made once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def attack(self, source: Path) -> Path:
        """One of the attacks."""
        return self._made(f"{source.parent.name}-{source.stem}", *FLAGS, f"-I{ATTACKS}", str(source))

    def target(self, name: str) -> Path:
        """A program of `targets/`."""
        return self._made(name, *FLAGS, str(TARGETS / f"{name}.c"))

    def library(self, *, denied: bool) -> Path:
        """The library that proves that it was loaded, or the one that does nothing."""
        name = "denied.so" if denied else "allowed.so"
        flags = ("-shared", "-nostdlib", "-fPIC", "-O1", "-s", *(["-DDENIED"] if denied else []))
        return self._made(name, *flags, str(TARGETS / "library.c"))

    def _made(self, name: str, *arguments: str) -> Path:
        output = self._folder / name
        if not output.exists():
            done = subprocess.run([*_COMPILER, "-o", output, *arguments], capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"{name} does not compile:\n{done.stderr}")
        return output
