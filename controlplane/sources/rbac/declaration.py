"""Everything that a cluster's objects declare, put together. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from controlplane.sources.rbac.discovery import discovery_of
from controlplane.sources.rbac.grants import grants_of
from controlplane.sources.rbac.links import links_of
from controlplane.sources.rbac.manifests import read_objects
from controlplane.sources.rbac.objects import Objects
from controlplane.sources.rbac.resolver import Rbac, service_account
from inscope.grant import Declaration
from inscope.permission import Authority


class NoObjectsError(ValueError):
    """Nothing in the files is of RBAC: they are others than was meant. The message says what was found wrong."""


def read_declaration(files: Iterable[tuple[str, bytes]], cluster: str, now: float) -> Declaration:
    """From manifests, (name, content) each. `now` is when they were read, in seconds since the epoch.

    Raises:
        NoObjectsError: there is no role, binding, account or workload in any.
    """
    objects = read_objects(files)
    if not (objects.roles or objects.bindings or objects.accounts or objects.runners):
        why = "; ".join(objects.faults[:3]) or "no role, binding, service account or workload"
        raise NoObjectsError(f"nothing to import: {why}")
    return declaration_of(objects, cluster, now)


def declaration_of(objects: Objects, cluster: str, now: float) -> Declaration:
    """From objects."""
    rbac, discovery = Rbac(objects), discovery_of(objects.kinds)
    accounts = {(each.namespace, each.name) for each in objects.accounts} | rbac.accounts
    accounts |= {(each.namespace, each.account) for each in objects.runners}
    grants = [grant for account in sorted(accounts) for grant in grants_of(service_account(*account), rbac, discovery)]
    links = tuple(links_of(objects, cluster))
    return Declaration(Authority.KUBERNETES, cluster, now, tuple(grants), links, objects.faults)
