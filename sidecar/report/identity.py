"""Getting the instance's certificate: kept from before, or bought with the join token, tried until it is had."""

from __future__ import annotations

from pathlib import Path

import grpc

from sidecar.report.connection import Surroundings
from sidecar.report.credentials import Credentials, load_credentials, save_credentials
from sidecar.report.enrolment import enrol
from sidecar.report.join import Join
from sidecar.report.key_worker import KeyWorker
from sidecar.report.trouble import trouble_of


def kept_identity(path: Path, join: Join, now: float) -> Credentials | None:
    """What an earlier sidecar of this instance got, where it is still valid."""
    kept = load_credentials(path, join.instance)
    return kept if kept and kept.not_after > now else None


async def buy_identity(path: Path, join: Join, worker: KeyWorker, world: Surroundings) -> Credentials:
    """Enrol; while the control plane cannot be reached, try again with jitter.

    Raises:
        EnrolmentRefusedError: the token or our request is not acceptable, now or ever.
        KeyMakingError: no key could be made.
    """
    key, request = await worker.key_and_request()
    failures, told = 0, ""
    while True:
        try:
            credentials = await enrol(join, key, request)
        except grpc.aio.AioRpcError as error:
            trouble = trouble_of(error.code(), error.details() or "", f"{join.host}:{join.enrolment_port}")
            if trouble.key != told:
                world.log(f"enrolment: {trouble.sentence}")
            told, failures = trouble.key, failures + 1
            await world.sleep(world.backoff.delay(failures, world.chance()))
        else:
            _keep(path, credentials, world)
            return credentials


def _keep(path: Path, credentials: Credentials, world: Surroundings) -> None:
    try:
        save_credentials(path, credentials)
    except OSError as error:
        world.log(f"the credentials cannot be kept, a restarted sidecar will need a new token: {error}")
