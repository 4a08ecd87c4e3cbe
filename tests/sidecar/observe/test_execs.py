"""Execs and images in, programs out, as transcripts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from inscope.behaviour import (
    CodeMemory,
    Contradiction,
    Exec,
    Program,
)
from inscope.verdict import Verdict
from sidecar.observe.actors import INIT_LABEL
from sidecar.observe.drafts import Draft
from sidecar.observe.kinds import Flag, Kind
from sidecar.observe.process_log import ProcessLog
from tests.sidecar.observe.fake_fingerprinter import hash_of
from tests.sidecar.observe.fake_init import (
    AGENT,
    call_body,
    exec_message,
    file_body,
    message,
    open_descriptors,
    record,
)
from tests.sidecar.observe.transcript import Transcript, program

GIT = 12


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


async def test_an_image_after_an_exec_that_was_only_counted_contradicts_that_one() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    git = exec_message(b"/usr/bin/git", [b"git"], pid=101, ppid=AGENT, inode=GIT)
    (draft,) = transcript.facts(git, transcript.file("/usr/bin/git"))
    assert isinstance(draft, Draft)
    transcript.identities.starts(draft)
    transcript.known.met(7, draft, await transcript.identities.complete(draft))
    await transcript.run("/usr/bin/ls", pid=102, ppid=AGENT)
    packed = message(Kind.IMAGE, "file", file_body(66), [b"/tmp/evil"], flags=Flag.MISMATCH, pid=102, key=7)
    assert await transcript.behaviours(packed, transcript.file("/tmp/evil")) == [
        Contradiction("/usr/bin/git", "/tmp/evil", "/usr/bin/ls"),
        Exec(program("/tmp/evil"), "/usr/bin/ls"),
    ]


async def test_an_image_whose_exec_was_lost_is_told() -> None:
    packed = message(Kind.IMAGE, "file", file_body(GIT), [b"/usr/bin/git"], pid=555, ppid=1)
    transcript = Transcript()
    assert await transcript.behaviours(packed, transcript.file("/usr/bin/git")) == [Exec(program("/usr/bin/git"), "")]


def at_the_gate(content: bytes) -> bytes:
    """The very file that was named, hashed again; the fake's content is the name."""
    return message(Kind.IMAGE, "file", file_body(GIT), [content], pid=101, ppid=AGENT)


async def test_a_file_that_is_still_what_was_judged_is_not_told_again() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    await transcript.run("/usr/bin/git", pid=101, ppid=AGENT, inode=GIT)
    assert await transcript.behaviours(at_the_gate(b"/usr/bin/git"), transcript.file("/usr/bin/git")) == []


async def test_a_file_that_was_rewritten_since_is_judged_by_what_it_holds_now() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent")
    await transcript.run("/usr/bin/git", pid=101, ppid=AGENT, inode=GIT)
    (now,) = await transcript.behaviours(at_the_gate(b"rewritten"), transcript.file("/usr/bin/git"))
    assert now == Exec(replace(program("/usr/bin/git"), sha256=hash_of("rewritten")), "/bin/agent")


# What did not run.


def failed(path: bytes, inode: int, *, pid: int = AGENT) -> bytes:
    return message(Kind.IMAGE, "file", file_body(inode), [path], flags=Flag.FAILED, pid=pid)


def acting(transcript: Transcript) -> str:
    (fact,) = transcript.facts(message(Kind.CODE_MEMORY, "call", call_body(9)))
    assert isinstance(fact, Draft)
    assert isinstance(fact.observation.behaviour, CodeMemory)
    return fact.observation.behaviour.program


async def test_a_process_whose_exec_failed_is_what_it_was() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent", inode=7)
    assert await transcript.run("/bin/broken", inode=8) == [Exec(program("/bin/broken"), "/bin/agent")]
    assert acting(transcript) == "/bin/broken"
    before = open_descriptors()
    assert await transcript.behaviours(failed(b"/bin/agent", 7), transcript.file("/bin/agent")) == []
    assert open_descriptors() == before
    assert acting(transcript) == "/bin/agent"
    assert await transcript.run("/bin/git", inode=GIT) == [Exec(program("/bin/git"), "/bin/agent")]


async def test_the_first_program_may_fail_to_start() -> None:
    transcript = Transcript()
    await transcript.run("/bin/broken")
    assert await transcript.behaviours(failed(b"/bin/inscope-init", 3)) == []
    assert acting(transcript) == INIT_LABEL


async def test_a_failure_is_not_believed_of_a_process_that_runs_something_else() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent", inode=7)
    await transcript.run("/bin/claimed", inode=8)
    packed = failed(b"/bin/evil", 66)
    assert await transcript.behaviours(packed, transcript.file("/bin/evil")) == [
        Contradiction("/bin/claimed", "/bin/evil", "/bin/agent"),
        Exec(program("/bin/evil"), "/bin/agent"),
    ]


async def test_a_failure_without_its_exec_changes_nothing() -> None:
    transcript = Transcript()
    await transcript.run("/bin/agent", inode=7)
    await transcript.run("/bin/broken", inode=8)
    await transcript.behaviours(failed(b"/bin/agent", 7))
    assert await transcript.behaviours(failed(b"/bin/agent", 7)) == []
    assert acting(transcript) == "/bin/agent"
