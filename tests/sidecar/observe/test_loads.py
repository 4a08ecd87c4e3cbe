"""Mappings in, loads out, as transcripts."""

from __future__ import annotations

import os

from inscope.behaviour import (
    CodeMemory,
    Load,
)
from sidecar.observe.kinds import Kind
from tests.sidecar.observe.fake_fingerprinter import hash_of
from tests.sidecar.observe.fake_init import (
    WALL_NS,
    file_body,
    message,
    open_descriptors,
    open_message,
)
from tests.sidecar.observe.transcript import Transcript


async def test_shared_memory_without_a_name_is_nobodys_file() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    shared = message(Kind.LOAD, "file", file_body(40), [b"/dev/zero (deleted)"])
    assert await transcript.behaviours(shared) == [CodeMemory("/bin/agent")]


def load(path: bytes, inode: int = 40, *, ctime_ns: int = 0, **head: int) -> bytes:
    return message(Kind.LOAD, "file", file_body(inode, ctime_ns=ctime_ns), [path], **head)


async def test_a_library_is_a_load_and_the_programs_own_image_is_not() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent", inode=7)
    before = open_descriptors()
    assert await transcript.behaviours(load(b"/lib/libz.so.1.2"), transcript.file("")) == [
        Load("/lib/libz.so.<version>", hash_of("/lib/libz.so.1.2"), "/bin/agent")
    ]
    assert await transcript.behaviours(load(b"/bin/agent", inode=7), transcript.file("")) == []
    assert open_descriptors() == before


async def test_code_made_at_run_time_has_its_writer() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    transcript.facts(open_message(b"/cache/k.so", os.O_WRONLY | os.O_CREAT))
    (found,) = await transcript.behaviours(load(b"/cache/k.so", ctime_ns=WALL_NS + 1), transcript.file(""))
    assert found == Load("/cache/k.so", hash_of("/cache/k.so"), "/bin/agent", "/bin/agent")


async def test_a_surveyed_library_never_has_a_writer() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    transcript.facts(message(Kind.SURVEY, "survey", (2, 1, 1, 1), [b"/lib/a.so"]))
    transcript.facts(open_message(b"/lib/a.so", os.O_WRONLY))
    (found,) = await transcript.behaviours(load(b"/lib/a.so", ctime_ns=WALL_NS + 1), transcript.file(""))
    assert found == Load("/lib/a.so", hash_of("/lib/a.so"), "/bin/agent", "")
