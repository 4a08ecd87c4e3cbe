"""Processes that outlive the command: really started, in a session of their own, and quick to say why they did not."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from controlplane.cli.detached import NotReadyError, service_environment, start_detached
from controlplane.cli.embedded import ensure_running, is_running
from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.cli.place import Place

SERVICE = """
import json, os, sys, time
report, ready = sys.argv[1], int(sys.argv[3])
facts = {
    "pid": os.getpid(), "session": os.getsid(0), "parent": os.getppid(), "folder": os.getcwd(),
    "descriptors": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)), "secret": os.environ.get("API_KEY"),
}
open(report, "w").write(json.dumps(facts))
print("hello, log")
sys.stdout.flush()
os.write(ready, b"ready\\n")
os.close(ready)
time.sleep(60)
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def report(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "report.json"
    yield path
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(facts_of(path)["pid"], signal.SIGKILL)


def facts_of(report: Path) -> dict:
    import json

    return json.loads(report.read_text())


def test_it_runs_in_its_own_session_with_the_log_for_a_terminal(
    modules: Path, report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "the agent's")
    (modules / "service.py").write_text(SERVICE)
    log = tmp_path / "log"
    start_detached("service", [str(report)], log)
    facts = facts_of(report)
    assert facts["session"] not in (os.getsid(0), facts["parent"])
    assert facts["parent"] != os.getpid()
    assert (facts["folder"], facts["secret"]) == ("/", None)
    assert facts["descriptors"] == ["/dev/null", str(log), str(log)]
    assert "hello, log" in log.read_text()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_one_that_ends_before_it_is_ready_is_reported_with_its_last_words(modules: Path, tmp_path: Path) -> None:
    (modules / "service.py").write_text("raise SystemExit('the disk is full')")
    log = tmp_path / "log"
    log.write_text("from another time\n")
    with pytest.raises(NotReadyError) as failed:
        start_detached("service", [], log)
    assert "the disk is full" in str(failed.value)
    assert "another time" not in str(failed.value)


def test_one_that_stays_silent_is_ended(modules: Path, report: Path, tmp_path: Path) -> None:
    (modules / "service.py").write_text(SERVICE.replace('os.write(ready, b"ready\\n")\nos.close(ready)', ""))
    with pytest.raises(NotReadyError, match="not ready within"):
        start_detached("service", [str(report)], tmp_path / "log", seconds=1.0)
    # It was sent SIGTERM just now: it may take a moment to be gone, so wait for its end itself.
    descriptor = os.pidfd_open(facts_of(report)["pid"]) if alive(facts_of(report)["pid"]) else None
    if descriptor is not None:
        import select

        assert select.select([descriptor], [], [], 5)[0]
        os.close(descriptor)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_folder_of_the_users_named_like_ours_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text("print('ran')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(NotReadyError, match="No module named evil"):
        start_detached("evil", [], tmp_path / "log")


def test_our_processes_get_no_secrets_of_the_agents() -> None:
    mine = {"PATH": "/bin", "LC_ALL": "C", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "PYTHONPATH": "/a:/b"}
    assert service_environment({**mine, "OPENAI_API_KEY": "k", "LD_PRELOAD": "x.so", "PYTHONSTARTUP": "y"}) == mine


def test_a_relative_python_path_holds_wherever_it_runs() -> None:
    assert service_environment({"PYTHONPATH": ".:proto"})["PYTHONPATH"] == f"{Path.cwd()}:{Path.cwd() / 'proto'}"


def test_a_socket_left_by_a_crash_is_not_a_control_plane(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    assert not is_running(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        assert not is_running(path)
        listener.listen()
        assert is_running(path)
    assert not is_running(path)


def test_a_path_too_long_for_a_socket_is_said_before_anything_is_made(tmp_path: Path) -> None:
    state = tmp_path / ("x" * 120)
    with pytest.raises(CommandError, match="too long"):
        ensure_running(Place(state, state))
    assert not state.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_state_folder_of_somebody_else_is_forbidden(tmp_path: Path) -> None:
    script = (
        # Imported first: nobody may not read the folder that Python is in.
        "import os, shutil, sys, controlplane.cli.tables, controlplane.cli.documents, controlplane.cli.control\n"
        "from controlplane.cli.__main__ import main\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(main(['workloads', '--state', sys.argv[1]]))"
    )
    tmp_path.chmod(0o700)
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "s")], capture_output=True, text=True, check=False
    )
    assert done.returncode == ExitCode.FORBIDDEN
    assert "belongs to somebody else" in done.stderr
