"""`--check` tries each mechanism and says what is lost without it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.init_peer import CONSTANTS
from tests.sidecar.init.observed import Observer

pytestmark = pytest.mark.real

MECHANISMS = {name[2:].lower().replace("_", "-"): bit for name, bit in CONSTANTS.items() if name.startswith("M_")}


def check(*command: str | Path) -> list[dict[str, Any]]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == (0 if by_name(lines)["notify"]["works"] else 1)
    return lines


def by_name(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["mechanism"]: line for line in lines}


def test_every_mechanism_of_the_protocol_is_tried(init: Path) -> None:
    lines = check(init, "--check")
    assert set(MECHANISMS) < set(by_name(lines))
    for line in lines:
        assert set(line) == {"mechanism", "works", "detail", "minimum_kernel", "lost_without"}
        assert isinstance(line["works"], bool)
        assert line["detail"]
    assert {"yama", "lsm", "kernel"} <= set(by_name(lines))


def test_hello_says_the_same(init: Path, observer: Observer) -> None:
    lines = by_name(check(init, "--check"))
    observer.run("true")
    works = sum(bit for name, bit in MECHANISMS.items() if lines[name]["works"])
    assert observer.of("HELLO")[0].body["mechanisms"] == works


def test_what_an_outer_filter_refuses_is_said(init: Path) -> None:
    """Under a filter with a listener of its own a second one is refused; the rest still works."""
    lines = by_name(check(init, "--", init, "--check"))
    assert not lines["notify"]["works"]
    assert "busy" in lines["notify"]["detail"].lower()
    assert lines["vm-read"]["works"]


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_without_any_privilege(init: Path) -> None:
    prefix = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]
    prefix += ["--bounding-set", "-all", "--"]
    lines = by_name(check(*prefix, init, "--check"))
    for name in ("notify", "vm-read", "proc-mem", "addfd", "ptrace-seize", "sock-diag", "subreaper"):
        assert lines[name]["works"], name
