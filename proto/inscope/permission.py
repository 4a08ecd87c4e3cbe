"""What an identity may do, and does, in the terms of the authority that grants it: Kubernetes, AWS, PostgreSQL.

One type serves both sides of the gap. In what is *used* every part is literal; in what is *granted* a part may hold
`*`, which stands for any text, so that a grant stays as few lines as its author wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Authority(StrEnum):
    """Who grants, asks for a credential, and keeps a log."""

    KUBERNETES = "kubernetes"
    AWS = "aws"
    POSTGRESQL = "postgresql"


class Level(StrEnum):
    """What a permission lets its holder do, by gravity. AWS's five access levels, applied to all authorities alike
    (tagging counts as writing): "Understanding access level summaries", AWS IAM User Guide.
    """

    LIST = "list"
    READ = "read"
    WRITE = "write"
    PERMISSIONS = "permissions"


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One thing that may be done.

    | | Kubernetes | AWS | PostgreSQL |
    |---|---|---|---|
    | `service` | API group, `core` for the empty one, `nonresource` for paths | prefix: `s3` | database |
    | `action` | verb | action: `GetObject` | privilege: `SELECT` |
    | `resource` | `pods`, `pods/exec`, or a path | ARN, or its general form | `schema.table`, `schema.table.column` |
    | `scope` | namespace, empty: cluster | account, empty: none | empty |
    | `name` | of the object where it matters, else empty | empty | empty |
    """

    authority: Authority
    service: str
    action: str
    resource: str
    scope: str = ""
    name: str = ""

    def __str__(self) -> str:
        """As a sentence puts it: `create rolebindings.rbac.authorization.k8s.io in analytics`."""
        return _text(self)

    def covers(self, used: Permission) -> bool:
        """Whether this one, as granted, allows `used`. A `*` in any part of this one stands for any text there.

        A name that is granted restricts only uses that say a name: a use of all of a kind (`list`, `create`) is then
        not covered, as in Kubernetes, where `resourceNames` never match a request without one.
        """
        return (
            self.authority is used.authority
            and _matches(self.service, used.service)
            and _matches_action(self, used)
            and (_unsaid(used) or _matches(self.resource, used.resource))
            and _matches(self.scope, used.scope)
            and (not self.name or (bool(used.name) and _matches(self.name, used.name)))
        )


@lru_cache(maxsize=65_536)
def _text(permission: Permission) -> str:
    return _TEXTS[permission.authority](permission)


def _unsaid(used: Permission) -> bool:
    """Most of CloudTrail's events do not say on which resource: it may have been any."""
    return used.authority is Authority.AWS and used.resource == "*"


def _matches_action(granted: Permission, used: Permission) -> bool:
    if granted.authority is Authority.AWS:  # the only authority that ignores case
        return _matches(granted.action.lower(), used.action.lower())
    return _matches(granted.action, used.action)


def _matches(pattern: str, text: str) -> bool:
    if pattern in ("*", text):
        return True
    return "*" in pattern and _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=65_536)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, re.sub(r"\*+", "*", pattern).split("*"))), re.DOTALL)


def _kubernetes(permission: Permission) -> str:
    group = "" if permission.service in ("core", "nonresource") else f".{permission.service}"
    kind, _, sub = permission.resource.partition("/")
    what = permission.resource if permission.service == "nonresource" else f"{kind}{group}{'/' if sub else ''}{sub}"
    named = f" {permission.name}" if permission.name else ""
    where = {"": "", "*": " in all namespaces"}.get(permission.scope, f" in {permission.scope}")
    return f"{permission.action} {what}{named}{where}"


def _aws(permission: Permission) -> str:
    on = f" on {permission.resource}" if permission.resource not in ("", "*") else ""
    return f"{permission.service}:{permission.action}{on}"


def _postgresql(permission: Permission) -> str:
    return f"{permission.action} on {permission.resource} in database {permission.service}"


_TEXTS = {Authority.KUBERNETES: _kubernetes, Authority.AWS: _aws, Authority.POSTGRESQL: _postgresql}
