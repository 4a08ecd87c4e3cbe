"""System call numbers to names. A number means something only together with the architecture it was made in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

X32_BIT = 0x40000000

_MACHINES = {62: "x86_64", 183: "aarch64"}
"""ELF e_machine of inscope-init, as HELLO gives it."""

_AUDIT_ARCHES = {0xC000003E: "x86_64", 0xC00000B7: "aarch64", 0x40000003: "i386", 0x40000028: "arm"}
"""AUDIT_ARCH_* of linux/audit.h."""


def load_numbers(text: str) -> Mapping[str, Mapping[int, str]]:
    """Per ABI, the names by number."""
    return {abi: {nr: name for name, nr in calls.items()} for abi, calls in tomllib.loads(text).items()}


_NAMES = load_numbers(Path(__file__).with_suffix(".toml").read_text())


@dataclass(frozen=True, slots=True)
class CallName:
    """A call as people know it. `foreign` names the ABI it came in through where that is not the machine's own."""

    name: str
    foreign: str = ""


@lru_cache(1024)
def call_name(machine: int, nr: int, arch: int = 0) -> CallName:
    """Name the call `nr` made on `machine` (e_machine); `arch` is its AUDIT_ARCH_*, 0 for the machine's own.

    A number that no table knows becomes `nr123`.
    """
    native = _MACHINES.get(machine, "")
    abi = _abi(native, nr, arch)
    number = nr & ~X32_BIT if abi == "x32" else nr
    name = _NAMES.get(abi, {}).get(number, f"nr{number}")
    return CallName(name, "" if abi == native else abi)


def _abi(native: str, nr: int, arch: int) -> str:
    abi = _AUDIT_ARCHES.get(arch, f"arch{arch:#x}") if arch else native
    return "x32" if abi == "x86_64" and nr & X32_BIT else abi
