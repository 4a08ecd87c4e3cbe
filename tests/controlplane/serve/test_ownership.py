"""One owner per state folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from controlplane.serve.ownership import OwnedError, owned


def test_the_second_is_told_who_the_first_is(tmp_path: Path) -> None:
    with owned(tmp_path):
        with pytest.raises(OwnedError, match=f"process {os.getpid()} "), owned(tmp_path):
            pass
        with pytest.raises(OwnedError), owned(tmp_path):
            pass


def test_what_was_let_go_can_be_owned_again(tmp_path: Path) -> None:
    for _ in range(2):
        with owned(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_lock_file_with_nonsense_in_it_is_only_less_informative(tmp_path: Path) -> None:
    with owned(tmp_path):
        (tmp_path / "lock").write_text("\x1b[31mroot")
        with pytest.raises(OwnedError, match="another process"), owned(tmp_path):
            pass
