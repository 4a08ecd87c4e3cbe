"""The control plane's life: own the folder, open the store, serve, and leave everything durable behind."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from ipaddress import ip_address
from pathlib import Path

from controlplane.address import SERVER_NAME, Address
from controlplane.loop import Loop
from controlplane.loop.settings import DEFAULTS
from controlplane.pki.folder import open_authority, private_folder, write_operator
from controlplane.pki.identity import OperatorPeer, segment
from controlplane.serve.board import Board
from controlplane.serve.control_plane import ControlPlane, Sockets
from controlplane.serve.endpoint import Endpoint
from controlplane.serve.followers import Followers
from controlplane.serve.hub import Hub
from controlplane.serve.loop_thread import LoopThread
from controlplane.serve.ownership import owned
from controlplane.serve.push import DEFAULT_TERMS, Terms
from controlplane.serve.stream import StreamSettings
from controlplane.store.sqlite import open_store
from controlplane.telemetry.endpoint import open_telemetry
from inscope.reaction import Reaction

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """`advertised` are the hosts that others reach us by; `idle_exit` in seconds, 0 serves for ever.

    `terms` are how long a reference holds without us, and what is done then. `on_crossing` is what follows, in enforce,
    where an authority's log tells of a deviation.
    """

    state: Path
    listen: Address
    enrol_listen: Address
    advertised: tuple[str, ...] = ()
    idle_exit: float = 0.0
    terms: Terms = DEFAULT_TERMS
    on_crossing: Reaction = Reaction.ALERT


async def serve(
    settings: Settings, environ: Mapping[str, str], ready: Callable[[], None], stop: Callable[[], Awaitable[object]]
) -> None:
    """Serve until `stop` returns or nobody has called for `idle_exit` seconds; `ready` is called once we answer.

    Raises:
        OwnedError: another process serves this folder.
        StoreError, KeyFolderError: what is in the folder cannot be used.
        CannotListenError: an address cannot be listened on.
        OSError: the folder cannot be read or written.
    """
    with owned(private_folder(settings.state)):
        telemetry = open_telemetry(environ, version_of_inscope())
        bounds = replace(DEFAULTS, on_crossing=settings.on_crossing)
        thread = LoopThread(lambda: open_store(settings.state / "inscope.db"), lambda store: Loop(store, bounds))
        hub = Hub(thread, Board(thread), Followers(), telemetry)
        try:
            await _serve(settings, hub, ready, stop)
        finally:
            await asyncio.get_running_loop().run_in_executor(None, thread.close)
            telemetry.close()


async def _serve(
    settings: Settings, hub: Hub, ready: Callable[[], None], stop: Callable[[], Awaitable[object]]
) -> None:
    authority = open_authority(settings.state, time.time())
    user = local_user()
    write_operator(settings.state, authority, OperatorPeer(_certifiable(user)), time.time())
    credentials = authority.server_credentials((*settings.advertised, *_named(settings)), time.time())
    sockets = Sockets(settings.listen, settings.enrol_listen, settings.state / "control.sock")
    plane = ControlPlane(
        hub, authority, credentials, sockets, owner=user, settings=StreamSettings(terms=settings.terms)
    )
    await plane.start()
    path = settings.state / "endpoint.json"
    try:
        _endpoint(plane).write(path)
        log.info(
            "serving %s: streams on %s, enrolment on %s", settings.state, plane.sockets.stream, plane.sockets.enrolment
        )
        ready()
        await _until_over(settings, plane, stop)
    finally:
        path.unlink(missing_ok=True)
        await plane.stop()


async def _until_over(settings: Settings, plane: ControlPlane, stop: Callable[[], Awaitable[object]]) -> None:
    told = asyncio.ensure_future(stop())
    ends: set[asyncio.Future[object]] = {told}
    if settings.idle_exit:
        ends.add(asyncio.ensure_future(plane.activity.idle_for(settings.idle_exit)))
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        log.info("ending: %s", "told to" if told.done() else f"unused for {settings.idle_exit:g} s")
    finally:
        for end in ends:
            end.cancel()


def _endpoint(plane: ControlPlane) -> Endpoint:
    sockets = plane.sockets
    return Endpoint(
        os.getpid(), time.time(), str(sockets.stream), str(sockets.enrolment), str(sockets.unix), SERVER_NAME
    )


def _named(settings: Settings) -> tuple[str, ...]:
    """The hosts listened on, where they are such as somebody can dial."""
    return tuple(host for host in (settings.listen.host, settings.enrol_listen.host) if not _is_anywhere(host))


def _is_anywhere(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def local_user() -> str:
    """Who runs this: the audit trail's name for whoever uses the unix socket."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's arbitrary uid has no name
        return f"uid-{os.getuid()}"


def _certifiable(user: str) -> str:
    try:
        return segment(user)
    except ValueError:
        return f"uid-{os.getuid()}"


def version_of_inscope() -> str:
    """The installed version, or `0` where inscope runs from a source tree."""
    try:
        return version("inscope")
    except PackageNotFoundError:
        return "0"
