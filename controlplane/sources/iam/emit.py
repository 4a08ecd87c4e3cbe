"""The policy that would have been enough: what a role exercised, as a policy document. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable

from inscope.permission import Authority, Permission

MAX_RESOURCES = 100


def least_privilege(used: Iterable[Permission]) -> str:
    """A statement for each set of resources. Where the trail did not say on which resource, `*` stands, and the
    statement's id says so.
    """
    resources: defaultdict[str, set[str]] = defaultdict(set)
    for permission in used:
        if permission.authority is Authority.AWS:
            resources[f"{permission.service}:{permission.action}"].add(permission.resource)
    actions: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, named in resources.items():
        said = ("*",) if "*" in named or len(named) > MAX_RESOURCES else tuple(sorted(named))
        actions[said].append(action)
    statements = [
        {
            "Sid": f"Used{number}" + ("ResourceNotLogged" if said == ("*",) else ""),
            "Effect": "Allow",
            "Action": sorted(names),
            "Resource": list(said),
        }
        for number, (said, names) in enumerate(sorted(actions.items()), 1)
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=2) + "\n" if statements else ""
