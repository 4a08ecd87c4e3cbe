"""Behaviours to the wire and back."""

from __future__ import annotations

from inscope.behaviour import (
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    CredentialUse,
    Exec,
    Listen,
    Load,
    Open,
    PermissionUse,
    Program,
    Protocol,
    RoleAssumption,
    Script,
    ScriptOrigin,
    Syscall,
    kind_of,
)
from inscope.codec.bounds import member, port, reject, sha256, text
from inscope.codec.logged import logged_from_wire, logged_to_wire
from inscope.v1 import words_pb2 as pb


def behaviour_to_wire(behaviour: Behaviour) -> pb.Behaviour:
    match behaviour:
        case Exec(program, parent):
            return pb.Behaviour(exec=pb.Exec(program=_program_to_wire(program), parent=parent))
        case Load(path, digest, program, writer):
            return pb.Behaviour(load=pb.Load(path=path, sha256=bytes.fromhex(digest), program=program, writer=writer))
        case CodeMemory(program):
            return pb.Behaviour(code_memory=pb.CodeMemory(program=program))
        case Open(path, access, program, secret):
            return pb.Behaviour(open=pb.Open(path=path, access=access, program=program, secret=secret))
        case Connect(host, number, protocol, program):
            return pb.Behaviour(connect=pb.Connect(host=host, port=number, protocol=protocol, program=program))
        case Listen(address, number, protocol, program):
            return pb.Behaviour(listen=pb.Listen(address=address, port=number, protocol=protocol, program=program))
        case Syscall(name, detail, program):
            return pb.Behaviour(syscall=pb.Syscall(name=name, detail=detail, program=program))
        case Contradiction(claimed, real, program):
            return pb.Behaviour(contradiction=pb.Contradiction(claimed=claimed, real=real, program=program))
        case PermissionUse() | RoleAssumption() | CredentialUse():
            return logged_to_wire(behaviour)


def behaviour_from_wire(wire: pb.Behaviour) -> Behaviour:
    match wire.WhichOneof("behaviour"):
        case "exec":
            return Exec(_program_from_wire(wire.exec.program), text(wire.exec.parent, "exec.parent"))
        case "load":
            return _load_from_wire(wire.load)
        case "code_memory":
            return CodeMemory(text(wire.code_memory.program, "code_memory.program"))
        case "open":
            return _open_from_wire(wire.open)
        case "connect":
            return _connect_from_wire(wire.connect)
        case "listen":
            return _listen_from_wire(wire.listen)
        case "syscall":
            call = wire.syscall
            return Syscall(
                text(call.name, "syscall.name"),
                text(call.detail, "syscall.detail"),
                text(call.program, "syscall.program"),
            )
        case "contradiction":
            lie = wire.contradiction
            return Contradiction(
                text(lie.claimed, "contradiction.claimed"),
                text(lie.real, "contradiction.real"),
                text(lie.program, "contradiction.program"),
            )
        case "permission_use" | "role_assumption" | "credential_use":
            return logged_from_wire(wire)
        case _:
            reject("behaviour", "none given, or one this version does not know")


def watched_from_wire(wire: pb.Behaviour) -> Behaviour:
    """What a sidecar may tell of: never what only an authority's log can know."""
    behaviour = behaviour_from_wire(wire)
    if isinstance(behaviour, PermissionUse | RoleAssumption | CredentialUse):
        reject("behaviour", f"{kind_of(behaviour)} is not a sidecar's to tell")
    return behaviour


def _program_to_wire(program: Program) -> pb.Program:
    wire = pb.Program(path=program.path, sha256=bytes.fromhex(program.sha256))
    if program.script:
        script = program.script
        wire.script.CopyFrom(pb.Script(origin=script.origin, name=script.name, sha256=bytes.fromhex(script.sha256)))
    return wire


def _program_from_wire(wire: pb.Program) -> Program:
    script = None
    if wire.HasField("script"):
        script = Script(
            member(ScriptOrigin, wire.script.origin, "script.origin"),
            text(wire.script.name, "script.name"),
            sha256(wire.script.sha256, "script.sha256"),
        )
    return Program(text(wire.path, "program.path"), sha256(wire.sha256, "program.sha256"), script)


def _load_from_wire(wire: pb.Load) -> Load:
    return Load(
        text(wire.path, "load.path"),
        sha256(wire.sha256, "load.sha256"),
        text(wire.program, "load.program"),
        text(wire.writer, "load.writer"),
    )


def _open_from_wire(wire: pb.Open) -> Open:
    return Open(
        text(wire.path, "open.path"),
        member(Access, wire.access, "open.access"),
        text(wire.program, "open.program"),
        wire.secret,
    )


def _connect_from_wire(wire: pb.Connect) -> Connect:
    return Connect(
        text(wire.host, "connect.host"),
        port(wire.port, "connect.port"),
        member(Protocol, wire.protocol, "connect.protocol"),
        text(wire.program, "connect.program"),
    )


def _listen_from_wire(wire: pb.Listen) -> Listen:
    return Listen(
        text(wire.address, "listen.address"),
        port(wire.port, "listen.port"),
        member(Protocol, wire.protocol, "listen.protocol"),
        text(wire.program, "listen.program"),
    )
