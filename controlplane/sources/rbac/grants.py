"""What a service account holds, as grants: one for each binding, API group and level. Pure."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from controlplane.sources.kubernetes import level_of, service_of
from controlplane.sources.rbac.objects import Rule
from controlplane.sources.rbac.resolver import Asker, Path, Rbac
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


def grants_of(asker: Asker, rbac: Rbac) -> Iterator[Grant]:
    """All of them."""
    for path in rbac.paths(asker):
        for (service, level), patterns in patterns_of(path).items():
            yield _grant(asker.user, path, service, level, patterns)


def patterns_of(path: Path) -> dict[tuple[str, Level], dict[Permission, None]]:
    """What one binding grants, by service and level, in order."""
    return _patterns(path.role.rules, path.binding.namespace)


@lru_cache(maxsize=4_096)
def _patterns(rules: tuple[Rule, ...], namespace: str) -> dict[tuple[str, Level], dict[Permission, None]]:
    # A role that is bound to many is read once.
    found: defaultdict[tuple[str, Level], dict[Permission, None]] = defaultdict(dict)
    for rule in rules:
        for permission in _of_rule(rule, namespace):
            key = (permission.service, level_of(permission.service, permission.resource, permission.action))
            if len(found[key]) < MAX_PATTERNS:
                found[key][permission] = None
    return dict(found)


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


def _grant(principal: str, path: Path, service: str, level: Level, patterns: Iterable[Permission]) -> Grant:
    permissions = tuple(patterns)
    return Grant(
        Authority.KUBERNETES,
        principal,
        (str(path.binding), str(path.role)),
        service,
        level,
        permissions,
        _size(permissions),
        since=max(path.binding.created, path.role.created),
        inherited=f"group {path.through}" if path.through else "",
        weight=weights_of(permissions),
    )


def _size(permissions: Iterable[Permission]) -> int:
    """Verbs of kinds; the namespaces that a grant reaches are not counted."""
    parts = [(each.service, each.action, each.resource, each.name) for each in permissions]
    return -1 if any("*" in text for part in parts for text in part) else len(parts)


@lru_cache(maxsize=4_096)
def weights_of(permissions: tuple[Permission, ...]) -> tuple[str, ...]:
    """Why a grant weighs more than its level says, each reason once."""
    return tuple(
        dict.fromkeys(
            weight.why
            for weight in WEIGHTS
            if any(_reaches(pattern, wanted) for pattern in permissions for wanted in weight.permissions)
        )
    )


def _reaches(pattern: Permission, wanted: Permission) -> bool:
    """Whether it grants any of it, wherever and under whatever name."""
    return Permission(Authority.KUBERNETES, pattern.service, pattern.action, pattern.resource).covers(wanted)


def _read(text: str) -> tuple[Weight, ...]:
    return tuple(
        Weight(
            tuple(Permission(Authority.KUBERNETES, each["service"], verb, each["resource"]) for verb in each["verbs"]),
            f"{each['why']} ({each['source']})",
        )
        for each in tomllib.loads(text)["weight"]
    )


WEIGHTS = _read(files(__package__).joinpath("weights.toml").read_text("utf-8"))
"""The list that ships with inscope."""
