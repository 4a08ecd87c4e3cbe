"""The loop on real parts: learned, found, armed, crossed, and told with the finding that foresaw it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import textwrap
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.e2e.installation import INSCOPE, ROOT, Installation, eventually

pytestmark = pytest.mark.real

DAILY = """
import socket, subprocess, sys
subprocess.run(["git", "--version"], check=True, stdout=subprocess.DEVNULL)
socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
exec(open("extra.txt").read())
"""


@pytest.fixture
def service():
    with closing(socket.create_server(("127.0.0.1", 18461))) as listener:
        yield listener.getsockname()[1]


def work(installed: Installation, port: int, extra: str = "") -> subprocess.CompletedProcess:
    (installed.workspace / "daily.py").write_text(DAILY)
    (installed.workspace / "extra.txt").write_text(textwrap.dedent(extra))
    done = installed.run(sys.executable, "daily.py", str(port))
    assert done.returncode == 0, done.stderr
    return done


def test_what_is_learned_is_silent_and_what_is_not_names_its_finding(installed: Installation, service: int) -> None:
    work(installed, service)
    work(installed, service)
    (summary,) = installed.ask("workloads")
    assert (summary["workload"], summary["mode"], summary["instances"]) == ("local/Process/agent", "observe", 2)
    assert installed.ask("alerts") == []

    refused = installed.inscope("mode", "agent", "detect")
    assert refused.returncode == 1
    assert "days" in refused.stdout
    assert installed.inscope("mode", "agent", "detect", "--force").returncode == 0
    foreseen = {finding["id"]: finding for finding in installed.ask("findings", "agent")}
    assert all(finding["tripwire"]["armed"] for finding in foreseen.values())

    work(installed, service)
    assert installed.ask("alerts") == []

    with closing(socket.create_server(("127.0.0.1", 18462))):
        work(installed, service, 'socket.create_connection(("127.0.0.1", 18462)).close()')
    (alert,) = installed.ask("alerts", "agent")
    assert alert["behaviour"]["subject"] == "127.0.0.1:18462/tcp"
    (crossing,) = alert["crossed"]
    assert foreseen[crossing["finding"]]["kind"] == "egress"
    assert crossing["finding"] in alert["sentence"]

    proved = installed.ask("two-way", "--prove")
    assert proved["blanks"] == []
    assert {finding["proof"]["result"] for finding in proved["findings"]} <= {"fired", "not armed"}
    assert any(finding["proof"]["result"] == "fired" for finding in proved["findings"])
    assert installed.ask("alerts", "agent") == [alert], "a proof leaves nothing in the store"


def test_an_approved_alert_is_in_scope_from_then_on(installed: Installation, service: int) -> None:
    work(installed, service)
    installed.inscope("mode", "agent", "detect", "--force")
    extra = 'subprocess.run(["uname"], stdout=subprocess.DEVNULL)'
    work(installed, service, extra)
    alerts = installed.ask("alerts")
    assert any("uname" in alert["behaviour"]["subject"] for alert in alerts)
    for alert in alerts:
        assert installed.inscope("approve", alert["id"], "--reason", "we need it").returncode == 0
    work(installed, service, extra)
    assert [alert["count"] for alert in installed.ask("alerts")] == [alert["count"] for alert in alerts]


def test_a_script_that_was_changed_is_another_program(installed: Installation, service: int) -> None:
    work(installed, service)
    installed.inscope("mode", "agent", "detect", "--force")
    (installed.workspace / "daily.py").write_text(DAILY + "print('evil')\n")
    assert installed.run(sys.executable, "daily.py", str(service)).stdout == "evil\n"
    subjects = [alert["behaviour"]["subject"] for alert in installed.ask("alerts")]
    assert any("daily.py" in subject for subject in subjects)


def test_a_run_whose_control_plane_is_killed_keeps_working_and_loses_nothing(
    installed: Installation, service: int
) -> None:
    work(installed, service)
    before = installed.ask("show", "agent")[0]
    installed.end(signal.SIGKILL)
    work(installed, service)
    after = installed.ask("show", "agent")[0]
    assert len(after["instances"]) == len(before["instances"]) + 1
    lost = [source["losses"] for run in after["instances"] for source in run["coverage"]]
    assert {cause for losses in lost for cause in losses} == set()


def test_a_control_plane_killed_under_a_run_is_found_again_by_its_sidecar(installed: Installation) -> None:
    installed.ask("workloads")
    command = [*INSCOPE, "run", "--name", "agent", "--", "sh", "-c", "read line; uname >/dev/null; exit 6"]
    with subprocess.Popen(
        command, env=installed.environment, cwd=installed.workspace, stdin=subprocess.PIPE, text=True
    ) as run:
        eventually(lambda: [each["live_instances"] for each in installed.ask("workloads")] == [1])
        installed.end(signal.SIGKILL)
        installed.ask("workloads")  # brings up the next one
        eventually(lambda: [each["live_instances"] for each in installed.ask("workloads")] == [1])
        run.communicate("go on\n")
    assert run.returncode == 6
    (shown,) = installed.ask("show", "agent", "--entries")
    learned = [entry["label"] for reference in shown["references"] for entry in reference["entries"]]
    assert any(label.endswith("/uname") for label in learned)
    assert [each["exit_status"] for each in shown["instances"]] == [6]


KILLER = """
import glob, os, signal, sys
for path in glob.glob("/proc/[0-9]*/cmdline"):
    words = open(path, "rb").read().split(b"\\0")
    if b"--exit-when-idle" in words and sys.argv[1].encode() in b" ".join(words):
        os.kill(int(path.split("/")[2]), signal.SIGKILL)
        print("killed")
"""


def test_a_run_whose_sidecar_is_killed_at_once_leaves_a_trace(installed: Installation) -> None:
    done = installed.run(sys.executable, "-S", "-c", KILLER, str(installed.state / "run"))
    assert done.stdout == "killed\n"
    (shown,) = installed.ask("show", "agent")
    # Whether it had enrolled by then is a race: a trace there is either way.
    assert len(shown["unenrolled"]) + len(shown["instances"]) == 1


def test_what_a_run_could_not_tell_is_told_by_the_next(installed: Installation) -> None:
    installed.ask("workloads")
    command = [*INSCOPE, "run", "--name", "lonely", "--", "sh", "-c", "read line; uname >/dev/null"]
    with subprocess.Popen(
        command, env=installed.environment, cwd=installed.workspace, stdin=subprocess.PIPE, text=True
    ) as run:
        eventually(lambda: [each["live_instances"] for each in installed.ask("workloads")] == [1])
        installed.end(signal.SIGKILL)
        run.communicate("go on\n")
    assert run.returncode == 0
    eventually(lambda: not sidecars_of(installed))
    assert installed.run("true", name="other").returncode == 0

    def told() -> bool:
        (shown,) = installed.ask("show", "lonely", "--entries")
        entries = [entry for reference in shown["references"] for entry in reference["entries"]]
        return any(entry["label"].endswith("/uname") for entry in entries)

    eventually(told)


def sidecars_of(installed: Installation) -> list[Path]:
    """The processes that work in this installation's run folders."""
    runs = str(installed.state / "run")
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += [path] if runs in path.read_text(errors="replace") else []
    return found


def test_check_says_that_observe_works_where_these_tests_run(installed: Installation) -> None:
    found = installed.ask("check", "--state", str(installed.state))
    assert all(each["works"] for each in found if each["needed"])
    assert {"inscope-init", "notify", "memory"} <= {each["mechanism"] for each in found}


@pytest.mark.slow
def test_the_demo_keeps_its_promise_and_leaves_nothing_running(installed: Installation) -> None:
    demo = [sys.executable, str(ROOT / "examples" / "demo.py"), "--folder", str(installed.state.parent / "demo")]
    done = subprocess.run(demo, env=installed.environment, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Promise kept." in done.stdout
    assert not (installed.state.parent / "demo" / "state" / "endpoint.json").exists()
