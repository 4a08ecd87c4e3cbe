"""One folder for one instance, held by one sidecar."""

from __future__ import annotations

import stat

import pytest

from inscope.workload import InstanceId
from sidecar.instance_folder import FolderInUseError, InstanceFolder

INSTANCE = InstanceId("i-1")


def test_it_is_private(tmp_path):
    folder = InstanceFolder(tmp_path / "state", INSTANCE)
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


def test_a_second_sidecar_of_the_same_instance_is_told_why_not(tmp_path):
    first = InstanceFolder(tmp_path, INSTANCE)
    with pytest.raises(FolderInUseError, match="another sidecar runs for instance i-1"):
        InstanceFolder(tmp_path, INSTANCE)
    InstanceFolder(tmp_path, InstanceId("i-2"))
    first.destroy()
    assert not first.path.exists()
