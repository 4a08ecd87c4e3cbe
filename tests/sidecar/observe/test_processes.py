"""Who acted: labels through fork and exec, pids that are reused, and a table that stays bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inscope.observation import MAX_ANCESTRY
from sidecar.observe.bodies import Head
from sidecar.observe.processes import ProcessTable


def head(pid: int, start: int = 1, ppid: int = 0) -> Head:
    return Head(0, 0, 0, start, pid, pid, ppid)


def table_with(pid: int, label: str, capacity: int = 100) -> ProcessTable:
    table = ProcessTable(capacity)
    table.executed(table.of(head(pid)), label, (1, pid))
    return table


def test_a_fork_runs_what_its_parent_runs() -> None:
    table = table_with(10, "/bin/sh")
    child = table.of(head(11, 2, ppid=10))
    assert (child.label, child.image) == ("/bin/sh", (1, 10))
    assert [(one.pid, one.label) for one in child.ancestry] == [(11, "/bin/sh"), (10, "/bin/sh")]


def test_an_exec_relabels_the_process_and_not_its_parent() -> None:
    table = table_with(10, "/bin/sh")
    table.executed(table.of(head(11, 2, ppid=10)), "/bin/git", (1, 99))
    assert table.of(head(11, 2, ppid=10)).label == "/bin/git"
    assert table.of(head(10)).label == "/bin/sh"


def test_a_reused_pid_is_another_process() -> None:
    table = table_with(10, "/bin/old")
    assert table.of(head(10, start=2, ppid=0)).label == ""
    assert table.of(head(10, start=1)).label == "/bin/old"


def test_a_parent_that_died_before_its_pid_was_reused_is_no_parent() -> None:
    table = table_with(10, "/bin/old")
    table.exited(head(10))
    assert table.of(head(11, 2, ppid=10)).label == ""


def test_a_record_after_the_exit_still_finds_its_process() -> None:
    table = table_with(10, "/bin/sh")
    table.exited(head(10))
    assert table.of(head(10)).label == "/bin/sh"


def test_a_start_that_could_not_be_read_means_the_latest_process_of_that_pid() -> None:
    table = table_with(10, "/bin/sh")
    assert table.of(head(10, start=0)).label == "/bin/sh"


def test_the_agents_first_process_is_expected() -> None:
    table = ProcessTable()
    table.expect(10, "inscope-init")
    assert table.of(head(10, ppid=1)).label == "inscope-init"
    assert table.of(head(12, ppid=1)).label == ""


def test_ancestry_survives_forgotten_ancestors_and_is_bounded() -> None:
    table = table_with(1, "/bin/root", capacity=4)
    for pid in range(2, 40):
        table.executed(table.of(head(pid, pid, ppid=pid - 1)), f"p{pid}", (1, pid))
    ancestry = table.of(head(39, 39)).ancestry
    assert len(ancestry) == MAX_ANCESTRY
    assert [one.label for one in ancestry[:3]] == ["p39", "p38", "p37"]
    assert len(table) == 4


def test_the_dead_are_forgotten_first() -> None:
    table = ProcessTable(capacity=3)
    for pid in (10, 11, 12):
        table.executed(table.of(head(pid)), f"p{pid}", (1, pid))
    table.exited(head(12))
    table.of(head(13))
    assert [table.of(head(pid)).label for pid in (10, 11)] == ["p10", "p11"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["of", "exec", "exit"]), st.integers(0, 6), st.integers(0, 3), st.integers(0, 6))
    )
)
def test_no_history_breaks_its_bound(history: list[tuple[str, int, int, int]]) -> None:
    table = ProcessTable(capacity=4)
    for what, pid, start, ppid in history:
        if what == "exit":
            table.exited(head(pid, start, ppid))
            continue
        process = table.of(head(pid, start, ppid))
        assert process.pid == pid
        if what == "exec":
            table.executed(process, f"label {pid}", (1, 1))
            assert table.of(head(pid, start, ppid)).label == f"label {pid}"
        assert len(table) <= 4
        assert len(process.ancestry) <= MAX_ANCESTRY
