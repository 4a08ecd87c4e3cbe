"""Sockets where it is enforced: what is refused does not happen, and what may happen happens as without."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from errno import EACCES, ECONNREFUSED
from pathlib import Path

import pytest

from tests.sidecar.init.enforced import (
    Enforced,
    Refuses,
    accepting,
    enforcing,
    listener,
    nothing,
    order,
    reached,
    to_port,
)
from tests.sidecar.init.numbers import NR
from tests.sidecar.init.observed import eventually, flags
from tests.sidecar.init.test_unprivileged import NOBODY

pytestmark = pytest.mark.real

WAYS = {"borrowed": (), "twins": ("--twins",)}
"""How init comes by a descriptor of the agent's socket: pidfd_getfd, or having made it."""

Enforces = Callable[..., Enforced]


@pytest.fixture(params=WAYS)
def enforce(request: pytest.FixtureRequest, init: Path, folder: Path) -> Iterator[Enforces]:
    """Gives a runner of commands in enforce, once, for what is to be refused."""
    open_ = []

    def begin(refuses: Refuses = nothing, stance: str = "ENFORCES") -> Enforced:
        context = enforcing(init, folder, refuses, WAYS[request.param], stance)
        open_.append(context)
        return context.__enter__()

    yield begin
    for context in open_:
        context.__exit__(None, None, None)


def test_a_refused_connect_reaches_nobody_and_the_next_address_can_be_tried(enforce: Enforces) -> None:
    code = """
import socket, sys
s = socket.socket()
for port in map(int, sys.argv[1:]):
    try: s.connect(("127.0.0.1", port)); s.sendall(b"hello"); print("connected")
    except OSError as error: print(error.errno)
"""
    with listener() as (server, port), listener() as (forbidden, secret):
        assert enforce(to_port(secret)).code(code, secret, port) == [str(EACCES), "connected"]
        assert not reached(forbidden)
        assert server.accept()[0].recv(5) == b"hello"


def test_connects_answer_as_they_do_without(enforce: Enforces) -> None:
    code = """
import errno, os, select, socket, sys
port, closed = map(int, sys.argv[1:])
def tell(error): print(errno.errorcode.get(error, error))
s = socket.socket(); tell(s.connect_ex(("127.0.0.1", port))); tell(s.connect_ex(("127.0.0.1", port)))
assert os.get_blocking(s.fileno())
s = socket.socket(); tell(s.connect_ex(("127.0.0.1", closed)))
s = socket.socket(); s.setblocking(False); tell(s.connect_ex(("127.0.0.1", port)))
select.select([], [s], []); tell(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
tell(s.connect_ex(("127.0.0.1", port)))
assert not os.get_blocking(s.fileno())
s = socket.socket(); s.setblocking(False); tell(s.connect_ex(("127.0.0.1", closed)))
select.select([], [s], []); tell(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
s = socket.socket(); s.settimeout(5); s.connect(("127.0.0.1", port)); tell(0)
s = socket.socket(socket.AF_INET6); tell(s.connect_ex(("::ffff:127.0.0.1", port)))
import ctypes; libc = ctypes.CDLL(None, use_errno=True)
def raw(fd, data, size): libc.connect(fd, data, size); tell(ctypes.get_errno())
raw(999, b"\\x02" + bytes(15), 16); raw(0, b"\\x02" + bytes(15), 16)
s = socket.socket(); raw(s.fileno(), b"\\x02" + bytes(15), 200); raw(s.fileno(), None, 16)
raw(s.fileno(), b"\\x02\\0", 2)
raw(s.fileno(), b"\\x0a\\0" + bytes(26), 28)
"""
    with listener() as (_, port), socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        arguments = (str(port), str(unused.getsockname()[1]))
        plain = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, check=True, text=True)
        # init made the socket and let go of it: the kernel would say "connected" once before it says "already"
        told = [("EISCONN", "0") if line == "EISCONN" else (line,) for line in enforce().code(code, *arguments)]
        assert all(line in may for line, may in zip(plain.stdout.splitlines(), told, strict=True))


def test_an_ipv4_address_inside_ipv6_is_told_as_it_is(enforce: Enforces) -> None:
    code = """
import socket, sys
s = socket.socket(socket.AF_INET6)
print(s.connect_ex(("::ffff:127.0.0.1", int(sys.argv[1]))))
"""
    with listener() as (server, port):
        assert enforce(to_port(port)).code(code, port) == [str(EACCES)]
        assert not reached(server)


def test_a_connection_ends_when_the_agent_closes_it(enforce: Enforces) -> None:
    code = """
import select, socket, sys
for blocking in (True, False):
    s = socket.socket(); s.setblocking(blocking)
    s.connect_ex(("127.0.0.1", int(sys.argv[1])))
    select.select([], [s], [])
    s.close()
print(sys.stdin.readline().strip())
"""
    with listener() as (server, port):
        enforced = enforce()
        agent = enforced.start(
            sys.executable, "-c", code, str(port),
            options=enforced.options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        server.settimeout(10)
        for _ in range(2):
            connection = server.accept()[0]
            connection.settimeout(10)
            assert connection.recv(1) == b""  # while the agent still lives
        assert agent.communicate(b"over\n", 30)[0] == b"over\n"


def test_a_port_can_be_bound_again_once_its_socket_is_closed(enforce: Enforces) -> None:
    code = """
import socket
first = socket.socket(); first.bind(("127.0.0.1", 0)); port = first.getsockname()[1]
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for _ in range(3):
        first.close()
        first = socket.socket(socket.AF_INET, kind); first.bind(("127.0.0.1", port))
first.close()
server = socket.socket(); server.bind(("127.0.0.1", port)); server.listen(); server.close()
try: socket.create_connection(("127.0.0.1", port))
except ConnectionRefusedError: print("closed")
try: socket.socket().bind(("192.0.2.1", port))
except OSError as error: print(error.strerror)
"""
    assert enforce().code(code) == ["closed", "Cannot assign requested address"]


def test_a_refused_listen_accepts_nobody(enforce: Enforces) -> None:
    code = """
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0))
try: s.listen()
except PermissionError: print("refused")
try: socket.create_connection(s.getsockname())
except ConnectionRefusedError: print("nobody")
"""
    assert enforce(lambda m: m.kind == "LISTEN").code(code) == ["refused", "nobody"]


def test_two_thousand_sockets_are_made_and_closed(enforce: Enforces) -> None:
    code = """
import socket
for i in range(2000):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM): socket.socket(socket.AF_INET, kind).close()
server = socket.create_server(("127.0.0.1", 0))
for i in range(300):
    with socket.create_connection(server.getsockname()): server.accept()[0].close()
print("fine")
"""
    assert enforce().code(code) == ["fine"]


def test_an_agent_that_may_have_no_more_files_is_told_so(enforce: Enforces) -> None:
    code = """
import errno, resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
held = []
try:
    while True: held.append(socket.socket())
except OSError as error: print(errno.errorcode[error.errno], len(held) > 10)
held.pop().close()
print(socket.create_server(("127.0.0.1", 0)).fileno() < 20)
"""
    assert enforce().code(code) == ["EMFILE True", "True"]


def test_datagrams_go_where_they_may_and_nowhere_else(enforce: Enforces) -> None:
    code = """
import ctypes, errno, socket, struct, sys
port, secret = map(int, sys.argv[1:])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print(s.sendto(b"allowed", ("127.0.0.1", port)))
def tell(call, *arguments):
    try: print(call(*arguments))
    except OSError as error: print(errno.errorcode[error.errno])
tell(s.sendto, b"refused", ("127.0.0.1", secret))
tell(s.connect, ("127.0.0.1", secret))
tell(s.sendto, bytes(70000), ("127.0.0.1", port))
libc = ctypes.CDLL(None, use_errno=True)
unspecified = struct.pack("=H", 0) + struct.pack("!H", secret) + bytes([127, 0, 0, 1]) + bytes(8)
print(libc.sendto(s.fileno(), b"x", 1, 0, unspecified, 16), errno.errorcode[ctypes.get_errno()])
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
tell(six.sendto, b"refused", ("::ffff:127.0.0.1", secret))
for each in (port, port): s.connect(("127.0.0.1", each))
print(s.send(b"connected"))
"""
    with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as forbidden:
        for each in (receiver, forbidden):
            each.bind(("127.0.0.1", 0))
            each.settimeout(5)
        port, secret = receiver.getsockname()[1], forbidden.getsockname()[1]
        out = enforce(to_port(secret)).code(code, port, secret)
        assert out == ["7", "EACCES", "EACCES", "EMSGSIZE", "-1 EACCES", "EACCES", "9"]
        assert [receiver.recv(100), receiver.recv(100)] == [b"allowed", b"connected"]
        forbidden.setblocking(False)
        with pytest.raises(BlockingIOError):
            forbidden.recv(1)


def test_data_with_the_handshake_is_refused_and_no_connect_can_be_undone(enforce: Enforces) -> None:
    code = """
import ctypes, errno, socket, struct, sys
port, secret = map(int, sys.argv[1:])
def tell(call, *arguments):
    try: print(call(*arguments))
    except OSError as error: print(errno.errorcode[error.errno])
tell(socket.socket().sendto, b"x", socket.MSG_FASTOPEN, ("127.0.0.1", secret))
tell(socket.socket().sendmsg, [b"x"], [], socket.MSG_FASTOPEN, ("127.0.0.1", secret))
libc = ctypes.CDLL(None, use_errno=True)
print(libc.sendmmsg(socket.socket().fileno(), None, 1, socket.MSG_FASTOPEN), errno.errorcode[ctypes.get_errno()])
s = socket.create_connection(("127.0.0.1", port))
libc.connect(s.fileno(), struct.pack("=H", 0) + bytes(14), 16)
tell(s.connect, ("127.0.0.1", secret))
"""
    with listener() as (_, port), listener() as (forbidden, secret):
        out = enforce(to_port(secret)).code(code, port, secret)
        assert out[:3] == ["ENOTSUP", "ENOTSUP", "-1 ENOTSUP"]
        assert out[3] in ("EACCES", "EISCONN")
        assert not reached(forbidden)


@pytest.mark.parametrize("what", ["family", "port"])
def test_no_rewritten_address_reaches_who_is_refused(
    enforce: Enforces, program: Callable[[str], str], what: str
) -> None:
    with accepting() as port, listener() as (forbidden, secret):
        enforced = enforce(to_port(secret))
        tries = 2000
        (connected,) = enforced.shell(program("flip"), what, str(tries), str(port), str(secret), seconds=60)
        assert not reached(forbidden)
        assert 0 < int(connected) < tries  # both were seen


def test_no_swapped_socket_reaches_who_is_refused(
    enforce: Enforces, program: Callable[[str], str], folder: Path
) -> None:
    with listener() as (_, port), listener() as (forbidden, secret), socket.socket(socket.AF_UNIX) as local:
        local.bind(str(folder / "local"))
        local.listen(128)
        enforced = enforce(to_port(secret))
        enforced.shell(program("flip"), "socket", "2000", str(port), str(secret), str(folder / "local"), seconds=60)
        assert not reached(forbidden)


def test_a_thread_with_files_of_its_own_connects_its_own_socket(
    enforce: Enforces, program: Callable[[str], str]
) -> None:
    with listener() as (server, port), listener() as (forbidden, secret):
        out = enforce(to_port(secret)).shell(program("ownsockets"), str(port), str(secret))
        assert out == [str(EACCES), "0"]
        assert not reached(forbidden)
        assert server.accept()[0].recv(3) == b"own"


def test_a_connect_that_hangs_holds_up_nobody(enforce: Enforces) -> None:
    code = """
import socket, sys, threading, time
full, port = map(int, sys.argv[1:])
def hang():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (2).to_bytes(8, "little") + bytes(8))
    try: s.connect(("127.0.0.1", full))
    except OSError as error: print(error.errno, flush=True)
hung = threading.Thread(target=hang); hung.start()
time.sleep(0.1)
def connect(): socket.create_connection(("127.0.0.1", port)).close()
began = time.monotonic()
many = [threading.Thread(target=connect) for _ in range(200)]
for each in many: each.start()
for each in many: each.join()
print(time.monotonic() - began < 1.5, hung.is_alive())
hung.join()
"""
    with listener(backlog=0) as (full, port), listener(backlog=512) as (_, other), socket.socket() as filler:
        filler.connect(full.getsockname())
        assert enforce().code(code, port, other) == ["True True", "115"]  # EINPROGRESS, as the kernel says it


def test_a_connect_that_hangs_is_interrupted_and_goes_on(enforce: Enforces) -> None:
    code = """
import ctypes, errno, signal, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.siginterrupt(signal.SIGALRM, True)
s = socket.socket()
signal.setitimer(signal.ITIMER_REAL, 0.2)
began = time.monotonic()
address = struct.pack("=H", 2) + struct.pack("!H", int(sys.argv[1])) + bytes([127, 0, 0, 1]) + bytes(8)
libc.connect(s.fileno(), address, 16)
print(errno.errorcode[ctypes.get_errno()], time.monotonic() - began < 2)
"""
    with listener(backlog=0) as (full, port), socket.socket() as filler:
        filler.connect(full.getsockname())
        assert enforce().code(code, port) == ["EINTR True"]


def test_who_is_killed_while_it_connects_leaves_nothing_behind(enforce: Enforces) -> None:
    code = """
import os, signal, socket, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import socket, sys
socket.socket().connect(("127.0.0.1", int(sys.argv[1])))
''', sys.argv[1]])
time.sleep(0.5)
child.kill()
print(child.wait(5))
"""
    with listener(backlog=0) as (full, port), socket.socket() as filler:
        filler.connect(full.getsockname())
        enforced = enforce()
        assert enforced.code(code, port) == ["-9"]


def test_what_programs_do_with_sockets_works(enforce: Enforces) -> None:
    code = """
import asyncio, http.server, socket, subprocess, sys, threading, urllib.request
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://localhost:{server.server_port}/"
print(urllib.request.urlopen(url).status)
async def many():
    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", server.server_port)
        writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        status = await reader.readline()
        writer.close()
        return status
    return await asyncio.gather(*[one() for _ in range(20)])
print({status.split()[1] for status in asyncio.run(many())})
for family, _, _, _, address in socket.getaddrinfo("localhost", server.server_port, type=socket.SOCK_DGRAM):
    with socket.socket(family, socket.SOCK_DGRAM) as probe: probe.connect(address)
if sys.argv[1]:
    print(subprocess.check_output([sys.argv[1], "-s", "-o", "/dev/null", "-w", "%{http_code}", url], text=True))
"""
    curl = shutil.which("curl") or ""
    assert enforce().code(code, curl, seconds=60) == ["200", "{b'200'}", *(["200"] if curl else [])]


def test_unix_sockets_are_connected_by_every_kind_of_name(enforce: Enforces, folder: Path) -> None:
    code = """
import os, socket, sys, threading, time
os.chdir(sys.argv[1])
for name in (sys.argv[1] + "/absolute", "relative", "\\0abstract"):
    server = socket.socket(socket.AF_UNIX); server.bind(name); server.listen(0)
    client = socket.socket(socket.AF_UNIX); client.connect(name)
    client.send(b"x"); print(server.accept()[0].recv(1))
for name in ("missing", "/etc/hostname"):
    try: socket.socket(socket.AF_UNIX).connect(name)
    except OSError as error: print(error.strerror)
full = socket.socket(socket.AF_UNIX); full.bind("full"); full.listen(0)
first = socket.socket(socket.AF_UNIX); first.connect("full")
threading.Thread(target=lambda: (time.sleep(0.3), full.accept(), time.sleep(0.3), full.accept())).start()
second = socket.socket(socket.AF_UNIX); second.connect("full"); print("in the end")
a, b = socket.socketpair(); a.send(b"pair"); print(b.recv(4))
"""
    out = enforce().code(code, folder)
    assert out == ["b'x'"] * 3 + ["No such file or directory", "Connection refused", "in the end", "b'pair'"]


def test_sockets_that_came_from_elsewhere(enforce: Enforces) -> None:
    code = """
import array, errno, os, socket, sys
port, inherited = map(int, sys.argv[1:])
a, b = socket.socketpair()
if os.fork() == 0:
    s = socket.socket(); a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s.fileno()]))])
    os._exit(0)
os.wait()
_, [(_, _, data)], _, _ = b.recvmsg(1, 100)
print(socket.socket(fileno=array.array("i", data)[0]).connect_ex(("127.0.0.1", port)))
print(socket.socket(fileno=inherited).connect_ex(("127.0.0.1", port)))
"""
    with listener() as (_, port), socket.socket() as inherited:
        enforced = enforce()
        out = enforced.shell_with(inherited, sys.executable, "-c", code, str(port), str(inherited.fileno()))
        assert out[0] == "0"
        assert out[1] == ("0" if not enforced.options else str(EACCES))  # no twin: it is out of reach, and so refused


def test_who_is_quarantined_reaches_nobody(enforce: Enforces) -> None:
    code = """
import errno, socket, sys
print("ready", flush=True); sys.stdin.readline()
def tell(call, *arguments):
    try: print(call(*arguments))
    except OSError as error: print(errno.errorcode[error.errno])
address = ("127.0.0.1", int(sys.argv[1]))
tell(early.connect, address); tell(early_datagram.sendto, b"x", address); tell(early.bind, ("127.0.0.1", 0))
tell(socket.socket, socket.AF_INET6, socket.SOCK_DGRAM)
local = socket.socket(socket.AF_UNIX); local.bind("\\0local"); local.listen()
tell(socket.socket(socket.AF_UNIX).connect, "\\0local")
"""
    begin = "import socket; early = socket.socket(); early_datagram = socket.socket(type=socket.SOCK_DGRAM)\n"
    with listener() as (server, port):
        enforced = enforce()
        agent = enforced.start(
            sys.executable, "-c", begin + code, str(port),
            options=enforced.options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert agent.stdout
        assert agent.stdout.readline() == b"ready\n"
        order(enforced.peer, "QUARANTINES", 7)
        out, _ = agent.communicate(b"go\n", 30)
        assert out.decode().split() == ["ENETUNREACH"] * 3 + ["EACCES", "None"]
        assert not reached(server)
        eventually(lambda: [m for m in enforced.of("SYSCALL") if flags(m) == {"DENIED", "CUT"}])
        told = [*enforced.of("CONNECT"), *enforced.of("BIND")]
        assert [flags(m) for m in told if m.body["family"] != socket.AF_UNIX] == [{"DENIED", "CUT"}] * 3


def refuses_connections(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == ECONNREFUSED


def test_what_was_open_before_the_quarantine_is_cut_off(enforce: Enforces) -> None:
    code = """
import errno, os, socket, sys, time
address = ("127.0.0.1", int(sys.argv[1]))
def tell(call, *arguments):
    try: return call(*arguments)
    except OSError as error: return errno.errorcode[error.errno]
connected = socket.create_connection(address)
datagram = socket.socket(type=socket.SOCK_DGRAM)
server = socket.create_server(("127.0.0.1", 0))
local, other = socket.socketpair()
print(server.getsockname()[1], flush=True); sys.stdin.readline()
time.sleep(0.3)
print(tell(connected.send, b"more"))
print(tell(datagram.sendmsg, [b"x"], [], 0, address))
print(local.send(b"x"))
"""
    with listener() as (_, port):
        enforced = enforce()
        agent = enforced.start(
            sys.executable, "-c", code, str(port),
            options=enforced.options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert agent.stdout
        own = int(agent.stdout.readline())
        order(enforced.peer, "QUARANTINES", 7)
        if not enforced.options:  # with twins, init has no descriptor of what is connected or listens
            eventually(lambda: refuses_connections(own))
        tcp, udp, local = agent.communicate(b"go\n", 30)[0].decode().split()
        assert (udp, local) == ("EPIPE", "1")
        assert tcp == ("4" if enforced.options else "ECONNRESET")


def test_a_connect_under_way_is_given_up_when_the_quarantine_comes(enforce: Enforces) -> None:
    code = """
import errno, socket, sys
print("ready", flush=True)
print(errno.errorcode[socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1])))])
"""
    with listener(backlog=0) as (full, port), socket.socket() as filler:
        filler.connect(full.getsockname())
        enforced = enforce()
        agent = enforced.start(sys.executable, "-c", code, str(port), options=enforced.options, stdout=subprocess.PIPE)
        eventually(lambda: any(m.body["port"] == port for m in enforced.of("CONNECT")))
        time.sleep(0.1)
        order(enforced.peer, "QUARANTINES", 7)
        assert agent.communicate(timeout=30)[0] == b"ready\nENETUNREACH\n"


def test_nothing_stays_with_init(enforce: Enforces) -> None:
    code = """
import os, socket, sys
port, full = map(int, sys.argv[1:])
print("ready", flush=True); sys.stdin.readline()
for _ in range(100):
    if os.fork() == 0:
        with socket.create_connection(("127.0.0.1", port)): pass
        s = socket.socket(); s.setblocking(False); s.connect_ex(("127.0.0.1", full)); s.close()
        with socket.socket(type=socket.SOCK_DGRAM) as s: s.sendto(b"x", ("127.0.0.1", 9)); s.connect(("127.0.0.1", 9))
        with socket.socket() as s: s.bind(("127.0.0.1", 0)); s.listen()
        os._exit(0)
    os.wait()
print("done", flush=True); sys.stdin.readline()
"""
    with accepting() as port, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        enforced = enforce()
        agent = enforced.start(
            sys.executable, "-c", code, str(port), str(unused.getsockname()[1]),
            options=enforced.options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert agent.stdin
        assert agent.stdout
        files = Path(f"/proc/{agent.pid}/fd")
        assert agent.stdout.readline() == b"ready\n"
        before = len(list(files.iterdir()))
        agent.stdin.write(b"go\n")
        agent.stdin.flush()
        assert agent.stdout.readline() == b"done\n"
        eventually(lambda: len(list(files.iterdir())) <= before + 4)  # what it waits with
        agent.communicate(b"over\n", 30)


@pytest.mark.skipif(os.geteuid() != 0, reason="runs as another user, which needs root; as a user all other tests do")
@pytest.mark.parametrize("way", WAYS)
def test_without_any_right(init: Path, folder: Path, program: Callable[[str], str], way: str) -> None:
    own = shutil.copy(program("ownsockets"), folder / "ownsockets")
    with listener() as (server, port), listener() as (forbidden, secret):
        with enforcing(init, folder, to_port(secret)) as enforced:
            command = enforced.command(str(own), str(port), str(secret), options=WAYS[way])
            done = subprocess.run([*NOBODY, "--", *command], capture_output=True, timeout=30, check=True, cwd="/")
        assert done.stdout.decode().splitlines() == [str(EACCES), "0"]
        assert not reached(forbidden)
        assert reached(server)


def test_sockets_that_are_made_for_the_agent_are_told_as_others_are(enforce: Enforces) -> None:
    code = """
import socket
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6): socket.socket(family, kind).close()
socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
"""
    for stance in ("WATCHES", "ENFORCES"):
        enforced = enforce(stance=stance)
        enforced.code(code)
        told = enforced.calls(NR["socket"])
        assert [m.body["args0"] for m in told] == [socket.AF_INET, socket.AF_INET6]
        assert all(m.body["args1"] & 0xF == socket.SOCK_DGRAM for m in told)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives rights up, which only root has")
def test_init_does_nothing_that_its_caller_may_not(enforce: Enforces, folder: Path) -> None:
    code = """
import errno, os, socket, sys
def tell(call, *arguments):
    try: print(call(*arguments))
    except OSError as error: print(errno.errorcode[error.errno])
server = socket.socket(socket.AF_UNIX); server.bind(sys.argv[1]); server.listen()
os.chmod(sys.argv[1], 0)
client, reserved, free, unix = socket.socket(), socket.socket(), socket.socket(), socket.socket(socket.AF_UNIX)
tell(socket.socket(socket.AF_UNIX).connect, sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
tell(unix.connect, sys.argv[1])
tell(reserved.bind, ("127.0.0.1", 81))
tell(free.bind, ("127.0.0.1", 0))
"""
    start = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    assert enforce().code(code, folder / "closed") == ["None", "EACCES", "EACCES" if start > 81 else "None", "None"]


def test_a_socket_that_lingers_holds_nobody_up(compiled: Callable[..., Path]) -> None:
    sources = Path(__file__).parents[3] / "sidecar" / "init"
    program = compiled("lingering", sources / "let_go.c", sources / "thread.c")
    done = subprocess.run([program, "20"], capture_output=True, check=True, timeout=30)
    assert int(done.stdout) < 20
