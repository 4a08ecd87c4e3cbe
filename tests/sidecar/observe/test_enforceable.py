"""What enforce needs: one list of names, which must be init's own."""

from __future__ import annotations

import json
import subprocess

from inscope.mechanism import NEEDED_TO_ENFORCE
from sidecar.init import binary
from sidecar.observe.enforceable import named, why_not_enforce
from sidecar.observe.header import HEADER

EVERYTHING = sum(HEADER.enums["mechanism"].values())


def test_bits_and_what_init_prints_are_the_same_names() -> None:
    printed = subprocess.run([binary(), "--check"], capture_output=True, check=False).stdout.splitlines()
    names = {json.loads(line)["mechanism"] for line in printed}
    assert named(EVERYTHING) <= names
    assert len(named(EVERYTHING)) == len(HEADER.enums["mechanism"])


def test_what_enforce_needs_are_mechanisms_of_init() -> None:
    assert frozenset().union(*(need.either for need in NEEDED_TO_ENFORCE)) <= named(EVERYTHING)


def test_each_need_is_told_where_nothing_of_it_works() -> None:
    assert why_not_enforce(EVERYTHING) == ""
    for need in NEEDED_TO_ENFORCE:
        bits = sum(value for bit, value in HEADER.enums["mechanism"].items() if not named(value) & need.either)
        assert why_not_enforce(bits) == need.lack
