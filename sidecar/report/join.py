"""The join file: what a sidecar is told before it has an identity. Written 0600 by whoever starts it, used once."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from inscope.containment import Containment
from inscope.mode import Mode
from inscope.workload import InstanceId, InvalidWorkloadError, Workload

MAX_BYTES = 256 << 10
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")


class JoinError(Exception):
    """The file is not a join file: the fault of whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Join:
    """Where the control plane is, how to know it, and the token that buys one certificate.

    `mode` and `containment` are the workload's when the run was announced: what holds until the control plane has
    spoken.
    """

    token: str
    host: str
    enrolment_port: int
    stream_port: int
    trust_bundle_pem: bytes
    server_name: str
    instance: InstanceId
    workload: Workload
    mode: Mode = Mode.OBSERVE
    containment: Containment = Containment.FREE

    def at(self, host: str) -> Join:
        """The same control plane, reached at another host."""
        return replace(self, host=host) if host else self


def read_join(path: Path) -> Join:
    """Read and check a join file.

    Raises:
        JoinError: it is missing, unreadable, or not one.
    """
    try:
        with path.open("rb") as stream:
            fields = json.loads(stream.read(MAX_BYTES))
        return _join(fields)
    except OSError as error:
        raise JoinError(f"the join file cannot be read: {error}") from error
    except (ValueError, KeyError, TypeError, InvalidWorkloadError) as error:
        raise JoinError(f"{path} is not a join file: {type(error).__name__}: {error}") from error


def _join(fields: Any) -> Join:
    instance = _text(fields["instance"])
    if not _INSTANCE.match(instance):
        raise ValueError(f"instance {instance[:40]!r} cannot name a folder")
    return Join(
        _text(fields["token"]),
        _text(fields["host"]),
        _port(fields["enrolment_port"]),
        _port(fields["stream_port"]),
        _text(fields["trust_bundle_pem"]).encode(),
        _text(fields["server_name"]),
        InstanceId(instance),
        Workload.parse(_text(fields["workload"])),
        Mode(fields.get("mode", Mode.OBSERVE)),
        Containment(fields.get("containment", Containment.FREE)),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"expected text, got {value!r:.40}")
    return value


def _port(value: object) -> int:
    if not isinstance(value, int) or not 0 < value < 65_536:
        raise TypeError(f"expected a port, got {value!r:.40}")
    return value
