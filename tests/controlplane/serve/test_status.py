"""What an error is called outside."""

from __future__ import annotations

import grpc
import pytest

from controlplane.loop.refusal import CannotApproveError, UnknownAlertError, UnknownInstanceError
from controlplane.pki.csr import UnacceptableRequestError
from controlplane.pki.identity import UnknownPeerError
from controlplane.serve.status import RefusedError, status_of
from controlplane.store.port import StoreError
from inscope.codec import CodecError
from inscope.workload import InstanceId, InvalidWorkloadError

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError(CODE.ALREADY_EXISTS, "why"), CODE.ALREADY_EXISTS),
        (CodecError("why"), CODE.INVALID_ARGUMENT),
        (InvalidWorkloadError("why"), CODE.INVALID_ARGUMENT),
        (UnacceptableRequestError("why"), CODE.INVALID_ARGUMENT),
        (UnknownPeerError("why"), CODE.PERMISSION_DENIED),
        (UnknownInstanceError(InstanceId("i"), "why"), CODE.PERMISSION_DENIED),
        (UnknownAlertError("why"), CODE.NOT_FOUND),
        (CannotApproveError("AL-1", "why"), CODE.FAILED_PRECONDITION),
        (StoreError("why"), CODE.UNAVAILABLE),
    ],
)
def test_who_is_at_fault_decides_the_code_and_the_reason_is_told(error: Exception, code: grpc.StatusCode) -> None:
    told, sentence = status_of(error)
    assert (told, "why" in sentence) == (code, True)


def test_our_own_failure_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    assert status_of(KeyError("a detail of the inside")) == (
        CODE.INTERNAL,
        "the control plane failed; its log says how",
    )
    assert "a detail of the inside" in caplog.text
