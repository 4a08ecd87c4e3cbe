"""Everything that an account declares, put together. Pure but for AWS's actions, which are read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from controlplane.sources.aws_actions import Actions, known_actions
from controlplane.sources.iam.account import read_account
from controlplane.sources.iam.grants import grants_of
from controlplane.sources.iam.links import links_of
from inscope.grant import Declaration
from inscope.permission import Authority


class NoAccountError(ValueError):
    """The files are not what `get-account-authorization-details` prints. The message says what is there instead."""


def read_declaration(files: Iterable[tuple[str, bytes]], now: float, actions: Actions | None = None) -> Declaration:
    """From the API's answer as JSON, one or several pages, (name, content) each.

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
        pages += (
            [page]
            if isinstance(page, dict)
            else [each for each in page if isinstance(each, dict)]
            if isinstance(page, list)
            else []
        )
    account = read_account(pages)
    if not account.identities:
        why = "; ".join([*faults, *account.faults][:3]) or "no RoleDetailList and no UserDetailList"
        raise NoAccountError(f"nothing to import: {why}")
    known = actions or known_actions()
    grants = tuple(grant for identity in account.identities for grant in grants_of(identity, known))
    links = tuple(dict.fromkeys(links_of(account)))
    return Declaration(Authority.AWS, account.number, now, grants, links, (*faults, *account.faults))
