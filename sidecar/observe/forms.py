"""How each kind of message is put together: the struct of its body, and how body and strings become a record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sidecar.observe.bodies import (
    Address,
    Call,
    Counters,
    Exit,
    FileStat,
    Head,
    HelloBody,
    ModeBody,
    OpenCall,
    Repeat,
    Repeated,
    SurveyPart,
)
from sidecar.observe.header import HEADER, HeaderError, Layout
from sidecar.observe.kinds import Kind
from sidecar.observe.protocol import ARGV_ITEMS_MAX
from sidecar.observe.records import (
    NO_FD,
    BindRecord,
    ByeRecord,
    CodeMemoryRecord,
    ConnectRecord,
    CountersRecord,
    ExecRecord,
    ExitRecord,
    HelloRecord,
    ImageRecord,
    ListenRecord,
    LoadRecord,
    ModeIsRecord,
    OpenRecord,
    ProcessRecord,
    Record,
    RepeatedRecord,
    SurveyRecord,
    SyscallRecord,
)


class ShapeError(Exception):
    """Body and strings of a message do not go together; becomes a MalformedPacketError with the offset."""


Strings = list[bytes]
Entries = list[tuple[int, ...]]
Build = Callable[[Head, Any, Any, int], Record]


class Form:
    """How one kind is decoded: its body's struct, the type of that body, and how body and strings become a record.

    Where `entries` names a struct, an array of it follows the body in place of strings, and is built from its fields.
    """

    __slots__ = ("body", "build", "codec", "entries")

    def __init__(self, struct_name: str, body: type[Any], build: Build, entries: str = "") -> None:
        layout = HEADER.structs[struct_name]
        _require_same_fields(layout, body)
        self.codec = layout.codec
        self.body = body
        self.build = build
        self.entries = HEADER.structs[entries].codec if entries else None


def _require_same_fields(layout: Layout, body: type[Any], framing: int = 0) -> None:
    names = tuple(field.name for field in fields(body))
    if names != layout.fields[framing:]:
        raise HeaderError(f"struct inscope_{layout.name} has {layout.fields[framing:]}, {body.__name__} has {names}")


_require_same_fields(HEADER.structs["head"], Head, framing=2)
_require_same_fields(HEADER.structs["repeat"], Repeat)


def _hello(head: Head, body: HelloBody, strings: Strings, _: int) -> HelloRecord:
    if len(strings) < 3:
        raise ShapeError("HELLO with fewer than three strings")
    return HelloRecord(head, body, strings[0], strings[1], strings[2], tuple(strings[3:]))


def _exec(head: Head, file: FileStat, strings: Strings, fd: int) -> ExecRecord:
    if len(strings) != 2 + file.argc or file.argc > ARGV_ITEMS_MAX:
        raise ShapeError(f"EXEC of {file.argc} arguments with {len(strings)} strings")
    return ExecRecord(head, file, strings[0], strings[1], tuple(strings[2:]), fd)


def _image(head: Head, file: FileStat, strings: Strings, fd: int) -> ImageRecord:
    return ImageRecord(head, file, _only(strings), fd)


def _load(head: Head, file: FileStat, strings: Strings, fd: int) -> LoadRecord:
    return LoadRecord(head, file, _only(strings), fd)


def _process(head: Head, file: FileStat, strings: Strings, fd: int) -> ProcessRecord:
    _without_fd(fd)
    return ProcessRecord(head, file, _only(strings))


def _open(head: Head, call: OpenCall, strings: Strings, fd: int) -> OpenRecord:
    _without_fd(fd)
    if len(strings) not in (1, 2):
        raise ShapeError(f"OPEN with {len(strings)} strings")
    return OpenRecord(head, call, *strings)


def _survey(head: Head, part: SurveyPart, strings: Strings, fd: int) -> SurveyRecord:
    _without_fd(fd)
    if len(strings) != part.count:
        raise ShapeError(f"SURVEY of {part.count} members with {len(strings)} strings")
    return SurveyRecord(head, part, tuple(strings))


def _repeated(head: Head, body: Repeated, entries: Entries, fd: int) -> RepeatedRecord:
    _without_fd(fd)
    if len(entries) != body.count:
        raise ShapeError(f"REPEATED of {body.count} acts with {len(entries)} entries")
    return RepeatedRecord(head, tuple(Repeat(*entry) for entry in entries))


def _addressed(
    record: type[ConnectRecord] | type[BindRecord] | type[ListenRecord],
) -> Callable[[Head, Address, Strings, int], Record]:
    def build(head: Head, body: Address, strings: Strings, fd: int) -> Record:
        _bare(strings, fd)
        if body.length > len(body.address):
            raise ShapeError(f"an address of {body.length} bytes")
        return record(head, _cut(body))

    return build


def _cut(body: Address) -> Address:
    return Address(
        body.nr,
        body.descriptor,
        body.socket,
        body.family,
        body.type,
        body.protocol,
        body.port,
        body.length,
        body.address[: body.length],
    )


def _plain(record: Callable[[Head, Any], Record]) -> Build:
    def build(head: Head, body: Any, strings: Strings, fd: int) -> Record:
        _bare(strings, fd)
        return record(head, body)

    return build


def _only(strings: Strings) -> bytes:
    if len(strings) != 1:
        raise ShapeError(f"{len(strings)} strings where there must be one")
    return strings[0]


def _bare(strings: Strings, fd: int) -> None:
    _without_fd(fd)
    if strings:
        raise ShapeError("strings where there must be none")


def _without_fd(fd: int) -> None:
    if fd != NO_FD:
        raise ShapeError("a descriptor where there must be none")


FORMS: dict[int, Form] = {
    Kind.HELLO: Form("hello", HelloBody, _hello),
    Kind.EXEC: Form("file", FileStat, _exec),
    Kind.IMAGE: Form("file", FileStat, _image),
    Kind.LOAD: Form("file", FileStat, _load),
    Kind.CODE_MEMORY: Form("call", Call, _plain(CodeMemoryRecord)),
    Kind.OPEN: Form("open", OpenCall, _open),
    Kind.CONNECT: Form("address", Address, _addressed(ConnectRecord)),
    Kind.BIND: Form("address", Address, _addressed(BindRecord)),
    Kind.LISTEN: Form("address", Address, _addressed(ListenRecord)),
    Kind.SYSCALL: Form("call", Call, _plain(SyscallRecord)),
    Kind.EXIT: Form("exit", Exit, _plain(ExitRecord)),
    Kind.COUNTERS: Form("counters", Counters, _plain(CountersRecord)),
    Kind.SURVEY: Form("survey", SurveyPart, _survey),
    Kind.BYE: Form("exit", Exit, _plain(ByeRecord)),
    Kind.PROCESS: Form("file", FileStat, _process),
    Kind.MODE_IS: Form("mode", ModeBody, _plain(ModeIsRecord)),
    Kind.REPEATED: Form("repeated", Repeated, _repeated, entries="repeat"),
}
