"""Requests from strangers: only a strong key with proof of possession gets through, and nothing but the key."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.pki.csr import MAX_CSR_BYTES, UnacceptableRequestError, public_key_of

KEY = ec.generate_private_key(ec.SECP256R1())


def request_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


REQUEST = request_of(KEY)


@pytest.mark.parametrize(
    "key",
    [KEY, ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)],
    ids=["P-256", "P-384", "RSA-2048"],
)
def test_strong_keys_are_accepted(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    assert public_key_of(request_of(key)) == key.public_key()


@pytest.mark.parametrize(
    "key",
    [rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1())],
    ids=["RSA-1024", "secp256k1"],
)
def test_weak_and_unusual_keys_are_refused(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    with pytest.raises(UnacceptableRequestError, match="P-256"):
        public_key_of(request_of(key))


def test_an_ed25519_key_is_refused() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    request = builder.sign(ed25519.Ed25519PrivateKey.generate(), None)
    with pytest.raises(UnacceptableRequestError, match="P-256"):
        public_key_of(request.public_bytes(serialization.Encoding.DER))


def test_a_request_with_somebody_elses_key_is_refused() -> None:
    mine, other = request_of(KEY), ec.generate_private_key(ec.SECP256R1())
    encoding = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    swapped = mine.replace(KEY.public_key().public_bytes(*encoding), other.public_key().public_bytes(*encoding))
    assert swapped != mine
    with pytest.raises(UnacceptableRequestError, match="not signed by its own key"):
        public_key_of(swapped)


def test_an_oversized_request_is_not_even_parsed() -> None:
    with pytest.raises(UnacceptableRequestError, match=f"at most {MAX_CSR_BYTES}"):
        public_key_of(bytes(MAX_CSR_BYTES + 1))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_request_is_refused_and_never_crashes(data: st.DataObject) -> None:
    damaged = bytearray(REQUEST)
    for position in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=4)):
        damaged[position] ^= data.draw(st.integers(1, 255))
    try:
        accepted = public_key_of(bytes(damaged))
    except UnacceptableRequestError:
        return
    # Two flips of one byte may cancel out; then it is the request we made.
    assert accepted == KEY.public_key()
