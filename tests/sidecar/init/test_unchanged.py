"""What a command is started with is what init was started with, to the letter."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sidecar.init.observed import eventually

pytestmark = pytest.mark.real

REPORT = """
import json, os, resource, signal
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "environment": dict(os.environ), "folder": os.getcwd(), "nice": os.nice(0), "umask": os.umask(0),
    "descriptors": {n: os.readlink(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")
                    if os.path.exists(f"/proc/self/fd/{n}")},
    "signals": {k: status[k] for k in ("SigBlk", "SigIgn", "SigCgt")},
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")},
    "oom": open("/proc/self/oom_score_adj").read(), "group": os.getpgid(0) == os.getpgid(os.getppid()),
    "session": os.getsid(0), "affinity": sorted(os.sched_getaffinity(0)),
}))
"""


def prepare() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGUSR2, signal.SIGALRM, signal.SIGCHLD})
    for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_NOFILE, (77, 500))
    os.nice(3)
    os.umask(0o027)
    os.setsid()


def report(prefix: list[str], folder: Path, extra: int) -> dict[str, object]:
    done = subprocess.run(
        [*prefix, sys.executable, "-c", REPORT],
        check=True,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        preexec_fn=prepare,
        pass_fds=(extra, extra + 10),
        env={**os.environ, "ODD": "a\nb=c", "EMPTY": "", "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=20,
    )
    found: dict[str, object] = json.loads(done.stdout)
    found.pop("session")
    found.pop("group")
    return found


@pytest.mark.parametrize("front", [False, True])
def test_everything_inherited_arrives_and_nothing_else(init: Path, tmp_path: Path, front: bool) -> None:
    extra = os.open("/dev/null", os.O_RDONLY)
    os.dup2(extra, extra + 10)
    try:
        native = report([], tmp_path, extra)
        observed = report([str(init), *(["--front"] if front else []), "--"], tmp_path, extra)
    finally:
        os.close(extra)
        os.close(extra + 10)
    for each in (native, observed):
        descriptors = each["descriptors"]
        assert isinstance(descriptors, dict)
        descriptors.pop("1")  # the pipe of each run
    assert observed == native


def test_a_pipe_ends_when_the_command_closes_it(init: Path) -> None:
    """Init must not hold the writing end: the reader would wait for init."""
    process = subprocess.Popen(
        [init, "--front", "--", "sh", "-c", "exec >&- 2>&-; exec sleep 30"], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        assert process.stdout.read() == b""
    finally:
        process.kill()
        process.wait()


def test_a_closed_standard_input_stays_closed(init: Path) -> None:
    code = "import os\ntry:\n    os.fstat(0)\nexcept OSError:\n    print('closed')"
    done = subprocess.run(
        ["sh", "-c", '"$0" -- "$1" -c "$2" <&-', str(init), sys.executable, code], check=True, capture_output=True
    )
    assert done.stdout == b"closed\n"


@pytest.mark.parametrize("front", ["--front", "--wait-ms=0"])
def test_with_all_standard_descriptors_closed_init_still_works(init: Path, tmp_path: Path, front: str) -> None:
    """Init's own descriptors must not take their numbers: they would be lost, and with them the signals."""
    code = "trap 'exit 9' TERM; touch \"$1\"; while :; do sleep 0.01; done"
    options = [front] if front == "--front" else ["--wait-ms", "0"]
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", str(init), *options, "--", "sh", "-c", code, "-", tmp_path / "on"]
    )
    eventually((tmp_path / "on").exists)
    process.terminate()
    assert process.wait(10) == 9


def test_the_process_is_its_own_programs_not_inits(init: Path) -> None:
    done = subprocess.run([init, "--", "cat", "/proc/self/comm"], check=True, capture_output=True)
    assert done.stdout == b"cat\n"
