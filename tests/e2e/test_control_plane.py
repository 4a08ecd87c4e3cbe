"""The control plane that comes with a state folder: started once, found again, survived by nothing it should not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess

from tests.e2e.installation import INSCOPE, Installation, eventually


def test_the_first_command_starts_it_and_the_second_finds_it(installed: Installation) -> None:
    assert installed.control_plane() is None
    assert installed.ask("workloads") == []
    first = installed.control_plane()
    assert first is not None
    assert installed.ask("findings") == []
    assert installed.control_plane() == first
    assert os.getsid(first) != os.getsid(0)
    assert installed.state.stat().st_mode & 0o777 == 0o700


def test_many_commands_at_once_start_one(installed: Installation) -> None:
    commands = [
        subprocess.Popen(
            [*INSCOPE, "workloads", "-o", "json"],
            env=installed.environment,
            cwd=installed.workspace,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    ended = [command.communicate(timeout=60) for command in commands]
    assert ended == [(b"[]\n", b"")] * 4
    assert (installed.state / "controlplane.log").read_text().count("serving ") == 1


def test_one_that_was_killed_is_replaced(installed: Installation) -> None:
    installed.ask("workloads")
    first = installed.control_plane()
    installed.end(signal.SIGKILL)
    assert installed.control_plane() == first, "a killed process leaves its endpoint file behind"
    assert installed.ask("workloads") == []
    assert installed.control_plane() != first


def test_one_that_cannot_start_says_why_in_its_own_words(installed: Installation) -> None:
    installed.state.mkdir(mode=0o700)
    (installed.state / "inscope.db").write_bytes(b"this is no database, " * 1000)
    done = installed.inscope("workloads")
    assert done.returncode == 4
    assert "inscope.db" in done.stderr
    assert "did not start" in done.stderr


def test_a_served_one_is_reached_over_mtls_with_the_operators_credentials(installed: Installation) -> None:
    address = "127.0.0.1:18443"
    serve = [*INSCOPE, "serve", "--listen", address, "--enrol-listen", "127.0.0.1:18444"]
    with subprocess.Popen(serve, env=installed.environment, cwd=installed.workspace) as served:
        try:
            eventually(lambda: installed.control_plane() is not None)
            assert installed.control_plane() == served.pid
            assert installed.ask("workloads", "--control-plane", address) == []
            nowhere = installed.inscope(
                "workloads", "--control-plane", address, "--credentials", str(installed.workspace)
            )
            assert nowhere.returncode == 3
            second = installed.inscope("serve", "--listen", "127.0.0.1:18445")
            assert second.returncode == 3
            assert f"process {served.pid}" in second.stderr
        finally:
            served.terminate()
    assert served.returncode == 0


def test_the_next_one_listens_where_the_last_one_did(installed: Installation) -> None:
    def ports() -> list[str]:
        said = json.loads((installed.state / "endpoint.json").read_text())
        return [said["stream"], said["enrolment"]]

    installed.ask("workloads")
    before = ports()
    installed.end()
    installed.ask("workloads")
    assert ports() == before
    installed.end()
    host, _, port = before[0].rpartition(":")
    with socket.create_server((host, int(port))):
        assert installed.ask("workloads") == []
        assert ports()[0] != before[0]
