"""Audit events as tests begin with them: what a real 1.36 server recorded (tokens replaced), and variations of it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from controlplane.sources.audit.reader import AuditReader
from controlplane.sources.audit.translate import Translation
from inscope.behaviour import PermissionUse, RoleAssumption
from inscope.exercise import Exercise

_RECORDED = Path(__file__).parent / "recorded"
RECORDED: dict[str, Any] = json.loads((_RECORDED / "audit-eventlist-picked.json").read_text())
POSTED: dict[str, Any] = json.loads((_RECORDED / "audit-post-with-headers.json").read_text())["body"]
AGENT = "system:serviceaccount:analytics:agent"
POD = "agent-66b5f6b998-rvf4r"
BINDING = 'RBAC: allowed by RoleBinding "agents/analytics" of Role "reader" to ServiceAccount "agent/analytics"'


def event(number: int = 1, **changed: Any) -> dict[str, Any]:
    """The agent reads a secret, allowed by a binding. What is changed to None is left out."""
    whole = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": f"00000000-0000-4000-8000-{number:012}",
        "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/analytics/secrets/db",
        "verb": "get",
        "user": {
            "username": AGENT,
            "groups": ["system:serviceaccounts", "system:serviceaccounts:analytics", "system:authenticated"],
            "extra": {
                "authentication.kubernetes.io/credential-id": ["JTI=6a49c125"],
                "authentication.kubernetes.io/pod-name": [POD],
                "authentication.kubernetes.io/pod-uid": ["9ae21de8"],
                "authentication.kubernetes.io/node-name": ["node-1"],
            },
        },
        "sourceIPs": ["10.42.7.9"],
        "userAgent": "python-requests/2.32.3",
        "objectRef": {"resource": "secrets", "namespace": "analytics", "name": "db", "apiVersion": "v1"},
        "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": "2026-11-22T22:32:29.250000Z",
        "stageTimestamp": "2026-11-22T22:32:29.285054Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": BINDING},
    }
    return {key: value for key, value in {**whole, **changed}.items() if value is not None}


def answered(code: int, **annotations: str) -> dict[str, Any]:
    """What an answer changes; annotations without their domain."""
    domain = "authorization.k8s.io/"
    return {
        "responseStatus": {"metadata": {}, "code": code},
        "annotations": {domain + key: value for key, value in annotations.items()},
    }


def text(*records: Any) -> bytes:
    """Lines of JSON."""
    return b"\n".join(json.dumps(each).encode() for each in records)


def replay(written: bytes, translation: Translation | None = None) -> tuple[list[Exercise], AuditReader]:
    """Everything that a file tells."""
    reader = AuditReader("prod", translation or Translation())
    return list(reader.read(io.BytesIO(written))), reader


def told(*records: Any, translation: Translation | None = None) -> list[Exercise]:
    """The exercises of records of which none is at fault."""
    exercises, reading = replay(text(*records), translation)
    assert not reading.faults
    return exercises


def line(each: Exercise) -> str:
    """An exercise on one line, as a transcript has it."""
    match each.behaviour:
        case PermissionUse(permission, principal, outcome, granted_by):
            by = f" by {granted_by}" if granted_by else ""
            return f"{principal} {permission}: {outcome}{by}"
        case RoleAssumption(role, principal, means, outcome):
            return f"{principal} becomes {role} ({means}): {outcome}"
