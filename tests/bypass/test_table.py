"""The threat model tells of the attacks what their files declare."""

from __future__ import annotations

from pathlib import Path

from tests.bypass.attack import all_attacks
from tests.bypass.table import BEGIN, END, table

THREAT_MODEL = Path(__file__).parents[2] / "docs" / "threat-model.md"


def test_the_threat_model_holds_the_printed_table() -> None:
    text = THREAT_MODEL.read_text()
    printed = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert printed.strip() == table(all_attacks()).strip(), "python -m tests.bypass --table prints another"
