"""The numbers of system calls, against the kernel headers that inscope-init is compiled with."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from sidecar.observe.header import TRAPS
from sidecar.observe.syscall_numbers import _NAMES, CallName, call_name

HEADERS = {
    "x86_64": ("x86-linux-any/asm/unistd_64.h", r"#define\s+__NR_(\w+)\s+(\d+)"),
    "aarch64": ("aarch64-linux-any/asm/unistd_64.h", r"#define\s+__NR_(\w+)\s+(\d+)"),
    "i386": ("x86-linux-any/asm/unistd_32.h", r"#define\s+__NR_(\w+)\s+(\d+)"),
    "x32": ("x86-linux-any/asm/unistd_x32.h", r"#define\s+__NR_(\w+)\s+\(__X32_SYSCALL_BIT \+ (\d+)\)"),
}


def header_numbers(abi: str) -> dict[str, int]:
    spec = find_spec("ziglang")
    if spec is None or spec.origin is None:
        pytest.skip("the compiler that carries the headers is not installed")
    path, pattern = HEADERS[abi]
    text = (Path(spec.origin).parent / "lib/libc/include" / path).read_text()
    return {name: int(number) for name, number in re.findall(pattern, text)}


@pytest.mark.parametrize("abi", HEADERS)
def test_numbers_are_the_kernels(abi: str) -> None:
    theirs = header_numbers(abi)
    ours = {name: number for number, name in _NAMES[abi].items()}
    assert ours == {name: theirs[name] for name in ours}
    assert {trap.call for trap in TRAPS if trap.call in theirs} <= ours.keys()


@pytest.mark.parametrize(
    ("machine", "nr", "arch", "name"),
    [
        (62, 59, 0, CallName("execve")),
        (183, 221, 0, CallName("execve")),
        (62, 101, 0xC000003E, CallName("ptrace")),
        (62, 26, 0x40000003, CallName("ptrace", "i386")),
        (62, 0x40000000 | 521, 0xC000003E, CallName("ptrace", "x32")),
        (183, 26, 0x40000028, CallName("nr26", "arm")),
        (62, 9999, 0, CallName("nr9999")),
        (3, 1, 0, CallName("nr1")),
    ],
)
def test_a_number_means_something_with_its_architecture(machine: int, nr: int, arch: int, name: CallName) -> None:
    assert call_name(machine, nr, arch) == name
