"""Opens in, reads and writes out."""

from __future__ import annotations

import os

import pytest

from inscope.behaviour import (
    Access,
    Open,
)
from sidecar.observe.actors import INIT_LABEL
from sidecar.observe.kinds import Level
from tests.sidecar.observe.fake_init import (
    open_message,
)
from tests.sidecar.observe.transcript import Transcript


@pytest.mark.parametrize(
    ("path", "flags", "opens"),
    [
        (b"/home/anna/.netrc", os.O_RDONLY, [(Access.READ, True)]),
        (b"/home/anna/.netrc", os.O_RDWR, [(Access.READ, True), (Access.WRITE, True)]),
        (b"/home/anna/.netrc", os.O_PATH, []),
        (b"/home/anna/app.py", os.O_RDONLY, []),
        (b"/home/anna/app.py", os.O_WRONLY | os.O_TRUNC, [(Access.WRITE, False)]),
        (b"/home/anna/app.py", os.O_RDONLY | os.O_CREAT, [(Access.WRITE, False)]),
        (b"", os.O_WRONLY, []),
    ],
)
async def test_opens(path: bytes, flags: int, opens: list[tuple[Access, bool]]) -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    name = path.decode().replace("anna", "<user>")
    found = await transcript.behaviours(open_message(path, flags))
    assert found == [Open(name, access, "/bin/agent", secret) for access, secret in opens]


async def test_a_secret_that_is_not_there_is_not_read() -> None:
    assert await Transcript().behaviours(open_message(b"/root/.netrc", inode=0)) == []


async def test_creat_writes_on_x86_64() -> None:
    (found,) = await Transcript().behaviours(open_message(b"/a.py", 0o644, nr=85))
    assert found == Open("/a.py", Access.WRITE, INIT_LABEL)


async def test_at_level_all_every_read_is_told() -> None:
    transcript = Transcript(reads=Level.ALL)
    assert await transcript.behaviours(open_message(b"/etc/passwd")) == [Open("/etc/passwd", Access.READ, INIT_LABEL)]
