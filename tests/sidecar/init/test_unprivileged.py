"""Everything that observing needs, as a user without any capability and with no_new_privs, as in a restricted pod."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import Observer, flags, identity

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        os.geteuid() != 0, reason="runs as another user, which needs root; as a user all other tests do"
    ),
]

NOBODY = [
    "setpriv",
    "--reuid",
    "65534",
    "--regid",
    "65534",
    "--clear-groups",
    "--no-new-privs",
    "--bounding-set",
    "-all",
]


def run(observer: Observer, *command: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*NOBODY, "--", *observer.command(*command)], capture_output=True, timeout=30, check=False, cwd="/", **more
    )  # type: ignore[call-overload]  # options are passed on
    assert done.returncode == 0, done.stderr
    return done  # type: ignore[no-any-return]  # because of the options


@pytest.fixture
def program_of_nobody(program: Callable[[str], str], folder: Path) -> Callable[[str], str]:
    def copied(name: str) -> str:
        return shutil.copy(program(name), str(folder / name))

    return copied


def test_execs_loads_and_opens(observer: Observer, folder: Path) -> None:
    observer.peer.watch = (b"P/etc/hostname",)
    own = folder / "own"
    shutil.copy("/bin/true", own)
    os.chown(own, 65534, 65534)
    run(observer, "sh", "-c", f"cat /etc/hostname; {own}")
    assert observer.of("HELLO")[0].body["uid"] == 65534
    execs = {m.strings[0]: m for m in observer.of("EXEC")}
    assert execs[os.fsencode(own)].fd == identity(own)
    assert execs[os.fsencode(own)].body["writable"] == 1
    shell = observer.of("EXEC")[0]
    assert (shell.fd, shell.body["writable"]) == (identity("/bin/sh"), 0)
    assert any(b"libc" in m.strings[0] and m.fd for m in observer.of("LOAD"))
    assert [m.strings[0] for m in observer.of("OPEN")] == [b"/etc/hostname"]
    assert all(flags(m) <= {"HAS_FD"} for m in [*observer.of("EXEC"), *observer.of("LOAD"), *observer.of("OPEN")])
    assert observer.counters["unreadable"] == 0


def test_scripts_and_mappings(observer: Observer, folder: Path) -> None:
    script = folder / "script"
    script.write_text("#!/bin/sh\n/usr/bin/env true\n")
    script.chmod(0o755)
    run(observer, str(script))
    (image,) = observer.of("IMAGE")
    assert image.fd == identity("/bin/sh")
    assert "MISMATCH" not in flags(image)


def test_a_file_made_executable_after_mapping(observer: Observer, program_of_nobody: Callable[[str], str]) -> None:
    library = program_of_nobody("hidden")  # any file will do
    run(observer, program_of_nobody("latecode"), library)
    (load,) = [m for m in observer.of("LOAD") if m.body["nr"] == NR["mprotect"]]
    assert load.fd == identity(library)


def test_a_process_that_hides_itself_is_a_loss_that_is_counted(
    observer: Observer, program_of_nobody: Callable[[str], str]
) -> None:
    run(observer, program_of_nobody("hidden"))
    assert observer.counters["undumpable"] == 1
    assert observer.counters["unreadable"] >= 1
    (connect,) = observer.of("CONNECT")
    assert "UNREADABLE" in flags(connect)
