"""What a rare call was about, in a few stable words: never a pointer, a pid or a size, which would differ each time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from sidecar.observe.bodies import Call
from sidecar.observe.destinations import family_name

_INT = 0xFFFFFFFF
"""C's int arguments come in 64-bit registers whose upper half means nothing."""

# Values below: linux/ptrace.h, prctl.h, seccomp.h, personality.h, sched.h, mount.h, memfd.h, bpf.h, net.h, keyctl.h.

_PTRACE = {
    0: "TRACEME",
    1: "PEEKTEXT",
    2: "PEEKDATA",
    3: "PEEKUSR",
    4: "POKETEXT",
    5: "POKEDATA",
    6: "POKEUSR",
    7: "CONT",
    8: "KILL",
    9: "SINGLESTEP",
    12: "GETREGS",
    13: "SETREGS",
    14: "GETFPREGS",
    15: "SETFPREGS",
    16: "ATTACH",
    17: "DETACH",
    24: "SYSCALL",
    0x4200: "SETOPTIONS",
    0x4201: "GETEVENTMSG",
    0x4202: "GETSIGINFO",
    0x4203: "SETSIGINFO",
    0x4204: "GETREGSET",
    0x4205: "SETREGSET",
    0x4206: "SEIZE",
    0x4207: "INTERRUPT",
    0x4208: "LISTEN",
    0x420E: "GET_SYSCALL_INFO",
}
_PRCTL = {4: "SET_DUMPABLE", 22: "SET_SECCOMP", 35: "SET_MM"}
_SECCOMP = {0: "STRICT", 1: "FILTER", 2: "GET_ACTION_AVAIL", 3: "GET_NOTIF_SIZES"}
_SECCOMP_NEW_LISTENER = 8
_BPF = {
    0: "MAP_CREATE",
    1: "MAP_LOOKUP",
    2: "MAP_UPDATE",
    3: "MAP_DELETE",
    5: "PROG_LOAD",
    8: "PROG_ATTACH",
    28: "LINK",
}
_KEYCTL = {0: "GET_KEYRING_ID", 1: "JOIN_SESSION", 2: "UPDATE", 3: "REVOKE", 5: "SETPERM", 10: "SEARCH", 11: "READ"}
_SOCKETCALL = {1: "socket", 2: "bind", 3: "connect", 4: "listen", 5: "accept", 9: "send", 11: "sendto", 16: "sendmsg"}
_NAMESPACES = {
    0x80: "NEWTIME",
    0x20000: "NEWNS",
    0x2000000: "NEWCGROUP",
    0x4000000: "NEWUTS",
    0x8000000: "NEWIPC",
    0x10000000: "NEWUSER",
    0x20000000: "NEWPID",
    0x40000000: "NEWNET",
    0x200: "FS",
    0x400: "FILES",
    0x40000: "SYSVSEM",
}
_MOUNT = {
    0x20: "REMOUNT",
    0x1000: "BIND",
    0x2000: "MOVE",
    0x20000: "UNBINDABLE",
    0x40000: "PRIVATE",
    0x100000: "SHARED",
}
_MEMFD = {0x8: "NOEXEC_SEAL", 0x10: "EXEC"}
_READ_IMPLIES_EXEC = 0x0400000
_SOCKET_TYPES = {int(kind): kind.name.removeprefix("SOCK_").lower() for kind in socket.SocketKind}
_SOCKET_TYPE_MASK = 0xF


def detail_of(name: str, call: Call) -> str:
    """The words for one call of that name; empty where the name says it all."""
    decode = _DETAILS.get(name)
    return decode(call) if decode else ""


def _named(index: int, names: Mapping[int, str]) -> Callable[[Call], str]:
    def detail(call: Call) -> str:
        value = call.args[index] & _INT
        return names.get(value, "other")

    return detail


def _flags(index: int, names: Mapping[int, str]) -> Callable[[Call], str]:
    def detail(call: Call) -> str:
        return "|".join(name for bit, name in names.items() if call.args[index] & bit)

    return detail


def _constant(text: str) -> Callable[[Call], str]:
    return lambda _: text


def _seccomp(call: Call) -> str:
    operation = _SECCOMP.get(call.args0 & _INT, "other")
    return f"{operation}|NEW_LISTENER" if operation == "FILTER" and call.args1 & _SECCOMP_NEW_LISTENER else operation


def _socket(call: Call) -> str:
    kind = call.args1 & _SOCKET_TYPE_MASK
    return f"{family_name(call.args0 & _INT)} {_SOCKET_TYPES.get(kind, f'type-{kind}')}"


def _personality(call: Call) -> str:
    return "READ_IMPLIES_EXEC" if call.args0 & _READ_IMPLIES_EXEC else ""


def _root_among(count: int) -> Callable[[Call], str]:
    def detail(call: Call) -> str:
        return "root" if any(argument & _INT == 0 for argument in call.args[:count]) else ""

    return detail


_DETAILS: Mapping[str, Callable[[Call], str]] = {
    "ptrace": _named(0, _PTRACE),
    "prctl": _named(0, _PRCTL),
    "seccomp": _seccomp,
    "bpf": _named(0, _BPF),
    "keyctl": _named(0, _KEYCTL),
    "socketcall": _named(0, _SOCKETCALL),
    "personality": _personality,
    "unshare": _flags(0, _NAMESPACES),
    "setns": _flags(1, _NAMESPACES),
    "clone": _flags(0, _NAMESPACES),
    "clone3": _flags(0, _NAMESPACES),
    "mount": _flags(3, _MOUNT),
    "memfd_create": _flags(1, _MEMFD),
    "socket": _socket,
    "sendmsg": _constant("MSG_FASTOPEN"),
    "sendmmsg": _constant("MSG_FASTOPEN"),
    **{f"set{kind}{width}": _root_among(1) for kind in ("uid", "gid", "fsuid", "fsgid") for width in ("", "32")},
    **{f"setre{kind}{width}": _root_among(2) for kind in ("uid", "gid") for width in ("", "32")},
    **{f"setres{kind}{width}": _root_among(3) for kind in ("uid", "gid") for width in ("", "32")},
}
