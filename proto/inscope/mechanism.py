"""What enforce cannot do without, of the mechanisms that init tries: without one of each row nothing is prevented, and
enforce is refused. Names are init's own, as `inscope-init --check` prints them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """One of `either` has to work; where none does, enforce lacks what `lack` says."""

    either: frozenset[str]
    lack: str


NEEDED_TO_ENFORCE = (
    Need(frozenset({"notify"}), "system calls cannot be held (seccomp user notification, Linux 5.5)"),
    Need(frozenset({"vm-read", "proc-mem"}), "arguments cannot be read (process_vm_readv or /proc/PID/mem)"),
    Need(frozenset({"addfd"}), "no descriptor can be put into the agent (SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9)"),
    Need(
        frozenset({"addfd-send", "pidfd-getfd"}),
        "no socket can be acted on (ADDFD with SEND, Linux 5.14, or pidfd_getfd, 5.6)",
    ),
    Need(frozenset({"ptrace-seize"}), "no program can be stopped before it runs (ptrace of one's own children)"),
)


def lacking(works: Collection[str]) -> list[Need]:
    """What enforce lacks where only the mechanisms named in `works` do their work; empty where it holds."""
    return [need for need in NEEDED_TO_ENFORCE if not need.either.intersection(works)]
