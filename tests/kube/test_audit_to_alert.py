"""From what a real API server grants and audits to an alert that names what foresaw it, by the command line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import an_installation
from tests.e2e.installation import Installation, eventually
from tests.kube.cluster import Cluster
from tests.kube.generated_rbac import API

NAMESPACE = "analytics"
AGENT = f"{NAMESPACE}/Deployment/agent"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
TEMPLATE = {"serviceAccountName": "agent", "containers": [{"name": "agent", "image": "agent:1"}]}
READ_ALL = (
    "/api/v1/serviceaccounts", "/apis/apps/v1/deployments", "/apis/apps/v1/replicasets", "/api/v1/pods",
    f"{API}/roles", f"{API}/clusterroles", f"{API}/rolebindings", f"{API}/clusterrolebindings",
)  # fmt: skip


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    with an_installation() as installation:
        yield installation


@pytest.fixture(scope="module")
def agent(cluster: Cluster) -> str:
    """A token of the agent's pod, whose workload may do more than it does."""
    cluster.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    cluster.create(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts", {"metadata": {"name": "agent"}})
    labels = {"app": "agent"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": TEMPLATE}}
    cluster.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", {"metadata": {"name": "agent"}, "spec": spec})
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["rolebindings"], "verbs": ["create", "get"]},
    ]
    cluster.create(f"{API}/clusterroles", {"metadata": {"name": "worker"}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "worker"}
    subject = {"kind": "ServiceAccount", "name": "agent", "namespace": NAMESPACE}
    body = {"metadata": {"name": "workers"}, "roleRef": role, "subjects": [subject]}
    cluster.create(f"{API}/clusterrolebindings", body)
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "agent-66b5f6b998", "uid": "1", "controller": True}
    meta = {
        "name": "agent-66b5f6b998-x7k2m",
        "labels": {"pod-template-hash": "66b5f6b998"},
        "ownerReferences": [owner],
    }
    made = cluster.ask("POST", PODS, {"metadata": meta, "spec": TEMPLATE})
    assert made.code == 201, made
    return cluster.token_of(NAMESPACE, "agent", made.body)


def read(cluster: Cluster, folder: Path) -> list[str]:
    """What `kubectl get -A -o json` would have written."""
    files = []
    for number, path in enumerate(READ_ALL):
        file = folder / f"{number}.json"
        file.write_text(json.dumps(cluster.ask("GET", path).body))
        files.append(str(file))
    return files


def audited(cluster: Cluster, many: int) -> None:
    """Until the API server has written that many events of the agent."""
    deadline = time.monotonic() + 20
    while cluster.audit_log.read_text().count('"username":"system:serviceaccount:analytics:agent"') < many:
        assert time.monotonic() < deadline, "the API server does not audit"
        time.sleep(0.05)  # nothing tells when it has written


def tracked(cluster: Cluster, folder: Path) -> str:
    """The log from the agent's first request on: what was granted was there for the whole of it."""
    lines = cluster.audit_log.read_text().splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if "serviceaccount:analytics:agent" in line and '"list"' in line)
    kept = folder / "tracked.log"
    kept.write_text("".join(lines[first:]))
    return str(kept)


def exercised(document: dict[str, Any]) -> set[str]:
    return {used for held in document["held"] for used in held["used"]}


def test_a_latent_permission_is_found_and_its_exercise_foreseen(
    cluster: Cluster, agent: str, installed: Installation, tmp_path: Path
) -> None:
    for _ in range(3):
        assert cluster.ask("GET", PODS, token=agent).code == 200
        assert cluster.ask("GET", f"{PODS}/agent-66b5f6b998-x7k2m", token=agent).code == 200
    audited(cluster, 6)
    (declared,) = installed.ask("import", "rbac", *read(cluster, tmp_path))
    assert AGENT in declared["workloads"]
    assert declared["faults"] == []
    (replayed,) = installed.ask("replay", "audit", tracked(cluster, tmp_path))
    assert AGENT in replayed["workloads"]
    assert replayed["malformed"] == 0

    (gap,) = installed.ask("gap", AGENT)
    assert exercised(gap) >= {"list pods in analytics", "get pods in analytics"}
    latent = next(held for held in gap["held"] if held["level"] == "permissions")
    assert latent["path"] == ["ClusterRoleBinding workers", "ClusterRole worker"]
    assert latent["used"] == []
    assert any(held["inherited"] == "group system:authenticated" for held in gap["held"])
    (chain,) = installed.ask("chain", AGENT)
    (step,) = chain["steps"]
    assert (step["declared"], step["observed"]) == (True, True)

    installed.ask("mode", AGENT, "detect", "--force")
    binding = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "worker"}
    body = {"metadata": {"name": "mine"}, "roleRef": binding, "subjects": []}
    path = f"{API}/namespaces/{NAMESPACE}/rolebindings"
    assert cluster.ask("POST", path, body, token=agent).code == 201
    assert cluster.ask("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets", token=agent).code == 403
    audited(cluster, 8)
    installed.ask("replay", "audit", tracked(cluster, tmp_path))
    alerts = installed.ask("alerts", AGENT)
    done = next(alert for alert in alerts if alert["behaviour"]["outcome"] == "allowed")
    refused = next(alert for alert in alerts if alert["behaviour"]["outcome"] == "denied")
    crossed = {crossing["entry"]["dimension"]: crossing for crossing in done["crossed"]}
    assert crossed["permission"]["finding"] == latent["finding"]
    assert "exercised `create rolebindings.rbac.authorization.k8s.io in analytics`" in done["sentence"]
    assert "ClusterRoleBinding workers" in done["sentence"]
    assert "was refused `list secrets in analytics`" in refused["sentence"]
    assert done["rank"] > refused["rank"]

    before = installed.ask("alerts", AGENT)
    (again,) = installed.ask("replay", "audit", tracked(cluster, tmp_path))
    assert again["alerts"] == []
    assert installed.ask("alerts", AGENT) == before


def test_the_remedy_keeps_what_was_used_and_takes_what_was_latent(
    cluster: Cluster, agent: str, installed: Installation, tmp_path: Path
) -> None:
    written = installed.inscope("gap", AGENT, "--emit", "rbac")
    assert written.returncode == 0, written.stderr
    bodies = list(yaml.safe_load_all(written.stdout))
    assert cluster.ask("DELETE", f"{API}/clusterrolebindings/workers").code == 200
    latent = f"{API}/namespaces/{NAMESPACE}/rolebindings/mine"
    eventually(lambda: cluster.ask("GET", PODS, token=agent).code == 403)
    for body in bodies:
        where = f"/namespaces/{body['metadata']['namespace']}" if "namespace" in body["metadata"] else ""
        cluster.create(f"{API}{where}/{body['kind'].lower()}s", body)
    eventually(lambda: cluster.ask("GET", PODS, token=agent).code == 200)
    assert cluster.ask("GET", f"{PODS}/agent-66b5f6b998-x7k2m", token=agent).code == 200
    assert cluster.ask("GET", latent, token=agent).code == 403, "it was granted, and never used"


def test_two_way_proves_the_declared_tripwires(installed: Installation, agent: str) -> None:
    done = installed.inscope("two-way", AGENT, "--prove", "-o", "json")
    answer = json.loads(done.stdout)
    assert answer["blanks"] == []
    assert done.returncode == 0, done.stderr
    assert {each["proof"]["result"] for each in answer["findings"]} <= {"fired", "not armed"}
    assert "fired" in {each["proof"]["result"] for each in answer["findings"]}
