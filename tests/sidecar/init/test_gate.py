"""The gate before a new image: what runs is what was judged, whoever swaps it; nobody else notices the gate."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.init_peer import CONSTANTS, InitPeer, Message, encode, layout, welcome
from tests.sidecar.init.observed import Observer, eventually, flags, identity, lines

pytestmark = pytest.mark.real

Judge = Callable[[Message], bool | None]
Enforced = Callable[[Judge], Observer]

MARK = slice(9, 10)
"""A byte of an ELF header that means nothing to the kernel; ours is `o` in a program that is refused."""


@pytest.fixture
def enforced(init: Path, folder: Path) -> Iterator[Enforced]:
    """Runs commands under init where it enforces what the test judges."""
    peers: list[InitPeer] = []

    def observer(judges: Judge) -> Observer:
        answer = lambda _: welcome(stance=CONSTANTS["ENFORCES"])  # noqa: E731 - the fixture's one line
        peers.append(InitPeer(folder / "init.sock", answer=answer, judges=judges))
        return Observer(init, peers[-1])

    yield observer
    for peer in peers:
        peer.close()


NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all")


def all_may(_: Message) -> bool:
    return True


def but_others(message: Message) -> bool:
    return message.content[MARK] != b"o"


def make(path: Path, source: str, status: int, mark: bytes = b"\0") -> Path:
    """A program that exits with this status."""
    image = bytearray(Path(source).read_bytes())
    at = image.index(b"EXIT WITH: ") + 12
    image[at : at + 4] = status.to_bytes(4, "little")
    image[MARK] = mark
    path.write_bytes(image)
    path.chmod(0o755)
    return path


def counts(done: subprocess.CompletedProcess[bytes]) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return {name: int(number) for name, number in re.findall(r"(\w+) (\d+)", done.stdout.decode())}


@pytest.mark.parametrize("mode", ["link", "rename", "thread", "process", "descriptor", "content"])
def test_what_is_swapped_after_the_verdict_never_runs(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path, mode: str
) -> None:
    make(tmp_path / "claimed", program("exits"), 0)
    make(tmp_path / "other", program("exits"), 77, b"o")
    shutil.copy(tmp_path / "claimed", tmp_path / "content")
    ran = counts(enforced(but_others).run(program("raceexec"), mode, "1000", cwd=tmp_path, timeout=120))
    print(ran)
    assert ran["other"] == 0
    assert ran["claimed"] > 0


def test_short_programs_from_many_threads_all_end_well(enforced: Enforced, program: Callable[[str], str]) -> None:
    observer = enforced(all_may)
    done = observer.run(program("spawnstorm"), program("exits"), "8", "125")
    assert lines(done) == ["1000"]
    assert observer.of("EXIT")[-1].body["status"] == 0


def test_an_exec_that_fails_is_not_traced_for_long(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF" + b"\0" * 60)
    broken.chmod(0o755)
    done = enforced(all_may).run(program("failexec"), str(broken), "200")
    assert lines(done) == ["200 failed, fired, traced by 0"]


def test_the_first_exec_of_many_threads_at_once_ends_the_others(
    enforced: Enforced, program: Callable[[str], str], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF" + b"\0" * 60)
    broken.chmod(0o755)
    done = enforced(all_may).run(program("threadstorm"), program("exits"), str(broken), "150")
    assert lines(done) == ["150 of 150"]


def test_an_exec_by_another_thread(enforced: Enforced, program: Callable[[str], str], tmp_path: Path) -> None:
    ends = make(tmp_path / "ends", program("exits"), 7)
    assert enforced(all_may).run(program("threadexec"), str(ends)).returncode == 7


@pytest.mark.skipif(os.geteuid() != 0, reason="runs as another user, which needs root; root itself can trace all")
def test_who_cannot_be_traced_executes_nothing(
    enforced: Enforced, program: Callable[[str], str], folder: Path
) -> None:
    tries, ends = (shutil.copy(program(name), str(folder / name)) for name in ("unseizable", "exits"))
    command = [*NOBODY, "--", *enforced(all_may).command(tries, ends)]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False, cwd="/")
    assert lines(done) == ["traced 13 undumpable 13"]


def test_stops_around_an_exec_are_seen_by_the_parent(enforced: Enforced, program: Callable[[str], str]) -> None:
    done = enforced(all_may).run(program("stopexec"), "/bin/sleep", "100")
    assert lines(done) == ["100 stopped 100 continued 100 well"]


def test_the_agent_itself_stops_and_continues(enforced: Enforced) -> None:
    observer = enforced(all_may)
    done = observer.run("sh", "-c", "(sleep 0.2; kill -CONT $$) & kill -STOP $$; echo on; exec /bin/echo end")
    assert done.stdout == b"on\nend\n"
