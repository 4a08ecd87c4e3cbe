"""Real programs under watch work as they do without: the same output, the same status."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.e2e.installation import INSCOPE, Installation

pytestmark = pytest.mark.real


def needs(program: str) -> str:
    found = shutil.which(program, path=f"{sysconfig.get_path('scripts')}:/usr/local/bin:/usr/bin:/bin")
    if not found:
        pytest.skip(f"{program} is not installed here")
    return found


def both(shared: Installation, *command: str) -> None:
    """The command gives the same twice: without and under watch."""
    settings = {"env": shared.environment, "cwd": shared.workspace, "capture_output": True, "text": True}
    plain = subprocess.run(command, **settings, check=False)
    watched = shared.run(*command)
    assert (watched.returncode, watched.stdout, watched.stderr) == (plain.returncode, plain.stdout, plain.stderr)


def test_git_clones_a_repository(shared: Installation) -> None:
    git = [needs("git"), "-c", "user.name=T", "-c", "user.email=t@example.org"]
    source, clone = shared.workspace / "source", shared.workspace / "clone"
    for words in (["init", "-q", str(source)], ["-C", str(source), "commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    assert shared.run("git", "clone", "-q", f"file://{source}", str(clone)).returncode == 0
    log = subprocess.run(["git", "-C", str(clone), "log", "--format=%s"], capture_output=True, text=True, check=True)
    assert log.stdout == "first\n"


def tiny_wheel(folder: Path) -> Path:
    """A wheel of one module, made by hand: nothing has to be downloaded to build it."""
    wheel = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "print('tiny is here')\n")
        archive.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        archive.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.dist-info/RECORD", "")
    return wheel


@pytest.mark.slow
def test_pip_installs_into_a_new_virtual_environment(shared: Installation) -> None:
    venv = shared.workspace / "venv"
    assert shared.run(sys.executable, "-m", "venv", str(venv), name="venv").returncode == 0
    wheel = str(tiny_wheel(shared.workspace))
    done = shared.run(str(venv / "bin" / "pip"), "install", "-q", "--no-index", wheel, name="pip")
    assert done.returncode == 0, done.stderr
    assert shared.run(str(venv / "bin" / "python"), "-m", "tiny", name="tiny").stdout == "tiny is here\n"


def test_a_node_server_answers(shared: Installation) -> None:
    server = "require('http').createServer((q, r) => r.end('from node')).listen(18471, () => console.log('on'))"
    command = [*INSCOPE, "run", "--name", "node", "--", needs("node"), "-e", server]
    with subprocess.Popen(
        command, env=shared.environment, cwd=shared.workspace, stdout=subprocess.PIPE, text=True
    ) as node:
        try:
            assert node.stdout is not None
            assert node.stdout.readline() == "on\n"
            connection = http.client.HTTPConnection("127.0.0.1", 18471, timeout=10)
            connection.request("GET", "/")
            assert connection.getresponse().read() == b"from node"
        finally:
            node.terminate()
    assert node.returncode == -15


def test_a_static_rust_binary_and_its_threads(shared: Installation) -> None:
    ruff = needs("ruff")
    for number in range(50):
        (shared.workspace / f"m{number}.py").write_text(f"import os\nx = {number}\n")
    both(shared, ruff, "check", "--isolated", "--no-cache", "--output-format", "concise", ".")


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-c", "seq 1000 | sort -rn | head -3 | xargs -n1 echo"],
        ["bash", "-c", "for i in 1 2 3; do (echo $i) & done | cat | sort; wait; echo done"],
        [sys.executable, "-c", "import multiprocessing as m; print(m.Pool(2).map(abs, range(-5, 5)))"],
        [sys.executable, "-c", "import ssl, sqlite3, ctypes, asyncio, decimal; print(ssl.OPENSSL_VERSION)"],
        ["perl", "-e", "print join(',', map { `echo $_` } 1..3)"],
        ["env", "-i", "/bin/sh", "-c", "echo $PATH; exit 3"],
        ["find", "/etc/apt", "-maxdepth", "1"],
        ["tar", "-cf", "-", "--sort=name", "-C", "/etc", "passwd", "group"],
    ],
    ids=lambda command: command[0].rpartition("/")[2] + " " + command[1],
)
def test_everyday_commands(shared: Installation, command: list[str]) -> None:
    needs(Path(command[0]).name if "/" not in command[0] else "sh")
    both(shared, *command)
