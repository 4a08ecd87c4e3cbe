"""Peers and the SPIFFE-style names their certificates carry. Text in, types out; no cryptography here.

A sidecar is `spiffe://inscope.local/[cluster/C/]workload/NAMESPACE/KIND/NAME/instance/ID`, an operator
`spiffe://inscope.local/operator/NAME`. The alphabet of every part is that of a SPIFFE path segment: nothing is
escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from inscope.workload import Instance, InstanceId, InvalidWorkloadError, Workload

TRUST_DOMAIN = "inscope.local"
_PREFIX = f"spiffe://{TRUST_DOMAIN}/"
_SEGMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")


class UnknownPeerError(Exception):
    """The certificate (or its absence) identifies nobody we know: the caller is at fault."""


@dataclass(frozen=True, slots=True)
class SidecarPeer:
    """A sidecar, speaking for one instance and nothing else."""

    instance: Instance


@dataclass(frozen=True, slots=True)
class OperatorPeer:
    """A person or a script. `name` goes into the audit trail."""

    name: str


Peer = SidecarPeer | OperatorPeer


def uri_of(peer: Peer) -> str:
    """The URI that a certificate for `peer` carries.

    Raises:
        ValueError: the instance id or the operator's name has characters that a path segment cannot hold.
    """
    match peer:
        case SidecarPeer(Instance(instance_id, workload)):
            cluster = f"cluster/{workload.cluster}/" if workload.cluster else ""
            owner = f"workload/{workload.namespace}/{workload.kind}/{workload.name}"
            return f"{_PREFIX}{cluster}{owner}/instance/{segment(instance_id)}"
        case OperatorPeer(name):
            return f"{_PREFIX}operator/{segment(name)}"


def peer_from_uri(uri: str) -> Peer:
    """Read a certificate's URI back.

    Raises:
        UnknownPeerError: it is not one that `uri_of` writes.
    """
    if not uri.startswith(_PREFIX):
        raise UnknownPeerError(f"the certificate's identity is not of {TRUST_DOMAIN}: {uri[:200]!r}")
    try:
        return _peer(uri.removeprefix(_PREFIX).split("/"))
    except (InvalidWorkloadError, ValueError) as error:
        raise UnknownPeerError(
            f"the certificate's identity is neither a sidecar nor an operator: {uri[:200]!r}"
        ) from error


def _peer(parts: list[str]) -> Peer:
    match parts:
        case ["operator", name]:
            return OperatorPeer(segment(name))
        case ["workload", namespace, kind, name, "instance", instance]:
            return _sidecar(Workload(namespace, kind, name), instance)
        case ["cluster", cluster, "workload", namespace, kind, name, "instance", instance] if cluster:
            return _sidecar(Workload(namespace, kind, name, cluster), instance)
        case _:
            raise ValueError(parts)


def _sidecar(workload: Workload, instance: str) -> SidecarPeer:
    return SidecarPeer(Instance(InstanceId(segment(instance)), workload))


def segment(text: str) -> str:
    """`text`, if it can stand in a SPIFFE path as it is.

    Raises:
        ValueError: it cannot.
    """
    if not _SEGMENT.match(text):
        raise ValueError(f"not a name of A-Za-z0-9._- (at most 253, ends in a letter or digit): {text[:80]!r}")
    return text
