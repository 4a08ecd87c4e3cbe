"""A real PostgreSQL on loopback and a unix socket, with pgaudit and a JSON log, run by a user that is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.kube.cluster import free_port

USER = "postgres"
SETTINGS = """
log_destination = 'jsonlog,csvlog'
logging_collector = on
log_directory = 'log'
log_filename = 'server'
log_timezone = 'UTC'
log_connections = on
shared_preload_libraries = 'pgaudit'
pgaudit.log = 'all'
pgaudit.log_relation = on
pgaudit.log_rows = on
pgaudit.log_catalog = off
fsync = off
"""


def programs() -> Path | None:
    """The newest installed server's; None where there is none that has pgaudit."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    for path in reversed(found):
        if (Path("/usr/lib/postgresql") / path.parts[-3] / "lib/pgaudit.so").exists():
            return path.parent
    return None


class Server:
    """Runs from `start` to `end`."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self.port = free_port()
        self.log = self.folder / "data/log/server.json"
        self.csv_log = self.folder / "data/log/server.csv"

    def start(self) -> None:
        """Until it answers."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, pwd.getpwnam(USER).pw_gid)
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-A", "trust", "-U", USER, "--no-sync")
        (self.folder / "data/postgresql.auto.conf").write_text(SETTINGS)
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", data, "-o", options, "-l", f"{self.folder}/start.log", "-w", "start")
        self.sql("CREATE EXTENSION pgaudit")

    def end(self) -> None:
        """Stop it at once."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text: str, role: str = USER, database: str = "postgres", *, check: bool = True) -> str:
        """Unaligned rows without headers; with `check`, an error is one here too."""
        words = ["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port), "-U", role]
        done = subprocess.run(
            [str(self._binaries / "psql"), *words, "-d", database, "-f", "-"],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(done.stderr)
        return done.stdout

    def logged(self, needle: str, seconds: float = 20.0) -> bytes:
        """The log, once `needle` is in it."""
        deadline = time.monotonic() + seconds
        while needle.encode() not in (text := self.log.read_bytes()):
            assert time.monotonic() < deadline, f"{needle} is not logged"
            time.sleep(0.05)  # nothing tells when it has written
        return text

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        words = [str(self._binaries / program), *arguments]
        if os.geteuid() == 0:
            words = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]
        subprocess.run(words, check=check, capture_output=True, cwd="/")
