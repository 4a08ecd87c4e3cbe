"""The rules of aggregated ClusterRoles, as the cluster's own controller would write them. Pure.

A server decides by the rules that are written down, so that those are taken where a role was read from one. A manifest
that is yet to be applied has none: its rules are those of every role that it selects, and of what these select in turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from controlplane.sources.fields import Selector, chooses
from controlplane.sources.rbac.objects import Role, Rule

MAX_PARTS = 100_000
"""Roles that all aggregated ones select together; what is beyond is left out of them."""


def aggregated(roles: Iterable[Role]) -> Iterable[Role]:
    """All of them, with the rules that they have in the end; a role that selects nothing at hand as it is."""
    every = tuple(roles)
    parts = _parts([role for role in every if not role.namespace])
    rules = {name: dict[Rule, None]() for name in parts}
    waiting = list(parts)
    users = _users(parts)
    while waiting:  # until nobody learns a rule: they only ever grow
        name = waiting.pop()
        before = len(rules[name])
        for part in parts[name]:
            rules[name].update(rules[part.name] if part.name in rules else dict.fromkeys(part.rules))
        if len(rules[name]) != before:
            waiting.extend(users[name])
    return tuple(
        replace(role, rules=tuple(rules[role.name])) if not role.namespace and role.name in parts else role
        for role in every
    )


def _parts(roles: list[Role]) -> dict[str, list[Role]]:
    """What each aggregated role selects, by its name; not itself."""
    labelled = defaultdict[str, list[Role]](list)
    for role in roles:
        for label in role.labels:
            labelled[label].append(role)
    chosen: dict[str, list[Role]] = {}
    left = MAX_PARTS
    for role in roles:
        if role.stored or not role.aggregates:
            continue
        found = {
            other.name: other
            for selector in role.aggregates
            for other in _candidates(selector, labelled, roles)
            if other.name != role.name and chooses(selector, other.labels)
        }
        if found and len(found) <= left:
            left -= len(found)
            chosen[role.name] = [found[name] for name in sorted(found)]
    return chosen


def _candidates(selector: Selector, labelled: Mapping[str, list[Role]], roles: list[Role]) -> list[Role]:
    """Those that may be chosen: where a label has to be there, the ones that have it."""
    needed = [each.key for each in selector if each.operator in ("In", "Exists")]
    return labelled.get(needed[0], []) if needed else roles


def _users(parts: Mapping[str, list[Role]]) -> dict[str, list[str]]:
    """By which aggregated roles each of them is selected."""
    users = {name: list[str]() for name in parts}
    for name, chosen in parts.items():
        for part in chosen:
            if part.name in users:
                users[part.name].append(name)
    return users
