"""Reading a log here and sending what it tells, so that ninety days of it do not slow down the control plane."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from controlplane.cli.exit_codes import CommandError, ExitCode
from controlplane.sources.in_order import in_order
from inscope.alert import Alert
from inscope.codec import alert_from_wire, workload_from_wire
from inscope.codec.authority import exercise_to_wire, log_coverage_to_wire
from inscope.exercise import Exercise, LogCoverage
from inscope.v1 import operator_pb2 as pb
from inscope.workload import Workload

if TYPE_CHECKING:
    from controlplane.cli.control import Control

BATCH = 5_000
"""Events in one message."""


class LogReader(Protocol):
    """What each authority's log is read by."""

    def read(self, source: BinaryIO) -> Iterator[Exercise]: ...
    def coverage(self) -> LogCoverage: ...


@dataclass(slots=True)
class Replayed:
    """What became of it. `others` were of identities that are no workload's, by the reason why."""

    coverage: LogCoverage
    taken: int = 0
    duplicates: int = 0
    others: dict[str, int] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    workloads: set[Workload] = field(default_factory=set)


async def replayed(control: Control, log: str, files: Sequence[Path], reader: LogReader) -> Replayed:
    """Send what `files` tell to `reader`, that of `log`.

    Raises:
        CommandError: a file cannot be read, or holds nothing of that log.
    """
    done = Replayed(reader.coverage())
    with ExitStack() as opened:
        streams = [opened.enter_context(_opened(path)) for path in files]
        advance = opened.enter_context(_progress(files))
        async for answer in control.tell(_requests(reader, streams, advance)):
            _note(done, answer)
    done.coverage = reader.coverage()
    if not done.coverage.events:
        names = ", ".join(str(path) for path in files)
        raise CommandError(ExitCode.NO, f"no event of such a log ({log}) is in {names}: {_instead(done.coverage)}")
    return done


def reader_of(log: str, scope: str, clusters: Sequence[str] = ()) -> LogReader:
    """The reader of that log.

    Raises:
        CommandError: what it needs is not there, or `clusters` are not `ISSUER=NAME`.
    """
    match log:
        case "audit":
            from controlplane.sources.audit.reader import AuditReader

            return AuditReader(scope)
        case "postgresql":
            from controlplane.sources.postgresql.reader import PostgresReader

            return PostgresReader(scope)
        case _:
            from controlplane.sources.aws_actions import MissingDatabaseError
            from controlplane.sources.cloudtrail.reader import CloudTrailReader
            from controlplane.sources.clusters import BadClusterError, clusters_of

            try:
                return CloudTrailReader(clusters=clusters_of(clusters))
            except BadClusterError as error:
                raise CommandError(ExitCode.USAGE, str(error)) from error
            except MissingDatabaseError as error:
                raise CommandError(ExitCode.NO, str(error)) from error


def _note(done: Replayed, answer: pb.TellResponse) -> None:
    done.taken += answer.taken
    done.duplicates += answer.duplicates
    for why, count in answer.others.items():
        done.others[why] = done.others.get(why, 0) + count
    for alert in map(alert_from_wire, answer.alerts):
        done.alerts[alert.id] = alert
    done.workloads.update(map(workload_from_wire, answer.workloads))


async def _requests(reader: LogReader, streams: Sequence[BinaryIO], advance: _Advance) -> AsyncIterator[pb.TellRequest]:
    read = (each for stream in streams for each in reader.read(io.BufferedReader(_Watched(stream, advance))))
    for some in _batched(in_order(read), BATCH):
        yield _request(reader.coverage(), some)
    coverage = reader.coverage()
    if coverage.events:
        request = _request(coverage, ())
        request.coverage.CopyFrom(log_coverage_to_wire(coverage))
        yield request


def _request(coverage: LogCoverage, exercises: Iterable[Exercise]) -> pb.TellRequest:
    return pb.TellRequest(
        source=coverage.source, scope=coverage.scope, exercises=[exercise_to_wire(each) for each in exercises]
    )


def _batched(exercises: Iterator[Exercise], size: int) -> Iterator[list[Exercise]]:
    while some := list(islice(exercises, size)):
        yield some


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    if str(path) == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return path.open("rb")
    except OSError as error:
        raise CommandError(ExitCode.USAGE, f"{path} cannot be read: {error.strerror}") from error


class _Watched(io.RawIOBase):
    """A stream that says how much of it was read."""

    def __init__(self, stream: BinaryIO, advance: _Advance) -> None:
        self._stream, self._advance = stream, advance

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]  # as io.RawIOBase has it
        piece = self._stream.read(len(into))
        into[: len(piece)] = piece
        self._advance(len(piece))
        return len(piece)


class _Advance(Protocol):
    def __call__(self, number: int) -> None: ...


@contextmanager
def _progress(files: Sequence[Path]) -> Iterator[_Advance]:
    """A bar on a terminal, by bytes; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda number: None
        return
    from rich.console import Console
    from rich.progress import Progress

    sizes = [path.stat().st_size for path in files if str(path) != "-" and path.exists()]
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=sum(sizes) or None)
        yield lambda number: bar.advance(task, number)


def _instead(coverage: LogCoverage) -> str:
    said = [f"{count:,} of {name}" for name, count in sorted(coverage.unmapped.items())[:3]]
    said += [f"{coverage.malformed:,} records that are no JSON, or cut short"] if coverage.malformed else []
    return "; ".join(said) or "it is empty"
