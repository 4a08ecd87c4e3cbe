"""Log lines: one line each, with a time, harmless to a terminal."""

from __future__ import annotations

from sidecar.log import MAX_LINE, open_log


def test_a_line_has_a_time_and_no_control_characters(tmp_path):
    log = open_log(tmp_path / "log", lambda: 0.0)
    log("peer said \x1b[2J\nforged line")
    assert (tmp_path / "log").read_text() == (
        "1970-01-01T00:00:00.000+00:00 sidecar: peer said \\x1b[2J\\x0aforged line\n"
    )


def test_a_long_line_is_cut(tmp_path):
    open_log(tmp_path / "log", lambda: 0.0)("x" * 10_000)
    assert len((tmp_path / "log").read_text()) < MAX_LINE + 60
