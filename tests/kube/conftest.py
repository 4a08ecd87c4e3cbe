"""One API server for all tests of this folder; where its programs are not there, the tests say how to get them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube.cluster import Cluster, assets


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kube)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    programs = assets()
    if programs is None:
        pytest.skip("no kube-apiserver and etcd: run .ci/kube-assets, or set KUBEBUILDER_ASSETS")
    folder = Path(tempfile.mkdtemp(prefix="kube-"))
    running = Cluster(folder, programs)
    running.start()
    print(f"API server {running.version}")
    yield running
    running.end()
    shutil.rmtree(folder, ignore_errors=True)
