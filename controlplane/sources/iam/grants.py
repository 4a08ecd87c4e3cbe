"""What an identity holds, as grants: one for each policy's statement, service and level. Pure.

What is explicitly denied, or outside of the boundary, is left out; what is so only in part, or under conditions, is
*conditional*. `*` is one open-ended grant and not four hundred.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from controlplane.sources.aws_actions import Actions, wildcard
from controlplane.sources.iam.account import Attached, Identity
from controlplane.sources.iam.documents import Policy, Statement
from controlplane.sources.iam.evaluator import names_action
from inscope.grant import Grant
from inscope.permission import Authority, Level, Permission

MAX_RESOURCES = 50
"""Resources of one statement that are told apart; a statement with more is taken as all that begins as they all do."""

ANY = "*"


@dataclass(frozen=True, slots=True)
class Limits:
    """What takes away from what is allowed: denials anywhere, and a boundary."""

    denials: tuple[Statement, ...]
    boundary: Policy | None

    def leave(self, action: str, resource: str) -> bool | None:
        """Whether they leave `action` on `resource` (a pattern) as it is: yes, no, or None: in part, or perhaps."""
        verdicts = [
            _denial(statement, action, resource) for statement in self.denials if names_action(statement, action)
        ]
        if self.boundary is not None:
            verdicts.append(_within(self.boundary, action, resource))
        if any(verdict is False for verdict in verdicts):
            return False
        return None if None in verdicts else True


def grants_of(identity: Identity, actions: Actions) -> Iterator[Grant]:
    """All of them."""
    statements = [each for attached in identity.attached for each in attached.policy.statements]
    limits = Limits(tuple(each for each in statements if not each.allow), identity.boundary)
    for attached in identity.attached:
        for statement in attached.policy.statements:
            if statement.allow:
                yield from _of_statement(identity, attached, statement, limits, actions)


def _of_statement(
    identity: Identity, attached: Attached, statement: Statement, limits: Limits, actions: Actions
) -> Iterator[Grant]:
    resources = _resources(statement)
    conditional = bool(statement.conditions or statement.not_resources) or any("${" in each for each in resources)
    path, since = (*attached.path, statement.label), max(attached.since, identity.since)
    if _everything(statement):
        yield from _open(identity, path, statement, limits, conditional, since, resources, actions)
        return
    groups: defaultdict[tuple[str, Level, bool], dict[Permission, None]] = defaultdict(dict)
    for service, name, level in _meant(statement, actions):
        for resource in resources:
            left = limits.leave(f"{service}:{name}", resource)
            if left is not False:
                key = (service, level, conditional or left is None)
                groups[key][Permission(Authority.AWS, service, name, resource)] = None
    for (service, level, unsure), permissions in groups.items():
        yield Grant(
            Authority.AWS,
            identity.arn,
            path,
            service,
            level,
            tuple(permissions),
            len({permission.action for permission in permissions}),
            unsure,
            since,
            weight=weights_of(tuple(permissions)),
        )


def _open(
    identity: Identity,
    path: tuple[str, ...],
    statement: Statement,
    limits: Limits,
    conditional: bool,
    since: float,
    resources: Sequence[str],
    actions: Actions,
) -> Iterator[Grant]:
    """`*`, or everything but some: a pattern for each service where something is left out, else one for all."""
    untouched = not limits.denials and limits.boundary is None and not statement.not_actions
    services = [ANY] if untouched else sorted(actions.services)
    permissions: list[Permission] = []
    for service in services:
        names = [ANY] if service == ANY else _left_of(service, statement, limits, actions)
        permissions += [Permission(Authority.AWS, service, name, each) for name in names for each in resources]
    if permissions:
        size = len(actions) if untouched else -1
        every = tuple(permissions)
        yield Grant(
            Authority.AWS, identity.arn, path, ANY, Level.PERMISSIONS, every, size, conditional, since,
            weight=("everything that AWS has",),
        )  # fmt: skip


def _left_of(service: str, statement: Statement, limits: Limits, actions: Actions) -> list[str]:
    """What is left of one service: all of it as one pattern, or one by one."""
    names = [name for _, name, _ in actions.matching(f"{service}:*")]
    left = [
        name
        for name in names
        if names_action(statement, f"{service}:{name}") and limits.leave(f"{service}:{name}", ANY) is not False
    ]
    return [ANY] if left and len(left) == len(names) else left


def _everything(statement: Statement) -> bool:
    return bool(statement.not_actions) or any(set(pattern) <= {"*", ":"} for pattern in statement.actions)


def _meant(statement: Statement, actions: Actions) -> dict[tuple[str, str, Level], None]:
    return {each: None for pattern in statement.actions for each in actions.matching(pattern)}


def _resources(statement: Statement) -> Sequence[str]:
    if statement.not_resources or not statement.resources:
        return (ANY,)
    filled = tuple(dict.fromkeys(_without_variables(each) for each in statement.resources))
    return filled if len(filled) <= MAX_RESOURCES else (_beginning(filled),)


def _beginning(resources: Sequence[str]) -> str:
    """How all of them begin, up to the first star."""
    first, last = min(resources), max(resources)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:same].partition(ANY)[0] + ANY


def _without_variables(resource: str) -> str:
    """A policy variable may be anything."""
    while "${" in resource:
        before, _, rest = resource.partition("${")
        resource = f"{before}*{rest.partition('}')[2]}"
    return resource.replace("?", "*")


def _denial(statement: Statement, action: str, resource: str) -> bool | None:
    """What one denial of that action leaves of it."""
    if statement.not_resources:
        return None
    if any(_covers(pattern, resource) for pattern in statement.resources):
        return None if statement.conditions else False
    return None if any(_overlaps(pattern, resource) for pattern in statement.resources) else True


def _within(boundary: Policy, action: str, resource: str) -> bool | None:
    """What a boundary leaves of it."""
    allowing = [each for each in boundary.statements if each.allow and names_action(each, action)]
    denying = [each for each in boundary.statements if not each.allow and names_action(each, action)]
    denied = [_denial(each, action, resource) for each in denying]
    if any(verdict is False for verdict in denied) or not allowing:
        return False
    for each in allowing:
        if not each.conditions and any(_covers(pattern, resource) for pattern in each.resources):
            return None if None in denied else True
    reached = any(each.not_resources or any(_overlaps(p, resource) for p in each.resources) for each in allowing)
    return None if reached else False


def _covers(pattern: str, resource: str) -> bool:
    """Whether all that `resource` means is meant by `pattern`: a star in it is matched as the letter that it is."""
    if "${" in pattern or ("?" in pattern and "*" in resource):  # one letter is not any text
        return False
    return wildcard(pattern).fullmatch(resource) is not None


def _overlaps(pattern: str, resource: str) -> bool:
    one, other = _without_variables(pattern), _without_variables(resource)
    if wildcard(one).fullmatch(other) or wildcard(other).fullmatch(one):
        return True
    # Two patterns may meet in the middle: they cannot where what stands before their first stars differs.
    before, after = one.partition("*")[0], other.partition("*")[0]
    return "*" in one and "*" in other and (before.startswith(after) or after.startswith(before))


@dataclass(frozen=True, slots=True)
class Weight:
    """One line of `weights.toml`."""

    permissions: tuple[Permission, ...]
    why: str


@lru_cache(maxsize=4_096)
def weights_of(permissions: tuple[Permission, ...]) -> tuple[str, ...]:
    """Why a grant weighs more than its level says."""
    held = {(permission.service, permission.action) for permission in permissions}
    return tuple(
        weight.why for weight in WEIGHTS if any((each.service, each.action) in held for each in weight.permissions)
    )


def _read(text: str) -> Iterable[Weight]:
    for each in tomllib.loads(text)["weight"]:
        parts = [action.partition(":") for action in each["actions"]]
        yield Weight(
            tuple(Permission(Authority.AWS, service, action, ANY) for service, _, action in parts),
            f"{each['why']} ({each['source']})",
        )


WEIGHTS = tuple(_read(files(__package__).joinpath("weights.toml").read_text("utf-8")))
"""The list that ships with inscope."""
