"""An account as `get-account-authorization-details` prints it: its identities, each with all that bears on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from controlplane.sources.iam.documents import MalformedPolicyError, Policy, read_policy
from controlplane.sources.iam.evaluator import Holder

MAX_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class Attached:
    """A policy and by which path it is held: by a group, inline, or attached. `since` is when it came to be as it is,
    in seconds since the epoch; 0: unknown.
    """

    policy: Policy
    path: tuple[str, ...]
    since: float


@dataclass(frozen=True, slots=True)
class Identity:
    """A role or a user. `trust` is a role's trust policy."""

    arn: str
    attached: tuple[Attached, ...]
    boundary: Policy | None = None
    trust: Policy | None = None
    since: float = 0.0

    @property
    def holder(self) -> Holder:
        """For the evaluator."""
        return Holder(tuple(each.policy for each in self.attached), self.boundary)


@dataclass(slots=True)
class Account:
    """What was read; `faults` are what was not understood, one sentence each."""

    number: str = ""
    identities: list[Identity] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def fault(self, sentence: str) -> None:
        """Note one."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(sentence)


Body = Mapping[str, Any]


def read_account(documents: Iterable[Body]) -> Account:
    """From one or several pages of the API's answer."""
    pages, account = list(documents), Account()
    managed = _managed(pages, account)
    groups = {str(group.get("GroupName")): group for group in _listed(pages, "GroupDetailList")}
    for role in _listed(pages, "RoleDetailList"):
        _take(account, role, managed, [], trust=role.get("AssumeRolePolicyDocument"))
    for user in _listed(pages, "UserDetailList"):
        named = user.get("GroupList")
        names = [str(name) for name in named] if isinstance(named, list) else []
        for missing in [name for name in names if name not in groups]:
            account.fault(f"group {missing} of {user.get('Arn')} is not in the files")
        mine = [groups[name] for name in names if name in groups]
        _take(account, user, managed, mine, trust=None)
    first = next((identity.arn.split(":") for identity in account.identities), [])
    account.number = first[4] if len(first) > 4 else ""
    return account


def _listed(pages: Iterable[Body], key: str) -> list[Body]:
    found = []
    for page in pages:
        items = page.get(key)
        found += [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    return found


def _managed(pages: Iterable[Body], account: Account) -> dict[str, Attached]:
    """The version in force of each managed policy, by its ARN."""
    found = {}
    for body in _listed(pages, "Policies"):
        arn = str(body.get("Arn", ""))
        name = str(body.get("PolicyName") or arn.rpartition("/")[2])
        versions = body.get("PolicyVersionList")
        for version in versions if isinstance(versions, list) else ():
            if isinstance(version, Mapping) and version.get("IsDefaultVersion") is True:
                policy = _policy(account, f"policy {name}", version.get("Document"))
                if policy:
                    found[arn] = Attached(policy, (policy.name,), seconds(version.get("CreateDate")))
    return found


def _take(account: Account, body: Body, managed: Mapping[str, Attached], groups: Iterable[Body], trust: object) -> None:
    arn = body.get("Arn")
    if not isinstance(arn, str) or not arn.startswith("arn:") or arn.count(":") < 5:
        account.fault("an identity without an ARN")
        return
    since = seconds(body.get("CreateDate"))
    attached = list(_attached(account, body, managed, (), since, arn))
    for group in groups:
        path = (f"group {group.get('GroupName')}",)
        attached += _attached(account, group, managed, path, seconds(group.get("CreateDate")), arn)
    boundary = _boundary(account, body, managed, arn)
    trusted = _policy(account, f"trust policy of {arn}", trust) if trust is not None else None
    account.identities.append(Identity(arn, tuple(attached), boundary, trusted, since))


def _attached(
    account: Account, body: Body, managed: Mapping[str, Attached], path: tuple[str, ...], since: float, arn: str
) -> Iterable[Attached]:
    for key in ("RolePolicyList", "UserPolicyList", "GroupPolicyList"):
        for inline in _listed((body,), key):
            name = f"inline policy {inline.get('PolicyName')}"
            policy = _policy(account, name, inline.get("PolicyDocument"))
            if policy:
                yield Attached(policy, (*path, name), since)
    for reference in _listed((body,), "AttachedManagedPolicies"):
        known = managed.get(str(reference.get("PolicyArn")))
        if known:
            yield Attached(known.policy, (*path, *known.path), max(known.since, since))
        else:
            account.fault(f"{arn} has {reference.get('PolicyArn')} attached, which is not in the files")


def _boundary(account: Account, body: Body, managed: Mapping[str, Attached], arn: str) -> Policy | None:
    named = body.get("PermissionsBoundary")
    if not isinstance(named, Mapping):
        return None
    boundary = str(named.get("PermissionsBoundaryArn", ""))
    known = managed.get(boundary)
    if known:
        return known.policy
    account.fault(f"the boundary {boundary} of {arn} is not in the files: nothing of it is counted as granted")
    return Policy(f"boundary {boundary}", ())


def _policy(account: Account, name: str, document: object) -> Policy | None:
    try:
        return read_policy(name, document)
    except MalformedPolicyError as error:
        account.fault(str(error))
        return None


def seconds(value: object) -> float:
    """A date of the API's answer, as text or as the client reads it; 0 where it is none."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return 0.0
    if not isinstance(moment, datetime):
        return 0.0
    return max((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), 0.0)
