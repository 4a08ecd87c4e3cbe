"""What an API server is given so that it logs what is needed and posts it here: files of YAML, as text. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class Client:
    """How the API server shows who it is: a token, or the paths of a certificate and its key on its own disk."""

    token: str = ""
    certificate: str = ""
    key: str = ""


def webhook_config(url: str, authority: bytes, client: Client) -> str:
    """The file for `--audit-webhook-config-file`: a kubeconfig. `authority` is PEM, by which the endpoint is verified.

    Raises:
        ValueError: the URL is no HTTPS one, or the client shows neither a token nor a certificate with its key.
    """
    if not url.startswith("https://"):
        raise ValueError(f"audit events are posted by HTTPS, not to {url[:200]!r}")
    if client.token:
        user = {"token": client.token}
    elif client.certificate and client.key:
        user = {"client-certificate": client.certificate, "client-key": client.key}
    else:
        raise ValueError("the API server must show a token, or a certificate and its key")
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority).decode()}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "inscope", "cluster": cluster}],
        "users": [{"name": "kube-apiserver", "user": user}],
        "contexts": [{"name": "audit", "context": {"cluster": "inscope", "user": "kube-apiserver"}}],
        "current-context": "audit",
    }
    return yaml.safe_dump(document, sort_keys=False)


def audit_policy() -> str:
    """The policy for `--audit-policy-file`, with what each rule is for."""
    return files(__package__).joinpath("policy.yaml").read_text("utf-8")
