"""An endpoint for tests, with certificates of its own, and who posts to it as an API server does."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from controlplane.sources.audit.credentials import Credentials, credentials_of
from controlplane.sources.audit.endpoint import AuditEndpoint, tls
from controlplane.sources.audit.posts import Bounds
from inscope.exercise import Exercise, LogCoverage

TOKEN = "0123456789abcdef-token"
API_SERVER = "kube-apiserver"


@dataclass(frozen=True)
class Keys:
    """PEM files of one party."""

    certificate: Path
    key: Path


class Signer:
    """A certificate authority in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._draft(self._name, self._key).add_extension(constraints, critical=True)
        self.bundle = folder / f"{name}.crt"
        self.bundle.write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))

    def keys(self, name: str) -> Keys:
        """For 127.0.0.1, or for a client of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._draft(subject, key).add_extension(address, critical=False)
        made = Keys(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        made.certificate.write_bytes(_pem(certificate.sign(self._key, hashes.SHA256())))
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        made.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return made

    def _draft(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=2))
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Taken:
    """A `Take` that keeps everything. `raising` is raised instead, once each."""

    exercises: list[Exercise] = field(default_factory=list)
    coverages: list[LogCoverage] = field(default_factory=list)
    raising: list[Exception] = field(default_factory=list)
    gate: asyncio.Event | None = None

    async def __call__(self, exercises: Sequence[Exercise], coverage: LogCoverage) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.raising:
            raise self.raising.pop()
        self.exercises += exercises
        self.coverages.append(coverage)


@dataclass
class Post:
    """The other side."""

    port: int
    authority: Path
    taken: Taken
    endpoint: AuditEndpoint

    async def __call__(
        self,
        body: bytes | Mapping[str, Any],
        token: str = TOKEN,
        client: Keys | None = None,
        method: str = "POST",
        path: str = "/audit",
        **headers: str,
    ) -> int:
        """The status of the answer."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (await asyncio.to_thread(self._ask, method, path, content, sent, client)).status

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str], client: Keys | None
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=self.context(client))
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()

    async def answer(self, body: Mapping[str, Any]) -> http.client.HTTPResponse:
        """The whole of it."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return await asyncio.to_thread(self._ask, "POST", "/audit", json.dumps(body).encode(), headers, None)

    def context(self, client: Keys | None = None) -> ssl.SSLContext:
        """What a client verifies the endpoint by."""
        context = ssl.create_default_context(cafile=str(self.authority))
        if client is not None:
            context.load_cert_chain(client.certificate, client.key)
        return context

    async def raw(self, sent: bytes) -> bytes:
        """Whatever is answered to these bytes, until the endpoint hangs up."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context())
        writer.write(sent)
        try:
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()


def listed(*events: Mapping[str, Any]) -> dict[str, Any]:
    """What an API server posts."""
    return {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": list(events)}


@asynccontextmanager
async def serving(
    folder: Path, credentials: Credentials | None = None, bounds: Bounds | None = None, clients: Path | None = None
) -> AsyncIterator[Post]:
    """An endpoint that runs."""
    signer = Signer(folder, "endpoint-ca")
    keys = signer.keys("endpoint")
    taken = Taken()
    endpoint = AuditEndpoint(
        "prod",
        taken,
        credentials or credentials_of([TOKEN]),
        tls(keys.certificate, keys.key, clients),
        bounds=bounds or Bounds(),
    )
    port = await endpoint.start("127.0.0.1", 0)
    try:
        yield Post(port, signer.bundle, taken, endpoint)
    finally:
        await endpoint.close()
