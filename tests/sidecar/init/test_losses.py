"""Whatever becomes of the sidecar, the agent goes on, and what was not told is counted."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from tests.fakes.init_peer import HEAD, InitPeer, encode, patterns, welcome
from tests.sidecar.init.observed import Observer, eventually

pytestmark = pytest.mark.real

BURST = """
import os, sys
for i in range(int(sys.argv[1])):
    os.close(os.open("/etc/hostname", os.O_RDONLY))
"""


def opened(peer: InitPeer) -> int:
    return sum(m.kind == "OPEN" and m.strings[0] == b"/etc/hostname" for m in peer.messages)


def started(command: list[str]) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    return process, process.stdin, process.stdout


def all_told(peer: InitPeer, made: int) -> bool:
    counters = [m.body for m in peer.messages if m.kind == "COUNTERS"]
    return bool(counters) and opened(peer) + counters[-1]["lost_queue"] == made


@pytest.mark.parametrize("stalled", [False, True])
def test_of_a_burst_each_is_received_or_counted(observer: Observer, stalled: bool) -> None:
    peer = observer.peer
    peer.watch = (b"P/etc/hostname",)
    code = "print(flush=True)\ninput()\n" + BURST + "print(flush=True)\ninput()"
    process, stdin, stdout = started(observer.command(sys.executable, "-c", code, "10000"))
    stdout.readline()
    peer.wait(lambda p: any(m.kind == "LOAD" for m in p.messages))
    if stalled:
        peer.reading.clear()
    stdin.write(b"go\n")
    stdin.flush()
    stdout.readline()
    peer.reading.set()
    peer.wait(lambda p: all_told(p, 10000))  # before the agent's end, which would be one record more
    process.communicate(b"end\n", timeout=60)
    counters = observer.counters
    assert opened(peer) + counters["lost_queue"] == 10000
    if stalled:
        assert counters["lost_queue"] > 0
    losses = [m.head["lost"] for m in peer.messages]
    assert losses == sorted(losses)
    assert losses[-1] == counters["lost_queue"]
    assert counters["lost_away"] == 0
    assert max(peer.packets) <= 65536


def test_counters_add_up(observer: Observer) -> None:
    observer.run("sh", "-c", "for i in 1 2 3; do cat /etc/hostname; done")
    told = [m for m in observer.peer.messages if m.kind not in ("HELLO", "MODE_IS", "COUNTERS", "BYE")]
    assert observer.counters["records"] == len(told)
    assert observer.counters["traps"] >= len(told)
    assert observer.counters["lost_queue"] == observer.counters["lost_away"] == 0


def test_without_a_sidecar_the_agent_runs_and_ends_at_once(init: Path, folder: Path) -> None:
    before = time.monotonic()
    done = subprocess.run(
        [init, "--socket", folder / "nobody", "--wait-ms", "100", "--", "echo", "on"], capture_output=True, check=True
    )
    assert done.stdout == b"on\n"
    assert time.monotonic() - before < 2


def test_a_sidecar_that_comes_late_gets_the_backlog(init: Path, folder: Path) -> None:
    command = [
        str(init),
        "--socket",
        str(folder / "late"),
        "--wait-ms",
        "10",
        "--",
        "sh",
        "-c",
        "/bin/true; echo on; read line",
    ]
    process, _, stdout = started(command)
    assert stdout.readline() == b"on\n"
    with InitPeer(folder / "late") as peer:
        peer.wait(lambda p: sum(m.kind == "EXEC" for m in p.messages) == 2)
        process.communicate(b"end\n", timeout=20)
        assert peer.messages[0].kind == "HELLO"
        assert peer.of("BYE")
        assert peer.of("COUNTERS")[-1].body["lost_away"] == 0


def test_more_than_the_backlog_holds_is_lost_away(init: Path, folder: Path) -> None:
    code = BURST + "print(flush=True)\ninput()\n"
    options = ["--socket", str(folder / "late"), "--wait-ms", "10", "--reads", "all"]
    process, _, stdout = started([str(init), *options, "--", sys.executable, "-c", code, "10000"])
    stdout.readline()
    with InitPeer(folder / "late") as peer:
        peer.wait(lambda p: any(m.kind == "COUNTERS" for m in p.messages))
        process.communicate(b"end\n", timeout=20)
        counters = peer.of("COUNTERS")[-1].body
        assert counters["lost_away"] > 0
        told = [m for m in peer.messages if m.kind not in ("HELLO", "MODE_IS", "COUNTERS", "BYE")]
        assert counters["records"] == len(told)
        assert opened(peer) >= 500


def test_a_sidecar_that_comes_back_is_greeted_with_the_same_secret(init: Path, folder: Path) -> None:
    command = [
        str(init),
        "--socket",
        str(folder / "s"),
        "--",
        "sh",
        "-c",
        "while read line; do /bin/true; echo $line; done",
    ]
    first = InitPeer(folder / "s")
    process, stdin, stdout = started(command)
    for line in (b"one\n", b"two\n"):
        stdin.write(line)
        stdin.flush()
        assert stdout.readline() == line
        if line == b"one\n":
            first.wait(lambda p: sum(m.kind == "EXEC" for m in p.messages) == 2)
            first.close()
    with InitPeer(folder / "s") as second:
        second.wait(lambda p: any(m.kind == "HELLO" for m in p.messages))
        for _ in range(20):  # what the first one saw is passed again, once its end is noticed
            if any(m.fd for m in second.of("EXEC")):
                break
            stdin.write(b"again\n")
            stdin.flush()
            stdout.readline()
        process.communicate(timeout=20)
        (hello,) = second.of("HELLO")
        assert hello.body["secret"] == first.of("HELLO")[0].body["secret"]
        assert hello.body["agent"] == first.of("HELLO")[0].body["agent"]
        assert {m.strings[0] for m in second.of("EXEC")} == {b"/bin/true"}
        assert any(m.fd for m in second.of("EXEC"))
        assert second.of("BYE")


def test_an_agent_that_takes_the_sidecars_place_is_told_nothing(init: Path, folder: Path) -> None:
    """It puts a socket where the sidecar's was: init must not greet it, or it would have the secret."""
    code = """
import os, socket, sys
path = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind(path)
s.listen()
s.settimeout(5)
for _ in range(2):  # init came, and went away without a word
    connection, _ = s.accept()
    connection.settimeout(5)
    try:
        print(len(connection.recv(65536)))
    except ConnectionResetError:
        print(0)
os.unlink(path)
print("gone", flush=True)
sys.stdin.readline()
"""
    command = [str(init), "--socket", str(folder / "s"), "--wait-ms", "10", "--", sys.executable, "-c", code]
    process, _, stdout = started([*command, str(folder / "s")])
    assert [stdout.readline() for _ in range(3)] == [b"0\n", b"0\n", b"gone\n"]
    with InitPeer(folder / "s") as peer:
        peer.wait(lambda p: any(m.kind == "HELLO" for m in p.messages))
        process.communicate(b"\n", timeout=20)


def test_secrets_differ(observer: Observer) -> None:
    observer.run("true")
    observer.run("true")
    first, second = (m.body["secret"] for m in observer.of("HELLO"))
    assert first != second
    assert len(set(first)) > 10


def test_a_refusal_is_told_to_the_user_and_nothing_else_happens(observer: Observer) -> None:
    observer.peer.answer = lambda _: encode("REFUSED", strings=[b"not you\x1b[31m\n"])
    done = observer.run("echo", "on", options=("--drain-ms", "5000"))
    assert done.stdout == b"on\n"
    assert b"refused: not you?[31m?" in done.stderr


def head(size: int, kind: int) -> bytes:
    return HEAD.pack(size=size, kind=kind)


ODD = {
    "another version": welcome(version=99),
    "no welcome": patterns([]),
    "garbage": b"\xff" * 100,
    "short": b"\x01",
    "a size of nothing": head(0, 2),
    "a size beyond the packet": head(10000, 2),
    "an unknown kind": head(HEAD.form.size, 999),
    "a hello": head(HEAD.form.size, 1),
    "too many patterns": welcome() + encode("PATTERNS", (1 << 31).to_bytes(4, "little")),
    "a pattern that runs over": welcome() + encode("PATTERNS", (1).to_bytes(4, "little") + b"\xff\xff" + b"Px"),
    "a pattern without a text": welcome() + patterns([b"P"]),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_peer_is_dropped_and_the_agent_goes_on(observer: Observer, what: str) -> None:
    observer.peer.answer = lambda _: ODD[what]
    done = observer.run("sh", "-c", "cat /etc/hostname >/dev/null; echo on", options=("--wait-ms", "1000"))
    assert (done.returncode, done.stdout) == (0, b"on\n")
    assert observer.of("EXEC") == []


def test_a_flood_of_patterns_does_not_starve_the_agent(observer: Observer) -> None:
    flood = patterns([b"Nx%d" % i for i in range(2000)])
    with observer.start("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do /bin/true; done; echo on", stdout=-1) as process:
        observer.peer.wait(lambda p: p.connection is not None and bool(p.messages))
        while process.poll() is None:
            try:
                assert observer.peer.connection
                observer.peer.connection.send(flood, socket.MSG_DONTWAIT)
            except (BlockingIOError, OSError, AssertionError):
                time.sleep(0.001)
        assert process.stdout
        assert process.stdout.read() == b"on\n"


def test_a_sidecar_that_never_closes_is_waited_for_so_long_and_no_longer(observer: Observer) -> None:
    observer.peer.close_on_bye = False
    before = time.monotonic()
    observer.run("true", options=("--drain-ms", "300"))
    assert 0.3 <= time.monotonic() - before < 2.5


def test_bye_is_last_and_carries_the_wait_status(observer: Observer) -> None:
    observer.run("sh", "-c", "kill -9 $$")
    assert [m.kind for m in observer.peer.messages[-3:]] == ["EXIT", "COUNTERS", "BYE"]
    assert [m.body["status"] for m in observer.peer.messages if m.kind in ("EXIT", "BYE")] == [9, 9]


def test_descriptors_that_nobody_takes_are_bounded(init: Path, folder: Path) -> None:
    """Half a thousand files are executed while nobody listens: most records travel without their descriptor."""
    tools = folder / "tools"
    tools.mkdir()
    for i in range(300):
        shutil.copy("/bin/true", tools / f"t{i}")
    code = f"for t in {tools}/*; do $t; done; echo on; read x"
    process, _, stdout = started([str(init), "--socket", str(folder / "s"), "--wait-ms", "10", "--", "sh", "-c", code])
    assert stdout.readline() == b"on\n"
    assert len(os.listdir(f"/proc/{process.pid}/fd")) < 160
    with InitPeer(folder / "s") as peer:
        peer.wait(lambda p: any(m.kind == "COUNTERS" for m in p.messages))
        process.communicate(b"\n", timeout=20)
        execs = [m for m in peer.of("EXEC") if m.strings[0].startswith(os.fsencode(tools))]
        assert len(execs) == 300
        assert 100 < sum(m.fd is not None for m in execs) <= 128


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_memory_stays_below_a_mebibyte(observer: Observer) -> None:
    observer.peer.survey = True
    observer.peer.watch = (*(b"S.kind%d" % i for i in range(500)), b"P/etc/hostname")
    code = f"python3 -c '{BURST}' 5000; python3 -c 'import ssl, asyncio, sqlite3, json'; echo on; read x"
    process, _, stdout = started(observer.command("sh", "-c", code))
    assert stdout.readline() == b"on\n"
    eventually(lambda: any(m.body["survey"] == 7 for m in observer.of("SURVEY")), 20)
    assert resident_kib(process.pid) <= 1024
    process.communicate(b"\n", timeout=20)


@pytest.mark.slow  # the five seconds that a call is held for
def test_what_is_to_be_enforced_is_so_before_any_sidecar_came(init: Path, tmp_path: Path) -> None:
    options = ["--enforce", "--socket", str(tmp_path / "nobody.sock"), "--wait-ms", "50", "--drain-ms", "50"]
    done = subprocess.run([str(init), *options, "--", "/bin/echo", "ran"], capture_output=True, check=False, timeout=30)
    assert (done.returncode, done.stdout) == (126, b"")
