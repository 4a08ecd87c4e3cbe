"""Reading declarations here and sending them whole."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from controlplane.cli.documents import Document
from controlplane.cli.exit_codes import CommandError, ExitCode
from inscope.codec import workload_from_wire
from inscope.codec.authority import grant_to_wire, link_to_wire
from inscope.grant import Declaration
from inscope.v1 import operator_pb2 as pb

if TYPE_CHECKING:
    from controlplane.cli.control import Control

MAX_FILE = 256 << 20
"""Bytes of one file: a cluster of a thousand service accounts has some ten megabytes of RBAC."""

SHOWN = 5
"""Workloads that are named; `-o json` has all."""

CHUNK = 2_000
"""Grants in one message."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of it, for programs and for people."""

    document: Document
    lines: tuple[str, ...]


def declaration_of(
    what: str,
    files: Sequence[Path],
    scope: str,
    clusters: Sequence[str] = (),
    classes: Path | None = None,
    server: str | None = None,
) -> Declaration:
    """Read it.

    Raises:
        CommandError: a file cannot be read, or nothing of it is understood.
    """
    texts = [(str(path), _read(path)) for path in files]
    match what:
        case "rbac":
            from controlplane.sources.rbac import NoObjectsError, read_declaration

            try:
                return read_declaration(texts, scope, time.time())
            except NoObjectsError as error:
                raise CommandError(ExitCode.USAGE, str(error)) from error
        case "postgresql":
            return _of_postgresql(texts, scope, classes, server)
        case _:
            from controlplane.sources import iam
            from controlplane.sources.aws_actions import MissingDatabaseError
            from controlplane.sources.clusters import BadClusterError, clusters_of

            try:
                return iam.read_declaration(texts, time.time(), clusters=clusters_of(clusters))
            except (iam.NoAccountError, MissingDatabaseError, BadClusterError) as error:
                raise CommandError(ExitCode.USAGE, str(error)) from error


def _of_postgresql(
    texts: Sequence[tuple[str, bytes]], scope: str, classes: Path | None, server: str | None
) -> Declaration:
    from controlplane.sources import postgresql

    try:
        mine = postgresql.SHIPPED
        if classes:
            listed = postgresql.read_classes(_read(classes).decode("utf-8", "replace"), str(classes))
            mine = postgresql.together(mine, listed)
        if not server:
            return postgresql.read_declaration(texts, scope, time.time(), mine)
    except (postgresql.NoCatalogError, postgresql.ClassesError) as error:
        raise CommandError(ExitCode.USAGE, str(error)) from error
    try:
        from controlplane.sources.postgresql.live import NoServerError, read_server
    except ImportError as error:
        raise CommandError(ExitCode.NO, "asking a server needs psycopg: install inscope[postgresql]") from error
    try:
        return read_server(server, scope, time.time(), mine)
    except NoServerError as error:
        raise CommandError(ExitCode.NO, str(error)) from error


def live_declaration(clusters: Sequence[str] = ()) -> Declaration:
    """Ask the AWS account itself.

    Raises:
        CommandError: it cannot be asked, or does not answer.
    """
    from controlplane.sources import iam
    from controlplane.sources.aws_actions import MissingDatabaseError
    from controlplane.sources.clusters import BadClusterError, clusters_of
    from controlplane.sources.feeds.clients import NoClientError, client

    try:
        known = clusters_of(clusters)
        asked = client("iam"), client("eks")
    except BadClusterError as error:
        raise CommandError(ExitCode.USAGE, str(error)) from error
    except NoClientError as error:
        raise CommandError(ExitCode.NO, str(error)) from error
    from controlplane.sources.iam.live import UnreadableAccountError, declared_live

    try:
        return declared_live(*asked, time.time(), clusters=known)
    except (iam.NoAccountError, MissingDatabaseError, UnreadableAccountError) as error:
        raise CommandError(ExitCode.NO, str(error)) from error


async def declared(control: Control, declaration: Declaration) -> Imported:
    """Send it."""
    answer = await control.declare(_requests(declaration))
    workloads = sorted(str(workload_from_wire(workload)) for workload in answer.workloads)
    principals = {grant.principal for grant in declaration.grants}
    said = (
        f"Known now: {answer.grants:,} grants, held by {len(principals):,} of the identities; {answer.links:,} links "
        f"between identities; and who runs as them: {', '.join(workloads[:SHOWN]) or 'nobody'}"
        f"{f' and {len(workloads) - SHOWN:,} more' if len(workloads) > SHOWN else ''}."
    )
    document = {
        "authority": declaration.authority.value,
        "scope": declaration.scope,
        "grants": answer.grants,
        "links": answer.links,
        "workloads": workloads,
        "faults": list(declaration.faults),
    }
    return Imported(document, (said, *(f"  not understood: {fault}" for fault in declaration.faults)))


async def _requests(declaration: Declaration) -> AsyncIterator[pb.DeclareRequest]:
    head = pb.DeclarationHead(
        authority=declaration.authority,
        scope=declaration.scope,
        taken_at=declaration.taken_at,
        faults=declaration.faults,
    )
    yield pb.DeclareRequest(head=head)
    for grants, links in zip_longest(_chunks(declaration.grants), _chunks(declaration.links), fillvalue=()):
        yield pb.DeclareRequest(grants=map(grant_to_wire, grants), links=map(link_to_wire, links))


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), CHUNK):
        yield items[at : at + CHUNK]


def _read(path: Path) -> bytes:
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise CommandError(ExitCode.USAGE, f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise CommandError(ExitCode.USAGE, f"{path} has more than {MAX_FILE >> 20} MiB")
    return data
