"""A command ends under init as it ends without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.real


def ends(init: Path, *argv: str, front: bool = False, **more: object) -> int:
    command = [str(init), *(["--front"] if front else []), "--", *argv]
    return subprocess.run(command, check=False, timeout=20, stderr=subprocess.DEVNULL, **more).returncode  # type: ignore[call-overload, no-any-return]  # options are passed on


@pytest.mark.parametrize("front", [False, True])
@pytest.mark.parametrize("code", [0, 1, 7, 126, 255])
def test_the_exit_status_is_the_commands(init: Path, code: int, front: bool) -> None:
    assert ends(init, "sh", "-c", f"exit {code}", front=front) == code


@pytest.mark.parametrize("name", ["KILL", "TERM", "INT", "SEGV", "PIPE", "USR1", "ABRT", "QUIT"])
def test_a_signal_that_ends_the_command_ends_the_front_too(init: Path, name: str) -> None:
    import signal

    number = getattr(signal, f"SIG{name}")
    assert ends(init, "sh", "-c", f"kill -{name} $$", front=True) == -number
    assert ends(init, "sh", "-c", f"kill -{name} $$") == 128 + number


@pytest.mark.parametrize("front", [False, True])
def test_what_is_not_there_is_127_and_what_cannot_run_is_126(init: Path, tmp_path: Path, front: bool) -> None:
    plain = tmp_path / "plain"
    plain.write_text("x")
    assert ends(init, "no-such-command-here", front=front) == 127
    assert ends(init, str(tmp_path / "missing"), front=front) == 127
    assert ends(init, str(plain / "below"), front=front) == 127
    assert ends(init, str(tmp_path), front=front) == 126
    assert ends(init, "", front=front) == 127
    if os.geteuid() != 0:
        assert ends(init, str(plain), front=front) == 126


def test_a_file_without_a_header_is_run_by_the_shell(init: Path, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("test \"$1\" = 'a b' && exit 9\n")
    script.chmod(0o755)
    assert ends(init, str(script), "a b") == 9


def test_the_search_along_path_passes_over_what_cannot_run(init: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
    (first / "tool").mkdir()
    (second / "tool").write_text("#!/bin/sh\nexit 5\n")
    (second / "tool").chmod(0o755)
    assert ends(init, "tool", env={"PATH": f"{tmp_path}/none:{first}:{second}"}) == 5
    assert ends(init, "tool", env={"PATH": f"{first}"}) == 126
    assert ends(init, "tool", env={"PATH": f":{first}"}, cwd=second) == 5
    assert ends(init, "true", env={}) == 0


def test_its_own_failures_are_125_and_say_why(init: Path) -> None:
    for arguments in (["--no-such"], [], ["--reads", "some", "true"], ["--wait-ms", "-1", "true"], ["--socket"]):
        done = subprocess.run([init, *arguments], check=False, capture_output=True, text=True, timeout=10)
        assert done.returncode == 125
        assert done.stderr.startswith("inscope-init: ")
        assert "--help" in done.stderr


def test_a_socket_path_that_no_socket_can_have_is_refused(init: Path) -> None:
    done = subprocess.run(
        [init, "--socket", "/tmp/" + "x" * 200, "true"], check=False, capture_output=True, text=True, timeout=10
    )
    assert done.returncode == 125
    assert "File name too long" in done.stderr or "Filename too long" in done.stderr


def test_a_second_listener_on_the_same_task_is_a_clear_failure(init: Path) -> None:
    inner = subprocess.run([init, "--", init, "--", "true"], check=False, capture_output=True, text=True, timeout=10)
    assert inner.returncode == 125
    assert "listener" in inner.stderr


def test_help_and_version_are_for_people(init: Path) -> None:
    done = subprocess.run([init, "--help"], check=True, capture_output=True, text=True)
    assert "example:" in done.stdout
    done = subprocess.run([init, "--version"], check=True, capture_output=True, text=True)
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    assert f'version = "{done.stdout.split()[1]}"' in project


def test_options_end_at_the_command(init: Path) -> None:
    done = subprocess.run([init, "echo", "--front", "--", "x"], check=True, capture_output=True, text=True)
    assert done.stdout == "--front -- x\n"


def test_python_under_it_is_python(init: Path) -> None:
    done = subprocess.run([init, "--", sys.executable, "-c", "print(6 * 7)"], check=True, capture_output=True)
    assert done.stdout == b"42\n"


@pytest.mark.parametrize("front", [False, True])
def test_a_limit_of_files_that_leaves_it_no_room_is_said_at_once(init: Path, folder: Path, front: bool) -> None:
    options = ["--socket", str(folder / "nobody"), *(["--front"] if front else [])]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 12; exec "$@"', "sh", init, *options, "--", "true"],
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert done.returncode == 125
    assert "64 open files" in done.stderr
