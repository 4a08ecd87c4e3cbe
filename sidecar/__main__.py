"""`python -m sidecar`: binds the real clock, chance and files, and runs one sidecar.

Order matters for start-up: the process that makes the key is started first, so that its imports overlap with ours; init
may connect as soon as the loop runs; gRPC is imported after that.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from sidecar.instance_folder import FolderInUseError, InstanceFolder
from sidecar.log import open_log
from sidecar.report.credentials import load_credentials
from sidecar.report.join import Join, JoinError, read_join
from sidecar.report.key_worker import KeyWorker
from sidecar.settings import Settings, read_settings
from sidecar.withstand import block_signals, hide


def main() -> int:
    """Exit status 0 when the watching ended as it should, 1 when it could not begin."""
    settings = read_settings(sys.argv[1:])
    _inherit_nothing()
    block_signals()
    try:
        hide()
        join = read_join(settings.places.join).at(settings.places.control_plane)
        folder = InstanceFolder(settings.places.state, join.instance)
        worker = None if load_credentials(folder.credentials, join.instance) else KeyWorker()
        return _watch(settings, join, folder, worker)
    except (JoinError, FolderInUseError, OSError) as error:
        print(f"inscope sidecar: {error}", file=sys.stderr)
        return 1


def _watch(settings: Settings, join: Join, folder: InstanceFolder, worker: KeyWorker | None) -> int:
    import random
    import time

    import uvloop

    from sidecar import resident
    from sidecar.report.spool import SpoolError
    from sidecar.watch import Watch, World

    resident.prepare_heap()
    log = open_log(settings.places.log, time.time)
    world = World(time.time, time.monotonic, random.random, log)

    async def run() -> None:
        await Watch(settings, join, folder, world).run(worker, lambda: _tell_ready(settings.places.ready_fd))

    try:
        uvloop.run(run())
    except SpoolError as error:
        log(str(error))
        return 1
    return 0


def _tell_ready(descriptor: int) -> None:
    """Whoever started us may go on. That they have gone already is no reason to stop."""
    if descriptor >= 0:
        with suppress(OSError):
            os.write(descriptor, b"ready\n")
            os.close(descriptor)


def _inherit_nothing() -> None:
    """What we were handed (the ready pipe, a lock) is not for the workers we start."""
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if int(path.name) > 2:
                os.set_inheritable(int(path.name), False)


if __name__ == "__main__":
    sys.exit(main())
