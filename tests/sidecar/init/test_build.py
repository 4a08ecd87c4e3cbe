"""The build makes what the packages need, once, and says what is wrong."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

import sidecar.init
from sidecar.init import BinaryMissingError, binary
from sidecar.init.build import TARGETS, build, source_hash
from tests.sidecar.init.numbers import NR

MACHINE = platform.machine()


def test_the_binary_is_static_small_and_carries_its_sources_hash(init: Path) -> None:
    content = init.read_bytes()
    assert len(content) < 600_000
    assert b"ld-linux" not in content
    assert source_hash().encode() in content
    assert binary() == binary(MACHINE) == init


def test_what_is_up_to_date_is_left_alone(init: Path) -> None:
    before = init.stat().st_mtime_ns
    assert build([MACHINE]) == [init]
    assert init.stat().st_mtime_ns == before


def test_both_machines_are_built_for() -> None:
    assert set(TARGETS) == {"x86_64", "aarch64"}
    with pytest.raises(ValueError, match="riscv64"):
        build(["riscv64"])


@pytest.mark.slow
def test_every_machine_builds_without_a_warning() -> None:
    for machine, path in zip(TARGETS, build(list(TARGETS)), strict=True):
        elf_machine = int.from_bytes(path.read_bytes()[18:20], "little")
        assert elf_machine == {"x86_64": 62, "aarch64": 183}[machine]


def test_a_missing_binary_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sidecar.init, "BINARIES", tmp_path)
    with pytest.raises(BinaryMissingError, match=r"sidecar\.init\.build"):
        binary("aarch64")


def test_sources_are_small_files_with_a_word_on_what_they_are() -> None:
    for path in Path(sidecar.init.__file__).parent.glob("*.h"):
        if path.name not in ("version.h", "protocol.h"):
            assert path.read_text().startswith("/* "), path.name


def test_the_tables_of_numbers_agree_with_the_kernels_headers(tmp_path: Path) -> None:
    """The numbers that the tests look for are those that the program was compiled with."""
    source = tmp_path / "n.c"
    lines = "\n".join(f'_Static_assert(__NR_{name} == {nr}, "{name}");' for name, nr in NR.items())
    source.write_text(f"#include <sys/syscall.h>\n{lines}\n")
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", f"{MACHINE}-linux-musl", "-c", "-o", str(tmp_path / "n.o")]
    subprocess.run([*zig, str(source)], check=True)
