"""Kubernetes RBAC: `read_declaration` from manifests and `kubectl get`, `resolver.Rbac` as the API server decides."""

from controlplane.sources.rbac.declaration import NoObjectsError, declaration_of, read_declaration

__all__ = ["NoObjectsError", "declaration_of", "read_declaration"]
