"""A record of an audit log as JSON has it, in any of the envelopes: decoded once, and only the fields that are read.

One struct holds the fields of all envelopes, so that a record is decoded once and then seen for what it is. What is in
`requestObject` and `responseObject` is skipped: a permission is told by the request's line.
"""
# ruff: noqa: N815  # the fields are named as the log names them

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Raw, Struct, json

VERSION = "audit.k8s.io/v1"
"""The only version that is read. Its forerunners were removed in Kubernetes 1.24."""

Time = Annotated[datetime, Meta(tz=True)]


class User(Struct, gc=False):
    """`UserInfo` of authentication.k8s.io/v1."""

    username: str = ""
    groups: list[str] = []
    extra: dict[str, list[str]] = {}


class ObjectReference(Struct, gc=False):
    """What a resource request is about. `name` is filled in from the object where the request did not say it."""

    resource: str = ""
    namespace: str = ""
    name: str = ""
    apiGroup: str = ""
    subresource: str = ""


class Details(Struct, gc=False):
    """Of a `Status`: the object that it is about."""

    name: str = ""
    kind: str = ""


class Status(Struct, gc=False):
    """The response: an HTTP status."""

    code: int = 0
    message: str = ""
    details: Details | None = None


class Event(Struct, gc=False, kw_only=True):
    """`Event` of audit.k8s.io/v1."""

    kind: str = ""
    apiVersion: str = ""
    auditID: str = ""
    stage: str = ""
    verb: str = ""
    requestURI: str = ""
    user: User | None = None
    impersonatedUser: User | None = None
    sourceIPs: list[str] = []
    userAgent: str = ""
    objectRef: ObjectReference | None = None
    responseStatus: Status | None = None
    requestReceivedTimestamp: Time | None = None
    stageTimestamp: Time | None = None
    annotations: dict[str, str] = {}


class AksProperties(Struct, gc=False):
    """Azure's diagnostic record: the event is a string as a rule, an object where somebody unpacked it."""

    log: str | Event | None = None


class GkeAuthentication(Struct, gc=False):
    """`AuthenticationInfo` of google.cloud.audit."""

    principalEmail: str = ""


class GkeAuthorization(Struct, gc=False):
    """`AuthorizationInfo` of google.cloud.audit. A `granted` that is false is left out by some writers."""

    permission: str = ""
    resource: str = ""
    granted: bool | None = None


class GkeRequest(Struct, gc=False):
    """`RequestMetadata` of google.cloud.audit."""

    callerIp: str = ""
    callerSuppliedUserAgent: str = ""


class GkePayload(Struct, gc=False):
    """`AuditLog` of google.cloud.audit. `status.code` is a google.rpc.Code."""

    serviceName: str = ""
    methodName: str = ""
    resourceName: str = ""
    authenticationInfo: GkeAuthentication | None = None
    authorizationInfo: list[GkeAuthorization] = []
    requestMetadata: GkeRequest | None = None
    status: Status | None = None


class GkeOperation(Struct, gc=False):
    """Which entries of a long-running request belong together."""

    id: str = ""


class Record(Event, gc=False, kw_only=True):
    """A plain event, or one of the envelopes around some."""

    items: list[Raw] | None = None  # EventList
    logEvents: list[Raw] | None = None  # CloudWatch subscription
    events: list[Raw] | None = None  # `aws logs filter-log-events`
    records: list[Raw] | None = None  # Azure, Event Hub
    message: str | None = None  # one CloudWatch event
    messageType: str = ""
    logStreamName: str = ""
    logStream: str = ""
    category: str = ""
    properties: AksProperties | None = None
    protoPayload: GkePayload | None = None
    insertId: str = ""
    operation: GkeOperation | None = None
    labels: dict[str, str] = {}
    timestamp: str | int | None = None


decode_record = json.Decoder(Record).decode
decode_list = json.Decoder(list[Raw]).decode
