"""Every parser of hostile bytes in init, under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sidecar.init.build import SOURCES

pytestmark = pytest.mark.fuzz

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        pytest.skip("the sanitizers' run-time library comes with gcc or clang, not with zig")
    output = tmp_path_factory.mktemp("fuzz") / "fuzz"
    sources = [path for path in SOURCES.glob("*.c") if path.name != "main.c"]
    driver = Path(__file__).parent / "programs" / "fuzz.c"
    flags = ["-std=gnu11", "-g", "-O1", "-pthread", f"-I{SOURCES}", *SANITIZERS]
    subprocess.run([compiler, *flags, "-o", output, driver, *sources], check=True)
    return output


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_parsers_keep_their_laws(fuzzer: Path, seed: int) -> None:
    environment = {"ASAN_OPTIONS": "detect_leaks=0"}  # the leak checker needs ptrace, which a container may refuse
    done = subprocess.run(
        [fuzzer, str(seed), "1500"], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 1000
