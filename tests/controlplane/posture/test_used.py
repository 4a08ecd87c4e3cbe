"""Reading back from the references what was used."""

from __future__ import annotations

import pytest
from hypothesis import given

from controlplane.posture.folders import holding
from controlplane.posture.used import used
from inscope.behaviour import Behaviour, Load, Syscall
from inscope.reference import entries_of
from tests.controlplane.acts import DAILY_WORK, LABEL, PYTHON, sha
from tests.controlplane.strategies import behaviours


def test_daily_work_uses_what_it_uses() -> None:
    use = used(entry for act in DAILY_WORK for entry in entries_of(act))
    assert use.programs == {PYTHON, "/usr/bin/git"}
    assert use.binaries == {(PYTHON, sha("python")), ("/usr/bin/git", sha("git"))}
    assert len(use.scripts) == 1
    assert use.libraries == {"/lib/libz.so"}
    assert use.secrets == {"/run/secrets/password"}
    assert use.destinations == {"warehouse:8080/tcp"}
    assert use.listeners == use.calls == use.generated == set()


@given(behaviours)
def test_no_entry_is_too_strange_to_read(act: Behaviour) -> None:
    used(entries_of(act))


def test_calls_and_generated_code_are_read_by_name_and_folder() -> None:
    acts: list[Behaviour] = [Syscall("ptrace", "ATTACH", "/a → b"), Load("/tmp/jit/x.so", "", LABEL, "gcc → ld")]
    use = used(entry for act in acts for entry in entries_of(act))
    assert (use.calls, use.generated) == ({"ptrace"}, {"/tmp/jit"})


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("/tmp/x", "/tmp"), ("/tmp/a/b/c", "/tmp/a"), ("/tmpx/y", None), ("/tmp", None), ("/data/x", "/data"),
        ("relative", None), ("", None), ("/", None), ("/tmp/a", "/tmp"), ("//tmp/x", None),
    ],
)  # fmt: skip
def test_the_innermost_folder_holds_a_path(path: str, folder: str | None) -> None:
    assert holding(path, {"/tmp", "/tmp/a", "/data"}) == folder


def test_the_root_holds_every_path() -> None:
    assert holding("/any/where", {"/"}) == "/"
