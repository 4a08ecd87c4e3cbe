"""How a service account leads into a cloud, by what the clouds' own webhooks read and write."""

from __future__ import annotations

import json
from typing import Any

from controlplane.sources.rbac import read_declaration
from inscope.grant import Link, LinkKind

ACCOUNT = "system:serviceaccount:analytics:agent"
AGENT = "analytics/Deployment/agent"
REPLICAS = {"kind": "ReplicaSet", "name": "agent-66b5f6b998", "controller": True}


def pod(name: str = "agent-66b5f6b998-x7k2m", day: int = 1, **spec: Any) -> dict[str, Any]:
    meta = {
        "name": name,
        "namespace": "analytics",
        "creationTimestamp": f"2026-01-0{day}T00:00:00Z",
        "labels": {"pod-template-hash": "66b5f6b998"},
        "ownerReferences": [REPLICAS],
    }
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": meta,
        "spec": {"serviceAccountName": "agent", "containers": [], **spec},
    }


def deployment(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": labels or {}}, "spec": {"serviceAccountName": "agent", "containers": [], **spec}}
    meta = {"name": "agent", "namespace": "analytics"}
    return {"kind": "Deployment", "apiVersion": "apps/v1", "metadata": meta, "spec": {"template": template}}


def account(**annotations: str) -> dict[str, Any]:
    meta = {"name": "agent", "namespace": "analytics", "annotations": annotations}
    return {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": meta}


def environment(**variables: str) -> list[dict[str, Any]]:
    return [{"name": "c", "env": [{"name": name, "value": value} for name, value in variables.items()]}]


def links(*bodies: dict[str, Any]) -> tuple[Link, ...]:
    declaration = read_declaration([("x", json.dumps(bodies).encode())], "", 1_800_000_000.0)
    assert declaration.faults == ()
    return declaration.links


def federated(*bodies: dict[str, Any]) -> dict[str, str]:
    return {link.target: link.via for link in links(*bodies) if link.kind is LinkKind.FEDERATES}


def test_each_clouds_annotation_names_a_role() -> None:
    said = {
        "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/agent",
        "iam.gke.io/gcp-service-account": "agent@project.iam.gserviceaccount.com",
        "azure.workload.identity/client-id": "6b1c",
    }
    assert set(federated(account(**said))) == {
        "arn:aws:iam::123456789012:role/agent",
        "gcp:agent@project.iam.gserviceaccount.com",
        "azure:6b1c",
    }


def test_azure_exchanges_only_for_pods_that_ask() -> None:
    named = account(**{"azure.workload.identity/client-id": "6b1c"})
    assert "no pod known asks" in federated(named, deployment())["azure:6b1c"]
    asking = deployment({"azure.workload.identity/use": "true"})
    assert "no pod known asks" not in federated(named, asking)["azure:6b1c"]


def test_what_a_webhook_wrote_into_the_pods_is_told_once_and_as_old_as_the_oldest() -> None:
    written = environment(AWS_ROLE_ARN="arn:aws:iam::123456789012:role/agent", AWS_WEB_IDENTITY_TOKEN_FILE="/t")
    volumes = [{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"audience": "sts.amazonaws.com"}}]}}]
    pods = [
        pod(f"agent-66b5f6b998-x7k2{n}", day, containers=written, volumes=volumes) for n, day in enumerate((3, 2, 4))
    ]
    told = [link for link in links(deployment(), *pods) if link.kind is LinkKind.FEDERATES]
    assert {(link.target, link.via, link.since) for link in told} == {
        (
            "arn:aws:iam::123456789012:role/agent",
            f"AWS_ROLE_ARN in the environment of the pods of {AGENT}",
            1_767_312_000.0,
        ),
        ("audience:sts.amazonaws.com", f"projected token in the pods of {AGENT}", 1_767_312_000.0),
    }
    assert len(told) == 2


def test_pod_identity_is_an_agent_whose_role_aws_alone_knows() -> None:
    asked = environment(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://169.254.170.23/v1/credentials")
    assert set(federated(deployment(), pod(containers=asked))) == {"audience:pods.eks.amazonaws.com"}
    other = environment(AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1:9911/creds")
    assert federated(deployment(containers=other)) == {}


def test_azure_by_the_environment_needs_the_token_file() -> None:
    assert federated(deployment(containers=environment(AZURE_CLIENT_ID="6b1c"))) == {}
    both = environment(AZURE_CLIENT_ID="6b1c", AZURE_FEDERATED_TOKEN_FILE="/t")
    assert set(federated(deployment(containers=both))) == {"azure:6b1c"}


def test_a_role_that_comes_from_elsewhere_is_not_known() -> None:
    source = {"configMapKeyRef": {"name": "x", "key": "y"}}
    containers = [{"name": "c", "env": [{"name": "AWS_ROLE_ARN", "valueFrom": source}]}]
    assert federated(deployment(containers=containers)) == {}


def test_the_api_servers_own_audience_is_no_one_else() -> None:
    own = {"serviceAccountToken": {"audience": "https://kubernetes.default.svc.cluster.local"}}
    assert federated(deployment(volumes=[{"name": "t", "projected": {"sources": [own]}}])) == {}


def test_pods_alone_say_who_runs_as_whom() -> None:
    (runs,) = [link for link in links(pod()) if link.kind is LinkKind.RUNS_AS]
    assert (runs.source, runs.target, runs.via) == (AGENT, ACCOUNT, f"serviceAccountName of the pods of {AGENT}")


def test_an_old_revision_that_nothing_runs_of_says_nothing() -> None:
    owned = {"ownerReferences": [{"kind": "Deployment", "name": "agent", "controller": True}]}
    old = {
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": {"name": "agent-55c4d", "namespace": "analytics", **owned},
        "spec": {"template": {"spec": {"serviceAccountName": "former", "containers": []}}},
    }
    assert {link.target for link in links(deployment(), old)} == {ACCOUNT}


def test_a_job_of_a_cron_job_is_the_cron_jobs() -> None:
    template = {"spec": {"serviceAccountName": "agent", "containers": []}}
    cron = {
        "kind": "CronJob",
        "apiVersion": "batch/v1",
        "metadata": {"name": "nightly", "namespace": "analytics"},
        "spec": {"jobTemplate": {"spec": {"template": template}}},
    }
    owned = {"ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": True}]}
    job = {
        "kind": "Job",
        "apiVersion": "batch/v1",
        "metadata": {"name": "nightly-29", "namespace": "analytics", **owned},
        "spec": {"template": template},
    }
    of_job = {"kind": "Job", "name": "nightly-29", "controller": True}
    run = {**pod("nightly-29-abcde"), "metadata": {"name": "nightly-29-abcde", "namespace": "analytics"}}
    run["metadata"]["ownerReferences"] = [of_job]
    told = links(cron, job, run)
    assert {link.source for link in told} == {"analytics/CronJob/nightly"}
    assert [link.target for link in told if link.kind is LinkKind.OWNS] == ["analytics/nightly-29-abcde"]
