"""Hash, cache and description joined, over real files."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass

import pytest

from inscope.binary import Binary, Linkage
from sidecar.fingerprint.cache import HashCache
from sidecar.fingerprint.describer import Describer
from sidecar.fingerprint.fingerprinter import Fingerprinter
from sidecar.fingerprint.hashing import Hasher
from tests.sidecar.fingerprint.elf_files import elf


@dataclass
class File:
    writable: bool = False


class CountingHasher(Hasher):
    """The real one, and how often it was asked."""

    asked = 0

    async def hash(self, descriptor):
        self.asked += 1
        return await super().hash(descriptor)


class Rig:
    def __init__(self):
        self.now = 0.0
        self.details: list[Binary] = []
        self.hasher = CountingHasher()
        self.it = Fingerprinter(self.hasher, Describer(), HashCache(), self.details.append, lambda: self.now)


@pytest.fixture
async def rig():
    rig = Rig()
    yield rig
    rig.it.close()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_a_file_that_cannot_be_written_is_hashed_once_and_the_descriptor_closed(rig, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    for _ in range(3):
        fd = os.open(tmp_path / "f", os.O_RDONLY)
        assert await rig.it.identify(fd, File(), "/f") == sha(b"content")
        with pytest.raises(OSError):
            os.fstat(fd)
    assert rig.hasher.asked == 1


async def test_a_writable_file_is_hashed_again_after_the_window(rig, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    for now in (0.0, 0.5, 2.0):
        rig.now = now
        await rig.it.identify(os.open(tmp_path / "f", os.O_RDONLY), File(writable=True), "/f")
    assert rig.hasher.asked == 2


async def test_uses_at_the_same_time_share_one_hash(rig, tmp_path):
    (tmp_path / "f").write_bytes(b"content")
    uses = [rig.it.identify(os.open(tmp_path / "f", os.O_RDONLY), File(writable=True), "/f") for _ in range(20)]
    assert set(await asyncio.gather(*uses)) == {sha(b"content")}
    assert rig.hasher.asked == 1


async def test_a_use_that_is_cancelled_leaves_the_others_their_hash(rig, tmp_path):
    (tmp_path / "f").write_bytes(b"content" * 100_000)
    first, second = (
        asyncio.create_task(rig.it.identify(os.open(tmp_path / "f", os.O_RDONLY), File(), "/f")) for _ in range(2)
    )
    await asyncio.sleep(0)
    first.cancel()
    assert await second == sha(b"content" * 100_000)


async def test_each_new_hash_is_described_once(rig, tmp_path):
    (tmp_path / "lib.so").write_bytes(elf())
    (tmp_path / "copy.so").write_bytes(elf())
    describing = asyncio.create_task(rig.it.describe_new())
    for name in ("lib.so", "copy.so", "lib.so"):
        await rig.it.identify(os.open(tmp_path / name, os.O_RDONLY), File(), f"/x/{name}")
    async with asyncio.timeout(10):
        while not rig.details:
            await asyncio.sleep(0.01)
    describing.cancel()
    (detail,) = rig.details
    assert (detail.sha256, detail.path, detail.size) == (sha(elf()), "/x/lib.so", len(elf()))
    assert detail.elf.linkage is Linkage.DYNAMIC


async def test_what_is_no_regular_file_has_no_identity(rig):
    assert await rig.it.identify(os.open("/dev/null", os.O_RDONLY), File(), "/dev/null") == ""
    assert await rig.it.identify_path("/dev/zero", "/") == ""
    assert await rig.it.identify_path("/nowhere/at/all", "/") == ""
    assert await rig.it.identify_path("nul\0inside", "/") == ""


async def test_a_script_is_identified_by_name_from_its_working_directory(rig, tmp_path):
    (tmp_path / "s.py").write_bytes(b"print()")
    assert await rig.it.identify_path("s.py", str(tmp_path)) == sha(b"print()")
    assert await rig.it.identify_path(str(tmp_path / "s.py"), "/elsewhere") == sha(b"print()")


async def test_a_script_in_an_unknown_folder_is_not_one_in_our_own(rig, tmp_path, monkeypatch):
    """The kernel tells no working directory of more than 4,095 bytes."""
    (tmp_path / "s.py").write_bytes(b"print()")
    monkeypatch.chdir(tmp_path)
    assert await rig.it.identify_path("s.py", "") == ""


async def test_a_fifo_in_place_of_a_script_blocks_nobody(rig, tmp_path):
    os.mkfifo(tmp_path / "s.py")
    async with asyncio.timeout(2):
        assert await rig.it.identify_path("s.py", str(tmp_path)) == ""
