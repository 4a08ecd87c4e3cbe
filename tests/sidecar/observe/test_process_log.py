"""What processes run, across restarts of the sidecar."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from inscope.observation import Ancestor
from sidecar.observe import process_log
from sidecar.observe.bodies import Head
from sidecar.observe.process_log import ProcessLog, _parse
from sidecar.observe.processes import Process, ProcessTable

AGENT = Process(100, 50, "/bin/agent", (1, 7), ())
GIT = Process(101, 60, "/usr/bin/git é", (1, 8), (Ancestor(100, 50, "/bin/agent"),))


def new_log(folder: Path, complaints: list[str] | None = None) -> ProcessLog:
    return ProcessLog(folder / "processes", (complaints if complaints is not None else []).append)


def test_what_was_logged_is_read(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.rewrite([AGENT])
    assert log.append(GIT)
    log.close()
    assert new_log(tmp_path).read() == [AGENT, GIT]
    assert stat.S_IMODE((tmp_path / "processes").stat().st_mode) == 0o600


def test_what_was_written_anew_is_read_oldest_first_too(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.rewrite([GIT, AGENT])
    log.close()
    assert log.read() == [AGENT, GIT]


def test_beginning_anew_forgets(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.rewrite([AGENT])
    log.rewrite([])
    log.close()
    assert log.read() == []


def test_an_exec_that_was_allowed_by_a_question_that_is_asked_again_did_not_happen(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.rewrite([])
    log.append(replace(GIT, label="/bin/sh", image=(1, 9)), before=GIT, ask=77)
    log.close()
    after = new_log(tmp_path)
    assert after.read() == [replace(GIT, label="/bin/sh", image=(1, 9))]
    assert after.before(78) is None
    assert after.before(77) == GIT
    assert after.before(77) is None


def test_a_cut_line_and_noise_are_skipped(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.rewrite([GIT, AGENT])
    log.close()
    path = tmp_path / "processes"
    path.write_bytes(b'junk\n{}\n[1,2]\n[1,2,"\\u001b",0,0,[]]\n' + path.read_bytes()[:-9])
    assert log.read() == [AGENT]


def test_a_full_log_says_so_and_fits_again_after_rewriting(tmp_path: Path) -> None:
    log = new_log(tmp_path)
    log.rewrite([])
    big = Process(1, 1, "x" * 100_000)
    kept = [log.append(big) for _ in range(11)]
    assert kept == [True] * 10 + [False]
    log.rewrite([big] * 20)
    log.close()
    assert (tmp_path / "processes").stat().st_size <= process_log.MAX_BYTES // 2


def test_a_log_that_cannot_be_written_is_given_up_with_one_complaint(tmp_path: Path) -> None:
    complaints: list[str] = []
    log = new_log(tmp_path / "missing", complaints)
    log.rewrite([AGENT])
    assert log.append(GIT)
    assert len(complaints) == 1
    assert log.read() == []


def test_a_restored_table_knows_the_latest_of_each_pid() -> None:
    table = ProcessTable()
    table.restore([Process(5, 1, "/bin/old"), Process(5, 2, "/bin/sh"), Process(5, 2, "/bin/new")])
    assert table.of(Head(0, 0, 0, 0, 5, 5, 1)).label == "/bin/new"
    assert [process.label for process in table.alive()] == ["/bin/new"]


@given(st.binary(max_size=200))
def test_no_line_breaks_reading(line: bytes) -> None:
    found = _parse(line)
    assert found is None or found.label.isprintable()
