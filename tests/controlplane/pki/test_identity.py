"""Names in certificates: what is written is read back, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.pki.identity import OperatorPeer, Peer, SidecarPeer, UnknownPeerError, peer_from_uri, uri_of
from controlplane.pki.peer import peer_of
from inscope.workload import Instance, InstanceId, Workload

PARTS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,30}[A-Za-z0-9])?", fullmatch=True)
SIDECARS = st.builds(
    lambda namespace, kind, name, cluster, instance: SidecarPeer(
        Instance(InstanceId(instance), Workload(namespace, kind, name, cluster))
    ),
    PARTS,
    PARTS,
    PARTS,
    st.just("") | PARTS,
    PARTS,
)


@given(SIDECARS | PARTS.map(OperatorPeer))
def test_what_is_written_is_read_back(peer: Peer) -> None:
    assert peer_from_uri(uri_of(peer)) == peer


@given(st.text() | st.text().map(lambda tail: f"spiffe://inscope.local/{tail}"))
def test_any_other_text_is_nobody_or_reads_back_the_same(uri: str) -> None:
    try:
        peer = peer_from_uri(uri)
    except UnknownPeerError:
        return
    assert uri_of(peer) == uri


@pytest.mark.parametrize(
    "uri",
    [
        "spiffe://elsewhere.example/operator/root",
        "spiffe://inscope.local/operator/",
        "spiffe://inscope.local/operator/a/b",
        "spiffe://inscope.local/workload/ns/Deployment/x/instance/..",
        "spiffe://inscope.local/cluster//workload/ns/Deployment/x/instance/i",
        "spiffe://inscope.local/workload/ns/Deployment/x",
        "https://inscope.local/operator/root",
    ],
)
def test_near_misses_are_nobody(uri: str) -> None:
    with pytest.raises(UnknownPeerError):
        peer_from_uri(uri)


def test_an_instance_id_cannot_add_path_segments() -> None:
    forged = SidecarPeer(Instance(InstanceId("x/instance/y"), Workload("local", "Process", "t")))
    with pytest.raises(ValueError):
        uri_of(forged)


@pytest.mark.parametrize(
    ("context", "why"),
    [
        ({}, "no client certificate"),
        ({"x509_pem_cert": [b"-----BEGIN CERTIFICATE-----"]}, "no inscope identity"),
        (
            {"x509_pem_cert": [b"x"], "peer_spiffe_id": [b"spiffe://inscope.local/operator/a"] * 2},
            "no inscope identity",
        ),
        ({"x509_common_name": [b"spiffe://inscope.local/operator/a"]}, "no client certificate"),
        ({"peer_spiffe_id": [b"spiffe://inscope.local/\xff"]}, "neither a sidecar nor an operator"),
    ],
)
def test_without_a_proven_identity_there_is_no_peer(context: dict[str, list[bytes]], why: str) -> None:
    with pytest.raises(UnknownPeerError, match=why):
        peer_of(context)


def test_the_peer_is_who_tls_says() -> None:
    assert peer_of({"peer_spiffe_id": [b"spiffe://inscope.local/operator/ada"]}) == OperatorPeer("ada")
