"""What TLS proved about a caller → `Peer`. Messages never say who somebody is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from controlplane.pki.identity import Peer, UnknownPeerError, peer_from_uri


def peer_of(auth_context: Mapping[str, Iterable[bytes]]) -> Peer:
    """The peer of a connection whose client certificate TLS has already verified against our CA.

    `auth_context` is gRPC's: its `peer_spiffe_id` is there only when the certificate has exactly one URI and that URI
    is a well-formed SPIFFE id.

    Raises:
        UnknownPeerError: no client certificate, or one that names neither a sidecar nor an operator.
    """
    match list(auth_context.get("peer_spiffe_id", ())):
        case [identity]:
            return peer_from_uri(identity.decode("utf-8", "replace"))
        case _ if any(True for _ in auth_context.get("x509_pem_cert", ())):
            raise UnknownPeerError("the client certificate carries no inscope identity")
        case _:
            raise UnknownPeerError("there is no client certificate")
