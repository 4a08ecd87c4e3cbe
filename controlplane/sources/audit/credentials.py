"""Who may post audit events: whoever shows a token that was given out, or a certificate of a name that may. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

MIN_TOKEN = 16
"""Characters of a token: fewer can be tried out."""


class Admission(Enum):
    """What becomes of a request, before anything of its body is read."""

    ADMITTED = "admitted"
    UNKNOWN = "unknown"
    """Nothing was shown, or nothing that is known: 401."""
    REFUSED = "refused"
    """A certificate of the right authority, of a name that may not post: 403."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """`tokens` are digests, see `credentials_of`. `names` are common names of certificates that the given authority
    signed; none: every certificate of it, where `certificates` is set.
    """

    tokens: tuple[bytes, ...] = ()
    certificates: bool = False
    names: frozenset[str] = frozenset()

    def admit(self, authorization: bytes, certificate: Mapping[str, object] | None) -> Admission:
        """`certificate` is what TLS verified, as `SSLSocket.getpeercert` has it; None or empty where none was shown."""
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() == b"bearer" and self._knows(token.strip()):
            return Admission.ADMITTED
        if not self.certificates or not certificate:
            return Admission.UNKNOWN
        return Admission.ADMITTED if not self.names or self.names & _names(certificate) else Admission.REFUSED

    def _knows(self, token: bytes) -> bool:
        """In the same time whichever it is, and however much of it is right."""
        shown = hashlib.sha256(token).digest()
        return bool(sum(hmac.compare_digest(shown, known) for known in self.tokens))


def credentials_of(tokens: Iterable[str] = (), certificates: bool = False, names: Iterable[str] = ()) -> Credentials:
    """Several tokens, so that they can be exchanged without a gap.

    Raises:
        ValueError: nobody could ever post, or a token is too short.
    """
    known = tuple(tokens)
    if any(len(token) < MIN_TOKEN for token in known):
        raise ValueError(f"a token for audit events has at least {MIN_TOKEN} characters")
    if not known and not certificates:
        raise ValueError("audit events need a token or an authority of client certificates: nobody could post them")
    digests = tuple(hashlib.sha256(token.encode()).digest() for token in known)
    return Credentials(digests, certificates, frozenset(names))


def _names(certificate: Mapping[str, object]) -> frozenset[str]:
    subject = certificate.get("subject")
    names = subject if isinstance(subject, tuple) else ()
    return frozenset(str(value) for rdn in names for key, value in rdn if key == "commonName")
