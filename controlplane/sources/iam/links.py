"""Who may take on which role, by the roles' trust policies. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from controlplane.sources.iam.account import Account, Identity
from controlplane.sources.iam.documents import Statement
from inscope.grant import Link, LinkKind

POD_IDENTITY = "pods.eks.amazonaws.com"


def links_of(account: Account) -> Iterator[Link]:
    """All of them. What names nobody in particular is told as a fault: it is nobody's link, and worth knowing."""
    for identity in account.identities:
        for statement in identity.trust.statements if identity.trust else ():
            if statement.allow:
                yield from _links(account, identity, statement)


def _links(account: Account, identity: Identity, statement: Statement) -> Iterator[Link]:
    via = f"trust policy of {identity.arn}, {statement.label}"
    for kind, value in statement.principals:
        match kind:
            case "Federated":
                yield from _federated(account, identity, statement, via)
            case "AWS" if value == "*":
                account.fault(f"{via}: anybody may take it on")
            case "AWS":
                source = f"arn:aws:iam::{value}:root" if value.isdecimal() else value
                yield Link(LinkKind.ASSUMES, source, identity.arn, via, identity.since)
            case "Service" if value == POD_IDENTITY:
                account.fault(f"{via}: by EKS Pod Identity; which service accounts have it is not said in IAM")


def _federated(account: Account, identity: Identity, statement: Statement, via: str) -> Iterator[Link]:
    subjects = [
        (condition.operator, value)
        for condition in statement.conditions
        if condition.key.endswith(":sub")
        for value in condition.values
    ]
    if not subjects:
        account.fault(f"{via}: whoever the provider vouches for may take it on")
    for operator, subject in subjects:
        if "*" in subject and "Like" in operator:
            account.fault(f"{via}: whoever is {subject} may take it on")
        else:
            yield Link(LinkKind.FEDERATES, subject, identity.arn, via, identity.since)
