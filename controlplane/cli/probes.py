"""What `inscope check` tries on the side of Python: the mechanisms that init does not need but the loop does."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inscope.mechanism import NEEDED_TO_ENFORCE

NEEDED_TO_OBSERVE = frozenset({"inscope-init", "notify", "memory", "proc", "state-folder", "packages", "sqlite"})
"""Without one of these nothing can be observed; everything else only costs what it says."""

MEMORY_READERS = frozenset({"vm-read", "proc-mem"})
"""Either of init's two ways to read a caller's memory will do."""

INIT_SECONDS = 30.0

_PACKAGES = ("grpc", "google.protobuf", "cryptography", "uvloop", "elftools", "grpc_health", "grpc_reflection", "rich")

_SQLITE_MINIMUM = (3, 37, 0)
"""The first with STRICT tables."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One thing that works here or does not. `minimum_kernel` is empty where any will do."""

    mechanism: str
    works: bool
    detail: str
    minimum_kernel: str
    lost_without: str

    @property
    def needed(self) -> bool:
        """Whether observe cannot do without it."""
        return self.mechanism in NEEDED_TO_OBSERVE

    @property
    def needed_to_enforce(self) -> bool:
        """Whether enforce needs it, or one of two of which it is one."""
        return any(self.mechanism in need.either for need in NEEDED_TO_ENFORCE)


class InitCheckError(Exception):
    """inscope-init did not answer `--check` as it should."""


def init_mechanisms(init: Path) -> list[Mechanism]:
    """Ask inscope-init what this kernel lets it do; it really tries each mechanism in throw-away children.

    Raises:
        InitCheckError: it could not be run, or what it printed is not its answer.
    """
    try:
        done = subprocess.run([init, "--check"], capture_output=True, timeout=INIT_SECONDS, check=False)
        return [_mechanism(line) for line in done.stdout.splitlines() if line.strip()]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InitCheckError(f"{init} --check: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InitCheckError(f"{init} --check printed what is not its answer: {error!r}") from error


def memory_mechanism(found: list[Mechanism]) -> Mechanism:
    """Whether arguments can be read at all: by either way."""
    ways = [each.mechanism for each in found if each.mechanism in MEMORY_READERS and each.works]
    detail = f"by {' and '.join(ways)}" if ways else "neither process_vm_readv nor /proc/PID/mem is allowed"
    return Mechanism("memory", bool(ways), detail, "3.2", "every path, argument and address: nothing can be observed")


def python_mechanisms(state: Path) -> Iterator[Mechanism]:
    """The loop's own needs."""
    yield _packages()
    yield _sqlite()
    yield _state_folder(state)
    yield Mechanism("python", True, platform.python_version(), "", "")


def _packages() -> Mechanism:
    absent = [name for name in _PACKAGES if not _is_installed(name)]
    detail = f"missing: {', '.join(absent)}" if absent else f"all {len(_PACKAGES)} are installed"
    return Mechanism("packages", not absent, detail, "", "the control plane and the sidecar do not start")


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _sqlite() -> Mechanism:
    works = sqlite3.sqlite_version_info >= _SQLITE_MINIMUM
    return Mechanism("sqlite", works, sqlite3.sqlite_version, "", "the control plane cannot keep its state")


def _state_folder(state: Path) -> Mechanism:
    lost = "what is seen cannot be kept: name another folder with --state"
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=state):
            pass
    except OSError as error:
        return Mechanism("state-folder", False, f"{state}: {error.strerror}", "", lost)
    open_to_others = state.stat().st_mode & 0o077 and state.stat().st_uid == os.getuid()
    note = " (others may look into it: chmod 700)" if open_to_others else ""
    return Mechanism("state-folder", True, f"{state}{note}", "", lost)


def _mechanism(line: bytes) -> Mechanism:
    said = json.loads(line)
    texts = (str(said[name]) for name in ("detail", "minimum_kernel", "lost_without"))
    return Mechanism(str(said["mechanism"]), bool(said["works"]), *texts)
