"""The control plane's own CA: P-256, one level, and the only thing that sidecars and operators trust.

Certificates are backdated by five minutes, so that a peer whose clock is a little behind accepts them at once. The
clock is an argument throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from controlplane.address import SERVER_NAME
from controlplane.pki.csr import PublicKey
from controlplane.pki.identity import Peer, uri_of

SKEW = timedelta(minutes=5)
CA_LIFETIME = timedelta(days=3653)
SIDECAR_LIFETIME = timedelta(hours=24)
OPERATOR_LIFETIME = timedelta(days=365)
SERVER_LIFETIME = timedelta(days=730)
"""The server's key never leaves memory and is made anew at each start, so this only bounds one uninterrupted run."""

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A private key and its certificate chain (leaf first), both PEM."""

    key_pem: bytes
    chain_pem: bytes


@dataclass(frozen=True, slots=True)
class Issued:
    """A signed certificate: the chain (leaf, then CA) as PEM, and when it ends, in seconds since the epoch."""

    chain_pem: bytes
    not_after: float


@dataclass(frozen=True, slots=True)
class Authority:
    """The CA's certificate and key. Signs what it is told to: deciding who gets what is `serve.enrolment`'s part."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def bundle_pem(self) -> bytes:
        """What a peer needs to verify us and each other."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def sign_peer(self, peer: Peer, key: PublicKey, lifetime: timedelta, now: float) -> Issued:
        """A client certificate for `key`, carrying the URI of `peer` and no other name."""
        names = [x509.UniformResourceIdentifier(uri_of(peer))]
        return self._sign(names, key, lifetime, now, ExtendedKeyUsageOID.CLIENT_AUTH)

    def operator_credentials(self, peer: Peer, now: float) -> Credentials:
        """A key and its certificate for an operator on this machine."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Credentials(private_pem(key), self.sign_peer(peer, key.public_key(), OPERATOR_LIFETIME, now).chain_pem)

    def server_credentials(self, advertised: Sequence[str], now: float) -> Credentials:
        """A key and certificate for our sockets: `SERVER_NAME`, loopback, and the `advertised` hosts or addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [_general_name(host) for host in dict.fromkeys((SERVER_NAME, *LOOPBACK, *advertised))]
        issued = self._sign(names, key.public_key(), SERVER_LIFETIME, now, ExtendedKeyUsageOID.SERVER_AUTH)
        return Credentials(private_pem(key), issued.chain_pem)

    def _sign(
        self,
        names: Sequence[x509.GeneralName],
        key: PublicKey,
        lifetime: timedelta,
        now: float,
        usage: x509.ObjectIdentifier,
    ) -> Issued:
        not_after = min(_instant(now) + lifetime, self.certificate.not_valid_after_utc)
        leaf = (
            _draft(self.certificate.subject, x509.Name([]), key, now, not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            # An empty subject makes the names critical: RFC 5280, 4.2.1.6.
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        chain = leaf.public_bytes(serialization.Encoding.PEM) + self.bundle_pem
        return Issued(chain, not_after.timestamp())


def create_authority(now: float) -> Authority:
    """A new self-signed CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "inscope CA")])
    certificate = (
        _draft(name, name, key.public_key(), now, _instant(now) + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as unencrypted PKCS#8: it is protected by file permissions, or never written at all."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _draft(
    issuer: x509.Name, subject: x509.Name, key: PublicKey, now: float, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer)
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_instant(now) - SKEW)
        .not_valid_after(not_after)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
