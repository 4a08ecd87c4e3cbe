"""What "known" means: the laws that both halves rely on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.behaviour import (
    Access,
    CodeMemory,
    Connect,
    Contradiction,
    Exec,
    Load,
    Open,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
    actor_of,
    kind_of,
    subject_of,
)
from inscope.reference import NEVER_IN_SCOPE, REFERENCE_OF, Dimension, Entry, ReferenceKind, entries_of, missing
from tests.strategies import behaviours

A, B = "a" * 64, "b" * 64


def learnable(behaviour) -> bool:
    return not any(
        entry.dimension in NEVER_IN_SCOPE or entry.value.startswith("unhashed") for entry in entries_of(behaviour)
    )


@given(behaviours)
def test_an_empty_reference_flags_everything(behaviour) -> None:
    assert missing(behaviour, frozenset()) == entries_of(behaviour) != ()


@given(behaviours.filter(learnable))
def test_a_behaviour_is_in_scope_of_what_it_needs(behaviour) -> None:
    assert missing(behaviour, frozenset(entries_of(behaviour))) == ()


@given(behaviours, st.frozensets(st.builds(Entry, st.sampled_from(Dimension), st.text(max_size=5))))
def test_a_larger_reference_never_flags_more(behaviour, more) -> None:
    needed = frozenset(entries_of(behaviour)[:1])
    assert set(missing(behaviour, needed | more)) <= set(missing(behaviour, needed))


def test_every_dimension_belongs_to_a_reference() -> None:
    assert set(REFERENCE_OF) == set(Dimension)


def test_a_label_never_decides() -> None:
    assert Entry(Dimension.LIBRARY, "sha256:x", "/lib/a.so") == Entry(Dimension.LIBRARY, "sha256:x", "/elsewhere.so")


def test_the_same_library_under_another_path_is_the_same_library() -> None:
    assert entries_of(Load("/a.so", A, "p")) == entries_of(Load("/b.so", A, "q"))


def test_one_exec_crosses_inventory_and_envelope() -> None:
    crossed = {entry.reference for entry in entries_of(Exec(Program("/bin/sh", A), "/bin/agent"))}
    assert crossed == {ReferenceKind.INVENTORY, ReferenceKind.ENVELOPE}


def test_another_script_under_a_known_interpreter_is_another_program() -> None:
    python = Program("/usr/bin/python3", A, Script(ScriptOrigin.FILE, "/app/agent.py", A))
    evil = replace(python, script=Script(ScriptOrigin.FILE, "/app/agent.py", B))
    known = frozenset(entries_of(Exec(python, "")))
    assert [entry.dimension for entry in missing(Exec(evil, ""), known)] == [Dimension.PROGRAM]


@pytest.mark.parametrize(
    "behaviour",
    [
        Exec(Program("/bin/x", ""), ""),
        Exec(Program("/usr/bin/python3", A, Script(ScriptOrigin.STDIN, "-", "")), ""),
        Load("/lib/x.so", "", "p"),
        Contradiction("/bin/true", "/bin/evil", "p"),
    ],
)
def test_what_has_no_identity_is_never_in_scope(behaviour) -> None:
    assert missing(behaviour, frozenset(entries_of(behaviour)))


def test_generated_code_is_judged_by_writer_and_folder_not_by_hash() -> None:
    known = frozenset(entries_of(Load("/cache/k1.so", A, "p", writer="/usr/bin/gcc")))
    assert not missing(Load("/cache/k2.so", B, "p", writer="/usr/bin/gcc"), known)
    assert missing(Load("/cache/k2.so", B, "p", writer="/usr/bin/python3"), known)
    assert missing(Load("/elsewhere/k2.so", B, "p", writer="/usr/bin/gcc"), known)
    assert missing(Load("/cache/k2.so", B, "p"), known)


def test_a_secret_is_known_per_reader_and_another_file_is_not() -> None:
    read = Open("/run/token", Access.READ, "/usr/bin/python3", secret=True)
    known = frozenset(entries_of(read))
    assert missing(replace(read, program="/bin/sh"), known)
    written = Open("/tmp/out", Access.WRITE, "/usr/bin/python3")
    assert not missing(replace(written, program="/bin/sh"), frozenset(entries_of(written)))


@given(behaviours)
def test_every_behaviour_has_a_kind_a_subject_and_an_actor(behaviour) -> None:
    assert kind_of(behaviour).islower()
    assert isinstance(subject_of(behaviour), str)
    assert isinstance(actor_of(behaviour), str)


def test_subjects_read_like_what_they_are() -> None:
    assert subject_of(Connect("::1", 443, Protocol.TCP, "p")) == "[::1]:443/tcp"
    assert subject_of(Connect("/run/x.sock", 0, Protocol.UNIX, "p")) == "unix:/run/x.sock"
    assert subject_of(CodeMemory("/usr/bin/node")) == "/usr/bin/node"
