"""What an entry's text says can be read back from it."""

from __future__ import annotations

import pytest
from hypothesis import given

from inscope.behaviour import (
    OWN_LISTENER,
    Behaviour,
    Contradiction,
    Exec,
    Listen,
    Load,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.entry_text import (
    CallText,
    ContradictionText,
    DestinationText,
    ListenerText,
    ProgramText,
    destination_value,
    program_value,
    read_call,
    read_contradiction,
    read_destination,
    read_generated,
    read_listener,
    read_program,
    read_sides,
)
from inscope.reference import binary_sha256, entries_of
from tests.strategies import behaviours

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("program", "read"),
    [
        (Program("/bin/a b", A), ProgramText(A, "/bin/a b")),
        (Program("/bin/a", ""), ProgramText("", "/bin/a")),
        (
            Program("/bin/py", A, Script(ScriptOrigin.FILE, "/x + y.py", B)),
            ProgramText(A, "/bin/py", True, B, "/x + y.py"),
        ),
        (Program("/bin/py", A, Script(ScriptOrigin.INLINE, "-c", "")), ProgramText("", "/bin/py", True, "", "-c")),
        (Program("/a + b", A), ProgramText(A, "/a + b")),
    ],
)
def test_programs_are_read_back(program: Program, read: ProgramText) -> None:
    assert read_program(program_value(program)) == read


@pytest.mark.parametrize(
    ("host", "port", "protocol"),
    [
        (OWN_LISTENER, 0, Protocol.TCP),
        ("h.example", 443, Protocol.TCP),
        ("::1", 53, Protocol.UDP),
        ("/run/x.sock", 0, Protocol.UNIX),
    ],
)
def test_destinations_are_read_back(host: str, port: int, protocol: Protocol) -> None:
    assert read_destination(destination_value(host, port, protocol)) == DestinationText(host, port, protocol)


def test_the_other_entries_are_read_back() -> None:
    def value(act: Behaviour) -> str:
        return entries_of(act)[-1].value

    assert read_sides(value(Exec(Program("/bin/x", A), ""))) == ("?", "/bin/x")
    assert read_generated(value(Load("/tmp/jit/x.so", A, "/p", "gcc → ld"))) == ("gcc → ld", "/tmp/jit")
    assert read_generated(value(Load("/x.so", A, "/p", "gcc"))) == ("gcc", "/")
    assert read_listener(value(Listen("::", 80, Protocol.TCP, "/p"))) == ListenerText(80, Protocol.TCP)
    assert read_call(value(Syscall("ptrace", "ATTACH", "/a → b"))) == CallText("/a → b", "ptrace", "ATTACH")
    assert read_contradiction(value(Contradiction("/x", "/y", "/p"))) == ContradictionText("/p", "/x", "/y")


@pytest.mark.parametrize("text", ["", "x", "h:port/tcp", "h:1/sctp", "1/2/3"])
def test_what_is_no_destination_or_listener_is_none(text: str) -> None:
    assert (read_destination(text), read_listener(text)) == (None, None)


def test_only_the_inventorys_binaries_have_a_hash() -> None:
    acts = (
        Exec(Program("/x", A), "/p"),
        Load("/l", B, "/p"),
        Load("/l", "", "/p"),
        Syscall("bpf", "", "/p"),
    )
    assert [binary_sha256(entry) for act in acts for entry in entries_of(act)] == [A, "", B, "", ""]


@given(behaviours)
def test_no_entry_is_too_strange_to_read(act: Behaviour) -> None:
    for entry in entries_of(act):
        for read in (read_program, read_sides, read_generated, read_destination, read_listener, read_call):
            read(entry.value)
        read_contradiction(entry.value)
