"""What the sidecar called known is counted, exactly; who did something known, and then something new, is introduced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.init_peer import LAYOUTS, InitPeer, Message, actor_of, encode, known, patterns, welcome
from tests.sidecar.init.observed import Observer, eventually, flags

pytestmark = pytest.mark.real

SHELL, TRUE, CAT = 11, 12, 13

LOOP = "while read n what; do i=0; while [ $i -lt $n ]; do $what; i=$((i+1)); done; echo done; done"


class Agent:
    """A shell that runs each command as often as it is asked to."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def does(self, line: str, answer: bytes = b"done\n") -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        while self.process.stdout.readline() != answer:
            assert self.process.poll() is None

    def ends(self) -> None:
        self.process.communicate(timeout=20)


def execs(peer: InitPeer, path: bytes) -> list[Message]:
    return [m for m in peer.of("EXEC") if m.strings[0] == path]


def repeats(peer: InitPeer, key: int) -> int:
    return sum(times for m in peer.of("REPEATED") for found, times in m.repeats if found == key)


def shell(observer: Observer, script: str = LOOP) -> Agent:
    """Running, and known to be `SHELL`."""
    agent = Agent(observer.command("/bin/sh", "-c", script))
    observer.peer.wait(lambda p: any(m.kind == "EXEC" for m in p.messages))
    observer.peer.tell(actor_of(observer.of("EXEC")[0], SHELL))
    return agent


def key_of_next(observer: Observer, agent: Agent, command: str) -> int:
    path = command.split()[0].encode()
    before = len(execs(observer.peer, path))
    agent.does(f"1 {command}")
    observer.peer.wait(lambda p: len(execs(p, path)) > before)
    return int(execs(observer.peer, path)[-1].head["key"])


def key_of(observer: Observer, agent: Agent, command: str) -> int:
    """Do it until it is told with a key: who is forked in the tick of its parent's exec has none."""
    while not (key := key_of_next(observer, agent, command)):
        pass
    return key


def test_each_of_200_spawns_is_counted(observer: Observer) -> None:
    agent = shell(observer)
    key = key_of(observer, agent, "/bin/true")
    observer.peer.tell(known({key: TRUE}))
    before = len(execs(observer.peer, b"/bin/true"))
    agent.does("200 /bin/true")
    agent.ends()
    assert len(execs(observer.peer, b"/bin/true")) == before
    assert repeats(observer.peer, key) == 200
    assert observer.counters["lost_queue"] == observer.counters["lost_away"] == 0


def test_who_was_only_counted_is_introduced_when_it_does_something_new(observer: Observer) -> None:
    observer.peer.watch = (b"P/etc/hostname",)
    agent = shell(observer)
    key = key_of(observer, agent, "/bin/cat /dev/null")
    observer.peer.tell(known({key: CAT}))
    agent.does("1 /bin/cat /etc/hostname")
    agent.ends()
    (opened,) = observer.of("OPEN")
    of_it = [m for m in observer.peer.messages if m.head["pid"] == opened.head["pid"]]
    assert of_it[0].kind == "PROCESS"
    assert of_it[0].head["key"] == key
    assert opened.head["key"]
    assert "EXEC" not in {m.kind for m in of_it}
    assert [m.kind for m in of_it].count("PROCESS") == 1


def test_another_program_that_does_the_same_is_told(observer: Observer) -> None:
    observer.peer.watch = (b"P/etc/hostname",)
    agent = shell(observer)
    observer.peer.tell(known({key_of(observer, agent, "/bin/cat /dev/null"): CAT}))
    agent.does("1 /bin/cat /etc/hostname")
    observer.peer.wait(lambda p: any(m.kind == "OPEN" for m in p.messages))
    (opened,) = observer.of("OPEN")
    observer.peer.tell(known({opened.head["key"]: 0}))
    agent.does("3 /bin/cat /etc/hostname")
    agent.does("1 /usr/bin/head -n1 /etc/hostname")
    agent.ends()
    assert len(observer.of("OPEN")) == 2
    assert repeats(observer.peer, opened.head["key"]) == 3


def test_a_new_set_is_in_force_when_it_is_whole_and_not_before(observer: Observer) -> None:
    agent = shell(observer)
    key = key_of(observer, agent, "/bin/true")
    observer.peer.tell(known({key: TRUE}))
    before = len(execs(observer.peer, b"/bin/true"))
    observer.peer.tell(known({4711: 0}, generation=1, last=False))
    agent.does("5 /bin/true")
    assert len(execs(observer.peer, b"/bin/true")) == before
    observer.peer.tell(known({4712: 0}, generation=1))
    agent.does("2 /bin/true")
    observer.peer.tell(known({key: TRUE}, generation=1))
    agent.does("4 /bin/true")
    agent.ends()
    assert len(execs(observer.peer, b"/bin/true")) == before + 2
    assert repeats(observer.peer, key) == 9


def test_another_sidecar_is_told_all_again_and_nothing_is_forgotten_uncounted(init: Path, folder: Path) -> None:
    first = InitPeer(folder / "s")
    observer = Observer(init, first)
    agent = shell(observer)
    key = key_of(observer, agent, "/bin/true")
    first.tell(known({key: TRUE}))
    agent.does("20 /bin/true")
    first.close()
    with InitPeer(folder / "s") as second:
        second.wait(lambda p: any(m.kind == "HELLO" for m in p.messages))
        agent.does("3 /bin/true")
        agent.ends()
        lost = second.of("COUNTERS")[-1].body["lost_away"]
        assert len(execs(second, b"/bin/true")) == 3
        assert {m.head["key"] for m in execs(second, b"/bin/true")} == {0}
        assert repeats(first, key) + lost == 20
        assert repeats(second, key) == 0


def test_an_exec_that_failed_leaves_nobody_known(observer: Observer) -> None:
    """Until the sidecar has said what the process is, what it does next must not count as the other program's."""
    observer.peer.watch = (b"P/etc/hostname",)
    code = """
import os, sys
for line in sys.stdin:
    if line == "fail\\n":
        try: os.execv("/bin/true", ["x" * 200000])
        except OSError: pass
    else:
        os.close(os.open("/etc/hostname", os.O_RDONLY))
    print("done", flush=True)
"""
    agent = Agent(observer.command(sys.executable, "-c", code))
    observer.peer.wait(lambda p: any(m.kind == "EXEC" for m in p.messages))
    agent.does("fail")
    observer.peer.wait(lambda p: any(m.kind == "EXEC" and m.strings[0] == b"/bin/true" for m in p.messages))
    observer.peer.tell(actor_of(execs(observer.peer, b"/bin/true")[0], TRUE))
    agent.does("open")
    agent.ends()
    kinds = [m for m in observer.peer.messages if m.kind == "OPEN" or (m.kind == "IMAGE" and "FAILED" in flags(m))]
    assert [(m.kind, m.head["key"]) for m in kinds] == [("IMAGE", 0), ("OPEN", 0)]


def test_a_known_exec_that_failed_makes_nobody_another(observer: Observer) -> None:
    """Of its own file, so that the image says nothing: the stack does."""
    observer.peer.watch = (b"P/etc/hostname",)
    own = str(Path(sys.executable).resolve())
    code = f"""
import os, sys
for line in sys.stdin:
    if line == "spawn\\n":
        if os.fork() == 0: os.execv({own!r}, ["python3", "-I", "-S", "-c", "pass"])
        os.wait()
    elif line == "fail\\n":
        try: os.execv({own!r}, ["x" * 200000])
        except OSError: pass
    else:
        os.close(os.open("/etc/hostname", os.O_RDONLY))
    print("done", flush=True)
"""
    agent = Agent(observer.command(own, "-c", code))
    observer.peer.wait(lambda p: any(m.kind == "EXEC" for m in p.messages))
    (own_exec,) = observer.of("EXEC")
    observer.peer.tell(actor_of(own_exec, SHELL))
    agent.does("spawn")
    observer.peer.wait(lambda p: sum(m.kind == "EXEC" for m in p.messages) == 2)
    key = observer.of("EXEC")[1].head["key"]
    observer.peer.tell(known({key: TRUE}))
    agent.does("open")
    agent.does("spawn")
    agent.does("fail")
    agent.does("open")
    agent.ends()
    assert repeats(observer.peer, key) == 2
    assert [m.head["pid"] for m in observer.of("PROCESS") if m.head["key"] == key] != [own_exec.head["pid"]]
    first, second = observer.of("OPEN")
    assert first.head["key"] == second.head["key"] != 0
    assert own_exec.head["pid"] not in {m.head["pid"] for m in observer.of("PROCESS")}


def actor(**fields: int) -> bytes:
    return encode("ACTOR", LAYOUTS["actor"].pack(**{"since_ns": 1, "start": 2, "actor": 3, "pid": 4, **fields}))


def known_body(count: int, tail: bytes) -> bytes:
    return encode("KNOWN", LAYOUTS["known"].pack(count=count, last=1) + tail)


ODD = {
    "an actor that is cut": encode("ACTOR", b"\x01" * 8),
    "an actor with more": encode("ACTOR", LAYOUTS["actor"].pack(actor=1, pid=1) + b"x"),
    "an actor without a number": actor(actor=0),
    "an actor that is no process": actor(pid=0),
    "an actor that is everybody": actor(pid=-1),
    "known acts without a body": encode("KNOWN", b"\x01"),
    "known acts that are missing": known_body(2, bytes(16)),
    "known acts too many": known_body(1, bytes(32)),
    "a known act that is cut": known_body(1, bytes(15)),
}


@pytest.mark.parametrize("what", ODD)
def test_what_is_malformed_ends_the_connection_and_not_the_agent(observer: Observer, what: str) -> None:
    observer.peer.watch = (b"P/etc/hostname",)
    observer.peer.answer = lambda _: welcome() + ODD[what] + patterns([b"P/etc/hostname"])
    done = observer.run("sh", "-c", "cat /etc/hostname >/dev/null; echo on", options=("--wait-ms", "1000"))
    assert (done.returncode, done.stdout) == (0, b"on\n")
    assert observer.of("EXEC") == []


def test_keys_of_nothing_and_more_than_there_is_room_for_do_no_harm(observer: Observer) -> None:
    agent = shell(observer)
    many = [known(dict.fromkeys(range(at, at + 2000), 5)) for at in range(0, 10000, 2000)]
    observer.peer.tell(*many, *(known({0: 5}, generation=g, last=g % 2 == 0) for g in range(1, 9)))
    agent.does("3 /bin/true")
    agent.ends()
    assert len(execs(observer.peer, b"/bin/true")) == 3
    eventually(lambda: bool(observer.of("BYE")))
