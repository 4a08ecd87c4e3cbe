"""The files that an API server is given: they are what it reads, and they log what tripwires need."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import yaml

from controlplane.sources.audit.connecting import Client, audit_policy, webhook_config

URL = "https://inscope.example:9443/audit"
AUTHORITY = b"-----BEGIN CERTIFICATE-----\n"


def user_of(client: Client) -> dict[str, str]:
    document = yaml.safe_load(webhook_config(URL, AUTHORITY, client))
    assert document["current-context"] == document["contexts"][0]["name"]
    cluster = document["clusters"][0]["cluster"]
    assert cluster["server"] == URL
    assert base64.b64decode(cluster["certificate-authority-data"]) == AUTHORITY
    user: dict[str, str] = document["users"][0]["user"]
    return user


def test_the_webhook_file_says_where_whom_to_trust_and_what_to_show() -> None:
    assert user_of(Client(token="t: 'x'\n#")) == {"token": "t: 'x'\n#"}
    shown = {"client-certificate": "/etc/pki/a.crt", "client-key": "/etc/pki/a.key"}
    assert user_of(Client(certificate="/etc/pki/a.crt", key="/etc/pki/a.key")) == shown


@pytest.mark.parametrize(
    ("url", "client"),
    [("http://inscope.example/audit", Client("t")), (URL, Client()), (URL, Client(certificate="/only.crt"))],
)
def test_what_could_not_work_is_refused(url: str, client: Client) -> None:
    with pytest.raises(ValueError, match=r"HTTPS|must show"):
        webhook_config(url, AUTHORITY, client)


def level(user: str, groups: list[str], verb: str, group: str, resource: str) -> str:
    """What the first rule that matches says, as the API server has it (k8s.io/apiserver/pkg/audit/policy)."""
    for rule in yaml.safe_load(audit_policy())["rules"]:
        if _matches(rule, user, groups, verb, group, resource):
            return str(rule["level"])
    return "None"


def _matches(rule: dict[str, Any], user: str, groups: list[str], verb: str, group: str, resource: str) -> bool:
    if "nonResourceURLs" in rule:
        return False
    listed = rule.get("resources")
    return (
        (not rule.get("users") or user in rule["users"])
        and (not rule.get("userGroups") or bool(set(groups) & set(rule["userGroups"])))
        and (not rule.get("verbs") or verb in rule["verbs"])
        and (listed is None or any(e["group"] == group and resource in e.get("resources", [resource]) for e in listed))
    )


@pytest.mark.parametrize("verb", ["get", "list", "watch", "create", "update", "patch", "delete"])
@pytest.mark.parametrize(
    ("group", "resource"),
    [
        ("", "pods"), ("", "secrets"), ("", "pods/exec"), ("", "serviceaccounts/token"), ("", "events"),
        ("coordination.k8s.io", "leases"), ("rbac.authorization.k8s.io", "rolebindings"), ("apps", "deployments"),
    ],
)  # fmt: skip
def test_the_policy_logs_everything_that_service_accounts_do_and_no_body(verb: str, group: str, resource: str) -> None:
    groups = ["system:serviceaccounts", "system:serviceaccounts:analytics", "system:authenticated"]
    assert level("system:serviceaccount:analytics:agent", groups, verb, group, resource) == "Metadata"
    assert level("ann@example.com", ["system:authenticated"], verb, group, resource) == "Metadata"
    assert {rule["level"] for rule in yaml.safe_load(audit_policy())["rules"]} == {"None", "Metadata"}
