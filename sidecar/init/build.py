"""Build `inscope-init` with the zig compiler that comes as a wheel: static, for each machine, no system compiler.

The first build for a machine takes about a minute (zig builds its C library once and keeps it). A binary that carries
the hash of the present sources is left alone.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

TARGETS = ("x86_64", "aarch64")
"""Machines, as `platform.machine()` names them."""

SOURCES = Path(__file__).parent
FLAGS = (
    *("-std=gnu11", "-O2", "-static", "-pthread", "-s"),
    *("-Wall", "-Wextra", "-Wshadow", "-Werror"),
    *("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"),
)


class BuildError(Exception):
    """The compiler refused, or cannot be run; the message carries what it said."""


def build(machines: list[str]) -> list[Path]:
    """Build for each machine and give the binaries' paths. Raises `BuildError`; `ValueError` for an unknown machine."""
    for machine in machines:
        if machine not in TARGETS:
            raise ValueError(f"inscope-init is built for {', '.join(TARGETS)}, not for {machine}")
    return [_build_one(machine) for machine in machines]


def source_hash() -> str:
    """What the binary is made from: every C file and table, and the flags."""
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for path in sorted(SOURCES.glob("*.[chd]*")):
        if path.suffix in {".c", ".h", ".def"}:
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _build_one(machine: str) -> Path:
    target = SOURCES / "bin" / f"inscope-init-{machine}"
    stamp = source_hash()
    if target.exists() and stamp.encode() in target.read_bytes():
        return target
    target.parent.mkdir(exist_ok=True)
    fresh = target.with_suffix(f".{os.getpid()}")
    try:
        _compile(machine, stamp, fresh)
        fresh.replace(target)  # a running binary keeps its own file
    finally:
        fresh.unlink(missing_ok=True)
    return target


def _compile(machine: str, stamp: str, output: Path) -> None:
    sources = [str(path) for path in sorted(SOURCES.glob("*.c"))]
    define = f'-DINSCOPE_BUILD="{stamp}"'
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", f"{machine}-linux-musl"]
    command = [*zig, *FLAGS, define, "-o", str(output), *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"building inscope-init for {machine} failed:\n{done.stderr.strip()}")


if __name__ == "__main__":
    for built in build(sys.argv[1:] or list(TARGETS)):
        print(built)
