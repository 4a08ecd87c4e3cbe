"""The threat model tells of the attacks what their files declare."""

from __future__ import annotations

from tests.bypass.attack import all_attacks
from tests.bypass.table import THREAT_MODEL, table, with_table


def test_the_threat_model_holds_the_printed_table() -> None:
    text = THREAT_MODEL.read_text()
    assert text == with_table(text, table(all_attacks())), "run: python -m tests.bypass --write"
