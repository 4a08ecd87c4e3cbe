"""Rare calls in a few stable words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.observe.bodies import Call
from sidecar.observe.call_detail import _DETAILS, detail_of
from sidecar.observe.syscall_numbers import _NAMES


def call(*args: int) -> Call:
    return Call(0, 0, *[*args, *[0] * (6 - len(args))], 0)


@pytest.mark.parametrize(
    ("name", "args", "detail"),
    [
        ("ptrace", (16, 1234), "ATTACH"),
        ("ptrace", (0x4206, 1234), "SEIZE"),
        ("ptrace", (0xFFFFFFFF00000010, 1), "ATTACH"),
        ("ptrace", (0x9999,), "other"),
        ("prctl", (4, 0), "SET_DUMPABLE"),
        ("prctl", (35, 13), "SET_MM"),
        ("seccomp", (1, 0), "FILTER"),
        ("seccomp", (1, 8), "FILTER|NEW_LISTENER"),
        ("unshare", (0x10020000,), "NEWNS|NEWUSER"),
        ("setns", (7, 0x40000000), "NEWNET"),
        ("socket", (17, 3 | 0o2000000), "packet raw"),
        ("socket", (2, 2), "inet dgram"),
        ("socket", (38, 5), "alg seqpacket"),
        ("socket", (99, 9), "family-99 type-9"),
        ("mount", (1, 2, 3, 0x1000), "BIND"),
        ("personality", (0x0400000,), "READ_IMPLIES_EXEC"),
        ("memfd_create", (0xDEAD, 0x10), "EXEC"),
        ("setuid", (0,), "root"),
        ("setuid", (1000,), ""),
        ("setresuid", (0xFFFFFFFF, 0, 0xFFFFFFFF), "root"),
        ("setresuid", (1000, 1000, 1000), ""),
        ("sendmsg", (3, 4, 0x20000000), "MSG_FASTOPEN"),
        ("bpf", (5,), "PROG_LOAD"),
        ("process_vm_readv", (1234, 5), ""),
        ("nr999", (1, 2), ""),
    ],
)
def test_known_details(name: str, args: tuple[int, ...], detail: str) -> None:
    assert detail_of(name, call(*args)) == detail


def test_every_detail_is_of_a_call_that_is_trapped() -> None:
    assert _DETAILS.keys() <= {name for names in _NAMES.values() for name in names.values()}


@given(st.sampled_from(sorted(_DETAILS)), st.lists(st.integers(0, (1 << 64) - 1), min_size=6, max_size=6))
def test_no_arguments_break_it_or_leak_into_it(name: str, args: list[int]) -> None:
    detail = detail_of(name, call(*args))
    assert len(detail) < 120
    assert detail.isprintable()
