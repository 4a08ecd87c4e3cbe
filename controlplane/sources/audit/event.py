"""An audit event as the API server writes it (audit.k8s.io/v1), those parts of it that say who did what. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

_INITIALS = {"audit_id": "auditID", "request_uri": "requestURI", "source_ips": "sourceIPs"}


def written(name: str) -> str:
    """A field's name as Kubernetes writes it."""
    first, *others = name.split("_")
    return _INITIALS.get(name) or first + "".join(other.capitalize() for other in others)


class User(msgspec.Struct, gc=False, frozen=True):
    """Who asked, as authenticated."""

    username: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


class ObjectRef(msgspec.Struct, gc=False, frozen=True, rename=written):
    """What was asked about; absent for paths that are no resource."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    api_group: str = ""
    subresource: str = ""


class Status(msgspec.Struct, gc=False, frozen=True):
    """What was answered."""

    code: int = 0


class Event(msgspec.Struct, gc=False, frozen=True, rename=written):
    """One stage of one request."""

    audit_id: str = ""
    stage: str = ""
    verb: str = ""
    api_version: str = ""
    request_uri: str = ""
    user: User = User()
    impersonated_user: User | None = None
    source_ips: list[str] = []
    user_agent: str = ""
    object_ref: ObjectRef | None = None
    response_status: Status | None = None
    request_received_timestamp: datetime | None = None
    stage_timestamp: datetime | None = None
    annotations: dict[str, str] = {}


VERSIONS = ("", "audit.k8s.io/v1")
"""Versions that are read; in a list the items say none."""
