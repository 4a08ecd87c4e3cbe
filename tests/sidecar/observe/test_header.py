"""protocol.h and syscalls.def as Python reads them."""

from __future__ import annotations

import pytest

from sidecar.observe import kinds
from sidecar.observe.header import HEADER, TRAPS, HeaderError, parse_header, parse_traps


def test_reads_constants_enums_and_structs() -> None:
    header = parse_header(
        """
        /* #define INSCOPE_OLD 9 */
        #define INSCOPE_SIZE 0x10
        enum inscope_kind { INSCOPE_A = 1, /* no */ INSCOPE_B = 20 };
        struct inscope_x { uint16_t a; uint8_t raw[3]; uint64_t args[2]; };
        """.replace("        ", "")
    )
    assert header.constants == {"SIZE": 16}
    assert header.enums == {"kind": {"A": 1, "B": 20}}
    assert header.structs["x"].fields == ("a", "raw", "args0", "args1")
    assert header.structs["x"].codec.size == 2 + 3 + 16


def test_a_type_outside_the_dialect_is_an_error() -> None:
    with pytest.raises(HeaderError, match="size_t"):
        parse_header("struct inscope_x { size_t a; };")


def test_reads_traps() -> None:
    assert [(trap.call, trap.filter, trap.decoder) for trap in parse_traps("TRAP(mmap, MASK, 2, 0x4, MAP)\n")] == [
        ("mmap", "MASK", "MAP")
    ]
    assert {trap.call for trap in TRAPS} >= {"execve", "connect", "openat", "io_uring_setup"}


@pytest.mark.parametrize(
    ("enum", "python", "prefix"),
    [
        ("kind", kinds.Kind, ""),
        ("flag", kinds.Flag, ""),
        ("level", kinds.Level, ""),
        ("survey_kind", kinds.SurveyKind, "SURVEY_"),
    ],
)
def test_the_enums_are_the_headers(enum: str, python: type[kinds.Kind], prefix: str) -> None:
    assert {prefix + member.name: int(member) for member in python} == dict(HEADER.enums[enum])
