"""What a sidecar says of itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

from sidecar.report.stream import VERSION


def test_the_version_told_is_the_packages() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
