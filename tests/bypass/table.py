"""The attacks as a table in Markdown: what is declared of each, which the tests hold against what really happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.bypass.attack import Attack, Room, State

THREAT_MODEL = Path(__file__).parents[2] / "docs" / "threat-model.md"
"""Where it is shown."""

BEGIN = "<!-- what follows is printed by: python -m tests.bypass --table -->"
END = "<!-- end of what is printed -->"

_GOALS = {
    "exec": "To run a program that is out of reference",
    "egress": "To reach a destination that is out of reference",
    "load": "To run code that is out of reference in a program that is in it",
    "file": "To read or write a file that is out of reference",
    "guard": "To blind, stop or end the guard",
}


def table(attacks: Sequence[Attack]) -> str:
    """The whole of it, with its sums."""
    return "\n".join(_lines(attacks))


def with_table(text: str, printed: str) -> str:
    """A page whose part between the markers is `printed`. Raises ValueError: it has no markers."""
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return f"{text[:begin]}\n{printed}\n{text[end:]}"


def _lines(attacks: Sequence[Attack]) -> Iterator[str]:
    yield f"{len(attacks)} attacks. In enforce, by their declared ends: {_sums(attacks)}."
    for goal, title in _GOALS.items():
        yield ""
        yield f"#### {title}"
        yield ""
        yield "| attack | what is tried | observe, detect | enforce | of itself it works | window |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(attack) for attack in attacks if attack.goal == goal)


def _sums(attacks: Iterable[Attack]) -> str:
    counts = Counter(attack.enforce[Room.USER] for attack in attacks)
    return ", ".join(f"{counts[state]} {state}" for state in State)


def _row(attack: Attack) -> str:
    name = attack.name.partition("/")[2].replace("_", " ")
    cells = (name, attack.title, attack.seen or "nothing", _enforced(attack), _works(attack), attack.window)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _enforced(attack: Attack) -> str:
    usual = attack.enforce[Room.USER]
    other = [f"{room}: {state}" for room, state in attack.enforce.items() if state is not usual]
    refused = [f"so is the honest act: {attack.refused}"] if attack.refused else []
    return "; ".join([f"**{usual}**" if usual is State.PREVENTED else usual, *other, *refused])


def _works(attack: Attack) -> str:
    """Where the kernel lets it happen; what it refuses by itself is no merit of ours."""
    if not attack.works:
        return "nowhere"
    return "everywhere" if attack.works == frozenset(Room) else ", ".join(room for room in Room if room in attack.works)
