"""Records that carry a key: which acts may become known by it, and who a counted exec made of a process."""

from __future__ import annotations

from pathlib import Path

from inscope.behaviour import Access, Exec, Open
from sidecar.observe.bodies import Head, Repeat
from sidecar.observe.drafts import Draft
from sidecar.observe.kinds import Kind
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.records import ExecRecord
from tests.sidecar.observe.fake_init import address_body, exec_message, file_body, message, open_message, record
from tests.sidecar.observe.test_known_acts import told
from tests.sidecar.observe.transcript import Transcript, program

KEY = 77


async def handed_on(transcript: Transcript, packed: bytes, fd: int = -1) -> None:
    """As the pipeline does."""
    for fact in transcript.facts(packed, fd):
        assert isinstance(fact, Draft)
        transcript.identities.starts(fact)
        completed = await transcript.identities.complete(fact)
        if fact.key and completed:
            transcript.known.met(fact.key, fact, completed)


def known_keys(transcript: Transcript) -> set[int]:
    return {key for _, _, acts in told(transcript.known) for key in acts}


async def test_an_exec_becomes_known_by_its_key() -> None:
    transcript = Transcript()
    await handed_on(transcript, exec_message(b"/bin/git", [b"git"], key=KEY), transcript.file("/bin/git"))
    assert known_keys(transcript) == {KEY}


async def test_an_interpreter_that_only_tells_its_version_does_not() -> None:
    """The next time, with the same key, it may be given a program."""
    transcript = Transcript()
    argv = [b"python3", b"--version"]
    await handed_on(transcript, exec_message(b"/bin/x", argv, key=KEY), transcript.file("/usr/bin/python3.11"))
    await handed_on(transcript, exec_message(b"/opt/python3", argv, key=KEY), transcript.file("/opt/launcher"))
    assert known_keys(transcript) == set()


def test_a_secret_that_is_not_there_yet_stays_unknown() -> None:
    transcript = Transcript()
    assert transcript.facts(open_message(b"/home/u/.aws/credentials", inode=0, key=KEY)) == ()
    assert known_keys(transcript) == set()
    (draft,) = transcript.facts(open_message(b"/home/u/.aws/credentials", inode=9, key=KEY))
    assert isinstance(draft, Draft)
    assert isinstance(draft.observation.behaviour, Open)
    assert (draft.observation.behaviour.access, draft.key) == (Access.READ, KEY)


def test_a_read_of_no_secret_and_a_connect_to_nowhere_are_known_at_once() -> None:
    transcript = Transcript()
    assert transcript.facts(open_message(b"/srv/plain.py", key=1)) == ()
    assert transcript.facts(message(Kind.CONNECT, "address", address_body(b"", family=0), key=2)) == ()
    assert known_keys(transcript) == {1, 2}


async def test_a_process_whose_exec_was_counted_is_what_that_exec_started() -> None:
    transcript = Transcript()
    await transcript.run("/bin/sh")
    await handed_on(
        transcript,
        exec_message(b"/bin/git", [b"git"], pid=101, ppid=100, start=60, key=KEY),
        transcript.file("/bin/git"),
    )
    introduced = message(Kind.PROCESS, "file", file_body(), [b"/bin/git"], pid=102, ppid=100, start=61, key=KEY)
    assert transcript.facts(introduced) == ()
    packed = exec_message(b"/bin/ssh", [b"ssh"], pid=102, ppid=100, start=61, inode=8)
    assert await transcript.behaviours(packed, transcript.file("/bin/ssh")) == [Exec(program("/bin/ssh"), "/bin/git")]


async def test_a_counted_exec_that_only_an_earlier_sidecar_knew_is_named_by_its_file(tmp_path: Path) -> None:
    """It was called the program before, which is worse than a name by the file."""
    transcript = Transcript(process_log=ProcessLog(tmp_path / "processes", lambda _: None))
    await transcript.run("/bin/sh")
    introduced = message(Kind.PROCESS, "file", file_body(8), [b"/usr/bin/git"], key=KEY)
    assert transcript.facts(introduced) == ()
    (exec_,) = await transcript.run("/bin/ssh", inode=9)
    assert exec_ == Exec(program("/bin/ssh"), "/usr/bin/git")
    assert known_keys(transcript) == set()


def test_an_introduction_makes_nothing_known() -> None:
    transcript = Transcript()
    transcript.facts(message(Kind.PROCESS, "file", file_body(), [b"/bin/sh"], key=KEY))
    assert known_keys(transcript) == set()
    assert not list(transcript.known.repeated([Repeat(KEY, 1)], 1.0))


def test_keys_reach_the_record() -> None:
    exec_ = record(exec_message(b"/bin/git", [b"git"], key=KEY))
    assert isinstance(exec_, ExecRecord)
    assert isinstance(exec_.head, Head)
    assert exec_.head.key == KEY
