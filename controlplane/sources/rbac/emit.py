"""The roles that would have been enough: what a service account exercised, as manifests. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from controlplane.sources.kubernetes import RBAC_GROUP
from inscope.permission import Authority, Permission

_API = f"{RBAC_GROUP}/v1"
Body = dict[str, Any]


def least_privilege(namespace: str, account: str, used: Iterable[Permission]) -> str:
    """Roles and bindings for what was used, and for nothing else: a Role in each namespace, and a ClusterRole for what
    is in none.
    """
    scopes: defaultdict[str, list[Permission]] = defaultdict(list)
    for permission in used:
        if permission.authority is Authority.KUBERNETES:
            scopes[permission.scope].append(permission)
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    documents = [body for scope in sorted(scopes) for body in _bound(scope, account, namespace, subject, scopes[scope])]
    return yaml.safe_dump_all(documents, sort_keys=False, explicit_start=True) if documents else ""


def _nameless(permission: Permission) -> bool:
    """Whether requests of the kind name no object, so that a name would restrict them to nothing: what is created has
    none yet, but for what is created under an object (`create pods/exec`). `list` and `watch` may have one, by a field
    selector on `metadata.name`.
    """
    created = permission.action == "create" and "/" not in permission.resource
    return created or permission.action == "deletecollection"


def _bound(
    scope: str, account: str, namespace: str, subject: Mapping[str, str], used: Iterable[Permission]
) -> tuple[Body, Body]:
    prefix = "" if scope else "Cluster"
    name = f"{namespace}:{account}:used"  # no other account's has the same, in whatever namespace it is
    meta = {"name": name, "namespace": scope} if scope else {"name": name}
    role = {"apiVersion": _API, "kind": f"{prefix}Role", "metadata": meta, "rules": _rules(used)}
    reference = {"apiGroup": RBAC_GROUP, "kind": f"{prefix}Role", "name": name}
    binding = {
        "apiVersion": _API,
        "kind": f"{prefix}RoleBinding",
        "metadata": dict(meta),
        "roleRef": reference,
        "subjects": [dict(subject)],
    }
    return role, binding


def _rules(used: Iterable[Permission]) -> list[Body]:
    """One rule for each kind of thing and set of names, with the verbs that were used of it."""
    paths: defaultdict[str, set[str]] = defaultdict(set)
    verbs: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for each in used:
        if each.service == "nonresource":
            paths[each.resource].add(each.action)
        else:
            name = "" if _nameless(each) else each.name
            verbs[each.service, each.resource, name].add(each.action)
    kinds: defaultdict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for (service, resource, name), done in verbs.items():
        kinds[service, resource, tuple(sorted(done))].append(name)
    rules: list[Body] = []
    for (service, resource, together), names in sorted(kinds.items()):
        group = "" if service == "core" else service
        rule: Body = {"apiGroups": [group], "resources": [resource], "verbs": list(together)}
        if all(names):
            rule["resourceNames"] = sorted(names)
        rules.append(rule)
    return rules + [{"nonResourceURLs": [path], "verbs": sorted(done)} for path, done in sorted(paths.items())]
