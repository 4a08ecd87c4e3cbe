"""Errors of the inside → gRPC status, in one place. What we cannot explain is our own fault and says no more."""

from __future__ import annotations

import logging

import grpc

from controlplane.loop.refusal import (
    NoReasonError,
    Refusal,
    UnknownAlertError,
    UnknownGroupError,
    UnknownInstanceError,
    UnknownWorkloadError,
)
from controlplane.pki.csr import UnacceptableRequestError
from controlplane.pki.identity import UnknownPeerError
from controlplane.store.port import StoreError
from inscope.codec import CodecError
from inscope.workload import InvalidWorkloadError

log = logging.getLogger(__name__)

Status = tuple[grpc.StatusCode, str]


class RefusedError(Exception):
    """A service says no; the caller gets this code and sentence."""

    def __init__(self, code: grpc.StatusCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def status_of(error: Exception) -> Status:
    """The status a caller gets for `error`."""
    match error:
        case RefusedError():
            return error.code, str(error)
        case CodecError() | NoReasonError() | InvalidWorkloadError() | UnacceptableRequestError():
            return grpc.StatusCode.INVALID_ARGUMENT, str(error)
        case UnknownPeerError() | UnknownInstanceError():
            return grpc.StatusCode.PERMISSION_DENIED, str(error)
        case UnknownWorkloadError() | UnknownAlertError() | UnknownGroupError():
            return grpc.StatusCode.NOT_FOUND, str(error)
        case Refusal():
            return grpc.StatusCode.FAILED_PRECONDITION, str(error)
        case StoreError():
            return grpc.StatusCode.UNAVAILABLE, f"the store cannot take it: {error}"
        case _:
            log.error("a call failed", exc_info=error)
            return grpc.StatusCode.INTERNAL, "the control plane failed; its log says how"
