"""The file that tells where a control plane serves."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from controlplane.serve.endpoint import Endpoint


def test_the_endpoint_is_readable_json_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "endpoint.json"
    Endpoint(7, 1.5, "127.0.0.1:1", "127.0.0.1:2", "/s/control.sock", "inscope-controlplane").write(path)
    assert json.loads(path.read_text()) == {
        "pid": 7,
        "started": 1.5,
        "stream": "127.0.0.1:1",
        "enrolment": "127.0.0.1:2",
        "socket": "/s/control.sock",
        "server_name": "inscope-controlplane",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
