"""Execs of what is interpreted. The interpreter of these is a real file, so that names are trusted."""

from __future__ import annotations

from pathlib import Path

from inscope.behaviour import (
    Exec,
    Program,
    Script,
    ScriptOrigin,
)
from sidecar.normalise.paths import default_generaliser
from sidecar.observe.actors import INIT_LABEL
from sidecar.observe.kinds import Flag, Kind
from tests.sidecar.observe.fake_fingerprinter import hash_of
from tests.sidecar.observe.fake_init import (
    file_body,
    message,
    open_descriptors,
)
from tests.sidecar.observe.transcript import Transcript

SH = 11


class Interpreted(Transcript):
    """Its binaries are real files, as far as device and inode go."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def binary(self, name: str) -> tuple[str, tuple[int, int]]:
        path = self.folder / name
        path.touch()
        return str(path), (path.stat().st_dev, path.stat().st_ino)

    async def interpret(self, name: str, *argv: bytes, flags: int = 0) -> Script | None:
        path, (device, inode) = self.binary(name)
        body = file_body(inode, device=device, argc=len(argv) + 1)
        packed = message(Kind.EXEC, "file", body, [path.encode(), b"/srv", name.encode(), *argv], flags=flags)
        (found,) = await self.behaviours(packed, self.file(path))
        assert isinstance(found, Exec)
        return found.program.script


async def test_a_script_is_named_in_full_and_hashed(tmp_path: Path) -> None:
    script = await Interpreted(tmp_path).interpret("python3.11", b"-u", b"./agent.py")
    assert script == Script(ScriptOrigin.FILE, "/srv/agent.py", hash_of("/srv/./agent.py"))


async def test_inline_code_a_module_and_standard_input(tmp_path: Path) -> None:
    transcript = Interpreted(tmp_path)
    inline = await transcript.interpret("python3.11", b"-c", b"x")
    module = await transcript.interpret("python3.11", b"-m", b"http.server")
    stdin = await transcript.interpret("sh", b"-s")
    assert inline
    assert (inline.name, len(inline.sha256)) == ("-c", 64)
    assert module == Script(ScriptOrigin.MODULE, "http.server", hash_of("/srv/http/server/__main__.py"))
    assert stdin == Script(ScriptOrigin.STDIN, "-", "")


async def test_cut_inline_code_is_unhashed(tmp_path: Path) -> None:
    script = await Interpreted(tmp_path).interpret("sh", b"-c", b"x", flags=Flag.TRUNCATED)
    assert script == Script(ScriptOrigin.INLINE, "-c", "")


async def test_a_script_started_by_its_first_line(tmp_path: Path) -> None:
    transcript = Interpreted(tmp_path)
    path, (device, inode) = transcript.binary("tool")
    packed = message(Kind.EXEC, "file", file_body(inode, device=device, argc=1), [path.encode(), b"/srv", b"tool"])
    (found,) = await transcript.behaviours(packed, transcript.file(path, b"#!/bin/sh -e\n"))
    script = Script(ScriptOrigin.FILE, default_generaliser().path(path), hash_of(path))
    assert found == Exec(Program("/bin/sh", hash_of("/bin/sh"), script), INIT_LABEL)

    same = message(Kind.IMAGE, "file", file_body(SH), [b"/bin/sh"])
    assert await transcript.behaviours(same, transcript.file("/bin/sh")) == []
    other = message(Kind.IMAGE, "file", file_body(SH + 1), [b"/usr/bin/busybox"])
    assert await transcript.behaviours(other, transcript.file("/usr/bin/busybox")) == [
        Exec(Program("/usr/bin/busybox", hash_of("/usr/bin/busybox"), script), INIT_LABEL)
    ]


async def test_a_first_line_that_runs_something_else_has_no_identity(tmp_path: Path) -> None:
    transcript = Interpreted(tmp_path)
    before = open_descriptors()
    path, (device, inode) = transcript.binary("tool")
    packed = message(Kind.EXEC, "file", file_body(inode, device=device, argc=1), [path.encode(), b"/srv", b"tool"])
    (found,) = await transcript.behaviours(packed, transcript.file(path, b"#!/bin/sh -s\n"))
    assert isinstance(found, Exec)
    assert found.program.script
    assert found.program.script.sha256 == ""
    assert open_descriptors() == before
