"""What is known is counted where it happens, exactly; and who was only counted is still called by its name."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.installation import INSCOPE, SECONDS, Installation

pytestmark = pytest.mark.real

NOBODY = 65534
LESS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner"]

WORK = """
{cat} /dev/null
sleep 0.3
i=0; while [ $i -lt 299 ]; do {cat} /dev/null; i=$((i+1)); done
if [ -e extra ]; then {cat} /etc/shadow 2>/dev/null; fi
true
"""


class WithLess(Installation):
    """Even root cannot write everything here: what can be written is looked at each time in detect."""

    def inscope(self, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
        if os.geteuid() != 0:
            return super().inscope(*words, **options)
        settings: dict[str, Any] = {"env": self.environment, "cwd": self.workspace, "timeout": SECONDS, "text": True}
        settings |= {"capture_output": True, "stdin": subprocess.DEVNULL, "check": False}
        return subprocess.run([*LESS, *INSCOPE, *words], **settings, **options)


@pytest.fixture
def installed() -> Iterator[Installation]:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root can write everything, and setpriv is not here")
    folder = Path(tempfile.mkdtemp(prefix="inscope-"))
    installation = WithLess(folder / "state", folder / "work")
    try:
        yield installation
    finally:
        installation.end()
        print(installation.logs())
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def cat() -> Iterator[str]:
    """A program that the workload cannot write. Not in a temporary folder: what runs there is not trusted."""
    if os.geteuid() != 0:
        yield "/bin/cat"
        return
    with tempfile.TemporaryDirectory(prefix="inscope-", dir=Path.home()) as folder:
        path = Path(folder, "ourcat")
        shutil.copy("/bin/cat", path)
        path.chmod(0o555)
        os.chown(path, NOBODY, NOBODY)
        yield str(path)


def counted(installation: Installation, dimension: str, value: str) -> int:
    """How often the entry whose value ends so was seen."""
    (document,) = installation.ask("show", "agent", "--entries")
    entries = [entry for reference in document["references"] for entry in reference["entries"]]
    (found,) = [one for one in entries if one["dimension"] == dimension and value in f"{one['value']} {one['label']}"]
    return int(found["count"])


def test_spawns_are_counted_exactly_and_a_new_act_of_one_is_an_alert(installed: Installation, cat: str) -> None:
    work = WORK.format(cat=cat)
    assert installed.run("/bin/sh", "-c", work).returncode == 0
    assert counted(installed, "program", "cat") == 300

    assert installed.inscope("mode", "agent", "detect", "--force").returncode == 0
    assert installed.run("/bin/sh", "-c", work).returncode == 0
    assert counted(installed, "program", "cat") == 600
    assert [one["sentence"] for one in installed.ask("alerts", "agent")] == []

    (installed.workspace / "extra").touch()
    assert installed.run("/bin/sh", "-c", work).returncode == 0
    assert counted(installed, "program", "cat") == 901
    (alert,) = [one for one in installed.ask("alerts", "agent") if "/etc/shadow" in one["behaviour"]["subject"]]
    own, parent = (one["label"] for one in alert["ancestry"][:2])
    assert own == alert["behaviour"]["actor"]
    assert own.endswith("cat")
    assert parent.endswith("sh -c")
