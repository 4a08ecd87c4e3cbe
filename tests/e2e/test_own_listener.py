"""A program that listens on a port the kernel chose and contacts it: learned with one, it goes on with another."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from errno import EACCES
from pathlib import Path

import pytest

from inscope.mode import Mode
from tests.e2e.guarded import SYSTEM_PYTHON, Guarded
from tests.fakes.lone_sidecar import LoneSidecar
from tests.sidecar.init.enforced import listener, reached

pytestmark = pytest.mark.real

SERVER = """
import socket, subprocess, sys, time
client = "import socket, sys; print(socket.create_connection(('127.0.0.1', int(sys.argv[1]))).recv(9).decode())"
for line in sys.stdin:
    what, *words = line.split()
    if what == "serve":
        server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
        port = server.getsockname()[1]
        mine = socket.socket(); result = mine.connect_ex(("127.0.0.1", port))
        child = subprocess.Popen([sys.executable, "-c", client, str(port)], stdout=subprocess.PIPE)
        if result == 0: server.accept()
        server.settimeout(10)
        try: server.accept()[0].sendall(b"served")
        except TimeoutError: result = -1
        if child.communicate()[0] != b"served\\n": result = -2
        server.close()
    else:
        result = socket.socket().connect_ex(("127.0.0.1", int(words[0])))
    print(result, 0, flush=True)
"""

COMMAND = (SYSTEM_PYTHON, "-c", SERVER)


@pytest.fixture
def folders() -> Iterator[list[Path]]:
    """Two that nobody's agent may enter: of the sidecar that learns, and of the one that enforces."""
    made = [Path(tempfile.mkdtemp(prefix="inscope-")) for _ in range(2)]
    for folder in made:
        folder.chmod(0o755)
    yield made
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


def test_it_is_served_at_any_port_of_its_own_and_reaches_none_of_anothers(folders: list[Path]) -> None:
    reference = folders[0] / "reference"
    learning = LoneSidecar(folders[0], Mode.OBSERVE, reference)
    with Guarded(learning, COMMAND) as agent:
        assert agent.do("serve").result == 0
        assert agent.do("serve").result == 0
        agent.init.communicate(timeout=30)
        learning.wait()
    enforcing = LoneSidecar(folders[1], Mode.ENFORCE, reference)
    with listener() as (outsider, port), Guarded(enforcing, COMMAND) as agent:
        assert [agent.do("serve").result for _ in range(3)] == [0, 0, 0]
        assert agent.do("contact", port).result == EACCES
        assert not reached(outsider)
