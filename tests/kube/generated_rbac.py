"""RBAC objects and questions, made from a seed: of few names, so that they meet."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from controlplane.sources.rbac.resolver import Asker, Request, service_account

NAMESPACES = ("blue", "green")
ACCOUNTS = ("one", "two", "three")
VERBS = ("get", "list", "watch", "create", "update", "delete", "deletecollection", "escalate", "impersonate")
GROUPS = ("", "apps", "rbac.authorization.k8s.io", "made.up")
RESOURCES = ("pods", "secrets", "deployments", "roles", "things")
SUBRESOURCES = ("", "", "", "exec", "scale", "status")
NAMES = ("", "", "a", "b")
PATHS = ("/healthz", "/healthz/etcd", "/metrics", "/api", "/apis/apps", "/logs")
API = "/apis/rbac.authorization.k8s.io/v1"
VERSION = "rbac.authorization.k8s.io/v1"


@dataclass(frozen=True)
class Question:
    """Who, and what."""

    asker: Asker
    request: Request


def objects(random: Random) -> list[tuple[str, dict[str, Any]]]:
    """(path, body) of some roles and bindings."""
    made = [(f"{API}/clusterroles", _role("ClusterRole", f"c{n}", random, paths=True)) for n in range(12)]
    chosen = {"matchLabels": {"gen/part": "true"}}
    whole = {**_meta("ClusterRole", "whole"), "aggregationRule": {"clusterRoleSelectors": [chosen]}, "rules": []}
    made.append((f"{API}/clusterroles", whole))
    for namespace in NAMESPACES:
        path = f"{API}/namespaces/{namespace}"
        made += [(f"{path}/roles", _role("Role", f"r{number}", random, namespace=namespace)) for number in range(6)]
        made += [(f"{path}/rolebindings", _binding("RoleBinding", f"b{n}", random, namespace)) for n in range(10)]
    made += [(f"{API}/clusterrolebindings", _binding("ClusterRoleBinding", f"gen-{n}", random)) for n in range(6)]
    return made


def questions(random: Random, number: int) -> list[Question]:
    """Some of each kind."""
    return [Question(_asker(random), _request(random)) for _ in range(number)]


def review(question: Question) -> dict[str, Any]:
    """The question as the API server takes it."""
    asked, spec = question.request, {"user": question.asker.user, "groups": list(question.asker.groups)}
    if asked.path:
        spec["nonResourceAttributes"] = {"verb": asked.verb, "path": asked.path}
    else:
        spec["resourceAttributes"] = {
            "verb": asked.verb,
            "group": asked.group,
            "resource": asked.resource,
            "subresource": asked.subresource,
            "namespace": asked.namespace,
            "name": asked.name,
        }
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def _meta(kind: str, name: str, namespace: str = "", **labels: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "labels": {key.replace("_", "/"): value for key, value in labels.items()}}
    if namespace:
        meta["namespace"] = namespace
    return {"apiVersion": VERSION, "kind": kind, "metadata": meta}


def _role(kind: str, name: str, random: Random, *, paths: bool = False, namespace: str = "") -> dict[str, Any]:
    rules = [_rule(random) for _ in range(random.randint(1, 3))]
    if paths and random.random() < 0.5:
        chosen = random.sample((*PATHS, "/healthz/*", "/apis/*", "*"), 2)
        rules.append({"verbs": random.sample(("get", "post", "*"), 1), "nonResourceURLs": chosen})
    labels = {"gen_part": "true"} if random.random() < 0.3 else {}
    return {**_meta(kind, name, namespace, **labels), "rules": rules}


def _rule(random: Random) -> dict[str, Any]:
    some = [*RESOURCES, "*", "pods/exec", "deployments/scale", "*/scale", "pods/*"]
    rule = {
        "verbs": random.sample((*VERBS, "*"), random.randint(1, 3)),
        "apiGroups": random.sample((*GROUPS, "*"), random.randint(1, 2)),
        "resources": random.sample(some, random.randint(1, 3)),
    }
    if random.random() < 0.3:
        rule["resourceNames"] = random.sample(("a", "b", "c"), random.randint(1, 2))
    return rule


def _binding(kind: str, name: str, random: Random, namespace: str = "") -> dict[str, Any]:
    local = bool(namespace) and random.random() < 0.5
    roles = (
        ("Role", f"r{random.randint(0, 6)}")
        if local
        else ("ClusterRole", random.choice([f"c{random.randint(0, 11)}", "whole"]))
    )
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": roles[0], "name": roles[1]}
    return {
        **_meta(kind, name, namespace),
        "roleRef": ref,
        "subjects": [_subject(random) for _ in range(random.randint(1, 2))],
    }


def _subject(random: Random) -> dict[str, Any]:
    kind = random.choice(("ServiceAccount", "ServiceAccount", "User", "Group"))
    if kind == "ServiceAccount":
        return {"kind": kind, "name": random.choice(ACCOUNTS), "namespace": random.choice(NAMESPACES)}
    users = ("alice", "bob", "system:serviceaccount:blue:one")
    groups = ("team", "system:serviceaccounts:blue", "system:serviceaccounts", "system:unauthenticated")
    name = random.choice(users if kind == "User" else groups)
    return {"kind": kind, "name": name, "apiGroup": "rbac.authorization.k8s.io"}


def _asker(random: Random) -> Asker:
    if random.random() < 0.7:
        return service_account(random.choice(NAMESPACES), random.choice(ACCOUNTS))
    return Asker(random.choice(("alice", "bob")), tuple(random.sample(("team", "other", "system:authenticated"), 2)))


def _request(random: Random) -> Request:
    if random.random() < 0.2:
        return Request(random.choice(("get", "post")), path=random.choice(PATHS))
    return Request(
        random.choice(VERBS),
        random.choice(GROUPS),
        random.choice(RESOURCES),
        random.choice(SUBRESOURCES),
        random.choice((*NAMESPACES, "", "elsewhere")),
        random.choice(NAMES),
    )
