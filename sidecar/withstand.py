"""What the sidecar does for itself against an agent of the same user that can name it.

Where init enforces it refuses what is aimed at the sidecar; these hold in every mode, and for those ways of sending a
signal that no filter sees.
"""

from __future__ import annotations

import ctypes
import signal

_PR_SET_DUMPABLE = 4
"""linux/prctl.h"""

_HEEDED = frozenset(
    {
        *(signal.SIGTERM, signal.SIGINT, signal.SIGCHLD),
        *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS),
    }
)
"""What ends a sidecar that is told to end, tells it of its workers, or is its own fault."""


def block_signals() -> None:
    """Before the first thread and the first worker, which inherit it: all signals wait for ever that nobody has a
    reason to send. SIGKILL and SIGSTOP cannot be blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - _HEEDED)


def hide() -> None:
    """The memory, descriptors and environment are nobody else's of this user: they cannot be read, written or traced.

    Raises:
        OSError: the kernel refused, which it has no reason to.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "PR_SET_DUMPABLE")
