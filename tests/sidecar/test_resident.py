"""Which pages may be let go, on made-up maps and on this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.resident import Mapping, clean_mappings


def smaps(head: str, **values: str) -> list[str]:
    fields = {"Private_Dirty": "0 kB", "Anonymous": "0 kB"} | values
    return [head, *(f"{name}:       {value}" for name, value in fields.items()), "VmFlags: rd ex mr mw me"]


TEXT = "1000-3000 r-xp 00000000 fe:01 77    /usr/lib/x/libssl.so.3"


def test_clean_library_text_is_let_go():
    assert list(clean_mappings(smaps(TEXT))) == [Mapping(0x1000, 0x2000)]


@pytest.mark.parametrize(
    "lines",
    [
        smaps(TEXT, Private_Dirty="4 kB"),
        smaps(TEXT, Anonymous="4 kB"),
        smaps("1000-3000 rw-p 00000000 fe:01 77    /usr/lib/x/libssl.so.3"),
        smaps("1000-3000 r-xs 00000000 fe:01 77    /usr/lib/x/libssl.so.3"),
        smaps("1000-3000 r--p 00000000 fe:01 77    /usr/lib/locale/locale-archive"),
        smaps("1000-3000 r-xp 00000000 00:00 0     [vdso]"),
        smaps("1000-3000 r--p 00000000 00:00 0"),
    ],
)
def test_what_could_be_lost_or_is_no_library_stays(lines):
    assert list(clean_mappings(lines)) == []


def test_one_dirty_mapping_does_not_spoil_the_next():
    lines = [*smaps(TEXT, Private_Dirty="8 kB"), *smaps(TEXT.replace("1000-3000", "5000-6000"))]
    assert list(clean_mappings(lines)) == [Mapping(0x5000, 0x1000)]


PROGRAM = """
import hashlib, json, ssl, sqlite3
from sidecar import resident
rss = lambda: next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmRSS'))
resident.prepare_heap()
before = rss()
resident.settle()
resident.give_back()
after = rss()
assert hashlib.sha256(b'').hexdigest().startswith('e3b0'), 'libraries still work'
assert json.loads('[1]') == [1] and ssl.create_default_context() and sqlite3.connect(':memory:')
print(before, after)
"""


def test_a_real_process_becomes_smaller_and_still_works():
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=root)
    before, after = map(int, done.stdout.split())
    assert after < before - 2048
