"""What an attack's file declares is read as it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bypass.attack import AttackError, Room, State, all_attacks, read


def a_file(folder: Path, text: str) -> Path:
    path = folder / "one.c"
    path.write_text(text)
    return path


def test_what_is_not_said_is_the_usual(tmp_path: Path) -> None:
    attack = read(
        a_file(tmp_path, "/* Something\n * is tried.\n *\n * seen: exec\n * enforce: prevented\n */\nint x;\n")
    )
    assert (attack.title, attack.seen, attack.race, attack.window) == ("Something is tried.", "exec", False, "")
    assert attack.works == frozenset(Room)
    assert set(attack.enforce.values()) == {State.PREVENTED}


def test_a_room_can_have_its_own_end(tmp_path: Path) -> None:
    declared = "seen: nothing\nenforce: missed\nenforce@root: seen only\nworks: root user\nrace: yes"
    attack = read(a_file(tmp_path, f"/* A.\n\n{declared}\n*/"))
    assert attack.seen == ""
    assert attack.enforce[Room.ROOT] is State.SEEN_ONLY
    assert attack.enforce[Room.USER] is State.MISSED
    assert attack.works == {Room.ROOT, Room.USER}
    assert attack.race


@pytest.mark.parametrize(
    "text",
    ["int main;", "/* A.\n *\n * seen: exec\n */", "/* A.\n *\n * seen: exec\n * enforce: perhaps\n */"],
    ids=["no comment", "no end", "no such end"],
)
def test_what_declares_nothing_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(AttackError):
        read(a_file(tmp_path, text))


def test_there_are_enough_of_them_and_each_has_a_title() -> None:
    attacks = all_attacks()
    assert len(attacks) >= 60
    assert all(attack.title.endswith(".") for attack in attacks)
