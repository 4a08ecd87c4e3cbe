"""Where inscope-init is: in the installed `sidecar` package, which is looked up but never imported."""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Mapping
from pathlib import Path

from controlplane.cli.exit_codes import CommandError, ExitCode


def init_binary(environ: Mapping[str, str]) -> Path:
    """$INSCOPE_INIT, else the binary built for this machine.

    Raises:
        CommandError: there is none that can be run.
    """
    path = Path(environ["INSCOPE_INIT"]) if environ.get("INSCOPE_INIT") else _packaged()
    if not os.access(path, os.X_OK):
        raise CommandError(ExitCode.NOT_STARTED, f"inscope-init is not at {path}: reinstall, or run `make setup`")
    return path


def _packaged() -> Path:
    spec = importlib.util.find_spec("sidecar")
    if spec is None or not spec.submodule_search_locations:
        raise CommandError(ExitCode.NOT_STARTED, "the package `sidecar`, which brings inscope-init, is not installed")
    return Path(spec.submodule_search_locations[0], "init", "bin", f"inscope-init-{platform.machine()}")
