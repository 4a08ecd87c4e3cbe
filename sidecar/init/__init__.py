"""`inscope-init`, the C program that runs the agent: where its binary is."""

from __future__ import annotations

import platform
from pathlib import Path

BINARIES = Path(__file__).parent / "bin"


class BinaryMissingError(Exception):
    """There is no `inscope-init` for the machine: not built, or a machine it does not know."""


def binary(machine: str | None = None) -> Path:
    """The program for `machine` (as `platform.machine()` says it; default: this one). Raises `BinaryMissingError`."""
    name = machine or platform.machine()
    path = BINARIES / f"inscope-init-{name}"
    if not path.is_file():
        raise BinaryMissingError(f"no {path}: build it with `python -m sidecar.init.build {name}`")
    return path
