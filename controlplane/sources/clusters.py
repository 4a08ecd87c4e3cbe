"""Which cluster of ours a cloud means: by its OIDC provider, or its EKS name, as whoever runs inscope says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inscope.grant import qualified
from inscope.permission import Authority

_PROVIDER = ":oidc-provider/"


class BadClusterError(ValueError):
    """What was said is not `ISSUER=CLUSTER`."""


class Clusters:
    """`names` are our clusters' by OIDC issuer (with or without `https://`), provider ARN, EKS ARN or EKS name. What is
    not in it is of the cluster without a name: where only one is watched nobody has to say anything.
    """

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = {_key(said): name for said, name in (names or {}).items()}

    def of(self, *said: str) -> str:
        """Our name of the first that is known; empty where none is."""
        return next((name for each in said if (name := self._names.get(_key(each)))), "")

    def account(self, subject: str, *said: str) -> str:
        """A service account (`system:serviceaccount:NS:NAME`) of that cluster, as RBAC's declaration names it; the
        subject of another kind of provider stays as it is.
        """
        if not subject.startswith("system:serviceaccount:"):
            return subject
        return qualified(Authority.KUBERNETES, self.of(*said), subject)

    def pod(self, namespace: str, name: str, *said: str) -> str:
        """Likewise `NAMESPACE/NAME`."""
        return qualified(Authority.KUBERNETES, self.of(*said), f"{namespace}/{name}")


def clusters_of(texts: Iterable[str]) -> Clusters:
    """From `ISSUER=CLUSTER` each.

    Raises:
        BadClusterError: one is not so.
    """
    names = {}
    for text in texts:
        issuer, equals, name = text.rpartition("=")
        if not (issuer and equals and name):
            raise BadClusterError(f"{text!r} is not ISSUER=CLUSTER")
        names[issuer] = name
    return Clusters(names)


def _key(said: str) -> str:
    return said.partition(_PROVIDER)[2] if _PROVIDER in said else said.removeprefix("https://")
