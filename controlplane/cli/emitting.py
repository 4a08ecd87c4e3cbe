"""The remedy for a gap, as text to be applied by whoever owns the authority: never by us."""

from __future__ import annotations

import re
from collections import defaultdict

from controlplane.cli.exit_codes import CommandError, ExitCode
from inscope.codec.authority import grant_from_wire
from inscope.codec.logged import permission_from_wire
from inscope.permission import Authority, Permission
from inscope.v1 import operator_pb2 as pb

_ACCOUNT = re.compile(r"(?:.*/)?system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)\Z")
_AUTHORITIES = {"rbac": Authority.KUBERNETES, "iam": Authority.AWS}


def remedy(what: str, detail: pb.OutsideDetail) -> str:
    """What of each identity of a workload was exercised, and nothing else, as its authority takes it.

    Raises:
        CommandError: there is nothing to write: no identity of it there, or nothing was exercised.
    """
    used = _used(detail, _AUTHORITIES[what])
    texts = [text for principal, permissions in used.items() if (text := _text(what, principal, permissions))]
    if not texts:
        raise CommandError(ExitCode.NO, f"nothing that {what} grants was exercised, as far as logs tell")
    return "".join(texts)


def _used(detail: pb.OutsideDetail, authority: Authority) -> dict[str, list[Permission]]:
    """By identity, each permission once. What no known grant covers is not there: nobody knows whose it was."""
    found: defaultdict[str, dict[Permission, None]] = defaultdict(dict)
    for each in detail.held:
        grant = grant_from_wire(each.grant)
        if grant.authority is authority and not grant.inherited:
            found[grant.principal].update(dict.fromkeys(map(permission_from_wire, each.used)))
    return {principal: list(permissions) for principal, permissions in found.items()}


def _text(what: str, principal: str, used: list[Permission]) -> str:
    if what == "iam":
        from controlplane.sources.iam.emit import least_privilege as policy

        return policy(used)
    from controlplane.sources.rbac.emit import least_privilege as roles

    account = _ACCOUNT.match(principal)
    return roles(account["namespace"], account["name"], used) if account else ""
