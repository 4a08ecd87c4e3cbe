"""What `check` makes of what inscope-init found, and of its own probes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.cli.__main__ import main
from controlplane.cli.commands.check import why_not_enforce
from controlplane.cli.probes import InitCheckError, Mechanism, init_mechanisms, memory_mechanism, python_mechanisms
from sidecar.observe import enforceable
from sidecar.observe.header import HEADER

FIELDS = {"detail": "works", "minimum_kernel": "5.0", "lost_without": "something"}


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "inscope-init"
    monkeypatch.setenv("INSCOPE_INIT", str(path))
    return path


def answers(init: Path, *lines: str) -> None:
    init.write_text("#!/bin/sh\ncat <<'END'\n" + "\n".join(lines) + "\nEND\n")
    init.chmod(0o755)


def found(**works: bool) -> list[str]:
    names = {name.replace("_", "-"): value for name, value in works.items()}
    return [json.dumps({"mechanism": name, "works": value, **FIELDS}) for name, value in names.items()]


def checked(state: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict]]:
    status = main(["check", "--state", str(state), "-o", "json"])
    return status, {each["mechanism"]: each for each in json.loads(capsys.readouterr().out)}


def test_observe_works_when_all_that_it_needs_works(
    init: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(init, *found(notify=True, vm_read=False, proc_mem=True, proc=True, landlock=False))
    status, mechanisms = checked(tmp_path / "state", capsys)
    assert status == 0
    assert (mechanisms["landlock"]["works"], mechanisms["landlock"]["needed"]) == (False, False)
    assert mechanisms["memory"]["detail"] == "by proc-mem"


@pytest.mark.parametrize("lacking", ["notify", "proc"])
def test_observe_does_not_work_without(
    init: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lacking: str
) -> None:
    answers(init, *found(**{**dict.fromkeys(("notify", "vm_read", "proc"), True), lacking: False}))
    status, mechanisms = checked(tmp_path / "state", capsys)
    assert status == 1
    assert mechanisms[lacking]["needed"]
    main(["check", "--state", str(tmp_path / "state")])
    assert "Observe does not work here" in capsys.readouterr().out


def test_a_mechanism_that_was_not_tried_does_not_count_as_working(
    init: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(init, *found(vm_read=True, proc=True))
    assert checked(tmp_path / "state", capsys)[0] == 1


@pytest.mark.parametrize("line", ["no json", "[]", '{"mechanism": "notify"}', '"text"', "3"])
def test_what_is_no_answer_of_inits_is_said(
    init: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    answers(init, line)
    with pytest.raises(InitCheckError):
        init_mechanisms(init)
    status, mechanisms = checked(tmp_path / "state", capsys)
    assert status == 1
    assert "not its answer" in mechanisms["inscope-init"]["detail"]


def test_without_memory_reads_nothing_can_be_observed() -> None:
    refused = [Mechanism("vm-read", False, "", "", ""), Mechanism("proc-mem", False, "", "", "")]
    assert not memory_mechanism(refused).works


ENFORCING = ("notify", "vm_read", "proc_mem", "addfd", "addfd_send", "pidfd_getfd", "ptrace_seize")


def verdict(capsys: pytest.CaptureFixture[str], state: Path) -> str:
    main(["check", "--state", str(state)])
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("lacking", [(), ("vm_read",), ("addfd_send",), ("pidfd_getfd",)])
def test_enforce_works_with_one_of_each(
    init: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lacking: tuple[str, ...]
) -> None:
    works = {name: name not in lacking for name in ENFORCING}
    answers(init, *found(proc=True, **works))
    assert "Observe, detect and enforce work here." in verdict(capsys, tmp_path)


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (("ptrace_seize",), "ptrace-seize"),
        (("addfd_send", "pidfd_getfd"), "addfd-send or pidfd-getfd"),
        (("addfd", "ptrace_seize"), "addfd, ptrace-seize"),
    ],
)
def test_what_enforce_lacks_is_named(
    init: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lacking: tuple[str, ...], said: str
) -> None:
    works = {name: name not in lacking for name in ENFORCING}
    answers(init, *found(proc=True, **works))
    assert f"Enforce is refused here: it lacks {said}." in verdict(capsys, tmp_path)


@given(works=st.sets(st.sampled_from(ENFORCING)))
def test_check_and_the_sidecar_agree_on_where_enforce_holds(works: set[str]) -> None:
    names = {name.replace("_", "-") for name in works}
    listed = [Mechanism(name, True, "", "", "") for name in names]
    bits = sum(HEADER.enums["mechanism"][f"M_{name.upper()}"] for name in works)
    assert bool(why_not_enforce(listed)) == bool(enforceable.why_not_enforce(bits))


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    probed = {each.mechanism: each for each in python_mechanisms(tmp_path / "file")}
    assert not probed["state-folder"].works
    assert probed["sqlite"].works
