"""Who may take on which role, by the roles' trust policies and EKS Pod Identity's associations. Pure.

A link is told only where somebody in particular is named. What is open (anybody, everybody but one, whoever a provider
vouches for) is nobody's link and told as a fault, as is what a denial or a condition may take away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any

from controlplane.sources.clusters import Clusters
from controlplane.sources.iam.account import Account, Identity, seconds
from controlplane.sources.iam.documents import Statement
from controlplane.sources.iam.evaluator import names_action
from inscope.grant import Link, LinkKind
from inscope.text import printable

POD_IDENTITY = "pods.eks.amazonaws.com"
_NAMING = frozenset({"StringEquals", "StringLike", "ForAnyValue:StringEquals", "ForAnyValue:StringLike"})
"""Operators by which a trust policy says who; any other (`StringNotEquals`) says who not."""

_WAYS = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity")
_NAMESPACE = "aws:requesttag/kubernetes-namespace"
_ACCOUNT = "aws:requesttag/kubernetes-service-account"
_CLUSTERS = ("aws:requesttag/eks-cluster-arn", "aws:requesttag/eks-cluster-name")
MAX_NAMED = 1_000
"""Service accounts that one statement may name."""


def links_of(account: Account, clusters: Clusters) -> Iterator[Link]:
    """All of them."""
    for identity in account.identities:
        statements = identity.trust.statements if identity.trust else ()
        denials = [each for each in statements if not each.allow]
        for statement in statements:
            if statement.allow:
                for link in _links(account, identity, statement, clusters):
                    if not _denied(account, link, denials):
                        yield link


def associations_of(pages: Iterable[Mapping[str, Any]], clusters: Clusters) -> Iterator[Link]:
    """Of `aws eks describe-pod-identity-association`, one each: the list of them does not say the role."""
    for page in pages:
        body = page.get("association")
        if not isinstance(body, Mapping):
            continue
        parts = [body.get(key) for key in ("namespace", "serviceAccount", "roleArn", "clusterName")]
        namespace, name, role, cluster = (printable(part[:2_048]) if isinstance(part, str) else "" for part in parts)
        if not (namespace and name and role):
            continue
        via, since = f"EKS Pod Identity association in {cluster or 'a cluster'}", seconds(body.get("createdAt"))
        source = clusters.account(f"system:serviceaccount:{namespace}:{name}", cluster)
        yield Link(LinkKind.FEDERATES, source, role, via, since)
        target = body.get("targetRoleArn")
        if isinstance(target, str) and target:
            yield Link(LinkKind.ASSUMES, role, printable(target[:2_048]), via, since)


def _denied(account: Account, link: Link, denials: Iterable[Statement]) -> bool:
    """Whether the same trust policy denies it for certain; what it may deny is told."""
    for denial in denials:
        named = any(value in ("*", link.source) for _, value in denial.principals)
        spared = denial.not_principals and not any(value == link.source for _, value in denial.not_principals)
        whole = all(names_action(denial, action) for action in _WAYS)
        if (named or spared) and whole and not denial.conditions:
            return True
        if named or spared:
            account.fault(f"{link.via}: {denial.label} may deny it to {link.source}")
    return False


def _links(account: Account, identity: Identity, statement: Statement, clusters: Clusters) -> Iterator[Link]:
    via = f"trust policy of {identity.arn}, {statement.label}"
    if statement.not_principals:
        account.fault(f"{via}: everybody but {len(statement.not_principals)} may take it on")
    for kind, value in statement.principals:
        match kind:
            case "Federated":
                for subject in _subjects(account, statement, via):
                    source = clusters.account(subject, value)
                    yield Link(LinkKind.FEDERATES, source, identity.arn, via, identity.since)
            case "AWS" if value == "*":
                account.fault(f"{via}: anybody may take it on")
            case "AWS":
                source = f"arn:aws:iam::{value}:root" if value.isdecimal() else value
                yield Link(LinkKind.ASSUMES, source, identity.arn, via, identity.since)
            case "Service" if value == POD_IDENTITY:
                yield from _tagged(account, identity, statement, via, clusters)


def _named_by(statement: Statement, *keys: str) -> list[str]:
    return [
        value
        for condition in statement.conditions
        if condition.operator in _NAMING and condition.key.lower() in keys
        for value in condition.values
    ]


def _subjects(account: Account, statement: Statement, via: str) -> Iterator[str]:
    named = [
        (condition.operator, value)
        for condition in statement.conditions
        if condition.key.endswith(":sub") and condition.operator in _NAMING
        for value in condition.values
    ]
    if not named:
        account.fault(f"{via}: whoever the provider vouches for may take it on")
    for operator, subject in named:
        if _open(subject) and "Like" in operator:
            account.fault(f"{via}: whoever is {subject} may take it on")
        else:
            yield subject


def _tagged(account: Account, identity: Identity, statement: Statement, via: str, clusters: Clusters) -> Iterator[Link]:
    """By the session tags that the policy asks for; without both no IAM document says who has an association."""
    said = _named_by(statement, *_CLUSTERS) or [""]
    named = [
        each
        for each in product(_named_by(statement, _NAMESPACE), _named_by(statement, _ACCOUNT), said)
        if not any(map(_open, each))
    ]
    if not named:
        account.fault(f"{via}: by EKS Pod Identity; which service accounts have it is not said in IAM")
    for namespace, name, cluster in named[:MAX_NAMED]:
        source = clusters.account(f"system:serviceaccount:{namespace}:{name}", cluster)
        yield Link(LinkKind.FEDERATES, source, identity.arn, via, identity.since)


def _open(text: str) -> bool:
    return any(char in text for char in "*?$")
