"""An account asked itself, by boto3: everything that its files would say, and who has EKS Pod Identity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from controlplane.sources.aws_actions import Actions, known_actions
from controlplane.sources.clusters import Clusters
from controlplane.sources.iam.declaration import declaration_of
from inscope.grant import Declaration

MAX_PAGES = 10_000
MAX_ASSOCIATIONS = 10_000
Page = Mapping[str, Any]


class UnreadableAccountError(Exception):
    """AWS did not answer, or refused. The message says what."""


def declared_live(
    iam: Any, eks: Any | None, now: float, actions: Actions | None = None, clusters: Clusters | None = None
) -> Declaration:
    """`iam` and `eks` are boto3's clients; without `eks` no associations are read. That those cannot be read is a fault
    of the declaration, not its end.

    Raises:
        UnreadableAccountError: the account cannot be read.
        NoAccountError: there is no identity in it.
        MissingDatabaseError: AWS's actions are not at hand.
    """
    pages, faults = list[Page](), list[str]()
    try:
        pages += _bounded(iam.get_paginator("get_account_authorization_details").paginate(), MAX_PAGES, faults)
    except (BotoCoreError, ClientError) as error:
        raise UnreadableAccountError(f"the account cannot be read: {error}") from error
    if eks is not None:
        try:
            pages += _bounded(_associations(eks), MAX_ASSOCIATIONS, faults)
        except (BotoCoreError, ClientError) as error:
            faults.append(f"who has EKS Pod Identity cannot be read: {error}")
    return declaration_of(pages, now, actions or known_actions(), clusters or Clusters(), faults)


def _bounded(pages: Iterator[Page], most: int, faults: list[str]) -> Iterator[Page]:
    for number, page in enumerate(pages):
        if number == most:
            faults.append(f"there are more than {most:,}: the rest is unknown")
            return
        yield page


def _associations(eks: Any) -> Iterator[Page]:
    """Each described: the list does not say the role."""
    for page in eks.get_paginator("list_clusters").paginate():
        for cluster in page["clusters"]:
            for listed in eks.get_paginator("list_pod_identity_associations").paginate(clusterName=cluster):
                for each in listed["associations"]:
                    yield eks.describe_pod_identity_association(
                        clusterName=cluster, associationId=each["associationId"]
                    )
