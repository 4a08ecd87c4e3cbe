"""Why there is no stream, said so that an operator can act on it."""

from __future__ import annotations

from dataclasses import dataclass

import grpc

from inscope.text import printable


@dataclass(frozen=True, slots=True)
class Trouble:
    """One line for the log. `key` is the same for the same trouble, whose details may vary from try to try."""

    key: str
    sentence: str


_MEANING = {
    grpc.StatusCode.UNAVAILABLE: "the control plane at {target} cannot be reached",
    grpc.StatusCode.ALREADY_EXISTS: "another sidecar is connected to {target} as this instance",
    grpc.StatusCode.PERMISSION_DENIED: "the control plane at {target} does not accept our identity",
    grpc.StatusCode.UNAUTHENTICATED: "the control plane at {target} does not accept our certificate",
    grpc.StatusCode.FAILED_PRECONDITION: "this sidecar and the control plane at {target} do not fit together",
    grpc.StatusCode.INVALID_ARGUMENT: "the control plane at {target} refused a message of ours",
}
_WRONG_CA = "{target} shows a certificate that our trust bundle does not vouch for (wrong CA or name)"
_UNKNOWN = "the stream to {target} ended"


def trouble_of(code: grpc.StatusCode, details: str, target: str) -> Trouble:
    """Read a status. gRPC tells TLS failures as UNAVAILABLE, with the reason in the text only."""
    meaning = _MEANING.get(code, _UNKNOWN)
    if code is grpc.StatusCode.UNAVAILABLE and ("CERTIFICATE_VERIFY_FAILED" in details or "verif" in details):
        meaning = _WRONG_CA
    sentence = f"{meaning.format(target=target)}; observations wait in the spool ({code.name}: {printable(details)})"
    return Trouble(f"{code.name} {meaning}", sentence)
