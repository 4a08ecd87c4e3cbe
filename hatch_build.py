"""Build hook: protobuf code from `proto/`, and `inscope-init` with the zig compiler that comes as a wheel."""

from __future__ import annotations

import importlib.util
import platform
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent


class Generate(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install builds init for this machine only; a wheel carries both architectures."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        generate_protobuf()
        build = load_init_build()
        build.build(list(build.TARGETS) if version != "editable" else [platform.machine()])
        build_data["pure_python"] = True


def generate_protobuf() -> None:
    """Write `*_pb2.py`, `*_pb2_grpc.py` and their type stubs beside the schemas."""
    from grpc_tools import protoc

    proto = ROOT / "proto"
    out = [f"--{kind}={proto}" for kind in ("python_out", "grpc_python_out", "mypy_out")]
    arguments = [
        "protoc",
        f"-I{proto}",
        f"-I{files('grpc_tools') / '_proto'}",
        *out,
        f"--mypy_grpc_out=only_async:{proto}",
        *sorted(str(path) for path in proto.glob("inscope/v1/*.proto")),
    ]
    if protoc.main(arguments):
        sys.exit("protoc refused the schemas; its message is above")


def load_init_build() -> Any:
    """Import `sidecar/init/build.py` by path: the package is not installed yet."""
    spec = importlib.util.spec_from_file_location("inscope_init_build", ROOT / "sidecar/init/build.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("sidecar/init/build.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    generate_protobuf()
    load_init_build().build([platform.machine()])
