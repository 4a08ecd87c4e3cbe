"""The key and certificate of one instance, kept 0600 in its folder so that a restarted sidecar needs no new token."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """`certificate_pem` is the leaf, then the CA; `not_after` seconds since the epoch."""

    key_pem: bytes
    certificate_pem: bytes
    trust_bundle_pem: bytes
    not_after: float
    instance: str


def load_credentials(path: Path, instance: str) -> Credentials | None:
    """What was kept for `instance`; None where there is nothing usable, and a new enrolment is needed."""
    try:
        fields = json.loads(path.read_bytes())
        kept = Credentials(
            fields["key"].encode(),
            fields["certificate"].encode(),
            fields["trust_bundle"].encode(),
            float(fields["not_after"]),
            fields["instance"],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return kept if kept.instance == instance else None


def save_credentials(path: Path, credentials: Credentials) -> None:
    """Keep them, whole or not at all.

    Raises:
        OSError: the disk does not take them; they still work for the life of this process.
    """
    fields = {
        "key": credentials.key_pem.decode(),
        "certificate": credentials.certificate_pem.decode(),
        "trust_bundle": credentials.trust_bundle_pem.decode(),
        "not_after": credentials.not_after,
        "instance": credentials.instance,
    }
    new = path.with_suffix(".new")
    with suppress(FileNotFoundError):
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump(fields, stream)
    new.rename(path)
