"""Where this control plane can be reached: the file that tells others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from controlplane.private_file import write_private


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`STATE/endpoint.json`, there while the process serves. `started` is seconds since the epoch."""

    pid: int
    started: float
    stream: str
    enrolment: str
    socket: str
    server_name: str

    def write(self, path: Path) -> None:
        """Tell others, in one step."""
        write_private(path, (json.dumps(asdict(self), indent=1) + "\n").encode())
