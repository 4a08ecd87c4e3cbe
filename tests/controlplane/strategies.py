"""Hypothesis strategies particular to the control plane: hostile text in behaviours, and evidence."""

from __future__ import annotations

from hypothesis import strategies as st

from inscope.behaviour import (
    Access,
    Connect,
    Contradiction,
    Exec,
    Listen,
    Load,
    Open,
    Program,
    Protocol,
    Script,
    ScriptOrigin,
    Syscall,
)
from inscope.reference import Evidence, Standing
from tests.strategies import behaviours as polite
from tests.strategies import ports, times

texts = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["/a → b", "/x + y", "unhashed", "", "/tmp/x", "unix:", ": ", " became ", "(", ")", "[::1]", "1/tcp", "/", "-c"]
)
"""What a hostile process could make of a path, a label or a name: above all, our own separators."""

_hashes = st.sampled_from(["", "a" * 64, "b" * 64, "c" * 64])
_scripts = st.builds(Script, st.sampled_from(ScriptOrigin), texts, _hashes)
_programs = st.builds(Program, texts, _hashes, st.none() | _scripts)
behaviours = st.one_of(
    polite,
    st.builds(Exec, _programs, texts),
    st.builds(Load, texts, _hashes, texts, texts),
    st.builds(Open, texts, st.sampled_from(Access), texts, st.booleans()),
    st.builds(Connect, texts, ports, st.sampled_from(Protocol), texts),
    st.builds(Listen, texts, ports, st.sampled_from(Protocol), texts),
    st.builds(Syscall, texts, texts, texts),
    st.builds(Contradiction, texts, texts, texts),
)
_names = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=8)


@st.composite
def evidence(draw: st.DrawFn) -> Evidence:
    """Evidence as sightings, merges and approvals make it."""
    first, last = sorted((draw(times), draw(times)))
    named = tuple(sorted(draw(_names)))
    sessions = len(named) if len(named) < 8 else draw(st.integers(8, 20))
    standing, source = draw(st.sampled_from(Standing)), draw(st.sampled_from(["init", "approval"]))
    return Evidence(first, last, draw(st.integers(1, 2**32 - 1)), sessions, named, source, standing)
