"""The program that a run becomes finds everything as it would have without inscope."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHER = """
import sys
from pathlib import Path
from controlplane.cli.handover import become, remember
inherited = remember()
import asyncio, grpc.aio, socket
async def talk():
    async with grpc.aio.insecure_channel("unix:/nonexistent") as channel:
        try:
            await channel.unary_unary("/x/y")(b"", timeout=1)
        except grpc.aio.AioRpcError:
            pass
asyncio.run(talk())
leak = socket.socket()
leak.set_inheritable(True)
become(Path(sys.argv[1]), sys.argv[2:], inherited)
"""


@pytest.fixture(autouse=True)
def _found_from_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in map(os.path.abspath, sys.path)))


def said(command: list[str], watched: bool, **options) -> bytes:
    before = [sys.executable, "-c", LAUNCHER] if watched else []
    return subprocess.run([*before, *command], stdout=subprocess.PIPE, check=True, timeout=30, **options).stdout


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LANG": "C"}, {"LC_CTYPE": "POSIX"}], ids=str)
def test_the_environment_is_the_users_byte_for_byte(locale: dict[str, str]) -> None:
    environment = {b"PATH": os.environb[b"PATH"], b"PYTHONPATH": os.environb.get(b"PYTHONPATH", b"")}
    environment |= {b"EMPTY": b"", b"\xff\xfe": b"\xfd=x"} | {k.encode(): v.encode() for k, v in locale.items()}
    command = ["/usr/bin/env", "-0"]
    assert said(command, True, env=environment) == said(command, False, env=environment)


def test_signals_limits_mask_and_nice_are_as_they_were() -> None:
    # Not SigQ: what is queued for all processes of this user.
    script = "grep -E '^(Sig[^Q]|Shd|Cap|Seccomp|NoNewPrivs|Umask)' /proc/self/status; ulimit -a; nice; pwd; umask"
    command = ["/bin/bash", "-c", f"{script}"]
    options = {"cwd": "/usr", "umask": 0o27}
    watched, plain = (_public(said(command, watched, **options)) for watched in (True, False))
    assert watched == plain
    assert b"SigIgn" in watched


def _public(status: bytes) -> bytes:
    """Without signals 32 and 33, which are the C library's own: glibc takes 33 for itself at the first thread, and make
    leaves both ignored where it was started with SIGHUP ignored."""
    own = 0b11 << 31

    def masked(match: re.Match[bytes]) -> bytes:
        return b"SigIgn:\t%016x" % (int(match[1], 16) & ~own)

    return re.sub(rb"SigIgn:\t([0-9a-f]+)", masked, status)


def test_descriptors_given_on_purpose_stay_and_no_other_is_added() -> None:
    reader, writer = os.pipe()
    script = "import os; print(sorted(os.listdir('/proc/self/fd'), key=int))"
    command = [sys.executable, "-c", script]
    try:
        watched, plain = (said(command, watched, pass_fds=(writer,)) for watched in (True, False))
    finally:
        os.close(reader)
        os.close(writer)
    assert watched == plain
    assert str(writer).encode() in plain


def test_closed_standard_streams_stay_closed() -> None:
    command = [sys.executable, "-c", "import os, sys; print(sorted(os.listdir('/proc/self/fd'), key=int))"]
    closing = ["/bin/sh", "-c", 'exec "$@" <&- 2>&-', "sh"]
    launcher = [*closing, sys.executable, "-c", LAUNCHER]
    watched = subprocess.run([*launcher, *command], stdout=subprocess.PIPE, check=True, timeout=30).stdout
    assert watched == said([*closing, *command], False)


def test_what_cannot_be_started_raises(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(tmp_path / "nothing")], capture_output=True, text=True, check=False
    )
    assert "FileNotFoundError" in done.stderr
