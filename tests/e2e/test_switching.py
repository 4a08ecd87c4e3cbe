"""Switching a running agent: into enforce and back, cut off and released, by commands, confirmed by its own init."""

from __future__ import annotations

import subprocess
import sys
import time
from errno import ENETUNREACH

import pytest

from tests.e2e.installation import INSCOPE, Installation, eventually

pytestmark = pytest.mark.real

AGENT = """
while :; do
    for name in run-uname run-date; do
        if test -e $name; then rm $name; ${name#run-} > /dev/null && echo $name ran || echo $name denied; fi
    done >> journal
    echo tick >> ticks
    sleep 0.1
done
"""
"""Runs what it is asked for by a file, and says what came of it."""


class Running:
    """An agent that goes on."""

    def __init__(self, installed: Installation) -> None:
        self.installed, self.workspace = installed, installed.workspace
        (self.workspace / "agent.sh").write_text(AGENT)
        (self.workspace / "journal").touch()
        command = [*INSCOPE, "run", "--name", "agent", "--", "/bin/sh", "agent.sh"]
        self.process = subprocess.Popen(command, env=installed.environment, cwd=self.workspace)

    def asked(self, program: str) -> str:
        """What came of running it."""
        before = self.journal()
        (self.workspace / f"run-{program}").touch()
        eventually(lambda: self.journal() != before)
        return self.journal()[-1]

    def journal(self) -> list[str]:
        return (self.workspace / "journal").read_text().splitlines()

    def ticks(self) -> int:
        return len((self.workspace / "ticks").read_text().splitlines())

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def running(installed: Installation):
    agent = Running(installed)
    eventually(lambda: (installed.workspace / "ticks").exists())
    eventually(lambda: installed.ask("show", "agent")[0]["instances"][-1]["in_force_since"])
    yield agent
    agent.end()


def in_force(installed: Installation) -> tuple[str, str]:
    instance = installed.ask("show", "agent")[0]["instances"][-1]
    return instance["mode"], instance["containment"]


def test_a_running_agent_is_enforced_within_a_second_and_let_go_again(
    installed: Installation, running: Running
) -> None:
    assert running.asked("uname") == "run-uname ran"
    assert installed.inscope("mode", "agent", "enforce").returncode == 1
    began = time.monotonic()
    (said,) = installed.ask("mode", "agent", "enforce", "--force")
    assert time.monotonic() - began < 10  # with the command's own start, on a machine that is busy
    assert (len(said["confirmed"]), said["waiting"]) == (1, [])
    assert in_force(installed) == ("enforce", "free")
    assert running.asked("date") == "run-date denied"
    assert running.asked("uname") == "run-uname ran"
    eventually(lambda: any(alert["verdict"] == "deny" for alert in installed.ask("alerts", "agent")))
    dry = installed.ask("mode", "agent", "enforce", "--dry-run")[0]
    (group,) = (each for each in dry["groups"] if each["kind"] == "exec")
    assert group["denied"] >= 1
    assert installed.inscope("approve", group["id"], "--reason", "it needs the date").returncode == 0
    eventually(lambda: running.asked("date") == "run-date ran")
    assert installed.ask("mode", "agent", "observe")[0]["confirmed"] == said["confirmed"]
    assert in_force(installed) == ("observe", "free")


def test_a_frozen_agent_stands_still_until_it_is_released(installed: Installation, running: Running) -> None:
    (said,) = installed.ask("quarantine", "agent", "--freeze", "--reason", "it was talked into something")
    assert (said["containment"], said["waiting"]) == ("frozen", [])
    before = running.ticks()
    assert in_force(installed) == ("observe", "frozen")
    installed.end()
    assert installed.ask("workloads")[0]["containment"] == "frozen", "it outlives the control plane"
    assert running.ticks() == before
    installed.ask("release", "agent", "--reason", "a false alarm")
    eventually(lambda: running.ticks() > before)
    orders = installed.ask("show", "agent")[0]["orders"]
    assert [(order["act"], order["reason"]) for order in orders] == [
        ("freeze", "it was talked into something"), ("release", "a false alarm")
    ]  # fmt: skip


def test_an_agent_that_starts_in_enforce_is_enforced_from_its_first_act(installed: Installation) -> None:
    work = ("/bin/sh", "-c", "uname > /dev/null; echo $?")
    for _ in range(2):
        assert installed.run(*work).stdout == "0\n"
    assert installed.inscope("mode", "agent", "enforce", "--force").returncode == 0
    assert installed.run("/bin/date").returncode == 126


def test_one_instance_is_quarantined_by_its_id(installed: Installation, running: Running) -> None:
    instance = installed.ask("show", "agent")[0]["instances"][-1]["id"]
    (said,) = installed.ask("quarantine", instance, "--reason", "AL-7")
    assert (said["workload"], said["instance"], said["waiting"]) == ("local/Process/agent", instance, [])
    assert in_force(installed) == ("observe", "quarantined")
    assert installed.ask("workloads")[0]["containment"] == "free"
    assert running.asked("uname") == "run-uname ran", "only what reaches out is cut off"


def test_what_a_quarantine_cuts_off_is_an_alert_that_says_so(installed: Installation) -> None:
    agent = "import socket; input(); print(socket.socket().connect_ex(('127.0.0.1', 9)), flush=True); input()"
    assert installed.run(sys.executable, "-c", "print()").returncode == 0
    assert installed.inscope("mode", "agent", "detect", "--force").returncode == 0
    command = [*INSCOPE, "run", "--name", "agent", "--", sys.executable, "-c", agent]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=installed.environment, cwd=installed.workspace, text=True, **pipes) as running:
        assert running.stdin
        assert running.stdout
        eventually(lambda: installed.ask("workloads")[0]["live_instances"])
        installed.ask("quarantine", "agent", "--reason", "AL-7")
        running.stdin.write("\n")
        running.stdin.flush()
        assert running.stdout.readline() == f"{ENETUNREACH}\n"
        running.communicate("\n", timeout=30)
    (cut_off,) = [alert for alert in installed.ask("alerts", "agent") if alert["behaviour"]["kind"] == "connect"]
    assert cut_off["verdict"] == "quarantine"
    assert cut_off["sentence"].startswith("agent tried, and was cut off: it contacted 127.0.0.1:9/tcp")
    assert "  cut off  " in installed.inscope("alerts", "agent").stdout
