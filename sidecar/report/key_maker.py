"""Makes a key and a signing request in a process of its own: `cryptography` would cost the sidecar 26 MiB for good.

`python -m sidecar.report.key_maker` writes one JSON object to standard output: `key` (PEM) and `csr` (DER, hex).
"""

from __future__ import annotations

import json
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def main() -> None:
    """Make them and write them."""
    key = ec.generate_private_key(ec.SECP256R1())
    # The subject is empty on purpose: the control plane says who we are.
    request = x509.CertificateSigningRequestBuilder(subject_name=x509.Name([])).sign(key, hashes.SHA256())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    json.dump({"key": pem.decode(), "csr": request.public_bytes(serialization.Encoding.DER).hex()}, sys.stdout)


if __name__ == "__main__":
    main()
