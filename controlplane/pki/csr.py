"""Certificate requests from strangers: bounded, verified, and of no influence but for their public key."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

MAX_CSR_BYTES = 16 * 1024
MIN_RSA_BITS = 2048  # NIST SP 800-57: 112 bits of strength
MAX_RSA_BITS = 8192  # verifying a larger one costs a stranger nothing and us much

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class UnacceptableRequestError(Exception):
    """The certificate request cannot be signed; whoever sent it is at fault."""


def public_key_of(csr_der: bytes) -> PublicKey:
    """The key to certify. Subject, names and extensions of the request are ignored: the server decides those.

    Raises:
        UnacceptableRequestError: too large, not PKCS#10, a weak or unknown key, or a signature that does not fit.
    """
    if len(csr_der) > MAX_CSR_BYTES:
        raise UnacceptableRequestError(
            f"the certificate request has {len(csr_der)} bytes; at most {MAX_CSR_BYTES} are read"
        )
    try:
        request = x509.load_der_x509_csr(csr_der)
        key = _strong(request.public_key())
        signed = request.is_signature_valid
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm, InvalidSignature) as error:
        raise UnacceptableRequestError("the certificate request is not valid PKCS#10 in DER") from error
    if not signed:
        raise UnacceptableRequestError("the certificate request is not signed by its own key")
    return key


def _strong(key: object) -> PublicKey:
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
            return key
        case rsa.RSAPublicKey() if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            return key
        case _:
            raise UnacceptableRequestError(
                f"the key must be P-256, P-384 or RSA of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits"
            )
