"""A CloudTrail event as what an identity exercised, or which role it took on. Pure.

An error of access was refused; any other answer was authorised, or may have come before that was asked, and is then
*weaker*. Events that AWS's own services caused, signing in, and digests are of no permission of an agent's, and counted
by their names; but for EKS Pod Identity, which takes on a role for a pod and says for which.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any

import msgspec

from controlplane.sources.aws_actions import Actions
from controlplane.sources.clusters import Clusters
from inscope.behaviour import Means, Outcome, PermissionUse, RoleAssumption
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority, Level, Permission
from inscope.text import printable

_TABLE = tomllib.loads(files(__package__).joinpath("actions.toml").read_text("utf-8"))
PREFIXES: Mapping[str, str] = _TABLE["prefix"]
ACTIONS: Mapping[str, str] = _TABLE["action"]
RESOURCES: Mapping[str, Mapping[str, str]] = _TABLE["resource"]
_DATED = re.compile(r"(?:\d{8}(?:v\d+)?|\d{4}_\d{2}_\d{2})\Z")
_REFUSED = re.compile(
    r"AccessDenied|UnauthorizedOperation|Forbidden|NotAuthorized|AuthorizationError"
    # Who could not show who it is was refused, too.
    r"|ExpiredToken|InvalidClientTokenId|SignatureDoesNotMatch|AuthFailure|UnrecognizedClient|InvalidAccessKeyId",
    re.IGNORECASE,
)
_BEFORE_AUTHORISATION = re.compile(
    r"Throttl|RequestLimitExceeded|SlowDown|TooManyRequests|Validation|Malformed|ServiceUnavailable|Internal",
    re.IGNORECASE,
)
_ASSUMED = {
    "AssumeRole": Means.ASSUME_ROLE,
    "AssumeRoleWithWebIdentity": Means.WEB_IDENTITY,
    "AssumeRoleWithSAML": Means.ASSUME_ROLE,
}
POD_IDENTITY = "pods.eks.amazonaws.com"
_NO_CLUSTERS = Clusters()
_SESSION = re.compile(r"(arn:aws[a-z-]*):sts::(\d+):assumed-role/(.+)/[^/]+\Z")
_OBJECT = re.compile(r"(arn:aws[a-z-]*:s3:::[^/]+)/.+\Z")
FIRST = datetime(2013, 11, 13, tzinfo=UTC)
"""CloudTrail's first day: no trail tells of anything before it."""

MAX_CHARACTERS = 1_024
"""Of one part, as it is kept."""

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class SessionIssuer(msgspec.Struct, frozen=True, gc=False):
    """The role behind a session."""

    arn: str = ""


class SessionContext(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Of temporary credentials."""

    session_issuer: SessionIssuer | None = None


class UserIdentity(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Who asked."""

    type: str | None = ""
    arn: str | None = ""
    user_name: str | None = ""
    access_key_id: str | None = ""
    invoked_by: str | None = ""
    identity_provider: str | None = ""
    session_context: SessionContext | None = None


class Resource(msgspec.Struct, frozen=True, gc=False):
    """What was asked about, where the event says."""

    ARN: str | None = ""


_WRITTEN = {"event_id": "eventID", "source_ip_address": "sourceIPAddress"}


def written(name: str) -> str:
    """A field's name as CloudTrail writes it."""
    first, *others = name.split("_")
    return _WRITTEN.get(name) or first + "".join(other.capitalize() for other in others)


class Event(msgspec.Struct, frozen=True, rename=written, gc=False):
    """The parts that say who did what."""

    event_id: str = ""
    event_version: str = ""
    event_time: Time | None = None
    event_source: str = ""
    event_name: str = ""
    event_type: str = ""
    event_category: str = ""
    aws_region: str = ""
    recipient_account_id: str | None = ""
    user_identity: UserIdentity = UserIdentity()
    source_ip_address: str | None = ""
    user_agent: str | None = ""
    error_code: str | None = ""
    read_only: bool | None = None
    resources: list[Resource] | None = None
    request_parameters: msgspec.Raw = msgspec.Raw(b"null")
    response_elements: msgspec.Raw = msgspec.Raw(b"null")


def action_of(event: Event, actions: Actions) -> tuple[str, str]:
    """(service, action) that IAM decided about; the action is empty where nothing is known of that name."""
    return _action(event.event_source, event.event_name, actions)


@lru_cache(maxsize=16_384)
def _action(source: str, name: str, actions: Actions) -> tuple[str, str]:
    source = source[:MAX_CHARACTERS].removesuffix(".amazonaws.com")
    service = _text(PREFIXES.get(source) or source.partition(".")[0])
    name = _DATED.sub("", name[:MAX_CHARACTERS])
    name = ACTIONS.get(f"{service}:{name}", name)
    return service, actions.name(service, name) if actions.level(service, name) else ""


def exercises(event: Event, actions: Actions, clusters: Clusters = _NO_CLUSTERS) -> Iterator[Exercise]:
    """What it tells: nothing where the event is of no identity that could be an agent's, or of no known action."""
    pod = pod_of(event, clusters)
    who = pod or identity_of(event, clusters)
    if who is None or event.event_time is None:
        return
    error = event.error_code or ""
    outcome = Outcome.DENIED if error and _REFUSED.search(error) else Outcome.ALLOWED
    time = event.event_time.timestamp()
    if event.event_source == "sts.amazonaws.com" and event.event_name in _ASSUMED:
        role, issued = _assumed(event)
        if role:
            means = Means.POD_IDENTITY if pod else _ASSUMED[event.event_name]
            taken = RoleAssumption(role, who.principal, means, outcome)
            yield Exercise(f"{event.event_id}/role", time, who, taken, issued)
        if pod or event.event_name != "AssumeRole":  # by other means nobody's policy has to allow it
            return
    service, action = action_of(event, actions)
    if action:
        permission = Permission(Authority.AWS, service, action, _resource(event, service))
        early = error and outcome is Outcome.ALLOWED and _BEFORE_AUTHORISATION.search(error)
        weaker = f"answered {_text(error)}, which may come before it is authorised" if early else ""
        yield Exercise(event.event_id, time, who, PermissionUse(permission, who.principal, outcome), weaker=weaker)


def pod_of(event: Event, clusters: Clusters = _NO_CLUSTERS) -> Identity | None:
    """The pod that EKS Pod Identity took on a role for, by the session's tags; None where it was not that service, or
    was told not to tag ("List of session tags added by EKS Pod Identity", Amazon EKS User Guide).
    """
    user = event.user_identity
    if user.invoked_by != POD_IDENTITY or user.type != "AWSService" or event.event_name != "AssumeRole":
        return None
    listed = _object(event.request_parameters).get("tags")
    tags = {
        _string(tag.get("key")): _text(_string(tag.get("value")))
        for tag in (listed if isinstance(listed, list) else ())[:50]
        if isinstance(tag, Mapping)
    }
    namespace, account = tags.get("kubernetes-namespace"), tags.get("kubernetes-service-account")
    if not namespace or not account:
        return None
    said = tags.get("eks-cluster-arn", ""), tags.get("eks-cluster-name", "")
    name = tags.get("kubernetes-pod-name", "")
    return Identity(
        Authority.AWS,
        clusters.account(f"system:serviceaccount:{namespace}:{account}", *said),
        pod=clusters.pod(namespace, name, *said) if name else "",
        pod_uid=tags.get("kubernetes-pod-uid", ""),
    )


def sound(event: Event) -> bool:
    """Whether its id and time can be kept."""
    number, time = event.event_id, event.event_time
    return len(number) <= MAX_CHARACTERS and number.isprintable() and (time is None or time >= FIRST)


def is_data(event: Event) -> bool:
    """Whether a trail tells of such only where it is told to."""
    return event.event_category == "Data"


def level_of(service: str, action: str, actions: Actions) -> Level:
    """How grave it is."""
    return actions.level(service, action) or Level.WRITE


def identity_of(event: Event, clusters: Clusters = _NO_CLUSTERS) -> Identity | None:
    """Who asked; None where that was a service of AWS's own, or nobody."""
    user = event.user_identity
    if user.type in ("AWSService", "", None):
        return None
    principal = user.arn or user.user_name or ""
    if user.session_context is not None and user.session_context.session_issuer is not None:
        principal = user.session_context.session_issuer.arn or principal
    elif session := _SESSION.match(principal):
        principal = f"{session[1]}:iam::{session[2]}:role/{session[3]}"
    if user.type == "WebIdentityUser" and user.user_name:
        principal = clusters.account(user.user_name, user.identity_provider or "")
    if not principal:
        return None
    return Identity(
        Authority.AWS,
        _text(principal),
        credential=_text(user.access_key_id or ""),
        # What a service does in the caller's name needs the caller's permission, and comes from the service.
        address="" if user.invoked_by else _text(event.source_ip_address or ""),
        client="" if user.invoked_by else _client((event.user_agent or "")[:MAX_CHARACTERS]),
    )


@lru_cache(maxsize=4_096)
def _client(user_agent: str) -> str:
    """The product that it names first."""
    return _text(user_agent.partition("/")[0].partition(" ")[0].strip("[") or user_agent[:40])


def _assumed(event: Event) -> tuple[str, str]:
    """The role's ARN, and the access key id that was given out."""
    asked, answered = _object(event.request_parameters), _object(event.response_elements)
    credentials = answered.get("credentials")
    issued = credentials.get("accessKeyId") if isinstance(credentials, Mapping) else ""
    return _text(_string(asked.get("roleArn"))), _text(_string(issued))


def _object(raw: msgspec.Raw) -> Mapping[str, Any]:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, Mapping) else {}


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _resource(event: Event, service: str) -> str:
    """What it names, objects as their bucket's; else what its parameters name; `*` where neither does."""
    named = [resource.ARN for resource in (event.resources or ())[:50] if resource.ARN]
    if named:  # of an object and its bucket the object; else the first
        return _general(max(named, key=len)[: 2 * MAX_CHARACTERS]) if service == "s3" else _text(named[0])
    templates = RESOURCES.get(service)
    asked = _object(event.request_parameters) if templates else {}
    for parameter, template in (templates or {}).items():
        name = asked.get(parameter)
        if isinstance(name, str) and name:
            return _text(_arn(event, name, template))
    return "*"


@lru_cache(maxsize=4_096)
def _general(arn: str) -> str:
    """A bucket's objects, for one of them."""
    return _text(_OBJECT.sub(r"\1/*", arn))


def _arn(event: Event, name: str, template: str) -> str:
    if name.startswith("arn:"):
        return name
    partition = next((each for start, each in _PARTITIONS.items() if event.aws_region.startswith(start)), "aws")
    name = name.rpartition("/")[2] if "://" in name else name  # a queue's URL ends with its name
    return template.format(partition, event.aws_region or "*", event.recipient_account_id or "*", name)


_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def _text(value: str) -> str:
    return _kept(value[:MAX_CHARACTERS])  # cut before it is remembered: what an event says may be megabytes


@lru_cache(maxsize=16_384)
def _kept(value: str) -> str:
    return printable(value)[:MAX_CHARACTERS]
