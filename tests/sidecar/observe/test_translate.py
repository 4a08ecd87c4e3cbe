"""What is translated in one step, and that no record breaks the translator."""

from __future__ import annotations

import os

from hypothesis import given, settings
from hypothesis import strategies as st

from inscope.behaviour import (
    Access,
    Open,
    Syscall,
)
from inscope.capability import CapabilityKind
from inscope.verdict import Verdict
from sidecar.observe.actors import INIT_LABEL
from sidecar.observe.bodies import Counters
from sidecar.observe.decode import decode
from sidecar.observe.drafts import Draft
from sidecar.observe.facts import Ended
from sidecar.observe.kinds import Flag, Kind
from sidecar.observe.protocol import MalformedPacketError
from sidecar.observe.records import descriptor_of
from tests.sidecar.observe.fake_init import (
    WALL_NS,
    bye_message,
    call_body,
    counters_body,
    message,
    open_message,
)
from tests.sidecar.observe.transcript import Transcript


async def test_rare_calls() -> None:
    transcript = Transcript()
    packets = [
        message(Kind.SYSCALL, "call", call_body(101, 16, 1234)),
        message(Kind.SYSCALL, "call", call_body(26, 16, arch=0x40000003), flags=Flag.FOREIGN),
        message(Kind.SYSCALL, "call", call_body(425, 8), flags=Flag.DENIED),
        message(Kind.SYSCALL, "call", call_body(62, 1, 9), flags=Flag.DENIED | Flag.GUARD),
        message(Kind.SYSCALL, "call", call_body(101, 0x4206, 1), flags=Flag.GUARD),
    ]
    facts = [fact for packet in packets for fact in transcript.facts(packet)]
    assert [(fact.observation.behaviour, fact.observation.verdict) for fact in facts if isinstance(fact, Draft)] == [
        (Syscall("ptrace", "ATTACH", INIT_LABEL), Verdict.ALLOW),
        (Syscall("ptrace", "i386 ATTACH", INIT_LABEL), Verdict.ALLOW),
        (Syscall("io_uring_setup", "", INIT_LABEL), Verdict.DENY),
        (Syscall("kill", "at inscope", INIT_LABEL), Verdict.DENY),
        (Syscall("ptrace", "SEIZE at inscope", INIT_LABEL), Verdict.ALLOW),
    ]


async def test_numbers_are_those_of_inits_machine() -> None:
    transcript = Transcript(machine=183)
    (found,) = await transcript.behaviours(message(Kind.SYSCALL, "call", call_body(117, 16, arch=0)))
    assert found == Syscall("ptrace", "ATTACH", INIT_LABEL)


def test_counters_survey_exit_and_the_end() -> None:
    transcript = Transcript()
    (counters,) = transcript.facts(message(Kind.COUNTERS, "counters", counters_body(traps=9)))
    assert isinstance(counters, Counters)
    assert counters.traps == 9
    (ports,) = transcript.facts(message(Kind.SURVEY, "survey", (6, 1, 1, 1), [b"1024-65535"]))
    assert getattr(ports, "kind", None) is CapabilityKind.PORTS
    assert transcript.facts(message(Kind.EXIT, "exit", (0,))) == ()
    assert transcript.facts(bye_message(256)) == (Ended(256),)


async def test_paths_that_are_not_text_are_escaped() -> None:
    (found,) = await Transcript().behaviours(open_message(b"/a\xff\x1b[2J.py", os.O_WRONLY))
    assert found == Open(r"/a\xff\x1b[2J.py", Access.WRITE, INIT_LABEL)


async def test_the_longest_names_are_cut() -> None:
    (found,) = await Transcript().behaviours(open_message(b"/" + b"\xff" * 4091 + b".py", os.O_WRONLY))
    assert isinstance(found, Open)
    assert len(found.path) == 1024


BODIES = {
    Kind.EXEC: "file",
    Kind.IMAGE: "file",
    Kind.LOAD: "file",
    Kind.CODE_MEMORY: "call",
    Kind.OPEN: "open",
    Kind.CONNECT: "address",
    Kind.BIND: "address",
    Kind.LISTEN: "address",
    Kind.SYSCALL: "call",
    Kind.EXIT: "exit",
    Kind.COUNTERS: "counters",
    Kind.SURVEY: "survey",
    Kind.BYE: "exit",
}
STRINGS = st.lists(st.binary(max_size=20).filter(lambda text: b"\0" not in text), max_size=3)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(sorted(BODIES)), st.binary(min_size=240, max_size=240), STRINGS), max_size=6))
def test_no_record_that_decodes_breaks_the_translator(parts: list[tuple[Kind, bytes, list[bytes]]]) -> None:
    from sidecar.observe.header import HEADER

    transcript = Transcript()
    for kind, noise, strings in parts:
        codec = HEADER.structs[BODIES[Kind(kind)]].codec
        body = codec.unpack(noise[: codec.size])
        packed = message(
            kind, BODIES[Kind(kind)], body, strings, flags=noise[0] & 0b111110, pid=noise[1], ppid=noise[2]
        )
        try:
            (decoded,) = decode(packed)
        except MalformedPacketError:
            continue
        assert descriptor_of(decoded) == -1
        for fact in transcript.translator.translate(decoded):
            if isinstance(fact, Draft):
                assert fact.observation.time <= WALL_NS / 1e9
