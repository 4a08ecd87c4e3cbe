"""What init needs of the kernel to prevent anything: without one of these, enforce would be a promise nobody keeps."""

from __future__ import annotations

from sidecar.observe.header import HEADER

_BITS = HEADER.enums["mechanism"]

_NEEDED = (
    (("M_NOTIFY",), "system calls cannot be held (seccomp user notification, Linux 5.5)"),
    (("M_VM_READ", "M_PROC_MEM"), "arguments cannot be read (process_vm_readv or /proc/PID/mem)"),
    (("M_ADDFD",), "no descriptor can be put into the agent (SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9)"),
    (("M_ADDFD_SEND", "M_PIDFD_GETFD"), "no socket can be acted on (ADDFD with SEND, Linux 5.14, or pidfd_getfd, 5.6)"),
    (("M_PTRACE_SEIZE",), "no program can be stopped before it runs (ptrace of one's own children)"),
)
"""One of each row's mechanisms has to work; else what the row says cannot be done."""


def why_not_enforce(mechanisms: int) -> str:
    """What is lacking, by the bits of a HELLO; empty where enforce holds."""
    lacking = [said for names, said in _NEEDED if not any(mechanisms & _BITS[name] for name in names)]
    return "; ".join(lacking)
