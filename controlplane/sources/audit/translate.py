"""One audit event becomes the exercises that it tells of. Pure.

An impersonated request is three things: the act, done by the impersonator under the other's name; a role taken on; and
the `impersonate` permissions that were used for it. The identity is the impersonator's throughout: whoever is
impersonated has done nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import unquote

from controlplane.sources.audit.decision import Decision, Unmapped, decision_of
from controlplane.sources.audit.event import VERSION, Event, User
from controlplane.sources.audit.names import KEPT, NameRules
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.entry_text import permission_value
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority, Permission
from inscope.text import printable

MAX_PART = 1_024
"""Characters of a user's name, a path, or any other part of an event that is kept."""

MAX_ID = 64
"""Characters of an auditID that are kept: a client may send any."""

MAX_PERMISSION = 2_048
"""Characters of a permission as an entry has it: more, and what was kept could not be sent."""

MAX_PRODUCT = 100
"""Characters of a client's product."""

MAX_HOPS = 32
"""Hops that are looked at, the nearest of them: whoever sends a request may write as many as a head holds."""

MAX_GROUPS = 32
"""Groups of one request that are told: whoever asks for more is told by the first of them, and by the act."""

FIRST = datetime(2014, 6, 6, tzinfo=UTC)
"""Kubernetes' first commit: a log cannot have covered anything before it."""

LAST_YEAR = 9_999
"""No time of it can be said any more."""

_RESOURCE_VERBS = frozenset({"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"})
_PATH_VERBS = frozenset({"get", "head", "post", "put", "patch", "delete", "options", "connect", "trace"})
_STAGES = frozenset({"ResponseComplete", "ResponseStarted", "Panic"})

_EXTRA = "authentication.kubernetes.io/"
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_ACCOUNT = re.compile(r"system:serviceaccount:(?P<namespace>[^:/]+):(?P<name>[^:/]+)\Z")
_IMPLICIT = re.compile(r"system:(?:(?:un)?authenticated|serviceaccounts(?::.*)?)\Z")  # given to whoever has the name
_REFUSED = re.compile(r'cannot impersonate resource "(?P<kind>[a-z]+)" in API group "(?P<group>[a-z0-9.-]*)"')
_NAMESPACE = re.compile(r'in the namespace "(?P<namespace>[^"]*)"')

Network = IPv4Network | IPv6Network


class BadEventError(ValueError):
    """It is no event of audit.k8s.io/v1; whoever wrote the log is at fault. The message is one of few."""


@dataclass(frozen=True, slots=True)
class Translation:
    """How events are read. `proxies` are networks whose word on whom they forward is taken."""

    names: NameRules = KEPT
    proxies: tuple[Network, ...] = ()

    def exercises(self, event: Event) -> tuple[Exercise, ...] | Unmapped:
        """What `event` tells.

        Raises:
            BadEventError: it is of another version, lacks what every event has, or a part of it is too long.
        """
        if event.apiVersion not in ("", VERSION):
            raise BadEventError(f"not of {VERSION}" if event.apiVersion.startswith("audit.") else "not an audit event")
        if event.stage not in _STAGES:
            return _stage(event)
        time = event.requestReceivedTimestamp or event.stageTimestamp
        if not event.auditID or time is None or time < FIRST or time.year >= LAST_YEAR:
            raise BadEventError("without an auditID or a time")
        decision = decision_of(event)
        if isinstance(decision, Unmapped):
            return decision
        if event.user is None or not event.user.username:
            return Unmapped("nobody is named")
        return tuple(self._told(event, event.user, time.timestamp(), decision))

    def _told(self, event: Event, user: User, time: float, decision: Decision) -> Iterator[Exercise]:
        identity = self._identity(event, user)
        number = event_id(event)
        refused = _refused_impersonation(event, decision)
        if refused is not None:
            yield from _taking_on(number, time, identity, [refused], Outcome.DENIED)
            return
        if event.impersonatedUser is not None:
            whom = list(_impersonated(event.impersonatedUser))
            yield from _taking_on(number, time, identity, whom, Outcome.ALLOWED)
        principal = literal(event.impersonatedUser.username) if event.impersonatedUser else identity.principal
        use = PermissionUse(self._permission(event), principal, decision.outcome, decision.granted_by)
        issued = event.annotations.get(_ISSUED, "")
        issued = literal(issued) if issued else ""
        yield Exercise(number, time, identity, use, issued, weaker=decision.weaker)

    def _permission(self, event: Event) -> Permission:
        reference = event.objectRef
        if reference is None or not reference.resource:
            if event.verb not in _PATH_VERBS:
                raise BadEventError("an unknown verb")
            return _on_path(event.verb, event.requestURI.partition("?")[0])
        if event.verb not in _RESOURCE_VERBS:
            raise BadEventError("an unknown verb")
        service = reference.apiGroup or "core"
        resource = f"{reference.resource}/{reference.subresource}" if reference.subresource else reference.resource
        # The authoriser never sees the name of what is yet to be made; the log has it from the object.
        said = "" if event.verb == "create" and not reference.subresource else reference.name
        name = self.names.kept(service, resource, said) if said else ""
        return _on_object(service, event.verb, resource, reference.namespace, name)

    def _identity(self, event: Event, user: User) -> Identity:
        extra = user.extra
        credential = _first(extra, f"{_EXTRA}credential-id") or _first(extra, "accessKeyId")  # the latter: EKS
        pod, pod_uid = _first(extra, f"{_EXTRA}pod-name"), _first(extra, f"{_EXTRA}pod-uid")
        address = _address(tuple(event.sourceIPs[-MAX_HOPS:]), self.proxies)
        return _identity(user.username, pod, pod_uid, credential, address, event.userAgent[:MAX_PART])


def event_id(event: Event) -> str:
    """What makes an event the same as another. A client may choose its `auditID` (the Audit-ID header), and must not
    hide one act behind another's: what the server itself says goes into it.
    """
    asked = (event.auditID, str(event.requestReceivedTimestamp or event.stageTimestamp), event.verb, event.requestURI)
    who = event.user.username if event.user else ""
    digest = blake2b("\0".join((*asked, who)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"{digest}.{literal(event.auditID[-MAX_ID:])}"


def literal(text: str) -> str:
    """`text` as a part that is kept: printable, bounded, and no pattern. A `*` in what was used would otherwise be one
    in what is made of it, such as a role.
    """
    if len(text) > MAX_PART:
        raise BadEventError(f"a part of more than {MAX_PART:,} characters")
    return printable(text).replace("*", "%2A")


def _stage(event: Event) -> Unmapped:
    if event.stage == "RequestReceived":
        return Unmapped("stage RequestReceived")
    raise BadEventError("without a stage" if not event.stage else "an unknown stage")


def _first(extra: dict[str, list[str]], key: str) -> str:
    values = extra.get(key)
    return values[0] if values else ""


@lru_cache(maxsize=16_384)
def _identity(username: str, pod: str, pod_uid: str, credential: str, address: str, agent: str) -> Identity:
    """Only where a service account's token was shown is the pod the API server's own word."""
    account = _ACCOUNT.match(username) if pod else None
    return Identity(
        Authority.KUBERNETES,
        literal(username),
        literal(f"{account['namespace']}/{pod}") if account else "",
        literal(pod_uid) if account else "",
        literal(credential),
        address,
        client=_product(agent),
    )


@lru_cache(maxsize=16_384)
def _address(hops: tuple[str, ...], proxies: tuple[Network, ...]) -> str:
    """The nearest hop that is no proxy of ours. Whoever sends a request may write all but the last of them."""
    for hop in reversed(hops):
        try:
            address = ip_address(hop)
        except ValueError:
            return literal(hop)
        if not any(address in network for network in proxies):
            return str(address)
    return literal(hops[0]) if hops else ""


def _product(agent: str) -> str:
    words = agent.split("/", 1)[0].split(maxsplit=1)
    return literal(words[0][:MAX_PRODUCT]) if words else ""


@lru_cache(maxsize=65_536)
def _on_object(service: str, verb: str, resource: str, namespace: str, name: str) -> Permission:
    return _bounded(
        Permission(Authority.KUBERNETES, literal(service), verb, literal(resource), literal(namespace), literal(name))
    )


@lru_cache(maxsize=4_096)
def _on_path(verb: str, quoted: str) -> Permission:
    """What is authorised is the decoded path."""
    path = unquote(quoted)
    if not path.startswith("/"):
        raise BadEventError("neither an object nor a path")
    return _bounded(Permission(Authority.KUBERNETES, "nonresource", verb, literal(path)))


def _bounded(permission: Permission) -> Permission:
    """Made printable, and quoted in an entry, a part may be sixteen times as long."""
    if len(permission_value(permission)) > MAX_PERMISSION:
        raise BadEventError(f"a permission of more than {MAX_PERMISSION:,} characters")
    return permission


# Impersonation ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Whom:
    """What somebody impersonates, as it is authorised: `impersonate serviceaccounts` in a namespace."""

    service: str
    resource: str
    namespace: str
    name: str
    principal: str = ""


def _impersonated(user: User) -> Iterator[_Whom]:
    """Whom, and with which groups: those that come with the name by itself were not asked for."""
    yield _principal(user.username)
    groups = [group for group in user.groups if not _IMPLICIT.match(group)]
    for group in groups[:MAX_GROUPS]:
        yield _Whom("core", "groups", "", group)


def _principal(username: str) -> _Whom:
    account = _ACCOUNT.match(username)
    if account:
        return _Whom("core", "serviceaccounts", account["namespace"], account["name"], username)
    return _Whom("core", "users", "", username, username)


def _refused_impersonation(event: Event, decision: Decision) -> _Whom | None:
    """It is refused before the request itself is authorised, and only the response's message tells."""
    status = event.responseStatus
    if decision.outcome is Outcome.ALLOWED or status is None or event.impersonatedUser is not None:
        return None
    said = _REFUSED.search(status.message[: 4 * MAX_PART])
    if said is None:
        return None
    kind, name = said["kind"], status.details.name if status.details else ""
    where = _NAMESPACE.search(status.message[: 4 * MAX_PART])
    namespace = where["namespace"] if where else ""
    principal = f"system:serviceaccount:{namespace}:{name}" if kind == "serviceaccounts" else name
    return _Whom(
        said["group"] or "core", kind, namespace, name, principal if kind in ("serviceaccounts", "users") else ""
    )


def _taking_on(number: str, time: float, who: Identity, whom: Iterable[_Whom], outcome: Outcome) -> Sequence[Exercise]:
    """The permissions used for it, and the role."""
    told: list[Exercise] = []
    for index, each in enumerate(whom):
        used = _on_object(each.service, "impersonate", each.resource, each.namespace, each.name)
        told.append(Exercise(f"{number}/impersonate/{index}", time, who, PermissionUse(used, who.principal, outcome)))
        if each.principal:
            role = RoleAssumption(literal(each.principal), who.principal, Means.IMPERSONATION, outcome)
            told.append(Exercise(f"{number}/role", time, who, role))
    return told
