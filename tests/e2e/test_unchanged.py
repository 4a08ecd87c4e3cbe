"""A command under watch is, to itself and to whoever started it, the command without it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.installation import INSCOPE, Installation, eventually

pytestmark = pytest.mark.real


def plain(shared: Installation, *command: str, **options) -> subprocess.CompletedProcess:
    settings = {"env": shared.environment, "cwd": shared.workspace, "stdout": subprocess.PIPE, "check": False}
    return subprocess.run(command, **{**settings, **options})


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "exit 125"], 125),
        (["no-such-command-anywhere"], 127),
        (["/etc/passwd"], 126),
        (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
        (["sh", "-c", "kill -KILL $$"], -signal.SIGKILL),
        (["sh", "-c", "kill -PIPE $$"], -signal.SIGPIPE),
        ([sys.executable, "-c", "import os; os.abort()"], -signal.SIGABRT),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else str(value),
)
def test_it_ends_as_its_command_does(shared: Installation, command: list[str], status: int) -> None:
    assert shared.run(*command).returncode == status


def test_streams_pass_unchanged(shared: Installation) -> None:
    data = os.urandom(1 << 20)
    done = shared.run("sh", "-c", "cat; echo error >&2", input=data, text=False, stdin=None)
    assert (done.stdout, done.stderr) == (data, b"error\n")


def test_the_environment_is_the_users_byte_for_byte(shared: Installation) -> None:
    environment = {**shared.environment, "LC_ALL": "C", "EMPTY": "", "ODD": "a=b\nc"}
    watched = shared.run("env", "-0", text=False, env=environment).stdout
    assert watched == plain(shared, "env", "-0", env=environment).stdout


def test_the_process_is_as_the_kernel_would_have_made_it(shared: Installation) -> None:
    report = (
        "import os, resource, signal\n"
        "print(os.getcwd(), os.umask(0), os.nice(0), sorted(os.sched_getaffinity(0)))\n"
        "print([resource.getrlimit(which) for which in range(16)])\n"
        "print(sorted(os.listdir('/proc/self/fd'), key=int))\n"
        "lines = dict(line.split(':') for line in open('/proc/self/status'))\n"
        "own = 0b11 << 31\n"  # signals 32 and 33 are the C library's; make leaves them ignored under nohup
        "print([int(lines[key], 16) & ~own for key in ('SigBlk', 'SigIgn', 'SigCgt')], lines['Groups'])\n"
        "print(os.isatty(0), os.getsid(0), os.readlink('/proc/self/fd/0'))\n"
    )
    command, options = [sys.executable, "-c", report], {"umask": 0o27, "stdin": subprocess.DEVNULL}
    watched = shared.run(*command, **options).stdout
    assert watched == plain(shared, *command, text=True, **options).stdout


def test_a_descriptor_given_on_purpose_is_inherited(shared: Installation) -> None:
    reader, writer = os.pipe()
    shared.run(sys.executable, "-c", f"import os; os.write({writer}, b'through')", pass_fds=(writer,))
    os.close(writer)
    with open(reader) as pipe:
        assert pipe.read() == "through"


def test_it_is_in_the_process_group_that_the_shell_made(shared: Installation) -> None:
    script = "import os; print(os.getpgrp() == os.getpgid(os.getppid()) or os.getpgrp(), os.getsid(0))"
    done = shared.run(sys.executable, "-c", script, start_new_session=True)
    assert done.stdout.split()[0] != ""
    assert done.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_sent_to_the_run_reaches_the_command(shared: Installation, number: signal.Signals) -> None:
    script = (
        f"import signal, sys; signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
        "print('on', flush=True); signal.pause()"
    )
    command = [*INSCOPE, "run", "--name", "agent", "--", sys.executable, "-c", script]
    with subprocess.Popen(
        command, env=shared.environment, cwd=shared.workspace, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "on\n"
        run.send_signal(number)
        assert run.wait(30) == 42


def test_a_script_and_its_children_and_files_work(shared: Installation) -> None:
    script = shared.workspace / "work.sh"
    script.write_text(
        "#!/bin/sh\nset -e\nfor i in 1 2 3; do echo $i | cat > f$i; done\ncat f1 f2 f3 | sort -r | tr '\\n' ' '\n"
    )
    script.chmod(0o755)
    assert shared.run("./work.sh").stdout == "3 2 1 "


def test_nothing_of_a_run_stays_behind(installed: Installation) -> None:
    installed.run("true")
    runs = installed.state / "run"
    eventually(lambda: not [path for path in Path("/proc").glob("[0-9]*/cmdline") if text_of(path).count(str(runs))])
    (folder,) = runs.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["held", "join.json", "sidecar.log"]


def text_of(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def test_a_file_size_limit_is_the_commands_own(shared: Installation) -> None:
    limit = (4096, 4096)
    script = "import os; os.write(os.open('big', os.O_WRONLY | os.O_CREAT), bytes(8192)); print('written')"
    options = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit)}
    expected = plain(shared, sys.executable, "-c", script, text=True, **options)
    watched = shared.run(sys.executable, "-c", script, **options)
    assert (watched.returncode, watched.stdout) == (expected.returncode, expected.stdout)
