"""How this Python starts another one for a module of ours: the same interpreter, the same flags, the same path."""

from __future__ import annotations

import sys


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line of `python -m MODULE ARGUMENTS`."""
    flags = ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    if sys.flags.safe_path:
        flags.append("-P")
    return [sys.executable, *flags, "-m", module, *arguments]
