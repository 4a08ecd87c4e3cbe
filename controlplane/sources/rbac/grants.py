"""What a service account holds, as grants: one for each binding, API group and level. Pure."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from controlplane.sources.kubernetes import level_of, service_of
from controlplane.sources.rbac.discovery import NOTHING_KNOWN, Discovery
from controlplane.sources.rbac.objects import Rule
from controlplane.sources.rbac.resolver import Asker, Rbac
from inscope.grant import Grant
from inscope.permission import Authority, Level, Permission

ANYWHERE = "*"
"""The scope of what a ClusterRoleBinding grants: all namespaces, and what is in none."""

MAX_PATTERNS = 10_000


@dataclass(frozen=True, slots=True)
class Weight:
    """One line of `weights.toml`."""

    permissions: tuple[Permission, ...]
    why: str


@dataclass(frozen=True, slots=True)
class _Part:
    """What a role grants of one service and level, in one namespace or anywhere."""

    service: str
    level: Level
    permissions: tuple[Permission, ...]
    size: int
    weight: tuple[str, ...]


def grants_of(asker: Asker, rbac: Rbac, discovery: Discovery = NOTHING_KNOWN) -> Iterator[Grant]:
    """All of them. `discovery` is what the cluster's wildcards stand for, where that is known."""
    for path in rbac.paths(asker):
        for part in parts_of(path.role.rules, path.binding.namespace, discovery):
            yield Grant(
                Authority.KUBERNETES,
                asker.user,
                (str(path.binding), str(path.role)),
                part.service,
                part.level,
                part.permissions,
                part.size,
                since=max(path.binding.created, path.role.created),
                inherited=f"group {path.through}" if path.through else "",
                weight=part.weight,
            )


@lru_cache(maxsize=65_536)
def parts_of(rules: tuple[Rule, ...], namespace: str, discovery: Discovery) -> tuple[_Part, ...]:
    """What these rules grant where they are bound, by service and level. A role that is bound to many is read once."""
    found: defaultdict[tuple[str, Level], dict[Permission, None]] = defaultdict(dict)
    for rule in rules:
        for permission in _of_rule(rule, namespace):
            key = (permission.service, level_of(permission.service, permission.resource, permission.action))
            if len(found[key]) < MAX_PATTERNS:
                found[key][permission] = None
    return tuple(_Part(*key, tuple(mine), discovery.size(mine), weights_of(mine)) for key, mine in found.items())


def _of_rule(rule: Rule, namespace: str) -> Iterator[Permission]:
    scope = namespace or ANYWHERE
    for verb in rule.verbs:
        for group in rule.groups:
            for resource in rule.resources:
                for name in rule.names or ("",):
                    yield Permission(Authority.KUBERNETES, service_of(group), verb, resource, scope, name)
        if not namespace:  # a binding of a namespace grants no paths
            for url in rule.urls:
                yield Permission(Authority.KUBERNETES, "nonresource", verb, url, ANYWHERE)


def weights_of(permissions: Iterable[Permission]) -> tuple[str, ...]:
    """Why a grant weighs more than its level says, each reason once."""
    kinds = dict.fromkeys(
        (each.service, each.action, each.resource, *((each.scope, each.name) if each.scope in _PLACES else ("", "")))
        for each in permissions
    )
    return tuple(dict.fromkeys(why for kind in kinds for why in _weights_of_one(*kind)))


@lru_cache(maxsize=65_536)
def _weights_of_one(service: str, action: str, resource: str, scope: str, name: str) -> tuple[str, ...]:
    """Wherever it is granted and under whatever name, but for what weighs in one place or under one name only."""
    anywhere = Permission(Authority.KUBERNETES, service, action, resource, ANYWHERE)
    in_place = Permission(Authority.KUBERNETES, service, action, resource, scope, name)
    return tuple(
        weight.why
        for weight in WEIGHTS
        if any((in_place if each.scope else anywhere).covers(each) for each in weight.permissions)
    )


def _read(text: str) -> tuple[Weight, ...]:
    return tuple(
        Weight(
            tuple(
                Permission(
                    Authority.KUBERNETES, each["service"], verb, kind, each.get("scope", ""), each.get("name", "")
                )
                for verb in each["verbs"]
                for kind in each["resources"]
            ),
            f"{each['why']} ({each['source']})",
        )
        for each in tomllib.loads(text)["weight"]
    )


WEIGHTS = _read(files(__package__).joinpath("weights.toml").read_text("utf-8"))
"""The list that ships with inscope."""

_PLACES = {ANYWHERE, *(each.scope for weight in WEIGHTS for each in weight.permissions if each.scope)}
