"""Real certificates for tests: a CA, and what it signs."""

from __future__ import annotations

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SERVER_NAME = "inscope-controlplane"
DAY = datetime.timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class Authority:
    """A CA of one test."""

    def __init__(self, name: str = "test CA") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        builder = self._builder(self._name, self._key.public_key(), DAY)
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
            self._key, hashes.SHA256()
        )

    @property
    def pem(self) -> bytes:
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def server(self) -> tuple[bytes, bytes]:
        """Key and certificate of a server on loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [x509.DNSName(SERVER_NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = self._builder(_name(SERVER_NAME), key.public_key(), DAY)
        certificate = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return _pem(key), self._signed(certificate)

    def client(self, instance: str, lifetime: datetime.timedelta = DAY) -> tuple[bytes, bytes]:
        """Key and certificate of a sidecar."""
        key = ec.generate_private_key(ec.SECP256R1())
        return _pem(key), self._sidecar(instance, key.public_key(), lifetime)

    def sign(self, csr_der: bytes, instance: str) -> bytes:
        """What enrolment answers a signing request with."""
        csr = x509.load_der_x509_csr(csr_der)
        assert csr.is_signature_valid
        public = csr.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        return self._sidecar(instance, public, DAY)

    def _sidecar(self, instance: str, public: ec.EllipticCurvePublicKey, lifetime: datetime.timedelta) -> bytes:
        uri = x509.UniformResourceIdentifier(f"spiffe://inscope.local/instance/{instance}")
        builder = self._builder(_name(instance), public, lifetime)
        return self._signed(builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False))

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, lifetime: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + lifetime)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) + self.pem
