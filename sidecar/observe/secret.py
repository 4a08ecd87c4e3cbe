"""The secret of the first inscope-init that connected, kept so that no other process can pass for it later."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path


class FirstSecret:
    """Admits the first secret it is shown, and from then on only that one; also after a restart.

    `path` holds the secret's sha256, mode 0600: who can read it still cannot pass for init. It belongs to one run of
    one agent. Where it cannot be written (`complain` is told why) the secret holds for this process only.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._digest = self._load()

    def admits(self, secret: bytes) -> bool:
        """Whether a peer with this secret may connect."""
        return self._digest is None or hmac.compare_digest(self._digest, _digest(secret))

    def keep(self, secret: bytes) -> bool:
        """Bind to an admitted secret; tells whether it was bound before."""
        if self._digest is not None:
            return True
        self._digest = _digest(secret)
        self._store(self._digest)
        return False

    def _load(self) -> str | None:
        try:
            return self._path.read_text("ascii").strip()
        except FileNotFoundError:
            return None

    def _store(self, digest: str) -> None:
        draft = self._path.with_name(f"{self._path.name}.new")
        try:
            draft.unlink(missing_ok=True)
            draft.touch(0o600, exist_ok=False)
            draft.write_text(digest, "ascii")
            draft.replace(self._path)
        except OSError as error:
            self._complain(
                f"cannot keep the secret of inscope-init: {error}; a restarted sidecar would trust the first"
            )


def _digest(secret: bytes) -> str:
    return sha256(secret).hexdigest()
