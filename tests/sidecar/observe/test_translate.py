"""Records in, observations out, as transcripts. Hashes are the fake's: a file's content is its name."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inscope.behaviour import (
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    Exec,
    Listen,
    Load,
    Open,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.capability import CapabilityKind
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.normalise.paths import default_generaliser
from sidecar.observe.bodies import Counters
from sidecar.observe.claims import Claim, Peer
from sidecar.observe.decode import decode
from sidecar.observe.drafts import Draft
from sidecar.observe.identities import Identities
from sidecar.observe.images import Images
from sidecar.observe.kinds import Flag, Kind, Level
from sidecar.observe.patterns import default_watch_list
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.protocol import MalformedPacketError
from sidecar.observe.records import descriptor_of
from sidecar.observe.translate import INIT_LABEL, Ended, Fact, Translator
from sidecar.observe.wall_clock import Clocks
from tests.sidecar.observe.fake_fingerprinter import FakeFingerprinter, hash_of
from tests.sidecar.observe.fake_init import (
    AGENT,
    BOOT_NS,
    WALL_NS,
    address_body,
    bye_message,
    call_body,
    counters_body,
    exec_message,
    file_body,
    hello_record,
    message,
    open_descriptors,
    open_message,
    record,
)

V4 = b"\x0a\x00\x00\x01"
SH, GIT, PYTHON = 11, 12, 13


class Transcript:
    """A translator, and what became of the records that it was fed."""

    def __init__(
        self,
        *,
        resumed: bool = False,
        reads: int = Level.WATCHED,
        machine: int = 62,
        process_log: ProcessLog | None = None,
    ) -> None:
        self.contents: dict[int, tuple[str, bytes]] = {}
        self.translator = Translator(
            InstanceId("i"),
            hello_record(reads=reads, machine=machine),
            Clocks(WALL_NS, BOOT_NS),
            resumed=resumed,
            generaliser=default_generaliser(),
            watch_list=default_watch_list(),
            ephemeral_from=32768,
            images=Images(self.look, resolve=str),
            process_log=process_log or ProcessLog(Path("/nonexistent/processes"), lambda _: None),
        )
        self.unhashed = 0
        self.identities = Identities(FakeFingerprinter(), self.count)

    def count(self) -> None:
        self.unhashed += 1

    def look(self, fd: int) -> tuple[str, bytes]:
        return self.contents[fd]

    def file(self, real: str, beginning: bytes = b"\x7fELF") -> int:
        """A descriptor of a file with that real name and beginning."""
        fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self.contents[fd] = (real, beginning)
        return fd

    def facts(self, packed: bytes, fd: int = -1) -> Sequence[Fact]:
        return self.translator.translate(record(packed, fd))

    async def behaviours(self, packed: bytes, fd: int = -1) -> list[Behaviour]:
        found = []
        for fact in self.facts(packed, fd):
            if isinstance(fact, Draft) and fact.wants:
                self.identities.starts(fact)
                completed = await self.identities.complete(fact)
                found += [completed.behaviour] if completed else []
            elif isinstance(fact, Draft):
                found.append(fact.observation.behaviour)
        return found

    async def run(self, path: str, *argv: bytes, pid: int = AGENT, ppid: int = 1, inode: int = 7) -> list[Behaviour]:
        """The process execs a plain binary at `path`."""
        packed = exec_message(path.encode(), argv or (path.encode(),), pid=pid, ppid=ppid, inode=inode)
        return await self.behaviours(packed, self.file(path))


def program(path: str, script: Script | None = None) -> Program:
    return Program(path, hash_of(path), script)


# Programs.


async def test_the_agent_and_what_it_starts() -> None:
    transcript = Transcript()
    assert await transcript.run("/bin/agent") == [Exec(program("/bin/agent"), INIT_LABEL)]
    assert await transcript.run("/usr/bin/git", pid=101, ppid=AGENT) == [Exec(program("/usr/bin/git"), "/bin/agent")]
    assert await transcript.run("/usr/bin/less", pid=102, ppid=101) == [Exec(program("/usr/bin/less"), "/usr/bin/git")]


async def test_ancestry_begins_with_the_acting_process() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    (fact,) = transcript.facts(exec_message(b"/bin/git", [b"git"], pid=101, ppid=AGENT, inode=8))
    assert isinstance(fact, Draft)
    assert [(one.pid, one.label) for one in fact.observation.ancestry] == [(101, "/bin/git"), (AGENT, "/bin/agent")]


def introduced(path: bytes, *, pid: int, ppid: int) -> bytes:
    return message(Kind.PROCESS, "file", file_body(3), [path], pid=pid, ppid=ppid)


async def test_a_fork_that_calls_nothing_leaves_no_hole_in_the_lineage() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    assert await transcript.behaviours(introduced(b"/bin/agent", pid=101, ppid=AGENT)) == []
    assert await transcript.run("/usr/bin/git", pid=102, ppid=101) == [Exec(program("/usr/bin/git"), "/bin/agent")]


async def test_shared_memory_without_a_name_is_nobodys_file() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    shared = message(Kind.LOAD, "file", file_body(40), [b"/dev/zero (deleted)"])
    assert await transcript.behaviours(shared) == [CodeMemory("/bin/agent")]


async def test_an_orphan_is_called_what_it_runs() -> None:
    transcript = Transcript()
    await transcript.behaviours(introduced(b"/usr/bin/bash", pid=101, ppid=1))
    assert await transcript.run("/usr/bin/git", pid=101) == [Exec(program("/usr/bin/git"), "/usr/bin/bash")]


async def test_what_an_image_says_does_not_replace_what_an_exec_said() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    await transcript.behaviours(introduced(b"/elsewhere", pid=AGENT, ppid=1))
    assert await transcript.run("/usr/bin/git", pid=101, ppid=AGENT) == [Exec(program("/usr/bin/git"), "/bin/agent")]


async def test_a_search_along_path_executes_nothing() -> None:
    transcript = Transcript()
    assert await transcript.behaviours(exec_message(b"/nowhere/git", [b"git"], inode=0, flags=Flag.UNREADABLE)) == []
    assert await transcript.run("/bin/git") == [Exec(program("/bin/git"), INIT_LABEL)]


async def test_a_resumed_agent_is_not_taken_for_init() -> None:
    assert await Transcript(resumed=True).run("/bin/git") == [Exec(program("/bin/git"), "")]


async def test_a_restarted_sidecar_still_knows_who_acts(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "processes", lambda _: None)
    first = Transcript(process_log=log)
    await first.run("/bin/agent")
    await first.run("/usr/bin/git", pid=101, ppid=AGENT)
    log.close()
    second = Transcript(resumed=True, process_log=ProcessLog(tmp_path / "processes", lambda _: None))
    assert await second.run("/usr/bin/less", pid=102, ppid=101) == [Exec(program("/usr/bin/less"), "/usr/bin/git")]
    assert await second.run("/bin/ls", pid=103, ppid=AGENT) == [Exec(program("/bin/ls"), "/bin/agent")]


async def test_a_denied_exec_changes_nothing_but_is_told() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    (denied,) = transcript.facts(exec_message(b"/bin/evil", [b"evil"], flags=Flag.DENIED), transcript.file("/bin/evil"))
    assert isinstance(denied, Draft)
    assert denied.observation.verdict is Verdict.DENY
    assert transcript.translator.translate(record(message(Kind.CODE_MEMORY, "call", call_body(9))))
    (memory,) = await transcript.behaviours(message(Kind.CODE_MEMORY, "call", call_body(9)))
    assert memory == CodeMemory("/bin/agent")


async def test_an_unreadable_binary_has_no_hash_and_is_counted() -> None:
    transcript = Transcript()
    (found,) = await transcript.behaviours(exec_message(b"/bin/secret", [b"x"], flags=Flag.UNREADABLE))
    assert found == Exec(Program("/bin/secret", ""), INIT_LABEL)
    assert transcript.unhashed == 1


async def test_a_name_that_says_nothing_gives_way_to_the_real_one() -> None:
    transcript = Transcript()
    fd = transcript.file("/memfd:payload (deleted)")
    (found,) = await transcript.behaviours(exec_message(b"/proc/self/fd/7", [b"x"]), fd)
    assert found == Exec(program("/memfd:payload (deleted)"), INIT_LABEL)


async def test_releases_of_a_program_have_one_name_and_each_its_hash() -> None:
    transcript = Transcript()
    (one,) = await transcript.run("/opt/tool-1.2/bin/tool")
    (other,) = await transcript.run("/opt/tool-1.3/bin/tool", pid=101, inode=8)
    assert isinstance(one, Exec)
    assert isinstance(other, Exec)
    assert one.program.path == other.program.path == "/opt/tool-<version>/bin/tool"
    assert one.program.sha256 != other.program.sha256


# Interpreters. The interpreter of these is a real file, so that names are trusted.


class Interpreted(Transcript):
    """Its binaries are real files, as far as device and inode go."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def binary(self, name: str) -> tuple[str, tuple[int, int]]:
        path = self.folder / name
        path.touch()
        return str(path), (path.stat().st_dev, path.stat().st_ino)

    async def interpret(self, name: str, *argv: bytes, flags: int = 0) -> Script | None:
        path, (device, inode) = self.binary(name)
        body = file_body(inode, device=device, argc=len(argv) + 1)
        packed = message(Kind.EXEC, "file", body, [path.encode(), b"/work", name.encode(), *argv], flags=flags)
        (found,) = await self.behaviours(packed, self.file(path))
        assert isinstance(found, Exec)
        return found.program.script


async def test_a_script_is_named_in_full_and_hashed(tmp_path: Path) -> None:
    script = await Interpreted(tmp_path).interpret("python3.11", b"-u", b"./agent.py")
    assert script == Script(ScriptOrigin.FILE, "/work/agent.py", hash_of("/work/./agent.py"))


async def test_inline_code_a_module_and_standard_input(tmp_path: Path) -> None:
    transcript = Interpreted(tmp_path)
    inline = await transcript.interpret("python3.11", b"-c", b"x")
    module = await transcript.interpret("python3.11", b"-m", b"http.server")
    stdin = await transcript.interpret("sh", b"-s")
    assert inline
    assert (inline.name, len(inline.sha256)) == ("-c", 64)
    assert module == Script(ScriptOrigin.MODULE, "http.server", hash_of("/work/http/server/__main__.py"))
    assert stdin == Script(ScriptOrigin.STDIN, "-", "")


async def test_cut_inline_code_is_unhashed(tmp_path: Path) -> None:
    script = await Interpreted(tmp_path).interpret("sh", b"-c", b"x", flags=Flag.TRUNCATED)
    assert script == Script(ScriptOrigin.INLINE, "-c", "")


async def test_a_script_started_by_its_first_line(tmp_path: Path) -> None:
    transcript = Interpreted(tmp_path)
    path, (device, inode) = transcript.binary("tool")
    packed = message(Kind.EXEC, "file", file_body(inode, device=device, argc=1), [path.encode(), b"/work", b"tool"])
    (found,) = await transcript.behaviours(packed, transcript.file(path, b"#!/bin/sh -e\n"))
    script = Script(ScriptOrigin.FILE, default_generaliser().path(path), hash_of(path))
    assert found == Exec(Program("/bin/sh", hash_of("/bin/sh"), script), INIT_LABEL)

    same = message(Kind.IMAGE, "file", file_body(SH), [b"/bin/sh"])
    assert await transcript.behaviours(same, transcript.file("/bin/sh")) == []
    other = message(Kind.IMAGE, "file", file_body(SH + 1), [b"/usr/bin/busybox"])
    assert await transcript.behaviours(other, transcript.file("/usr/bin/busybox")) == [
        Exec(Program("/usr/bin/busybox", hash_of("/usr/bin/busybox"), script), INIT_LABEL)
    ]


async def test_a_first_line_that_runs_something_else_has_no_identity(tmp_path: Path) -> None:
    transcript = Interpreted(tmp_path)
    before = open_descriptors()
    path, (device, inode) = transcript.binary("tool")
    packed = message(Kind.EXEC, "file", file_body(inode, device=device, argc=1), [path.encode(), b"/work", b"tool"])
    (found,) = await transcript.behaviours(packed, transcript.file(path, b"#!/bin/sh -s\n"))
    assert isinstance(found, Exec)
    assert found.program.script
    assert found.program.script.sha256 == ""
    assert open_descriptors() == before


# What really ran.


async def test_an_image_that_is_not_the_claimed_one_is_a_contradiction() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    await transcript.run("/usr/bin/git", pid=101, ppid=AGENT, inode=GIT)
    packed = message(Kind.IMAGE, "file", file_body(66), [b"/tmp/evil"], flags=Flag.MISMATCH, pid=101, ppid=AGENT)
    assert await transcript.behaviours(packed, transcript.file("/tmp/evil")) == [
        Contradiction("/usr/bin/git", "/tmp/evil", "/bin/agent"),
        Exec(program("/tmp/evil"), "/bin/agent"),
    ]
    (memory,) = await transcript.behaviours(message(Kind.CODE_MEMORY, "call", call_body(9), pid=101))
    assert memory == CodeMemory("/tmp/evil")


async def test_an_image_whose_exec_was_lost_is_told() -> None:
    packed = message(Kind.IMAGE, "file", file_body(GIT), [b"/usr/bin/git"], pid=555, ppid=1)
    transcript = Transcript()
    assert await transcript.behaviours(packed, transcript.file("/usr/bin/git")) == [Exec(program("/usr/bin/git"), "")]


# Loads.


def load(path: bytes, inode: int = 40, *, ctime_ns: int = 0, **head: int) -> bytes:
    return message(Kind.LOAD, "file", file_body(inode, ctime_ns=ctime_ns), [path], **head)


async def test_a_library_is_a_load_and_the_programs_own_image_is_not() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent", inode=7)
    before = open_descriptors()
    assert await transcript.behaviours(load(b"/lib/libz.so.1.2"), transcript.file("")) == [
        Load("/lib/libz.so.<version>", hash_of("/lib/libz.so.1.2"), "/bin/agent")
    ]
    assert await transcript.behaviours(load(b"/bin/agent", inode=7), transcript.file("")) == []
    assert open_descriptors() == before


async def test_code_made_at_run_time_has_its_writer() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    transcript.facts(open_message(b"/cache/k.so", os.O_WRONLY | os.O_CREAT))
    (found,) = await transcript.behaviours(load(b"/cache/k.so", ctime_ns=WALL_NS + 1), transcript.file(""))
    assert found == Load("/cache/k.so", hash_of("/cache/k.so"), "/bin/agent", "/bin/agent")


async def test_a_surveyed_library_never_has_a_writer() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    transcript.facts(message(Kind.SURVEY, "survey", (2, 1, 1, 1), [b"/lib/a.so"]))
    transcript.facts(open_message(b"/lib/a.so", os.O_WRONLY))
    (found,) = await transcript.behaviours(load(b"/lib/a.so", ctime_ns=WALL_NS + 1), transcript.file(""))
    assert found == Load("/lib/a.so", hash_of("/lib/a.so"), "/bin/agent", "")


# Files.


@pytest.mark.parametrize(
    ("path", "flags", "opens"),
    [
        (b"/home/anna/.netrc", os.O_RDONLY, [(Access.READ, True)]),
        (b"/home/anna/.netrc", os.O_RDWR, [(Access.READ, True), (Access.WRITE, True)]),
        (b"/home/anna/.netrc", os.O_PATH, []),
        (b"/home/anna/app.py", os.O_RDONLY, []),
        (b"/home/anna/app.py", os.O_WRONLY | os.O_TRUNC, [(Access.WRITE, False)]),
        (b"/home/anna/app.py", os.O_RDONLY | os.O_CREAT, [(Access.WRITE, False)]),
        (b"", os.O_WRONLY, []),
    ],
)
async def test_opens(path: bytes, flags: int, opens: list[tuple[Access, bool]]) -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    name = path.decode().replace("anna", "<user>")
    found = await transcript.behaviours(open_message(path, flags))
    assert found == [Open(name, access, "/bin/agent", secret) for access, secret in opens]


async def test_a_secret_that_is_not_there_is_not_read() -> None:
    assert await Transcript().behaviours(open_message(b"/root/.netrc", inode=0)) == []


async def test_creat_writes_on_x86_64() -> None:
    (found,) = await Transcript().behaviours(open_message(b"/a.py", 0o644, nr=85))
    assert found == Open("/a.py", Access.WRITE, INIT_LABEL)


async def test_at_level_all_every_read_is_told() -> None:
    transcript = Transcript(reads=Level.ALL)
    assert await transcript.behaviours(open_message(b"/etc/passwd")) == [Open("/etc/passwd", Access.READ, INIT_LABEL)]


# Sockets.


async def test_a_connect_and_its_claim() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    draft, claim = transcript.facts(message(Kind.CONNECT, "address", address_body(V4, 443, inode=77)))
    assert isinstance(draft, Draft)
    assert draft.observation.behaviour == Connect("10.0.0.1", 443, Protocol.TCP, "/bin/agent")
    assert draft.observation.time == WALL_NS / 1e9
    assert claim == Claim(77, Peer("10.0.0.1", 443), WALL_NS / 1e9, "/bin/agent", draft.observation.ancestry)


async def test_only_tcp_with_a_known_socket_is_claimed() -> None:
    transcript = Transcript()
    for body in (
        address_body(V4, 53, kind=socket.SOCK_DGRAM),
        address_body(V4, 443, inode=0),
        address_body(b"/run/x", family=socket.AF_UNIX),
    ):
        assert len(transcript.facts(message(Kind.CONNECT, "address", body))) == 1


async def test_datagrams_unix_sockets_and_what_is_no_destination() -> None:
    transcript = Transcript()
    bodies = [
        address_body(V4, 53, kind=0, nr=44),
        address_body(b"/run/user/1000/bus", family=socket.AF_UNIX),
        address_body(b"\0" * 14, family=socket.AF_UNSPEC),
        address_body(b"\0" * 12, family=socket.AF_NETLINK),
    ]
    found = [one for body in bodies for one in await transcript.behaviours(message(Kind.CONNECT, "address", body))]
    assert found == [
        Connect("10.0.0.1", 53, Protocol.UDP, INIT_LABEL),
        Connect("/run/user/<uid>/bus", 0, Protocol.UNIX, INIT_LABEL),
    ]


async def test_listeners() -> None:
    transcript = Transcript()
    packets = [
        message(Kind.BIND, "address", address_body(V4, 8080, nr=49)),
        message(Kind.LISTEN, "address", address_body(V4, 8080, nr=50)),
        message(Kind.LISTEN, "address", address_body(V4, 40000, nr=50)),
        message(Kind.BIND, "address", address_body(V4, 5353, nr=49, kind=socket.SOCK_DGRAM)),
    ]
    assert [one for packet in packets for one in await transcript.behaviours(packet)] == [
        Listen("10.0.0.1", 8080, Protocol.TCP, INIT_LABEL),
        Listen("10.0.0.1", 0, Protocol.TCP, INIT_LABEL),
        Listen("10.0.0.1", 5353, Protocol.UDP, INIT_LABEL),
    ]


# The rest.


async def test_rare_calls() -> None:
    transcript = Transcript()
    packets = [
        message(Kind.SYSCALL, "call", call_body(101, 16, 1234)),
        message(Kind.SYSCALL, "call", call_body(26, 16, arch=0x40000003), flags=Flag.FOREIGN),
        message(Kind.SYSCALL, "call", call_body(425, 8), flags=Flag.DENIED),
    ]
    facts = [fact for packet in packets for fact in transcript.facts(packet)]
    assert [(fact.observation.behaviour, fact.observation.verdict) for fact in facts if isinstance(fact, Draft)] == [
        (Syscall("ptrace", "ATTACH", INIT_LABEL), Verdict.ALLOW),
        (Syscall("ptrace", "i386 ATTACH", INIT_LABEL), Verdict.ALLOW),
        (Syscall("io_uring_setup", "", INIT_LABEL), Verdict.DENY),
    ]


async def test_numbers_are_those_of_inits_machine() -> None:
    transcript = Transcript(machine=183)
    (found,) = await transcript.behaviours(message(Kind.SYSCALL, "call", call_body(117, 16, arch=0)))
    assert found == Syscall("ptrace", "ATTACH", INIT_LABEL)


def test_counters_survey_exit_and_the_end() -> None:
    transcript = Transcript()
    (counters,) = transcript.facts(message(Kind.COUNTERS, "counters", counters_body(traps=9)))
    assert isinstance(counters, Counters)
    assert counters.traps == 9
    (ports,) = transcript.facts(message(Kind.SURVEY, "survey", (6, 1, 1, 1), [b"1024-65535"]))
    assert getattr(ports, "kind", None) is CapabilityKind.PORTS
    assert transcript.facts(message(Kind.EXIT, "exit", (0,))) == ()
    assert transcript.facts(bye_message(256)) == (Ended(256),)


async def test_paths_that_are_not_text_are_escaped() -> None:
    (found,) = await Transcript().behaviours(open_message(b"/a\xff\x1b[2J.py", os.O_WRONLY))
    assert found == Open(r"/a\xff\x1b[2J.py", Access.WRITE, INIT_LABEL)


async def test_the_longest_names_are_cut() -> None:
    (found,) = await Transcript().behaviours(open_message(b"/" + b"\xff" * 4091 + b".py", os.O_WRONLY))
    assert isinstance(found, Open)
    assert len(found.path) == 1024


BODIES = {
    Kind.EXEC: "file",
    Kind.IMAGE: "file",
    Kind.LOAD: "file",
    Kind.CODE_MEMORY: "call",
    Kind.OPEN: "open",
    Kind.CONNECT: "address",
    Kind.BIND: "address",
    Kind.LISTEN: "address",
    Kind.SYSCALL: "call",
    Kind.EXIT: "exit",
    Kind.COUNTERS: "counters",
    Kind.SURVEY: "survey",
    Kind.BYE: "exit",
}
STRINGS = st.lists(st.binary(max_size=20).filter(lambda text: b"\0" not in text), max_size=3)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(sorted(BODIES)), st.binary(min_size=240, max_size=240), STRINGS), max_size=6))
def test_no_record_that_decodes_breaks_the_translator(parts: list[tuple[Kind, bytes, list[bytes]]]) -> None:
    from sidecar.observe.header import HEADER

    transcript = Transcript()
    for kind, noise, strings in parts:
        codec = HEADER.structs[BODIES[Kind(kind)]].codec
        body = codec.unpack(noise[: codec.size])
        packed = message(
            kind, BODIES[Kind(kind)], body, strings, flags=noise[0] & 0b111110, pid=noise[1], ppid=noise[2]
        )
        try:
            (decoded,) = decode(packed)
        except MalformedPacketError:
            continue
        assert descriptor_of(decoded) == -1
        for fact in transcript.translator.translate(decoded):
            if isinstance(fact, Draft):
                assert fact.observation.time <= WALL_NS / 1e9
