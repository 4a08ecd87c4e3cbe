"""Certificates the CA signs: names, lifetimes, purposes, and the folder they live in."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from controlplane.address import SERVER_NAME
from controlplane.pki.authority import OPERATOR_LIFETIME, SIDECAR_LIFETIME, create_authority
from controlplane.pki.folder import KeyFolderError, open_authority, write_operator
from controlplane.pki.identity import OperatorPeer, SidecarPeer, uri_of
from inscope.workload import Instance, InstanceId, Workload

NOW = 1_700_000_000.0
SIDECAR = SidecarPeer(Instance(InstanceId("i-1"), Workload("prod", "Deployment", "support-agent", "eu")))


def leaf_of(chain_pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificates(chain_pem)[0]


def sidecar_leaf() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    return leaf_of(AUTHORITY.sign_peer(SIDECAR, key.public_key(), SIDECAR_LIFETIME, NOW).chain_pem)


AUTHORITY = create_authority(NOW)


def test_a_sidecars_certificate_carries_its_uri_and_nothing_else() -> None:
    leaf = sidecar_leaf()
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.UniformResourceIdentifier(uri_of(SIDECAR))]
    assert list(leaf.subject) == []


def test_a_sidecars_certificate_lives_a_day_and_began_five_minutes_ago() -> None:
    leaf = sidecar_leaf()
    now = datetime.fromtimestamp(NOW, UTC)
    assert (leaf.not_valid_before_utc, leaf.not_valid_after_utc) == (
        now - timedelta(minutes=5),
        now + timedelta(days=1),
    )


def test_a_client_certificate_cannot_stand_for_a_server() -> None:
    usage = sidecar_leaf().extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_an_independent_verifier_accepts_the_server_and_only_under_our_ca() -> None:
    leaf = leaf_of(AUTHORITY.server_credentials(["10.0.0.7", "cp.example"], NOW).chain_pem)
    when = datetime.fromtimestamp(NOW, UTC)

    def verify(authority: x509.Certificate, subject: x509.GeneralName) -> None:
        builder = PolicyBuilder().store(Store([authority])).time(when)
        builder.build_server_verifier(subject).verify(leaf, [])

    for name in (SERVER_NAME, "localhost", "cp.example"):
        verify(AUTHORITY.certificate, x509.DNSName(name))
    verify(AUTHORITY.certificate, x509.IPAddress(IPv4Address("10.0.0.7")))
    with pytest.raises(VerificationError):
        verify(create_authority(NOW).certificate, x509.DNSName(SERVER_NAME))


def test_no_certificate_outlives_the_ca() -> None:
    late = AUTHORITY.certificate.not_valid_after_utc.timestamp() - 60
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert AUTHORITY.sign_peer(SIDECAR, key, SIDECAR_LIFETIME, late).not_after == late + 60


def test_the_ca_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    first, second = open_authority(tmp_path, NOW), open_authority(tmp_path, NOW)
    assert first.bundle_pem == second.bundle_pem
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "ca").iterdir()] == [0o600]


@pytest.mark.parametrize("content", [b"", b"garbage", create_authority(NOW).bundle_pem])
def test_a_damaged_ca_is_reported_and_kept(tmp_path: Path, content: bytes) -> None:
    open_authority(tmp_path, NOW)
    (tmp_path / "ca/authority.pem").write_bytes(content)
    with pytest.raises(KeyFolderError, match=r"authority\.pem"):
        open_authority(tmp_path, NOW)
    assert (tmp_path / "ca/authority.pem").read_bytes() == content


def test_a_ca_of_mixed_parts_is_refused(tmp_path: Path) -> None:
    open_authority(tmp_path, NOW)
    key = (tmp_path / "ca/authority.pem").read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    (tmp_path / "ca/authority.pem").write_bytes(key + create_authority(NOW).bundle_pem)
    with pytest.raises(KeyFolderError, match="do not belong together"):
        open_authority(tmp_path, NOW)


def test_an_expired_ca_says_so(tmp_path: Path) -> None:
    open_authority(tmp_path, NOW)
    with pytest.raises(KeyFolderError, match="expired"):
        open_authority(tmp_path, NOW + timedelta(days=4000).total_seconds())


def test_operator_credentials_are_kept_until_half_their_life_is_over(tmp_path: Path) -> None:
    def certificate(now: float) -> bytes:
        return (write_operator(tmp_path, AUTHORITY, OperatorPeer("ada"), now) / "cert.pem").read_bytes()

    first = certificate(NOW)
    assert certificate(NOW + 0.4 * OPERATOR_LIFETIME.total_seconds()) == first
    assert certificate(NOW + 0.6 * OPERATOR_LIFETIME.total_seconds()) != first


@pytest.mark.parametrize("damaged", ["cert.pem", "key.pem", "ca.pem"])
def test_damaged_operator_credentials_are_made_anew(tmp_path: Path, damaged: str) -> None:
    folder = write_operator(tmp_path, AUTHORITY, OperatorPeer("ada"), NOW)
    (folder / damaged).write_bytes(b"garbage")
    write_operator(tmp_path, AUTHORITY, OperatorPeer("ada"), NOW)
    assert (folder / "ca.pem").read_bytes() == AUTHORITY.bundle_pem
    leaf_of((folder / "cert.pem").read_bytes()).verify_directly_issued_by(AUTHORITY.certificate)


def test_operator_credentials_are_private(tmp_path: Path) -> None:
    folder = write_operator(tmp_path, AUTHORITY, OperatorPeer("ada"), NOW)
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert sorted(file.name for file in folder.iterdir()) == ["ca.pem", "cert.pem", "key.pem"]
