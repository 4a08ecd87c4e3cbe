"""The CA and the operator's credentials on disk: folders 0700, files 0600, written whole or not at all.

STATE/ca/authority.pem  key and certificate in one file, so that no crash can part them
STATE/operator/cert.pem  STATE/operator/key.pem  STATE/operator/ca.pem
"""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from controlplane.pki.authority import OPERATOR_LIFETIME, Authority, create_authority, private_pem
from controlplane.pki.identity import OperatorPeer
from controlplane.private_file import write_private


class KeyFolderError(Exception):
    """The stored keys cannot be used. The message names the file and what to do; the operator is to decide."""


def open_authority(state: Path, now: float) -> Authority:
    """The CA of this state folder, made at the first start.

    Raises:
        KeyFolderError: it is there and damaged, of parts that do not belong together, or expired. It is never
            replaced silently: every enrolled sidecar trusts it.
        OSError: the folder cannot be read or written.
    """
    folder = private_folder(state / "ca")
    path = folder / "authority.pem"
    if not path.exists():
        authority = create_authority(now)
        write_private(path, private_pem(authority.key) + authority.bundle_pem)
    authority = _load(path)
    if authority.certificate.not_valid_after_utc.timestamp() <= now:
        raise KeyFolderError(f"the CA in {path} expired; move the file away and enrol everything again")
    return authority


def write_operator(state: Path, authority: Authority, operator: OperatorPeer, now: float) -> Path:
    """Make sure that `STATE/operator` holds credentials this CA signed with half their life left; the folder."""
    folder = private_folder(state / "operator")
    if not _usable(folder, authority, now):
        credentials = authority.operator_credentials(operator, now)
        write_private(folder / "ca.pem", authority.bundle_pem)
        write_private(folder / "key.pem", credentials.key_pem)
        write_private(folder / "cert.pem", credentials.chain_pem)
    return folder


def private_folder(path: Path) -> Path:
    """`path` as a folder that only we can enter, created where it is missing."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def _load(path: Path) -> Authority:
    content = path.read_bytes()
    try:
        certificate = x509.load_pem_x509_certificate(content)
        key = serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise KeyFolderError(f"the CA in {path} is damaged ({error}); restore it or move it away") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise KeyFolderError(f"key and certificate in {path} do not belong together; restore it or move it away")
    return Authority(certificate, key)


def _usable(folder: Path, authority: Authority, now: float) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), password=None)
        certificate.verify_directly_issued_by(authority.certificate)
        bundle = (folder / "ca.pem").read_bytes()
    except Exception:
        # Whatever is wrong with them (gone, damaged, another CA), the answer is to issue new ones.
        return False
    fresh = certificate.not_valid_after_utc.timestamp() - now > OPERATOR_LIFETIME.total_seconds() / 2
    return fresh and bundle == authority.bundle_pem and key.public_key() == certificate.public_key()
