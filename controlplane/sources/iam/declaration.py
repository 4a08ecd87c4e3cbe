"""Everything that an account declares, put together. Pure but for AWS's actions, which are read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from controlplane.sources.aws_actions import Actions, known_actions
from controlplane.sources.clusters import Clusters
from controlplane.sources.iam.account import read_account
from controlplane.sources.iam.grants import grants_of
from controlplane.sources.iam.links import associations_of, links_of
from inscope.grant import Declaration
from inscope.permission import Authority


class NoAccountError(ValueError):
    """The files are not what `get-account-authorization-details` prints. The message says what is there instead."""


def read_declaration(
    files: Iterable[tuple[str, bytes]], now: float, actions: Actions | None = None, clusters: Clusters | None = None
) -> Declaration:
    """From the API's answers as JSON, (name, content) each: pages of `get-account-authorization-details`, and
    `describe-pod-identity-association`.

    Raises:
        NoAccountError: there is no identity in any of them.
        MissingDatabaseError: AWS's actions are not at hand.
    """
    pages: list[Mapping[str, Any]] = []
    faults = []
    for name, content in files:
        try:
            page = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            faults.append(f"{name}: no JSON: {error}")
            continue
        pages += [each for each in (page if isinstance(page, list) else [page]) if isinstance(each, dict)]
    return declaration_of(pages, now, actions or known_actions(), clusters or Clusters(), faults)


def declaration_of(
    pages: Sequence[Mapping[str, Any]], now: float, actions: Actions, clusters: Clusters, faults: Sequence[str] = ()
) -> Declaration:
    """From the API's answers as objects.

    Raises:
        NoAccountError: there is no identity in any of them.
    """
    account = read_account(pages)
    if not account.identities:
        why = "; ".join([*faults, *account.faults][:3]) or "no RoleDetailList and no UserDetailList"
        raise NoAccountError(f"nothing to import: {why}")
    grants = tuple(grant for identity in account.identities for grant in grants_of(identity, actions))
    links = tuple(dict.fromkeys([*links_of(account, clusters), *associations_of(pages, clusters)]))
    return Declaration(Authority.AWS, account.number, now, grants, links, (*faults, *account.faults))
