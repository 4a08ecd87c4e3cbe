"""Ways to start inscope-init: as whom, under what."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bypass.attack import Room
from tests.bypass.compiled import Compiled
from tests.bypass.watched import Launch

NOBODY = 65534
CONTAINER_USER = 10001

_SETPRIV = (
    *("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
    *("--no-new-privs", "--bounding-set", "-all", "--"),
)


def unavailable(room: Room) -> str:
    """Why there is no such room on this machine; empty where there is."""
    if os.geteuid() != 0:
        return "becoming another user, and runc, need root"
    if room is Room.RUNC and shutil.which("runc") is None:
        return "runc is not installed"
    return ""


def launcher(room: Room, folder: Path, compiled: Compiled) -> Launch:
    """How to start a command in a room; `folder` is the arena's."""
    match room:
        case Room.ROOT:
            return lambda command, environment: command
        case Room.USER:
            return lambda command, environment: [*_SETPRIV, *command]
        case Room.FILTERED:
            outer = shutil.copy(compiled.target("outer"), folder / "outer")
            return lambda command, environment: [*_SETPRIV, str(outer), *command]
        case Room.RUNC:
            return _Bundle(folder, Path(shutil.copy(compiled.target("outer"), folder / "outer"))).launch


class _Bundle:
    """A container made of this machine's own files, read-only, with the restricted settings of PodSecurity.

    Its seccomp filter is installed by `outer`, in the container: what runc's own would deny, without its libseccomp.
    The network is the machine's: the listeners are there.
    """

    def __init__(self, folder: Path, outer: Path) -> None:
        self._folder = folder
        self._outer = outer
        self._bundle = folder.with_name(f"{folder.name}-bundle")
        self._count = 0
        for name in ("usr", "etc", "proc", "dev", "tmp", str(folder).lstrip("/")):
            (self._bundle / "rootfs" / name).mkdir(parents=True, exist_ok=True)
        for name in ("bin", "lib", "lib64", "sbin"):
            (self._bundle / "rootfs" / name).symlink_to(f"usr/{name}")

    def launch(self, command: Sequence[str], environment: Mapping[str, str]) -> Sequence[str]:
        init = shutil.copy(command[0], self._folder / "inscope-init")
        inside = [str(self._outer), str(init), *command[1:]]
        self._count += 1
        (self._bundle / "config.json").write_text(json.dumps(self._config(inside, environment)))
        return ["runc", "run", "--bundle", str(self._bundle), f"inscope-bypass-{os.getpid()}-{self._count}"]

    def _config(self, command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
        return {
            "ociVersion": "1.0.2",
            "process": {
                "terminal": False,
                "user": {"uid": CONTAINER_USER, "gid": CONTAINER_USER},
                "args": list(command),
                "env": [f"{name}={value}" for name, value in environment.items()],
                "cwd": str(self._folder),
                "capabilities": {},
                "noNewPrivileges": True,
            },
            "root": {"path": "rootfs", "readonly": True},
            "mounts": list(self._mounts()),
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
                "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            },
        }

    def _mounts(self) -> list[dict[str, Any]]:
        def bound(path: str, *options: str) -> dict[str, Any]:
            return {"destination": path, "type": "bind", "source": path, "options": ["rbind", *options]}

        def made(path: str, kind: str, *options: str) -> dict[str, Any]:
            return {"destination": path, "type": kind, "source": kind, "options": ["nosuid", *options]}

        return [
            made("/proc", "proc", "noexec", "nodev"),
            made("/dev", "tmpfs", "mode=755", "size=65536k"),
            made("/tmp", "tmpfs", "mode=1777", "size=65536k"),
            bound("/usr", "ro"),
            bound("/etc", "ro"),
            bound(str(self._folder), "rw"),
        ]
