"""The last good reference on disk, so that a sidecar that starts anew judges, and contains, as the one before it did.

Only what denies is kept: in observe and detect a sidecar without a reference costs nothing but an alert's promptness.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from google.protobuf.message import DecodeError

from inscope.codec import CodecError, containment_to_wire, entry_to_wire, mode_to_wire, version_to_wire
from inscope.codec.stream import lapse_to_wire
from inscope.containment import Containment
from inscope.mode import Mode
from inscope.v1 import sidecar_pb2 as pb
from sidecar.judge.local import NOTHING_YET, LocalReference
from sidecar.report.pushed_reference import reference_from_wire

MAX_BYTES = 64 << 20
"""More than the largest reference that is taken."""


class KeptReference:
    """One file, private to its owner. `log` takes one line for an operator."""

    def __init__(self, path: Path, log: Callable[[str], None]) -> None:
        self._path = path
        self._log = log

    def keep(self, reference: LocalReference) -> None:
        """Replace what is kept. A disk that does not take it costs what a restart then has to wait for, and is said."""
        try:
            if denies(reference):
                self._write(_to_wire(reference).SerializeToString())
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            self._log(f"the reference in force cannot be kept for the next sidecar: {error}")

    def load(self) -> LocalReference | None:
        """What is kept; None where nothing is, or nothing that can be read."""
        try:
            with self._path.open("rb") as file:
                return _from_wire(file.read(MAX_BYTES))
        except FileNotFoundError:
            return None
        except (OSError, CodecError, DecodeError) as error:
            self._log(
                f"the reference of the sidecar before cannot be read, the control plane will say it again: {error}"
            )
            return None

    def _write(self, content: bytes) -> None:
        new = self._path.with_suffix(".new")
        with suppress(FileNotFoundError):
            new.unlink()
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.rename(self._path)


def denies(reference: LocalReference) -> bool:
    """Whether anything is prevented by it."""
    return reference.mode is Mode.ENFORCE or reference.containment is not Containment.FREE


def _to_wire(reference: LocalReference) -> pb.ReferencePush:
    return pb.ReferencePush(
        mode=mode_to_wire(reference.mode),
        versions=[version_to_wire(version) for version in reference.versions],
        entries=[entry_to_wire(entry) for entry in sorted(reference.entries)],
        containment=containment_to_wire(reference.containment),
        ttl=reference.ttl,
        on_lapse=lapse_to_wire(reference.on_lapse),
    )


def _from_wire(content: bytes) -> LocalReference:
    wire = pb.ReferencePush()
    wire.ParseFromString(content)
    return reference_from_wire(NOTHING_YET, wire)
