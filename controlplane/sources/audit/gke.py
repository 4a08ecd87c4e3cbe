"""An entry of Google's Cloud Audit Logs as the audit event that it was made of, as far as it says. Pure."""

from __future__ import annotations

from datetime import datetime

from controlplane.sources.audit.event import Event, GkePayload, GkeRequest, ObjectReference, Record, Status, User
from controlplane.sources.audit.translate import BadEventError

SERVICE = "k8s.io"

_HTTP = {0: 200, 3: 400, 5: 404, 6: 409, 7: 403, 8: 429, 9: 400, 10: 409, 13: 500, 14: 503, 16: 401}
"""google.rpc.Code as the HTTP status that it stands for (google/rpc/code.proto)."""

_DECISION = "authorization.k8s.io/decision"


def event_of_gke(record: Record, payload: GkePayload) -> Event:
    """The event. It has no pod and no impersonation: Google leaves both out.

    Raises:
        BadEventError: it is not whole.
    """
    request = payload.requestMetadata or GkeRequest()
    who = payload.authenticationInfo
    event = Event(
        auditID=(record.operation.id if record.operation else "") or record.insertId,
        stage="ResponseComplete",
        verb=payload.methodName.rpartition(".")[2],
        user=User(who.principalEmail) if who else None,
        sourceIPs=[request.callerIp] if request.callerIp else [],
        userAgent=request.callerSuppliedUserAgent,
        responseStatus=_status(payload),
        requestReceivedTimestamp=_time(record.timestamp),
        annotations=_annotations(record, payload),
    )
    named = payload.resourceName or (payload.authorizationInfo[0].resource if payload.authorizationInfo else "")
    method = payload.methodName.split(".")
    if len(method) <= 3:  # io.k8s.get: a path
        event.requestURI = f"/{named.lstrip('/')}"
    else:
        event.objectRef = _reference(named.split("/"))
    return event


def _reference(parts: list[str]) -> ObjectReference:
    """`GROUP/VERSION/[namespaces/NAMESPACE/]RESOURCE[/NAME[/SUBRESOURCE[/...]]]`; what is of the namespace itself ends
    there.
    """
    if len(parts) < 3:
        raise BadEventError("a resourceName that is not GROUP/VERSION/RESOURCE")
    group = "" if parts[0] == "core" else parts[0]
    rest, namespace = parts[2:], ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in ("status", "finalize"):
            rest = rest[2:]
    resource, name, subresource = (*rest[:3], "", "")[:3]
    return ObjectReference(resource, namespace, name, group, subresource)


def _status(payload: GkePayload) -> Status:
    code, message = (payload.status.code, payload.status.message) if payload.status else (0, "")
    return Status(_HTTP.get(code, 500), message)


def _annotations(record: Record, payload: GkePayload) -> dict[str, str]:
    """Its labels; `granted` stands in where they lack the decision."""
    if _DECISION not in record.labels and any(each.granted for each in payload.authorizationInfo):
        return {**record.labels, _DECISION: "allow"}
    return record.labels


def _time(text: str | int | None) -> datetime:
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise BadEventError("without an auditID or a time")
    return time
