"""Cloud Audit Logs of GKE, said as the API server would have: `AuditLog` in the Google Cloud documentation. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from controlplane.sources.audit.event import Event, ObjectRef, Status, User

_CODES = {7: 403, 16: 401, 8: 429}
"""google.rpc.Code: permission denied, unauthenticated, resource exhausted."""


class _Authentication(msgspec.Struct, frozen=True, rename="camel"):
    principal_email: str = ""


class _Authorization(msgspec.Struct, frozen=True):
    granted: bool = False


class _Request(msgspec.Struct, frozen=True, rename="camel"):
    caller_ip: str = ""
    caller_supplied_user_agent: str = ""


class _Status(msgspec.Struct, frozen=True):
    code: int = 0


class Payload(msgspec.Struct, frozen=True, rename="camel"):
    """The parts that say who did what."""

    method_name: str = ""
    resource_name: str = ""
    authentication_info: _Authentication = _Authentication()
    authorization_info: list[_Authorization] = []
    request_metadata: _Request = _Request()
    status: _Status = _Status()


def event(payload: Payload, insert_id: str, timestamp: object) -> Event | None:
    """The event; None where it is about something else than the API of Kubernetes."""
    if not payload.method_name.startswith("io.k8s.") or not isinstance(timestamp, str):
        return None
    verb = payload.method_name.rpartition(".")[2]
    granted = any(each.granted for each in payload.authorization_info) or not payload.authorization_info
    code = _CODES.get(payload.status.code, 200 if granted else 403)
    return Event(
        audit_id=insert_id,
        stage="ResponseComplete",
        verb=verb,
        user=User(payload.authentication_info.principal_email),
        source_ips=[payload.request_metadata.caller_ip] if payload.request_metadata.caller_ip else [],
        user_agent=payload.request_metadata.caller_supplied_user_agent,
        object_ref=_reference(payload.resource_name),
        response_status=Status(code),
        request_received_timestamp=msgspec.convert(timestamp, datetime),
    )


def _reference(name: str) -> ObjectRef:
    """`core/v1/namespaces/NS/pods/NAME/SUBRESOURCE`, or without namespace, name or subresource."""
    group, _, rest = name.partition("/")
    parts = rest.split("/")[1:]
    namespace = ""
    if len(parts) > 2 and parts[0] == "namespaces":
        namespace, parts = parts[1], parts[2:]
    resource, name, subresource = (*parts, "", "", "")[:3]
    return ObjectRef(resource, namespace, name, "" if group == "core" else group, subresource)
