"""The disk queue on a real disk: what is kept is found again, what is damaged is not believed."""

from __future__ import annotations

import itertools
import os
import stat
import subprocess
import sys
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.report.spool import Spool, SpoolError, SpoolLimits


def opened(folder, **limits) -> Spool:
    names = (f"epoch-{os.urandom(4).hex()}" for _ in itertools.count())
    return Spool(folder, lambda: next(names), SpoolLimits(**limits) if limits else SpoolLimits())


def numbers(spool: Spool, after: int = 0, limit: int = 1000) -> list[int]:
    return [record.number for record in spool.read(after, limit)]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


def test_what_was_appended_is_read_in_order_and_in_parts(folder):
    spool = opened(folder, segment=100)
    assert all(spool.append(number, b"x" * number) for number in range(1, 30))
    assert numbers(spool) == list(range(1, 30))
    assert numbers(spool, after=10, limit=3) == [11, 12, 13]
    assert [record.payload for record in spool.read(28, 5)] == [b"x" * 29]


def test_the_next_process_finds_what_was_not_forgotten(folder):
    first = opened(folder, segment=100)
    for number in range(1, 20):
        first.append(number, b"payload")
    first.forget(12)
    second = opened(folder, segment=100)
    assert second.last == 19
    assert second.epoch == first.epoch
    assert second.acknowledged <= 12
    assert numbers(second, after=12) == list(range(13, 20))


def test_a_restart_after_everything_was_forgotten_goes_on_counting(folder):
    first = opened(folder, segment=64)
    for number in range(1, 9):
        first.append(number, b"payload" * 10)
    first.forget(8)
    assert first.size == 0
    second = opened(folder)
    assert (second.last, second.epoch) == (8, first.epoch)
    assert second.append(9, b"next")
    assert numbers(second, after=8) == [9]


def test_the_bound_holds_and_says_so(folder):
    spool = opened(folder, total=500, segment=100)
    kept = [spool.append(number, b"x" * 50) for number in range(1, 20)]
    assert kept.count(True) == 500 // 66
    assert "bound" in spool.refusal
    assert spool.size <= 500


def test_forgetting_makes_room(folder):
    spool = opened(folder, total=500, segment=100)
    number = 0
    while spool.append(number + 1, b"x" * 50):
        number += 1
    spool.forget(number)
    assert spool.append(number + 1, b"x" * 50)
    assert spool.refusal == ""


def test_files_are_for_their_owner_only(folder):
    spool = opened(folder)
    spool.append(1, b"secret")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.seg")} == {0o600}


def test_a_torn_tail_is_cut_and_begins_a_new_epoch(folder):
    first = opened(folder)
    for number in (1, 2, 3):
        first.append(number, b"payload")
    (segment,) = folder.glob("*.seg")
    os.truncate(segment, segment.stat().st_size - 3)
    second = opened(folder)
    assert numbers(second) == [1, 2]
    assert second.last == 2
    assert second.epoch != first.epoch
    assert second.append(3, b"again")
    assert numbers(opened(folder)) == [1, 2, 3]


def test_numbers_that_were_left_out_stay_holes_after_a_restart(folder):
    spool = opened(folder)
    for number in (1, 2, 5, 6):
        assert spool.append(number, b"payload")
    assert numbers(opened(folder)) == [1, 2, 5, 6]


def test_an_epoch_that_was_begun_is_remembered(folder):
    spool = opened(folder)
    spool.append(1, b"a")
    spool.begin_epoch(1)
    again = opened(folder)
    assert (again.epoch, again.base) == (spool.epoch, 1)


def test_an_unusable_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="cannot be used"):
        opened(tmp_path / "file")


def test_destroy_leaves_nothing(folder):
    spool = opened(folder)
    spool.append(1, b"a")
    spool.destroy()
    assert not folder.exists()


FILLED = """
    import resource, sys
    from pathlib import Path
    from sidecar.report.spool import Spool
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    spool = Spool(Path(sys.argv[1]), lambda: "e")
    while spool.append(spool.last + 1, b"x" * 1000):
        pass
    print(spool.last, spool.refusal)
"""


def test_a_disk_that_is_full_refuses_and_keeps_what_was_written_sound(folder):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FILLED), str(folder)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("4 the spool cannot be written")
    assert numbers(opened(folder)) == [1, 2, 3, 4]


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_never_yields_what_was_not_written(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("spool") / "s"
    spool = opened(folder, segment=200)
    written = {number: bytes([number]) * number for number in range(1, 25)}
    for number, payload in written.items():
        spool.append(number, payload)
    spool.close()
    for _ in range(data.draw(st.integers(1, 4))):
        segment = data.draw(st.sampled_from(sorted(folder.glob("*.seg"))))
        content = bytearray(segment.read_bytes())
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=40))
        segment.write_bytes(content)
    again = opened(folder, segment=200)
    assert all(written[record.number] == record.payload for record in again.read(0, 1000))
    assert again.append(again.last + 1, b"goes on")
    assert [record.payload for record in again.read(again.last - 1, 5)] == [b"goes on"]


@pytest.mark.fuzz
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.from_regex(r"[0-9a-f]{16}\.seg", fullmatch=True), st.binary(max_size=60), max_size=4))
def test_files_that_were_never_ours_do_no_harm(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("spool") / "s"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    spool = opened(folder)
    assert spool.append(spool.last + 1, b"x")
