"""The same event in any of the envelopes in which clouds hand it out."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from inscope.behaviour import Outcome
from tests.controlplane.sources.audit.events import AGENT, BINDING, event, line, replay, text, told

EVENT = event()
MESSAGE = json.dumps(EVENT)
ONE = f"{AGENT} get secrets db in analytics: allowed by RoleBinding analytics/agents"

CLOUDWATCH = {
    "messageType": "DATA_MESSAGE",
    "owner": "123456789012",
    "logGroup": "/aws/eks/prod/cluster",
    "logStream": "kube-apiserver-audit-71976ca1",
    "subscriptionFilters": ["f"],
    "logEvents": [{"id": "1", "timestamp": 1795386749000, "message": MESSAGE}],
}
FILTERED = {
    "events": [
        {
            "logStreamName": "kube-apiserver-audit-7",
            "timestamp": 1,
            "message": MESSAGE,
            "ingestionTime": 2,
            "eventId": "3",
        },
        {"logStreamName": "authenticator-7", "timestamp": 1, "message": 'level=info msg="granted"', "eventId": "4"},
    ],
    "searchedLogStreams": [],
}
AKS = {
    "time": "2026-11-22T22:32:29.28Z",
    "resourceId": "/SUBSCRIPTIONS/1",
    "category": "kube-audit",
    "operationName": "Microsoft.ContainerService/managedClusters/diagnosticLogs/Read",
    "properties": {"log": MESSAGE + "\n", "stream": "stdout", "pod": "kube-apiserver-1"},
}


def gke(**changed: Any) -> dict[str, Any]:
    payload = {
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "authenticationInfo": {"principalEmail": AGENT},
        "authorizationInfo": [
            {
                "granted": True,
                "permission": "io.k8s.core.v1.secrets.get",
                "resource": "core/v1/namespaces/analytics/secrets/db",
            }
        ],
        "methodName": "io.k8s.core.v1.secrets.get",
        "requestMetadata": {"callerIp": "10.42.7.9", "callerSuppliedUserAgent": "kubectl/v1.30.1 (linux/amd64)"},
        "resourceName": "core/v1/namespaces/analytics/secrets/db",
        "serviceName": "k8s.io",
        "status": {"code": 0},
    }
    entry = {
        "insertId": "dc7605e6",
        "labels": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": BINDING},
        "operation": {"id": "dc7605e6", "producer": "k8s.io", "first": True},
        "resource": {"type": "k8s_cluster", "labels": {"cluster_name": "prod"}},
        "timestamp": "2026-11-22T22:32:29.304506123Z",
    }
    outer = {key: changed.pop(key) for key in list(changed) if key in entry}
    return {**entry, **outer, "protoPayload": {key: v for key, v in {**payload, **changed}.items() if v is not None}}


@pytest.mark.parametrize(
    "record",
    [
        EVENT,
        [EVENT],
        {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "metadata": {}, "items": [EVENT]},
        CLOUDWATCH,
        CLOUDWATCH["logEvents"],
        FILTERED,
        {"records": [AKS]},
        AKS,
        {**AKS, "properties": {"log": EVENT}},
        gke(),
        [gke()],
    ],
    ids=["plain", "array", "list", "cw", "cw-events", "filtered", "aks-hub", "aks-blob", "aks-object", "gke", "gkes"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_event_is_found_in_each_envelope(record: Any, indent: int | None) -> None:
    exercises, reading = replay(json.dumps(record, indent=indent).encode())
    assert [line(each) for each in exercises] == [ONE]
    assert not reading.faults


def test_envelopes_may_be_mixed_in_one_file() -> None:
    exercises, reading = replay(text(event(1), {**AKS, "properties": {"log": event(2)}}, gke(), {"items": [event(3)]}))
    assert [line(each) for each in exercises] == [ONE] * 4
    assert not reading.faults


def test_subscription_messages_follow_one_another_in_gzip_without_a_line_between_them() -> None:
    control = {
        "messageType": "CONTROL_MESSAGE",
        "logEvents": [{"id": "", "timestamp": 1, "message": "CWL CONTROL MESSAGE: ..."}],
    }
    second = {**CLOUDWATCH, "logEvents": [{"id": "2", "timestamp": 1, "message": json.dumps(event(2))}]}
    packed = b"".join(gzip.compress(json.dumps(each).encode()) for each in (control, CLOUDWATCH, second))
    exercises, reading = replay(packed)
    assert [line(each) for each in exercises] == [ONE, ONE]
    assert (reading.faults, reading.coverage().unmapped) == ({}, {"CloudWatch control message": 1})


def test_what_other_components_log_beside_it_is_passed_over_and_counted() -> None:
    guard = {**AKS, "category": "guard", "properties": {"log": "I1122 not JSON"}}
    storage = gke(serviceName="storage.googleapis.com", methodName="storage.objects.get")
    exercises, reading = replay(text(FILTERED, guard, storage))
    assert len(exercises) == 1
    assert reading.faults == {}
    assert reading.coverage().unmapped == {
        "CloudWatch stream of another component": 1,
        "Azure diagnostics of another category": 1,
        "Cloud Audit Logs of another service": 1,
    }


@pytest.mark.parametrize(
    ("resource", "method", "expected"),
    [
        ("core/v1/namespaces/a/pods/web-1/exec", "io.k8s.core.v1.pods.exec.create", "create pods/exec in a"),
        ("core/v1/nodes/n/proxy/metrics/cadvisor", "io.k8s.core.v1.nodes.proxy.get", "get nodes/proxy"),
        ("core/v1/namespaces/a", "io.k8s.core.v1.namespaces.get", "get namespaces in a"),
        ("core/v1/namespaces/a/finalize", "io.k8s.core.v1.namespaces.finalize.update",
         "update namespaces/finalize in a"),
        ("core/v1/namespaces", "io.k8s.core.v1.namespaces.list", "list namespaces"),
        ("rbac.authorization.k8s.io/v1/clusterrolebindings/b",
         "io.k8s.authorization.rbac.v1.clusterrolebindings.delete",
         "delete clusterrolebindings.rbac.authorization.k8s.io b"),
        ("healthz", "io.k8s.get", "get /healthz"),
    ],
)  # fmt: skip
def test_gke_names_resources_by_their_path(resource: str, method: str, expected: str) -> None:
    (only,) = told(gke(resourceName=resource, methodName=method))
    assert line(only) == f"{AGENT} {expected}: allowed by RoleBinding analytics/agents"


@pytest.mark.parametrize(
    ("changed", "outcome", "weaker"),
    [
        ({"status": {"code": 7}, "labels": {"authorization.k8s.io/decision": "forbid"}}, Outcome.DENIED, False),
        ({"status": {"code": 7}, "labels": {}, "authorizationInfo": []}, Outcome.DENIED, True),
        ({"status": {"code": 5}, "labels": {}}, Outcome.ALLOWED, False),  # granted
        ({"status": {"code": 5}, "labels": {}, "authorizationInfo": []}, Outcome.ALLOWED, True),
        ({"status": None, "labels": {}, "authorizationInfo": []}, Outcome.ALLOWED, False),
    ],
)
def test_gke_says_the_decision_in_labels_or_by_what_was_granted(
    changed: dict[str, Any], outcome: Outcome, weaker: bool
) -> None:
    (only,) = told(gke(**changed))
    assert (only.behaviour.outcome, bool(only.weaker)) == (outcome, weaker)


def test_entries_of_one_long_gke_request_are_one() -> None:
    exercises, reading = replay(text(gke(insertId="a"), gke(insertId="b")))
    assert (len(exercises), reading.duplicates) == (1, 1)


@pytest.mark.parametrize(
    ("record", "faults"),
    [
        ({"kind": "EventList", "apiVersion": "audit.k8s.io/v1beta1", "items": [EVENT, EVENT]},
         {"a list that is not of audit.k8s.io/v1": 2}),
        ({"kind": "PodList", "apiVersion": "v1", "items": [{}]}, {"a list that is not of audit.k8s.io/v1": 1}),
        ({"items": [EVENT, 7, {"items": "x"}]}, {"not JSON, or not of an event's shape": 2}),
        ({}, {"not JSON, or not of an event's shape": 1}),
        ({"records": [{**AKS, "properties": {}}]}, {"an Azure record without properties.log": 1}),
        ({"records": [{**AKS, "properties": {"log": "{"}}]}, {"not JSON, or not of an event's shape": 1}),
        ({"events": [{"message": "E1122 text"}]}, {"not JSON, or not of an event's shape": 1}),
        ([[[[[[EVENT]]]]]], {"more than 4 envelopes within one another": 1}),
        (gke(resourceName="x"), {"a resourceName that is not GROUP/VERSION/RESOURCE": 1}),
        (gke(timestamp="soon"), {"without an auditID or a time": 1}),
        (gke(methodName="io.k8s.core.v1.secrets.frob"), {"an unknown verb": 1}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("indent", [None, 1])
def test_what_is_broken_within_an_envelope_is_counted_by_its_reason(
    record: Any, faults: dict[str, int], indent: int | None
) -> None:
    _, reading = replay(json.dumps(record, indent=indent).encode())
    assert reading.faults == faults
