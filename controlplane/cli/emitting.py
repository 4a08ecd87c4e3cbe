"""The remedy for a gap, as text to be applied by whoever owns the authority: never by us."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from controlplane.cli.exit_codes import CommandError, ExitCode
from inscope.codec.authority import grant_from_wire
from inscope.codec.logged import permission_from_wire
from inscope.coverage import Source
from inscope.permission import Authority, Permission
from inscope.v1 import operator_pb2 as pb

_ACCOUNT = re.compile(r"(?:.*/)?system:serviceaccount:(?P<namespace>[^:]+):(?P<name>[^:]+)\Z")
_AUTHORITIES = {"rbac": Authority.KUBERNETES, "iam": Authority.AWS, "sql": Authority.POSTGRESQL}


def remedy(what: str, detail: pb.OutsideDetail) -> str:
    """What of each identity of a workload was exercised, and nothing else, as its authority takes it.

    Raises:
        CommandError: there is nothing to write: no identity of it there, or nothing was exercised.
    """
    used = _used(detail, _AUTHORITIES[what])
    texts = (
        list(_scripts(detail, used))
        if what == "sql"
        else [text for principal, permissions in used.items() if (text := _text(what, principal, permissions))]
    )
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


def _scripts(detail: pb.OutsideDetail, used: dict[str, list[Permission]]) -> Iterator[str]:
    """A role's own name has no server before it."""
    from controlplane.sources.postgresql.emit import least_privilege
    from controlplane.sources.postgresql.names import NotANameError

    held = [grant_from_wire(each.grant) for each in detail.held]
    scopes = {f"{log.scope}/" for log in detail.logs if log.source == Source.POSTGRESQL_LOG and log.scope}
    for principal, permissions in used.items():
        if not permissions:
            continue
        scope = next((scope for scope in scopes if principal.startswith(scope)), "")
        mine = [grant for grant in held if grant.principal == principal]
        try:
            yield least_privilege(principal.removeprefix(scope), permissions, mine)
        except NotANameError as error:
            raise CommandError(ExitCode.NO, f"no script can be written for {principal}: {error}") from error


def _text(what: str, principal: str, used: list[Permission]) -> str:
    if what == "iam":
        from controlplane.sources.iam.emit import least_privilege as policy

        return policy(used)
    from controlplane.sources.rbac.emit import least_privilege as roles

    account = _ACCOUNT.match(principal)
    return roles(account["namespace"], account["name"], used) if account else ""
