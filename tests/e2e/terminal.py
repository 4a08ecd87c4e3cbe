"""A terminal to type into: a pty with a process that has it as its controlling terminal."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

SECONDS = 20.0


class Terminal:
    """Type, and wait for what must appear. Everything that ever appeared is in `screen`."""

    def __init__(self, command: Sequence[str], **options: Any) -> None:
        self._master, slave = os.openpty()
        self.screen = ""
        self._seen = 0
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **options,
        )
        os.close(slave)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._master)
        self.process.kill()
        self.process.wait()

    def type(self, text: str) -> None:
        """Press keys: `\\x03` is Ctrl-C, `\\x1a` Ctrl-Z."""
        os.write(self._master, text.encode())

    def expect(self, text: str) -> None:
        """Wait until `text` appears after what was expected last."""
        deadline = time.monotonic() + SECONDS
        while text not in self.screen[self._seen :]:
            left = deadline - time.monotonic()
            assert left > 0, (
                f"{text!r} did not appear after {self.screen[: self._seen]!r}: {self.screen[self._seen :]!r}"
            )
            if select.select([self._master], [], [], left)[0]:
                self.screen += os.read(self._master, 65536).decode(errors="replace")
        self._seen = self.screen.index(text, self._seen) + len(text)

    def foreground(self) -> int:
        """The process group that the keys go to."""
        return os.tcgetpgrp(self._master)
