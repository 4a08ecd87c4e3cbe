"""The sidecar of one run: the join file that lets it enrol once, and its process."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from controlplane.cli.detached import NotReadyError, start_detached, start_unattended
from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.private_file import write_private
from inscope.codec import containment_from_wire, mode_from_wire
from inscope.containment import Containment
from inscope.mode import Mode

if TYPE_CHECKING:
    from controlplane.cli.run_folder import RunFolder
    from inscope.v1 import operator_pb2 as pb
    from inscope.workload import Workload

DELIVERY_SECONDS = 5
"""How long such a sidecar tries, which waits for an init that never comes."""


def start_watcher(folder: RunFolder, token: pb.JoinToken, workload: Workload, host: str) -> None:
    """Write the join file and start the sidecar; it accepts init's connection when this returns.

    Raises:
        CommandError: it did not start; says why.
    """
    try:
        write_private(folder.join, json.dumps(join_document(token, workload, host)).encode())
        start_detached("sidecar", sidecar_arguments(folder, host), folder.log, hold=(folder.lock,))
    except NotReadyError as error:
        raise CommandError(ExitCode.NOT_STARTED, f"the sidecar did not start: {error}") from error
    except OSError as error:
        raise CommandError(ExitCode.NOT_STARTED, f"cannot write {folder.path}: {error.strerror}") from error


def deliver(folder: RunFolder) -> None:
    """Start a sidecar that tells what the one before could not, and ends; nobody waits for it.

    What was left behind stays where it is if that fails: another run tries again.
    """
    arguments = [*sidecar_arguments(folder, ""), "--grace", str(DELIVERY_SECONDS)]
    with suppress(OSError, NotReadyError):
        start_unattended("sidecar", arguments, folder.log, hold=(folder.lock,))


def sidecar_arguments(folder: RunFolder, host: str) -> list[str]:
    """The sidecar's command line."""
    return [
        *("--state", str(folder.path)),
        *("--init-socket", str(folder.socket)),
        *("--join", str(folder.join)),
        *("--control-plane", host),
        "--exit-when-idle",
    ]


def begins_in(token: pb.JoinToken) -> Mode:
    """The mode that a run begins in; a control plane that does not say observes."""
    return mode_from_wire(token.mode) if token.mode else Mode.OBSERVE


def denies(token: pb.JoinToken) -> bool:
    """Whether a run has to refuse acts before its sidecar has said anything."""
    return begins_in(token) is Mode.ENFORCE or containment_from_wire(token.containment) is not Containment.FREE


def join_document(token: pb.JoinToken, workload: Workload, host: str) -> dict[str, str | int]:
    """What the sidecar reads from the join file."""
    return {
        "token": token.token,
        "host": host,
        "enrolment_port": token.enrolment_port,
        "stream_port": token.stream_port,
        "trust_bundle_pem": token.trust_bundle_pem.decode("ascii"),
        "server_name": token.server_name,
        "instance": token.instance,
        "workload": str(workload),
        "mode": begins_in(token).value,
        "containment": containment_from_wire(token.containment).value,
    }
