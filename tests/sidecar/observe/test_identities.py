"""Drafts completed: from descriptors, from names where names can be trusted, and from text."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from inscope.behaviour import Behaviour, Exec, Load, Program, Script, ScriptOrigin
from inscope.observation import Observation
from inscope.workload import InstanceId
from sidecar.normalise.script_ref import FirstOf, InlineCode
from sidecar.observe.bodies import FileStat
from sidecar.observe.drafts import Draft, OpenFile
from sidecar.observe.identities import Identities
from sidecar.observe.records import NO_FD
from tests.sidecar.observe.fake_fingerprinter import FakeFingerprinter, hash_of
from tests.sidecar.observe.fake_init import open_descriptors


def observation(behaviour: Behaviour) -> Observation:
    return Observation(InstanceId("i"), 1.0, behaviour)


def stat_of(path: Path) -> FileStat:
    status = path.stat()
    return FileStat(status.st_dev, status.st_ino, status.st_size, 0, 0, status.st_mode, 0, 59, 0, 0)


class Bench:
    """Identities over a fake fingerprinter, and a real file to be the program."""

    def __init__(self, folder: Path, *missing: str) -> None:
        self.file = folder / "program"
        self.file.write_bytes(b"x")
        self.unknown = 0
        self.fingerprinter = FakeFingerprinter(*missing)
        self.identities = Identities(self.fingerprinter, self.count)

    def count(self) -> None:
        self.unknown += 1

    def opened(self) -> OpenFile:
        return OpenFile(os.open(self.file, os.O_RDONLY), stat_of(self.file), str(self.file))

    def again(self) -> OpenFile:
        return OpenFile(NO_FD, stat_of(self.file), str(self.file))

    async def complete(self, draft: Draft) -> Behaviour | None:
        self.identities.starts(draft)
        found = await self.identities.complete(draft)
        return found.behaviour if found else None


def load(bench: Bench, want: OpenFile) -> Draft:
    return Draft(observation(Load(str(bench.file), "", "agent")), want)


def python(want: OpenFile, *script: FirstOf | InlineCode, name: str = "a.py") -> Draft:
    program = Program("/usr/bin/python3", "", Script(ScriptOrigin.FILE, name, ""))
    return Draft(observation(Exec(program, "sh")), want, script, cwd="/srv")


async def test_a_load_is_hashed_by_its_descriptor(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    before = open_descriptors()
    assert await bench.complete(load(bench, bench.opened())) == Load(str(bench.file), hash_of(str(bench.file)), "agent")
    assert open_descriptors() == before


async def test_a_descriptor_that_is_not_passed_again_is_remembered(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    first = await bench.complete(load(bench, bench.opened()))
    assert await bench.complete(load(bench, bench.again())) == first
    assert bench.fingerprinter.asked == [str(bench.file)]


async def test_what_was_never_passed_is_unknown_and_counted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert await bench.complete(load(bench, bench.again())) == Load(str(bench.file), "", "agent")
    assert bench.unknown == 1


async def test_a_script_is_the_first_of_its_files_that_can_be_read(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "/srv/a")
    found = await bench.complete(python(bench.opened(), FirstOf(("a", "a/__main__.py"))))
    assert isinstance(found, Exec)
    assert found.program.script == Script(ScriptOrigin.FILE, "a.py", hash_of("/srv/a/__main__.py"))


async def test_inline_code_is_hashed_itself(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    found = await bench.complete(python(bench.opened(), InlineCode(b"print(1)")))
    assert isinstance(found, Exec)
    assert found.program.script
    assert found.program.script.sha256 == sha256(b"print(1)").hexdigest()


async def test_several_sources_are_one_identity_and_one_unknown_makes_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "/srv/gone.js")
    both = await bench.complete(python(bench.opened(), FirstOf(("hook.js",)), FirstOf(("a.js",))))
    other = await bench.complete(python(bench.opened(), FirstOf(("evil.js",)), FirstOf(("a.js",))))
    gone = await bench.complete(python(bench.opened(), FirstOf(("gone.js",)), FirstOf(("a.js",))))
    hashes = [
        found.program.script.sha256 for found in (both, other, gone) if isinstance(found, Exec) and found.program.script
    ]
    assert len(hashes) == len(set(hashes)) == 3
    assert [len(one) for one in hashes] == [64, 64, 0]


async def test_names_are_not_trusted_where_our_files_are_not_the_agents(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    elsewhere = OpenFile(os.open(bench.file, os.O_RDONLY), FileStat(9, 9, 1, 0, 0, 0, 0, 59, 0, 0), str(bench.file))
    found = await bench.complete(python(elsewhere, FirstOf(("a.py",))))
    assert isinstance(found, Exec)
    assert found.program.script
    assert (found.program.sha256, found.program.script.sha256) == (hash_of(str(bench.file)), "")


async def test_an_interpreter_that_is_what_its_script_named_says_nothing_new(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    script = Program("/bin/sh", "", Script(ScriptOrigin.FILE, "/srv/x", ""))
    named = FirstOf((str(bench.file),))
    first = Draft(observation(Exec(script, "agent")), named, (bench.opened(),))
    await bench.complete(first)
    assert await bench.complete(Draft(first.observation, bench.opened(), after=first)) is None


async def test_another_interpreter_is_told_with_the_same_script(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    script = Program("/bin/sh", "", Script(ScriptOrigin.FILE, "/srv/x", ""))
    first = Draft(observation(Exec(script, "agent")), FirstOf(("/bin/sh",)), (bench.opened(),))
    told = await bench.complete(first)
    found = await bench.complete(Draft(first.observation, bench.opened(), after=first))
    assert isinstance(told, Exec)
    assert isinstance(found, Exec)
    assert found.program.sha256 == hash_of(str(bench.file)) != told.program.sha256
    assert found.program.script == told.program.script
