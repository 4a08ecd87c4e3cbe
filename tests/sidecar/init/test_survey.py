"""The survey lists what the container holds, as the agent could use it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.init_peer import CONSTANTS
from tests.sidecar.init.observed import Observer

pytestmark = pytest.mark.real


def survey(observer: Observer, kind: str, *command: str, **more: Any) -> list[str]:
    observer.peer.survey = True
    done = observer.run(*(command or ("true",)), **more)
    assert done.returncode == 0, done.stderr
    parts = [m for m in observer.of("SURVEY") if m.body["survey"] == CONSTANTS[f"SURVEY_{kind}"]]
    assert [m.body["last"] for m in parts] == [0] * (len(parts) - 1) + [1]
    assert parts[-1].body["complete"] == 1
    assert [m.body["count"] for m in parts] == [len(m.strings) for m in parts]
    return [os.fsdecode(text) for part in parts for text in part.strings]


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{tmp_path}/bin:/nowhere:{tmp_path}/alias", "HOME": f"{tmp_path}/home", **more}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small place: two folders of PATH that are one, a home, a virtual environment."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "alias").symlink_to("bin")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").mkdir()
    shutil.copy("/bin/true", tmp_path / "elsewhere" / "real")
    for name in ("true", "tool"):
        shutil.copy("/bin/true", tmp_path / "bin" / name)
    (tmp_path / "bin" / "text").write_text("not executable")
    (tmp_path / "bin" / "folder").mkdir()
    (tmp_path / "bin" / "inside").symlink_to("tool")
    (tmp_path / "bin" / "outside").symlink_to("../elsewhere/real")
    (tmp_path / "bin" / "broken").symlink_to("nothing")
    os.mkfifo(tmp_path / "bin" / "fifo")
    return tmp_path


def test_executables_are_regular_files_that_the_agent_may_run(observer: Observer, tree: Path) -> None:
    found = survey(observer, "EXECUTABLES", env=environment(tree))
    base = os.path.realpath(tree)
    assert sorted(found) == [f"{base}/bin/tool", f"{base}/bin/true", f"{base}/elsewhere/real"]


def test_libraries_of_the_loader_and_of_python_packages(observer: Observer, tree: Path) -> None:
    packages = tree / "venv" / "lib" / "python3.11" / "site-packages" / "pkg" / "deep"
    packages.mkdir(parents=True)
    (tree / "extra").mkdir()
    for path in (
        packages / "native.cpython-311-x86_64-linux-gnu.so",
        tree / "extra" / "libx.so.1.2",
        packages / "a.py",
    ):
        path.write_text("x")
    more = {"VIRTUAL_ENV": f"{tree}/venv", "LD_LIBRARY_PATH": f"{tree}/extra"}
    found = survey(observer, "LIBRARIES", env=environment(tree, **more))
    base = os.path.realpath(tree)
    assert f"{base}/extra/libx.so.1.2" in found
    assert f"{base}/venv/lib/python3.11/site-packages/pkg/deep/native.cpython-311-x86_64-linux-gnu.so" in found
    assert not any(path.endswith(".py") for path in found)
    maps = subprocess.run(["cat", "/proc/self/maps"], capture_output=True, text=True, check=True).stdout
    libc = next(line.split()[-1] for line in maps.splitlines() if "/libc" in line and line.split()[-1].startswith("/"))
    assert libc in found


def test_secrets_are_readable_files_that_match_for_reading(observer: Observer, tree: Path) -> None:
    home = tree / "home"
    for name in (
        ".ssh/id_rsa",
        ".aws/credentials",
        "work/deep/.env",
        "work/a.py",
        "too/deep/for/this/.env",
        ".cache/.env",
    ):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("x")
    (home / "linked").mkdir()
    (home / "linked" / "token").symlink_to("../.aws/credentials")
    observer.peer.watch = (b"I/.ssh/", b"Ncredentials", b"N.env", b"Ntoken", b"W.py")
    found = survey(observer, "SECRETS", env=environment(tree), cwd=home)
    mine = sorted(path for path in found if path.startswith(str(tree)))
    expected = (".aws/credentials", ".ssh/id_rsa", "linked/token", "work/deep/.env")
    assert mine == [f"{home}/{name}" for name in expected]


def test_writable_code_is_where_the_agent_may_put_and_run_things(observer: Observer, tree: Path) -> None:
    found = survey(observer, "WRITABLE_CODE", env=environment(tree, TMPDIR="/nowhere"), cwd=tree)
    base = os.path.realpath(tree)
    assert {base, f"{base}/home", f"{base}/bin"} <= set(found)
    assert "/nowhere" not in found
    for path in found:
        assert os.stat(path).st_mode & stat.S_IFDIR


def test_reach_says_network_ports_and_calls(observer: Observer) -> None:
    assert survey(observer, "EGRESS") in (["unrestricted"], ["loopback"])
    observer.peer.messages.clear()
    (ports,) = survey(observer, "PORTS")
    low, high = map(int, ports.split("-"))
    assert (1 <= low <= 1024, high) == (True, 65535)
    observer.peer.messages.clear()
    calls = survey(observer, "SYSCALLS")
    assert {"ptrace", "bpf", "unshare"} <= set(calls)
    assert not {"io_uring_setup", "execve", "openat"} & set(calls)


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root here")
def test_a_network_without_a_way_out_is_loopback(observer: Observer) -> None:
    observer.peer.survey = True
    subprocess.run(["unshare", "--net", *observer.command("true")], check=True, timeout=20)
    (egress,) = [m for m in observer.of("SURVEY") if m.body["survey"] == CONSTANTS["SURVEY_EGRESS"]]
    assert egress.strings == [b"loopback"]


def test_without_being_asked_nothing_is_surveyed(observer: Observer) -> None:
    observer.run(sys.executable, "-c", "pass")
    assert observer.of("SURVEY") == []
