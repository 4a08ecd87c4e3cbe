"""Data never controls the terminal, nothing is cut, and JSON stays one document."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from controlplane.cli.documents import alert_document, behaviour_document, finding_document, rfc3339
from controlplane.cli.output import cell, console, emit, measure, moment, number, print_json, table
from controlplane.cli.tables import alert_block, findings_blocks
from inscope.codec import finding_from_wire, finding_to_wire
from tests import strategies as words
from tests.controlplane.cli.samples import ALERT, FINDING


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(st.text())
def test_no_control_character_of_a_cell_reaches_the_terminal(text: str) -> None:
    assert all(char.isprintable() or char == "\n" for char in cell(text).plain)


@given(st.text())
def test_json_is_plain_ascii_and_reads_back(text: str) -> None:
    out = io.StringIO()
    print_json({"text": text}, out)
    assert out.getvalue().isascii()
    assert json.loads(out.getvalue()) == {"text": text}


def test_markup_in_data_is_text() -> None:
    out = io.StringIO()
    console(out).print(cell("[red]:bomb: [link=x]y"))
    assert out.getvalue() == "[red]:bomb: [link=x]y\n"


def test_what_is_not_a_terminal_gets_plain_lines_however_long() -> None:
    out = io.StringIO()
    rows = table("ID", "SENTENCE", fixed=("ID",))
    rows.add_row(cell("IN-1", "red"), cell("word " * 500))
    emit(rows, cell("last"), stream=out)
    assert "\x1b" not in out.getvalue()
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_narrow_terminal_folds_sentences_and_keeps_ids_whole() -> None:
    out = Terminal()
    identifier = "IN-" + "1" * 20
    rows = table("ID", "SENTENCE", fixed=("ID",))
    rows.add_row(cell(identifier), cell("held and never used " * 10))
    Console(file=out, width=40, force_terminal=False).print(rows)
    assert identifier in out.getvalue()
    assert "…" not in out.getvalue()
    assert out.getvalue().replace("\n", " ").split().count("held") == 10


@given(words.findings)
def test_any_finding_that_the_codec_passes_has_a_row_and_a_document(finding) -> None:
    out = io.StringIO()
    received = finding_from_wire(finding_to_wire(finding))
    emit(*findings_blocks([received]), stream=out)
    assert json.loads(json.dumps(finding_document(received)))["id"] == finding.id


@given(words.alerts)
def test_any_alert_has_a_block_and_a_document(alert) -> None:
    out = io.StringIO()
    emit(alert_block(alert), stream=out)
    assert len(json.loads(json.dumps(alert_document(alert)))["crossed"]) == len(alert.crossed)


@given(words.behaviours)
def test_every_behaviour_has_kind_subject_and_actor_and_no_second_word_for_them(behaviour) -> None:
    document = json.loads(json.dumps(behaviour_document(behaviour)))
    assert {"kind", "subject", "actor"} <= set(document)
    assert isinstance(document.get("program", {}), dict)


def test_the_fields_of_findings_and_alerts_are_as_documented() -> None:
    assert list(finding_document(FINDING)) == [
        *("id", "kind", "workload", "reference", "capability", "tripwire", "sentence", "since"),
    ]
    assert list(alert_document(ALERT)) == [
        *("id", "time", "last_seen", "workload", "agent", "tripwire", "crossed", "behaviour", "ancestry", "verdict"),
        *("techniques", "rank", "sentence", "count", "trace_id", "approved"),
    ]


def test_times_are_rfc_3339_in_utc_and_null_where_there_is_none() -> None:
    assert rfc3339(1_700_000_000.5) == "2023-11-14T22:13:20.500000Z"
    assert rfc3339(0) is None
    assert (moment(1_700_000_000), moment(0)) == ("2023-11-14 22:13:20Z", "-")
    assert [measure(value) for value in (0, 14, 0.05, 3.5e-05, 1234.567)] == ["0", "14", "0.05", "< 0.01", "1,234.57"]
    assert (number(1871), number(-1)) == ("1,871", "any")
